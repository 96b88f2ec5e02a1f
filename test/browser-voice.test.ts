/** A turn by voice between a page and the local server over a WebSocket: what each side heard, in a recogniser's words. */
import { readFileSync } from 'node:fs'
import { expect, onTestFinished } from 'vitest'
import { scripted } from '../src/server/brain/scripted.ts'
import { type ServeOptions, type Server, serve } from '../src/server/listen.ts'
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
import { say } from './talk.ts'

type Page = typeof import('./browser/voice-turn.page.ts')
const script = 'test/browser/voice-turn.page.ts'
const order = 'fixtures/caller/order.wav'
const asked: string = JSON.parse(readFileSync('fixtures/caller/words.json', 'utf8'))['order.wav']
const answer = 'Your order is on its way. It will be there tomorrow morning.'
const inWords = asked.replace('1 2 3 4 5', 'one two three four five')

async function server(options: ServeOptions = {}): Promise<Server> {
  const made = await serve({ port: 0, brain: scripted(() => [say(answer)]), ...options })
  onTestFinished(() => made.close())
  return made
}

testWithChromiumAndEars(
  'in Chromium a question is heard by the server, and its answer by the page',
  async () => {
    const { url } = await server()
    const page = await openChromium<Page>({ script, microphone: order })
    const { words, agent, errors } = await page.run('turn', url)
    expect(errors).toEqual([])
    expect(words.map((line) => line.split(':')[0])).toEqual(['user', 'assistant'])
    expect(wordErrorRate(inWords, words[0]!.slice('user: '.length)), words[0]).toBeLessThanOrEqual(0.2)
    expect(words[1]).toBe(`assistant: ${answer}`)
    expect(wordErrorRate(answer, await recognise(samplesOf(agent), agent.rate))).toBeLessThanOrEqual(0.1)
    expect(await page.leftovers()).toEqual(nothingLeft)
  },
  60_000,
)

testWithFirefoxAndEars(
  'in Firefox a question is heard by the server, and its answer by the page',
  async () => {
    const { url } = await server()
    const page = await openFirefox<Page>({ script })
    const { words, agent, errors } = await page.run('turn', url, { wav: readFileSync(order).toString('base64') })
    expect(errors).toEqual([])
    expect(wordErrorRate(inWords, words[0]!.slice('user: '.length)), words[0]).toBeLessThanOrEqual(0.2)
    expect(wordErrorRate(answer, await recognise(samplesOf(agent), agent.rate))).toBeLessThanOrEqual(0.1)
    expect(await page.leftovers()).toEqual(nothingLeft)
  },
  60_000,
)

testWithChromium('interrupted by the app, what was heard is what sounded', async () => {
  const brain = scripted(() => [say('This answer is long enough. '.repeat(4))])
  const { url } = await server({ ears: scriptedEars(['hello']), voice: toneVoice(), brain })
  const page = await openChromium<Page>({ script, microphone: order })
  const { agent, heardMs, errors } = await page.run('turn', url, { interruptAfterMs: 700 })
  expect(errors).toEqual([])
  const all = stretches(samplesOf(agent), agent.rate, 40)
  const soundedMs = ((all.at(-1)![1] - all[0]![0]) / agent.rate) * 1000
  expect(Math.abs(heardMs! - soundedMs)).toBeLessThan(60)
})
