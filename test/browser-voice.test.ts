/** Calls by voice between a page and the local server, over WebRTC and over a WebSocket: what each side heard, by measurement. */
import { readFileSync } from 'node:fs'
import { describe, expect, onTestFinished } from 'vitest'
import { scripted } from '../src/server/brain/scripted.ts'
import { type ServeOptions, type Server, serve } from '../src/server/listen.ts'
import type { Thought, Utterance } from '../src/server/senses.ts'
import { recognise, wordErrorRate } from '../src/testing/recognise.ts'
import { scriptedEars, toneVoice } from '../src/testing/senses.ts'
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
import { callTool, lastWords, say } from './talk.ts'

type Page = typeof import('./browser/voice.page.ts')
const script = 'test/browser/voice.page.ts'
const order = 'fixtures/caller/order.wav'
const asked: string = JSON.parse(readFileSync('fixtures/caller/words.json', 'utf8'))['order.wav']
const answer = 'Your order is on its way. It will be there tomorrow morning.'
const wav = (name: string) => readFileSync(`fixtures/caller/${name}.wav`).toString('base64')

async function server(way: Way, options: ServeOptions = {}): Promise<string> {
  const made = await serve({ port: 0, brain: scripted(() => [say(answer)]), ...options })
  onTestFinished(() => made.close())
  return way === 'webrtc' ? made.callsUrl : made.url
}

/** How long it sounded, from its first sample to its last, where nothing longer than `gapMs` is between. */
function soundedMs({ agent }: Called, gapMs: number, floor: number): readonly number[] {
  const found = stretches(samplesOf(agent), (agent.rate * gapMs) / 1_000, floor)
  return found.map(([from, to]) => ((to - from) / agent.rate) * 1_000)
}

async function understood({ words, agent, told, errors, loudest, speaker }: Called): Promise<void> {
  expect(errors).toEqual([])
  expect(told).toEqual(['audio_start', 'audio_stopped'])
  expect(words.map((line) => line.split(':')[0])).toEqual(['user', 'assistant'])
  expect(wordErrorRate(asked, words[0]!.slice('user: '.length)), words[0]).toBeLessThanOrEqual(0.2)
  expect(words[1]).toBe(`assistant: ${answer}`)
  const heard = await recognise(samplesOf(agent), agent.rate)
  console.log(words[0], '|', heard)
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
  ['WebRTC', 'webrtc', 200],
  ['a WebSocket', 'websocket', 60],
] as const)('over %s', (_, way, closeMs) => {
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

  testWithChromium(
    'a tool is approved, the answer is spoken into and falls silent, and another agent goes on',
    async () => {
      const ears = scriptedEars(['where is my order', 'please stop'])
      const url = await server(way, { ears, voice: toneVoice(), brain: scripted(desk) })
      const page = await openChromium<Page>({ script })
      const called = await page.run('call', url, way, { order: wav('order'), barge: wav('barge') })
      expect(called.errors).toEqual([])
      expect(called.told).toEqual([
        'Clerk find_order: on its way',
        'audio_start',
        'audio_interrupted',
        'Clerk to Billing',
        'audio_start',
        'audio_stopped',
      ])
      expect(called.words.at(-1)).toBe('assistant: Billing here.')
      const sounded = soundedMs(called, 200, 400)
      expect(sounded).toHaveLength(2)
      console.log(way, called.heardMs, sounded)
      expect(Math.abs(called.heardMs! - sounded[0]!), `heard ${called.heardMs}, sounded ${sounded}`).toBeLessThan(
        closeMs,
      )
      expect(await page.leftovers()).toEqual(nothingLeft)
    },
    60_000,
  )

  testWithChromium('interrupted by the app, what was heard is what sounded', async () => {
    const brain = scripted(() => [say('This answer is long enough. '.repeat(4))])
    const url = await server(way, { ears: scriptedEars(['hello']), voice: toneVoice(), brain })
    const page = await openChromium<Page>({ script })
    const called = await page.run('turn', url, way, { wav: wav('order'), interruptAfterMs: 700 })
    expect(called.errors).toEqual([])
    const [sounded, ...more] = soundedMs(called, 1_000, 40)
    console.log(way, 'interrupt', called.heardMs, sounded)
    expect(more).toEqual([])
    expect(Math.abs(called.heardMs! - sounded!)).toBeLessThan(closeMs)
  })
})
