import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decode, encode, fromBase64, toBase64 } from './base64.ts'

test('both ways, by table and by the platform, for any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64')
      expect(encode(bytes)).toBe(text)
      expect(toBase64(bytes)).toBe(text)
      expect([...decode(text)]).toEqual([...bytes])
      expect([...fromBase64(text)]).toEqual([...bytes])
    }),
  )
})

test('what is no base64 is passed over; nothing throws', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(() => fromBase64(text)).not.toThrow()
    }),
  )
  expect([...fromBase64('AQ\nID')]).toEqual([1, 2, 3])
  expect([...fromBase64('-_')]).toEqual([251])
  expect([...fromBase64('AQI')]).toEqual([1, 2])
})

test('a megabyte is no matter', () => {
  const bytes = Uint8Array.from({ length: 1_000_003 }, (_, n) => n * 7)
  expect(Buffer.compare(fromBase64(encode(bytes)), bytes)).toBe(0)
})
