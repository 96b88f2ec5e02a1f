import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { resample, resampler } from './resample.ts'

const amplitude = 30_000

describe.each([
  [24_000, 8_000],
  [24_000, 16_000],
  [24_000, 48_000],
  [48_000, 16_000],
  [48_000, 24_000],
  [16_000, 24_000],
  [8_000, 24_000],
  [44_100, 24_000],
  [24_000, 44_100],
  [96_000, 24_000],
  [24_000, 96_000],
  [48_000, 8_000],
  [8_000, 48_000],
  [44_100, 8_000],
  [8_000, 44_100],
  [96_000, 8_000],
])('%i Hz to %i Hz', (from, to) => {
  const nyquist = Math.min(from, to) / 2

  test.each([200 / nyquist, 1000 / nyquist, 0.5, 0.8])(
    'a tone at %f of Nyquist comes through with 85 dB or more',
    (part) => {
      const frequency = part * nyquist
      expect(snr(resample(tone(frequency, from), from, to), frequency, to)).toBeGreaterThan(85)
    },
  )

  test('nothing above Nyquist comes through as an alias', () => {
    if (to > from) return
    const out = resample(tone(1.25 * nyquist, from), from, to)
    expect(decibel(power(middle(out)) / (amplitude ** 2 / 2))).toBeLessThan(-85)
  })

  test('nothing below Nyquist comes through as an image', () => {
    if (to <= from) return
    const frequency = 0.75 * nyquist
    const out = middle(resample(tone(frequency, from), from, to))
    const image = [from - frequency, from + frequency].filter((one) => one < to / 2)
    for (const one of image) expect(decibel(power(out) / partAt(out, one, to)), `${one} Hz`).toBeGreaterThan(85)
  })

  test('what is left can be had without ending the stream', () => {
    const speech = noise(1_000)
    const [peeked, plain] = [resampler(from, to), resampler(from, to)]
    const [head, tail] = [speech.subarray(0, 700), speech.subarray(700)]
    const early = peeked.push(head)
    const left = peeked.rest()
    expect([...early, ...left]).toEqual([...resample(head, from, to)])
    plain.push(head)
    expect(peeked.push(tail)).toEqual(plain.push(tail))
    expect(peeked.flush()).toEqual(plain.flush())
  })

  test('is in time and in length with what went in', () => {
    const impulse = new Int16Array(from / 10)
    impulse[from / 20] = amplitude
    const out = resample(impulse, from, to)
    expect(out.length).toBe(Math.ceil((impulse.length * to) / from))
    expect(out.indexOf(Math.max(...out)) / to).toBeCloseTo(1 / 20, 4)
  })

  test('gives the same samples however the stream is cut', () => {
    const speech = noise(3_000)
    const whole = resample(speech, from, to)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 40 }), (cuts) => {
        const stream = resampler(from, to)
        const out: number[] = []
        let at = 0
        for (const cut of cuts) out.push(...stream.push(speech.subarray(at, (at += cut))))
        out.push(...stream.push(speech.subarray(at)), ...stream.flush())
        expect(Int16Array.from(out)).toEqual(whole)
      }),
      { numRuns: 15 },
    )
  })
})

test('the same rate is a passthrough', () => {
  const samples = noise(100)
  const stream = resampler(24_000, 24_000)
  expect(stream.push(samples)).toBe(samples)
  expect(stream.flush()).toHaveLength(0)
})

test('a flushed resampler begins a new stream', () => {
  const stream = resampler(24_000, 16_000)
  const twice = [0, 1].map(() => [...stream.push(noise(500)), ...stream.flush()])
  expect(twice[1]).toEqual(twice[0])
})

test('a constant stays what it is, and full scale is clipped, not wrapped', () => {
  expect(new Set(middle(resample(new Int16Array(4_800).fill(1_000), 24_000, 16_000)))).toEqual(new Set([1_000]))
  const square = Int16Array.from({ length: 4_800 }, (_, n) => (n % 48 < 24 ? 32_767 : -32_768))
  const out = resample(square, 24_000, 48_000)
  for (let n = 1_000; n < 8_000; n += 96) expect(Math.sign(out[n]!)).toBe(Math.sign(square[n / 2]!))
})

test('an empty stream stays empty', () => {
  expect(resample(new Int16Array(0), 24_000, 8_000)).toHaveLength(0)
})

test.each([0, -8_000, 8_000.5, Number.NaN])('refuses a rate of %d', (rate) => {
  expect(() => resampler(rate, 24_000)).toThrow(/sample rate is a positive integer/)
})

function tone(frequency: number, rate: number): Int16Array {
  return Int16Array.from({ length: rate / 2 }, (_, n) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * frequency * n) / rate)),
  )
}

/** Signal over all else, in dB: the best fitting sine of this frequency is the signal. */
function snr(samples: Int16Array, frequency: number, rate: number): number {
  const part = middle(samples)
  const angle = (2 * Math.PI * frequency) / rate
  const [cc, ss, cs, xc, xs] = part.reduce(
    ([cc, ss, cs, xc, xs], x, n) => {
      const c = Math.cos(angle * n)
      const s = Math.sin(angle * n)
      return [cc + c * c, ss + s * s, cs + c * s, xc + x * c, xs + x * s] as const
    },
    [0, 0, 0, 0, 0] as readonly [number, number, number, number, number],
  )
  const determinant = cc * ss - cs * cs
  const a = (xc * ss - xs * cs) / determinant
  const b = (xs * cc - xc * cs) / determinant
  const rest = part.map((x, n) => x - a * Math.cos(angle * n) - b * Math.sin(angle * n))
  return decibel((a * a + b * b) / 2 / power(rest))
}

/** The power of the part at one frequency. */
function partAt(samples: readonly number[], frequency: number, rate: number): number {
  const angle = (2 * Math.PI * frequency) / rate
  const sum = (wave: (x: number) => number) => samples.reduce((all, x, n) => all + x * wave(angle * n) * hann(n), 0)
  const hann = (n: number) => 1 - Math.cos((2 * Math.PI * n) / samples.length)
  return (2 * (sum(Math.sin) ** 2 + sum(Math.cos) ** 2)) / samples.length ** 2
}

function middle(samples: Int16Array): number[] {
  return [...samples.subarray(samples.length * 0.2, samples.length * 0.8)]
}

function power(samples: readonly number[]): number {
  return samples.reduce((sum, x) => sum + x * x, 0) / samples.length
}

function decibel(ratio: number): number {
  return 10 * Math.log10(ratio)
}

function noise(length: number): Int16Array {
  let seed = 1
  return Int16Array.from({ length }, () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 16 - 16_384)
}
