/** The browser's audio for a WebSocket line, in Chromium: measured on the samples that went in and came out. */
import { describe, expect } from 'vitest'
import { encodeAlaw, encodeUlaw } from '../src/audio/g711.ts'
import { toBytes } from '../src/audio/pcm.ts'
import { workletSource } from '../src/browser/worklet.ts'
import type { Played, Step } from './browser/audio.page.ts'
import { nothingLeft, openChromium, testWithChromium } from './browser/browser.ts'
import { samplesOf, snr, stretches, tone, toneIn } from './browser/sounds.ts'

type Page = typeof import('./browser/audio.page.ts')
const script = 'test/browser/audio.page.ts'
const base64 = (samples: Int16Array) => Buffer.from(toBytes(samples)).toString('base64')

describe('the microphone', () => {
  testWithChromium.each([
    [24_000, 48_000],
    [24_000, 24_000],
    [8_000, 16_000],
  ])('speaks at %i Hz what a file of %i Hz holds, at its level', async (rate, wavRate) => {
    const microphone = { rate: wavRate, samples: tone(1_000, 1_500, wavRate) }
    const page = await openChromium<Page>({ script, microphone })
    const spoken = await page.run('speak', rate, 2_200)
    const samples = samplesOf(spoken)
    const loud = samples.subarray(rate / 2, rate)
    expect(toneIn(loud, 1_000, rate)).toBeCloseTo(0.5, 2)
    expect(snr(loud, 1_000, rate)).toBeGreaterThan(60)
    expect(toneIn(samples.subarray(-rate / 10), 1_000, rate)).toBeLessThan(0.001)
    expect(spoken.level).toBeCloseTo(0.5 / Math.SQRT2, 1)
    expect(spoken.state).toMatchObject({ microphone: 'on', speaker: 'on', problem: null })
    expect(await page.leftovers()).toEqual(nothingLeft)
  })

  testWithChromium.each([
    [44_100, 24_000],
    [48_000, 24_000],
    [96_000, 24_000],
    [48_000, 8_000],
    [44_100, 8_000],
  ])('a device at %i Hz is heard at %i Hz with 85 dB or more', async (device, rate) => {
    const page = await openChromium<Page>({ script })
    const samples = samplesOf(await page.run('speakTone', 1_000, device, rate))
    const ratio = snr(samples.subarray(-rate / 2), 1_000, rate)
    expect(ratio).toBeGreaterThan(85)
  })

  testWithChromium('asks for echo cancellation, and is silent while it is muted', async () => {
    const page = await openChromium<Page>({ script, microphone: { rate: 48_000, samples: tone(440, 3_000) } })
    expect(await page.run('muted')).toMatchObject({ loud: false, enabled: false })
    expect(await page.run('wishes')).toEqual([
      { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } },
    ])
  })

  testWithChromium.each([
    ['none', 'missing', /no such microphone.*Plug one in/],
    ['denied', 'denied', /may not be used. Allow it/],
  ] as const)('is said to be %s', async (microphone, kind, message) => {
    const page = await openChromium<Page>({ script, microphone })
    const { states, error, kind: told } = await page.run('startsWith', {})
    expect(error).toMatch(message)
    expect(told).toBe(kind)
    expect(states.map((state) => state.microphone).filter((one, n, all) => one !== all[n - 1])).toEqual(
      expect.arrayContaining(['asking', kind]),
    )
    expect(await page.run('stopKept')).toMatchObject({ microphone: kind, problem: error })
  })

  testWithChromium('can be another while it speaks, and never stops a stream of the app', async () => {
    const page = await openChromium<Page>({ script })
    const seen = await page.run('switching')
    expect(seen.devices.length).toBeGreaterThan(1)
    expect(seen.used).toEqual([expect.any(String), ...seen.devices])
    expect(seen.refused).toMatch(/^MediaError: There is no such microphone/)
    expect(seen.live).toBe(1)
    expect(seen.own).toBe('live true 0')
    expect(seen.afterEnd).toMatchObject({ microphone: 'lost', problem: expect.stringContaining('Choose another') })
    expect(seen.kept).toBe(0)
  })

  testWithChromium('can be opened when the first could not be, and of two at once the last is meant', async () => {
    const page = await openChromium<Page>({ script })
    const { first, states, tracks } = await page.run('secondTry')
    expect(first).toMatch(/no such microphone/)
    expect(states.map(({ microphone }) => microphone)).toEqual(['missing', 'on', 'on'])
    expect(tracks).toEqual([1, 1, 0])
  })

  testWithChromium('unplugged, it is lost, and then another of the browser speaks', async () => {
    const page = await openChromium<Page>({ script })
    const states = await page.run('unplug')
    expect(states.map(({ microphone }) => microphone)).toEqual(['lost', 'on', 'off'])
    expect((await page.leftovers()).tracks).toBe(0)
  })
})

