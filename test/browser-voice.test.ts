/** Calls by voice between a page and the local server, over WebRTC and over a WebSocket: what each side heard, by measurement. */
import { readFileSync } from 'node:fs'
import { describe, expect, onTestFinished } from 'vitest'
import { scripted } from '../src/server/brain/scripted.ts'
import { type ServeOptions, serve } from '../src/server/listen.ts'
import type { Thought, Utterance, Voice } from '../src/server/senses.ts'
import { wordErrorRate } from '../src/testing/recognise.ts'
import { scriptedEars } from '../src/testing/senses.ts'
import {
  nothingLeft,
  openChromium,
  openFirefox,
  testWithChromium,
  testWithChromiumAndEars,
  testWithFirefoxAndEars,
} from './browser/browser.ts'
import { samplesOf, stretches } from './browser/sounds.ts'
import type { Called, Way } from './browser/voice.page.ts'
import { earsFor, recognisePart } from './recognise-part.ts'
import { callTool, lastWords, say } from './talk.ts'

type Page = typeof import('./browser/voice.page.ts')
const script = 'test/browser/voice.page.ts'
const order = 'fixtures/caller/order.wav'
const said: Readonly<Record<string, string>> = JSON.parse(readFileSync('fixtures/caller/words.json', 'utf8'))
const [asked, stopped] = [said['order.wav']!, said['barge.wav']!]
const answer = 'Your order is on its way. It will be there tomorrow morning.'
const wav = (name: string) => readFileSync(`fixtures/caller/${name}.wav`).toString('base64')

/** Its ears know what may be said, and so what they hear depends on nothing but whether it came. */
async function server(way: Way, options: ServeOptions = {}): Promise<string> {
  const { ears, remove } = await earsFor(asked, stopped)
  const made = await serve({ port: 0, ears, brain: scripted(() => [say(answer)]), ...options })
  onTestFinished(async () => {
    await made.close()
    await remove()
  })
  return way === 'webrtc' ? made.callsUrl : made.url
}

/** ms: 7 to 14 on a machine that has time, more on one whose buffers run dry. */
const toleranceMs = 150

/** Beeps that rise by 200 Hz a second: how high the last of what was heard is, tells how far it went, whatever stretched it. */
function risingVoice(): Voice {
  const rate = 24_000
  let n = 0
  const next = () => {
    const seconds = n++ / rate
    return 6_000 * Math.sin(2 * Math.PI * (400 + 100 * seconds) * seconds)
  }
  return { rate, speak: (sentence) => [Int16Array.from({ length: sentence.length * 60 * 24 }, next)] }
}

/** How far into what the rising voice says a recording comes before it first falls silent, in ms. */
function reachedMs({ agent }: Called): number {
  const [from, to] = stretches(samplesOf(agent), agent.rate * 0.2, 400)[0]!
  const samples = samplesOf(agent).subarray(from, to)
  const [window, step] = [agent.rate / 50, agent.rate / 200]
  const heights = Array.from({ length: Math.floor((samples.length - window) / step) }, (_, n) =>
    frequency(samples.subarray(n * step, n * step + window), agent.rate),
  )
  return ((heights.toSorted((a, b) => b - a)[2]! - 400) / 200) * 1_000
}

/** Of a tone: between its first and its last rise through zero. */
function frequency(samples: Int16Array, rate: number): number {
  const rises: number[] = []
  samples.forEach((sample, n) => {
    const before = samples[n - 1] ?? 0
    if (before < 0 && sample >= 0) rises.push(n - sample / (sample - before))
  })
  return rises.length < 2 ? 0 : ((rises.length - 1) * rate) / (rises.at(-1)! - rises[0]!)
}

