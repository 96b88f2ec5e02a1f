/** Measures what a browser heard. */
import type { Recorded } from './hearing.page.ts'

/** Samples from -32768 to 32767. */
export function samplesOf({ pcm }: Pick<Recorded, 'pcm'>): Int16Array {
  const bytes = Buffer.from(pcm, 'base64')
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}

/** How strong a tone of this frequency is: its amplitude, 0 to 1 (Goertzel). */
export function toneIn(samples: Int16Array, frequency: number, rate: number): number {
  const turn = 2 * Math.cos((2 * Math.PI * frequency) / rate)
  let [one, two] = [0, 0]
  for (const sample of samples) [one, two] = [sample / 32_768 + turn * one - two, one]
  const power = one * one + two * two - turn * one * two
  return (2 * Math.sqrt(Math.max(0, power))) / samples.length
}

/** Signal over all else, in dB: the sine of this frequency that fits best is the signal. */
export function snr(samples: Int16Array, frequency: number, rate: number): number {
  const angle = (2 * Math.PI * frequency) / rate
  let [cc, ss, cs, xc, xs] = [0, 0, 0, 0, 0]
  samples.forEach((x, n) => {
    const [c, s] = [Math.cos(angle * n), Math.sin(angle * n)]
    cc += c * c
    ss += s * s
    cs += c * s
    xc += x * c
    xs += x * s
  })
  const determinant = cc * ss - cs * cs
  const a = (xc * ss - xs * cs) / determinant
  const b = (xs * cc - xc * cs) / determinant
  const rest = samples.reduce((sum, x, n) => sum + (x - a * Math.cos(angle * n) - b * Math.sin(angle * n)) ** 2, 0)
  return 10 * Math.log10(((a * a + b * b) * samples.length) / 2 / rest)
}

/** The stretches that sound: separated by `gap` samples or more that are quieter than `floor`. As [from, to). */
export function stretches(samples: Int16Array, gap = 48, floor = 4): readonly (readonly [from: number, to: number])[] {
  const found: [number, number][] = []
  samples.forEach((sample, n) => {
    if (Math.abs(sample) <= floor) return
    const last = found.at(-1)
    if (last && n - last[1] < gap) last[1] = n + 1
    else found.push([n, n + 1])
  })
  return found
}

/** A tone as PCM16: `ms` long, amplitude 0 to 1. */
export function tone(frequency: number, ms: number, rate = 24_000, amplitude = 0.5): Int16Array {
  return Int16Array.from({ length: Math.round((ms * rate) / 1000) }, (_, n) =>
    Math.round(32_767 * amplitude * Math.sin((2 * Math.PI * frequency * n) / rate)),
  )
}