describe('the speaker', () => {
  /** A tone in pieces of uneven length, as the deltas of two items. */
  const piecesOf = (samples: Int16Array, sizes: readonly number[]): Step[] => {
    const steps: Step[] = []
    for (let at = 0, n = 0; at < samples.length; at += sizes[n++ % sizes.length]!) {
      const piece = samples.slice(at, at + sizes[n % sizes.length]!)
      steps.push({ play: base64(piece), item: at < samples.length / 2 ? 'one' : 'two' })
    }
    return steps
  }
  const cosine = (frequency: number, ms: number) =>
    Int16Array.from({ length: 24 * ms }, (_, n) =>
      Math.round(16_000 * Math.cos((2 * Math.PI * frequency * n) / 24_000)),
    )
  const longest = (played: Played) => stretches(samplesOf(played)).toSorted((a, b) => b[1] - b[0] - (a[1] - a[0]))[0]!

  testWithChromium(
    'plays deltas of any length as one, without a gap, and tells of each item and of the end',
    async () => {
      const page = await openChromium<Page>({ script })
      const steps = piecesOf(cosine(1_000, 1_200), [480, 1, 2_400, 37, 4_801])
      const played = await page.run('playback', [...steps, { dry: true }])
      const samples = samplesOf(played)
      const found = stretches(samples)
      expect(found).toHaveLength(1)
      const [from, to] = found[0]!
      expect(Math.abs(to - from - 1.2 * played.rate)).toBeLessThanOrEqual(2)
      const ratio = snr(samples.subarray(from + 2_000, to - 2_000), 1_000, played.rate)
      expect(ratio).toBeGreaterThan(85)
      expect(played).toMatchObject({ drained: 1, sounded: ['one', 'two'], state: { speaker: 'on', microphone: 'off' } })
      expect(await page.leftovers()).toEqual(nothingLeft)
    },
  )

  testWithChromium.each([
    ['audio/pcmu', encodeUlaw],
    ['audio/pcma', encodeAlaw],
  ] as const)('plays %s', async (format, encode) => {
    const page = await openChromium<Page>({ script })
    const play = Buffer.from(encode(tone(1_000, 500, 8_000))).toString('base64')
    const played = await page.run('playback', [{ play, item: 'one', format }, { dry: true }])
    const [from, to] = longest(played)
    const samples = samplesOf(played).subarray(from, to)
    expect(toneIn(samples, 1_000, played.rate)).toBeCloseTo(0.5, 1)
    expect(snr(samples.subarray(2_000, -2_000), 1_000, played.rate)).toBeGreaterThan(30)
  })

  testWithChromium('hushed, it is silent within 50 ms without a click, and knows what was heard', async () => {
    const page = await openChromium<Page>({ script })
    for (const after of [100, 330, 701]) {
      const steps = piecesOf(cosine(500, 2_000), [2_400])
      const played = await page.run('playback', [...steps, { until: after }, { hush: true }, { until: after + 300 }])
      const [from, to] = longest(played)
      const samples = samplesOf(played)
      const { cut, frame, latencyMs } = played.hushes[0]!
      const silentMs = ((to + played.frame - frame) / played.rate) * 1000
      const soundedMs = ((to - from) / played.rate) * 1000 - 2.5
      const heardMs = cut.reduce((sum, item) => sum + item.heardMs, 0) + latencyMs
      expect(silentMs).toBeLessThan(50)
      expect(Math.abs(heardMs - soundedMs)).toBeLessThan(20)
      expect(cut.map(({ item_id, receivedMs }) => [item_id, receivedMs])).toEqual([
        ['one', 1_000],
        ['two', 1_000],
      ])
      expect(biggestStep(samples.subarray(from + 480, to + 480))).toBeLessThan(1.2 * biggestStep(cosine(500, 20), 2))
      expect(played.drained).toBe(0)
    }
  })

  testWithChromium('paused and resumed, no sample is lost, and none comes twice', async () => {
    const page = await openChromium<Page>({ script })
    const whole = ramped(1_500)
    const plain = await page.run('playback', [{ play: base64(whole), item: 'one' }, { dry: true }])
    const played = await page.run('playback', [
      { play: base64(whole), item: 'one' },
      { until: 300 },
      { pause: true },
      { until: 600 },
      { resume: true },
      { dry: true },
    ])
    const expected = trim(samplesOf(plain))
    const all = trim(samplesOf(played))
    const found = stretches(all, 2_000)
    expect(found).toHaveLength(2)
    // The fade out and the fade in are of the same 5 ms: laid over each other, they are what sounds without a pause.
    const [[, out], [back, end]] = found as [readonly [number, number], readonly [number, number]]
    const stood = end - stretches(expected, 2_000)[0]![1]
    expect((stood / played.rate) * 1000).toBeGreaterThan(200)
    const laid = expected.map((_, n) => (n < out ? all[n]! : 0) + (n + stood >= back ? (all[n + stood] ?? 0) : 0))
    expect(biggestDifference(laid, expected)).toBeLessThanOrEqual(2)
  })

  testWithChromium('an underrun begins again where it ended, after 60 ms', async () => {
    const page = await openChromium<Page>({ script })
    const [first, second] = [cosine(500, 300), cosine(500, 300)]
    const played = await page.run('playback', [
      { play: base64(first), item: 'one' },
      { until: 500 },
      { play: base64(second.slice(0, 480)), item: 'one' },
      { play: base64(second.slice(480)), item: 'one' },
      { until: 1_000 },
      { hush: true },
    ])
    const found = stretches(samplesOf(played), 480)
    expect(found.map(([from, to]) => Math.round(((to - from) / played.rate) * 1000))).toEqual([300, 300])
    expect(played.hushes[0]!.cut).toEqual([])
    expect(played).toMatchObject({ drained: 2, sounded: ['one'] })
  })

  testWithChromium('is another where there is one, and the one before where there is not', async () => {
    const page = await openChromium<Page>({ script })
    expect(await page.run('otherOutput')).toEqual({
      refused: expect.stringMatching(/^MediaError: This speaker cannot be used/),
      gone: null,
      state: 'on',
    })
  })

  testWithChromium('blocked by the browser, it says so, and plays after a click', async () => {
    const page = await openChromium<Page>({
      script,
      autoplay: 'blocked',
      expectedErrors: /AudioContext was not allowed/,
    })
    const { states } = await page.run('startsWith', { microphone: false })
    expect(states.at(-1)).toMatchObject({ speaker: 'blocked' })
    await expect(page.run('resumeKept')).rejects.toThrow(/still lets nothing sound/)
    await page.run('resumeOnClick')
    await page.playwright.mouse.click(50, 50)
    expect(await page.run('afterClick')).toBe('on')
    expect(await page.run('stopKept')).toMatchObject({ speaker: 'off' })
  })
})

