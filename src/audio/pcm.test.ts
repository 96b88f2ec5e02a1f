import { expect, test } from 'vitest'
import { level, toBytes, toSamples } from './pcm.ts'

const samples = Int16Array.of(0, 1, -1, 256, 32_767, -32_768)
const bytes = Uint8Array.of(0, 0, 1, 0, 255, 255, 0, 1, 255, 127, 0, 128)

test('samples are little-endian bytes, and back', () => {
  expect(toBytes(samples)).toEqual(bytes)
  expect(toSamples(bytes)).toEqual(samples)
})

test('both are views on the same memory', () => {
  expect(toBytes(samples.subarray(2)).buffer).toBe(samples.buffer)
  expect(toBytes(samples.subarray(2, 4))).toEqual(bytes.slice(4, 8))
  expect(toSamples(bytes).buffer).toBe(bytes.buffer)
})

test('bytes at an odd offset are copied', () => {
  const shifted = new Uint8Array(13)
  shifted.set(bytes, 1)
  expect(toSamples(shifted.subarray(1))).toEqual(samples)
})

test('a half sample at the end is left to the caller', () => {
  const stream = [...bytes, ...bytes]
  const out: number[] = []
  let carried: Uint8Array = new Uint8Array(0)
  for (let at = 0; at < stream.length; at += 5) {
    const piece = Uint8Array.of(...carried, ...stream.slice(at, at + 5))
    const heard = toSamples(piece)
    out.push(...heard)
    carried = piece.subarray(2 * heard.length)
  }
  expect(out).toEqual([...samples, ...samples])
  expect(toSamples(new Uint8Array(1))).toHaveLength(0)
})

test('the level is in dB of full scale', () => {
  const sine = Int16Array.from({ length: 4_800 }, (_, n) => 32_767 * Math.sin((2 * Math.PI * n) / 48))
  expect(level(sine)).toBeCloseTo(-3.01, 2)
  expect(level(sine.map((sample) => sample / 10))).toBeCloseTo(-23.01, 1)
  expect(level(new Int16Array(10).fill(-32_768))).toBeCloseTo(0, 10)
  expect(level(new Int16Array(10))).toBe(Number.NEGATIVE_INFINITY)
  expect(level(new Int16Array(0))).toBe(Number.NEGATIVE_INFINITY)
})
