/** Where speech begins and ends, held against the samples of real speech, in noise, in silence, and softly spoken. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { level } from '../../audio/pcm.ts'
import { resample } from '../../audio/resample.ts'
import { readWav } from '../../audio/wav.ts'
import { mulberry32 } from '../../protocol/random.ts'
import { energyVad, type Heard, type TurnDetector, type TurnSettings, turnDetector } from './vad.ts'

const rate = 16_000
const usual: TurnSettings = { threshold: 0.5, prefixMs: 300, silenceMs: 500 }
/** ms of audio by which a beginning or an end may be missed. */
const tolerance = 100

const speeches = ['order.wav', 'thanks.wav', 'barge.wav'] as const
const wide = (file: string) =>
  readWav(readFileSync(new URL(`../../../fixtures/caller/${file}`, import.meta.url))).samples
const read = (file: string) => resample(wide(file), 24_000, rate)
const recordings = new Map([...speeches, 'noise.wav'].map((file) => [file, read(file)]))
const recording = (file: string) => recordings.get(file)!

/** All that is heard in `samples`, told in frames as a client sends them. */
function heardIn(
  samples: Int16Array,
  settings: Partial<TurnSettings> = {},
  chunk = 1_600,
  begin = 0,
): readonly Heard[] {
  const detector = turnDetector(energyVad(), () => ({ ...usual, ...settings }), { at: begin, speaking: false })
  const heard: Heard[] = []
  for (let at = 0; at < samples.length; at += chunk)
    heard.push(...atOnce(detector.hear(samples.subarray(at, at + chunk))))
  return heard
}

/** The energy of samples is known at once. */
function atOnce(heard: ReturnType<TurnDetector['hear']>): readonly Heard[] {
  if (heard instanceof Promise) throw new Error('The detector did not answer at once.')
  return heard
}

/** The truth: from the first to the last 10 ms that are louder than a whisper across the room, in ms. */
function spokenIn(samples: Int16Array): { readonly from: number; readonly to: number } {
  const window = rate / 100
  const loud: number[] = []
  for (let at = 0; at + window <= samples.length; at += window) {
    if (level(samples.subarray(at, at + window)) > -48) loud.push(at / window)
  }
  return { from: loud[0]! * 10, to: (loud.at(-1)! + 1) * 10 }
}

const ms = (duration: number) => (duration * rate) / 1_000
const silence = (duration: number) => new Int16Array(ms(duration))
const louder = (samples: Int16Array, dB: number) => samples.map((sample) => Math.round(sample * 10 ** (dB / 20)))
const tone = (duration: number) =>
  Int16Array.from({ length: ms(duration) }, (_, n) => 8_000 * Math.sin((2 * Math.PI * 300 * n) / rate))

