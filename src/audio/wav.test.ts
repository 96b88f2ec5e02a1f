import { describe, expect, test } from 'vitest'
import { channelOf, readWav, writeWav } from './wav.ts'

const samples = Int16Array.of(1, -2, 3, -4, 32_767, -32_768)
const chunk = (name: string, ...body: number[]) => [...Buffer.from(name), body.length, 0, 0, 0, ...body]
const without = (bytes: Uint8Array, ...chunks: number[][]) =>
  Uint8Array.from([...bytes.subarray(0, 12), ...chunks.flat()])

describe.each([1, 2])('%i channel(s)', (channels) => {
  test('what is written is read', () => {
    expect(readWav(writeWav({ rate: 24_000, channels, samples }))).toEqual({ rate: 24_000, channels, samples })
  })
})

test('the header is the usual one of 44 bytes', () => {
  const hex = Buffer.from(writeWav({ rate: 16_000, samples: Int16Array.of(258) })).toString('hex')
  expect(hex).toBe('524946462600000057415645666d7420100000000100010080' + '3e0000007d00000200100064617461020000000201')
})

test('unknown chunks are skipped, odd ones with their padding byte', () => {
  const plain = writeWav({ rate: 8_000, samples })
  const bytes = without(plain, [...chunk('LIST', 1, 2, 3), 0], [...plain.subarray(12, 36)], chunk('fact', 0, 0, 0, 0), [
    ...plain.subarray(36),
  ])
  expect(readWav(bytes)).toEqual({ rate: 8_000, channels: 1, samples })
})

test('a file of unknown length, or cut short, gives what is there', () => {
  const bytes = writeWav({ rate: 8_000, samples })
  bytes.fill(0xff, 40, 44)
  expect(readWav(bytes).samples).toEqual(samples)
  expect(readWav(bytes.subarray(0, 49)).samples).toEqual(samples.subarray(0, 2))
})

test('a channel is taken out of a stereo recording', () => {
  const wav = readWav(writeWav({ rate: 8_000, channels: 2, samples }))
  expect(channelOf(wav, 1)).toEqual(Int16Array.of(-2, -4, -32_768))
  expect(channelOf({ rate: 8_000, channels: 1, samples })).toBe(samples)
})

test('what cannot be read is told clearly', () => {
  const plain = writeWav({ rate: 8_000, samples })
  const changed = (at: number, value: number) => Uint8Array.from(plain, (byte, n) => (n === at ? value : byte))
  expect(() => readWav(new Uint8Array(0))).toThrow('not a wav file')
  expect(() => readWav(Buffer.from('ID3 and so on, an mp3 file'))).toThrow('not a wav file')
  expect(() => readWav(plain.subarray(0, 36))).toThrow('no data chunk')
  expect(() => readWav(changed(20, 3))).toThrow('16-bit samples of kind 3; only 16-bit PCM')
  expect(() => readWav(changed(34, 8))).toThrow('8-bit samples')
  expect(() => readWav(changed(22, 0))).toThrow('0 channels')
  expect(() => readWav(without(plain, chunk('data', 1, 2)))).toThrow('no format')
  expect(() => readWav(without(plain, chunk('fmt ', 1, 0)))).toThrow('cut short')
  expect(() => writeWav({ rate: 8_000, channels: 4, samples })).toThrow('6 samples')
})
