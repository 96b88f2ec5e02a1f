import { describe, expect, test } from 'vitest'
import { decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw } from './g711.ts'

const every = Int16Array.from({ length: 65_536 }, (_, n) => n - 32_768)
const codes = Uint8Array.from({ length: 256 }, (_, n) => n)

describe.each([
  { name: 'mu-law', encode: encodeUlaw, decode: decodeUlaw, loudest: 32_124 },
  { name: 'A-law', encode: encodeAlaw, decode: decodeAlaw, loudest: 32_256 },
])('$name', ({ name, encode, decode, loudest }) => {
  test('every byte comes back, but that mu-law has a second zero', () => {
    const back = Array.from(encode(decode(codes)))
    expect(back).toEqual(Array.from(codes, (code) => (name === 'mu-law' && code === 0x7f ? 0xff : code)))
  })

  test('every sample comes back within half a step of its segment', () => {
    const back = decode(encode(every))
    for (const [n, sample] of every.entries()) {
      const magnitude = Math.abs(sample)
      const halfStep = magnitude > loudest ? 650 : Math.max(8, (magnitude + 132) / 31)
      if (Math.abs(back[n]! - sample) > halfStep) expect.fail(`${sample} came back as ${back[n]}`)
    }
  })

  test('a louder sample never has a quieter code', () => {
    const back = decode(encode(every))
    expect(back.findIndex((sample, n) => n > 0 && sample < back[n - 1]!)).toBe(-1)
    expect([back[0], back.at(-1)]).toEqual([-loudest, loudest])
  })

  test('a loud tone comes through with more than 37 dB', () => {
    const tone = Int16Array.from({ length: 8_000 }, (_, n) => 30_000 * Math.sin((2 * Math.PI * 441 * n) / 8_000))
    const back = decode(encode(tone))
    const power = (of: (n: number) => number) => tone.reduce((sum, _, n) => sum + of(n) ** 2, 0)
    expect(10 * Math.log10(power((n) => tone[n]!) / power((n) => tone[n]! - back[n]!))).toBeGreaterThan(37)
  })
})

test('known codes of ITU-T G.711', () => {
  expect([...encodeUlaw(Int16Array.of(0, 32_767, -32_768, 1_000, -1_000))]).toEqual([0xff, 0x80, 0x00, 0xce, 0x4e])
  expect([...encodeAlaw(Int16Array.of(0, 32_767, -32_768, 1_000, -1_000))]).toEqual([0xd5, 0xaa, 0x2a, 0xfa, 0x7a])
  expect([...decodeUlaw(Uint8Array.of(0xff, 0x7f, 0x80, 0x00))]).toEqual([0, 0, 32_124, -32_124])
  expect([...decodeAlaw(Uint8Array.of(0xd5, 0x55, 0xaa, 0x2a))]).toEqual([8, -8, 32_256, -32_256])
})