describe('a page with a strict content security policy', () => {
  const headers = { 'content-security-policy': "default-src 'self'; script-src 'self' 'unsafe-eval'" }

  testWithChromium('is told what to do', async () => {
    const page = await openChromium<Page>({ script, headers, expectedErrors: /Content Security Policy/ })
    const { error } = await page.run('startsWith', { microphone: false })
    expect(error).toMatch(/serve `workletSource` as a file and give its address as `workletUrl`/)
    expect(await page.leftovers()).toMatchObject({ contexts: 0, tracks: 0 })
  })

  testWithChromium('has the worklets from its own address', async () => {
    const files = { '/worklets.js': workletSource }
    const page = await openChromium<Page>({ script, headers, files, expectedErrors: /Content Security Policy/ })
    const { error, states } = await page.run('startsWith', { microphone: false, workletUrl: '/worklets.js' })
    expect(error).toBeNull()
    expect(states.at(-1)).toMatchObject({ speaker: 'on' })
  })
})

testWithChromium('stopped at any moment of its start, nothing is left', async () => {
  const page = await openChromium<Page>({ script })
  const reached = new Set<string>()
  for (const from of ['off', 'asking', 'on'] as const) {
    for (const n of [0, 1, 2, 3, 4, 5, 6, 8, 10]) reached.add(await page.run('stopAfter', from, n, 'micro'))
    for (const n of [1, 2, 3, 5, 10, 20, 40, 80, 160]) reached.add(await page.run('stopAfter', from, n, 'macro'))
  }
  expect(reached).toEqual(new Set(['off', 'asking', 'on']))
  expect(await page.leftovers()).toEqual(nothingLeft)
})

/** The biggest difference of two samples `apart`. */
function biggestStep(samples: Int16Array, apart = 1): number {
  return samples.reduce((most, sample, n) => Math.max(most, Math.abs(sample - (samples[n - apart] ?? sample))), 0)
}

function biggestDifference(one: Int16Array, other: Int16Array): number {
  return one.reduce((most, sample, n) => Math.max(most, Math.abs(sample - other[n]!)), 0)
}

/** A tone that sweeps, so that no two places are alike. */
function ramped(ms: number): Int16Array {
  return Int16Array.from({ length: 24 * ms }, (_, n) => Math.round(16_000 * Math.cos((n * (300 + n / 40)) / 24_000)))
}

function trim(samples: Int16Array): Int16Array {
  return samples.subarray(stretches(samples)[0]![0])
}
