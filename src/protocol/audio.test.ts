import { expect, test } from 'vitest'
import { bytesOf, msOf, rateOf } from './audio.ts'

const pcm = { type: 'audio/pcm', rate: 24_000 } as const

test.each([
  [pcm, 24_000, 48],
  [{ type: 'audio/pcm' } as const, 24_000, 48],
  [{ type: 'audio/pcmu' } as const, 8_000, 8],
  [{ type: 'audio/pcma' } as const, 8_000, 8],
])('%j: %i Hz, %i bytes a ms', (format, rate, perMs) => {
  expect(rateOf(format)).toBe(rate)
  expect(bytesOf(20, format)).toBe(20 * perMs)
  expect(msOf(20 * perMs, format)).toBe(20)
})

test('bytes come in whole samples', () => {
  expect(bytesOf(0.99 / 24, pcm)).toBe(0)
  expect(bytesOf(1.01 / 24, pcm)).toBe(2)
  expect(bytesOf(10.02, pcm) % 2).toBe(0)
})