function joined(...pieces: readonly Int16Array[]): Int16Array {
  const all = new Int16Array(pieces.reduce((length, piece) => length + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

/** White noise, its level in dBFS; the same at each run. */
function noise(duration: number, dB: number): Int16Array {
  const random = mulberry32(5)
  const peak = 32_768 * 10 ** (dB / 20) * Math.sqrt(3)
  return Int16Array.from({ length: ms(duration) }, () => Math.round((2 * random() - 1) * peak))
}

const mixed = (one: Int16Array, other: Int16Array) => one.map((sample, n) => sample + (other[n] ?? 0))

/** The turns that must be heard, each from where its speech begins to where it ends, in ms of audio. */
function expectTurns(heard: readonly Heard[], turns: readonly { from: number; to: number }[], settings = usual): void {
  expect(heard.map(({ type }) => type)).toEqual(turns.flatMap(() => ['started', 'stopped']))
  for (const [n, { from, to }] of turns.entries()) {
    const [start, stop] = [heard[2 * n]!.at, heard[2 * n + 1]!.at]
    expect(
      Math.abs(start - Math.max(0, from - settings.prefixMs)),
      `begins at ${start}, not ${from}`,
    ).toBeLessThanOrEqual(tolerance)
    expect(Math.abs(stop - to - settings.silenceMs), `ends at ${stop}, not ${to}`).toBeLessThanOrEqual(tolerance)
  }
}

for (const file of speeches) {
  for (const dB of [0, -20]) {
    for (const [prefixMs, silenceMs] of [
      [0, 400],
      [300, 500],
      [1_000, 900],
    ] as const) {
      test(`${file} at ${dB} dB is one turn, ${prefixMs} ms before it and ${silenceMs} ms after it`, () => {
        const speech = joined(louder(recording(file), dB), silence(500))
        const settings = { threshold: 0.5, prefixMs, silenceMs }
        expectTurns(heardIn(speech, settings), [spokenIn(speech)], settings)
      })
    }
  }

  test(`${file} is the same turn over the hum of a room`, () => {
    const speech = recording(file)
    expectTurns(heardIn(mixed(speech, noise(6_000, -62))), [spokenIn(speech)])
  })
}

test.each([...speeches.flatMap((file) => [0, -20].map((dB) => [file, dB, 1] as const)), ['noise.wav', 0, 0] as const])(
  'a line of 24 kHz is heard as it comes: %s at %i dB is %i turns',
  (file, dB, turns) => {
    const samples = louder(wide(file), dB)
    const detector = turnDetector(energyVad(24_000), () => usual)
    const heard = atOnce(detector.hear(joined(samples, new Int16Array(12_000))))
    expectTurns(heard, turns ? [spokenIn(louder(recording(file), dB))] : [])
  },
)

test('noise of a line of 24 kHz is no turn', () => {
  for (const dB of [-60, -45, -30, -15]) {
    const detector = turnDetector(energyVad(24_000), () => usual)
    expect(atOnce(detector.hear(noise(5_000, dB))), `${dB} dBFS`).toEqual([])
  }
})

test('silence alone, and a room that is almost still, start no turn', () => {
  expect(heardIn(silence(5_000))).toEqual([])
  expect(heardIn(noise(5_000, -52))).toEqual([])
})

test('noise alone starts no turn', () => {
  expect(heardIn(recording('noise.wav'))).toEqual([])
})

test('noise that stays is taken for the room, and what is said in it is heard', () => {
  const room = noise(16_000, -40)
  const speech = recording('thanks.wav')
  const said = mixed(room, joined(silence(12_000), speech))
  const truth = spokenIn(speech)
  const afterwards = heardIn(said).filter(({ at }) => at > 9_000)
  expectTurns(afterwards, [{ from: truth.from + 12_000, to: truth.to + 12_000 }])
})

test.each([
  [400, 1],
  [600, 2],
])('a pause of %i ms within 500 ms of patience: %i turns', (pause, turns) => {
  const heard = heardIn(joined(silence(500), tone(1_000), silence(pause), tone(1_000), silence(1_000)))
  expect(heard.filter(({ type }) => type === 'started')).toHaveLength(turns)
  expect(heard.filter(({ type }) => type === 'stopped')).toHaveLength(turns)
})

test('a click is no speech; a short word is', () => {
  expect(heardIn(joined(silence(500), tone(40), silence(1_000)))).toEqual([])
  expectTurns(heardIn(joined(silence(500), tone(120), silence(1_000))), [{ from: 500, to: 620 }])
})

test('a turn begins no earlier than the call', () => {
  expect(heardIn(joined(tone(500), silence(1_000)))[0]).toEqual({ type: 'started', at: 0 })
})

test('the higher the threshold, the louder one has to speak', () => {
  const loud = recording('order.wav')
  const soft = louder(loud, -20)
  const turns = (samples: Int16Array, threshold: number) => heardIn(samples, { threshold }).length / 2
  expect([turns(soft, 0.5), turns(loud, 0.5)]).toEqual([1, 1])
  expect(turns(soft, 0.9999)).toBe(0)
  expect(turns(loud, 0.9999)).toBeGreaterThan(0)
  expect(turns(loud, 1)).toBe(0)
})

test('settings count from the moment they change', () => {
  let settings = usual
  const detector = turnDetector(energyVad(), () => settings)
  expect(atOnce(detector.hear(joined(silence(500), tone(1_000), silence(300))))).toMatchObject([{ type: 'started' }])
  settings = { ...usual, silenceMs: 200 }
  expect(atOnce(detector.hear(silence(40)))).toMatchObject([{ type: 'stopped' }])
})

test.each([1, 160, 319, 320, 321, 7_777, 200_000])('%i samples at a time, the same is heard', (chunk) => {
  expect(heardIn(recording('barge.wav'), {}, chunk)).toEqual(heardIn(recording('barge.wav')))
})

test('a detector that begins late counts from there', () => {
  const late = heardIn(recording('barge.wav'), {}, 1_600, 60_000)
  expect(late).toEqual(heardIn(recording('barge.wav')).map(({ type, at }) => ({ type, at: at + 60_000 })))
})

test('a turn that someone else ended has no end of its own, and the next is heard', () => {
  const detector = turnDetector(energyVad(), () => usual)
  expect(atOnce(detector.hear(joined(silence(500), tone(1_000))))).toEqual([{ type: 'started', at: 200 }])
  detector.reset()
  expect(atOnce(detector.hear(silence(1_000)))).toEqual([])
  expect(atOnce(detector.hear(joined(tone(500), silence(1_000))))).toEqual([
    { type: 'started', at: 2_200 },
    { type: 'stopped', at: 3_500 },
  ])
})