async function understood({ words, agent, told, errors, loudest, speaker }: Called): Promise<void> {
  expect(errors).toEqual([])
  expect(told).toEqual(['audio_start', 'audio_stopped'])
  expect(words.map((line) => line.split(':')[0])).toEqual(['user', 'assistant'])
  expect(wordErrorRate(asked, words[0]!.slice('user: '.length)), words[0]).toBeLessThanOrEqual(0.1)
  expect(words[1]).toBe(`assistant: ${answer}`)
  const heard = await recognisePart(samplesOf(agent), agent.rate, answer)
  expect(wordErrorRate(answer, heard), heard).toBeLessThanOrEqual(0.1)
  expect(Math.min(loudest.input, loudest.output)).toBeGreaterThan(0.01)
  expect(speaker).toBe('on')
}

/** Finds the order, tells of it at length; to whoever speaks again, another agent speaks. */
function desk(thought: Thought): readonly Utterance[] {
  const called = thought.items.flatMap((item) => (item.type === 'function_call' ? [item.name] : []))
  if (!called.includes('find_order')) return [callTool('find_order')]
  if (!lastWords(thought).includes('stop'))
    return [say('It is on its way to you, and it will be there soon. '.repeat(4))]
  return called.includes('transfer_to_Billing') ? [say('Billing here.')] : [callTool('transfer_to_Billing')]
}

describe.each([
  ['WebRTC', 'webrtc'],
  ['a WebSocket', 'websocket'],
] as const)('over %s', (_, way) => {
  testWithChromiumAndEars(
    'in Chromium a question is heard by the server, and its answer by the page',
    async () => {
      const url = await server(way)
      const page = await openChromium<Page>({ script, microphone: order })
      await understood(await page.run('turn', url, way))
      expect(await page.leftovers()).toEqual(nothingLeft)
    },
    60_000,
  )

  testWithFirefoxAndEars(
    'in Firefox a question is heard by the server, and its answer by the page',
    async () => {
      const url = await server(way)
      const page = await openFirefox<Page>({ script })
      await understood(await page.run('turn', url, way, { wav: wav('order') }))
      expect(await page.leftovers()).toEqual(nothingLeft)
    },
    60_000,
  )

  testWithChromiumAndEars(
    'a tool is approved, the answer is spoken into and falls silent, and another agent goes on',
    async () => {
      const url = await server(way, { voice: risingVoice(), brain: scripted(desk) })
      const page = await openChromium<Page>({ script })
      const called = await page.run('call', url, way, { order: wav('order'), barge: wav('barge') })
      expect(called.errors).toEqual([])
      // On a busy machine what sounds may run dry and begin again: of its begins and ends there may be more.
      const told = called.told.filter((what) => what !== 'audio_start' && what !== 'audio_stopped')
      expect(told, called.told.join()).toEqual([
        'Clerk find_order: on its way',
        'audio_interrupted',
        'Clerk to Billing',
      ])
      const [order, , barge, ...more] = called.words
      expect(wordErrorRate(asked, order!.slice('user: '.length)), order).toBeLessThanOrEqual(0.1)
      expect(wordErrorRate(stopped, barge!.slice('user: '.length)), barge).toBeLessThanOrEqual(0.2)
      expect(more).toEqual(['assistant: Billing here.'])
      expect(stretches(samplesOf(called.agent), called.agent.rate * 0.2, 400)).toHaveLength(2)
      expect(Math.abs(called.heardMs! - reachedMs(called))).toBeLessThan(toleranceMs)
      expect(await page.leftovers()).toEqual(nothingLeft)
    },
    60_000,
  )

  testWithChromium('interrupted by the app, what was heard is what sounded', async () => {
    const brain = scripted(() => [say('This answer is long enough. '.repeat(4))])
    const url = await server(way, { ears: scriptedEars(['hello']), voice: risingVoice(), brain })
    const page = await openChromium<Page>({ script })
    const called = await page.run('turn', url, way, { wav: wav('order'), interruptAfterMs: 700 })
    expect(called.errors).toEqual([])
    expect(Math.abs(called.heardMs! - reachedMs(called))).toBeLessThan(toleranceMs)
  })
})
