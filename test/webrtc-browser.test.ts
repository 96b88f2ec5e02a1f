/** Calls by voice between a page and the local server over WebRTC: what each side heard, by measurement. */
import { readFileSync } from 'node:fs'
import { expect, onTestFinished } from 'vitest'
import { channelOf, readWav } from '../src/audio/wav.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import { type ServeOptions, type Server, serve } from '../src/server/listen.ts'
import type { Thought, Utterance } from '../src/server/senses.ts'
import { recognise, wordErrorRate } from '../src/testing/recognise.ts'
import { scriptedEars, toneVoice } from '../src/testing/senses.ts'
import { nothingLeft, openChromium, testWithChromium, testWithChromiumAndEars } from './browser/browser.ts'
import { samplesOf, stretches } from './browser/sounds.ts'
import { callTool, lastWords, say } from './talk.ts'

type Page = typeof import('./browser/webrtc.page.ts')
const script = 'test/browser/webrtc.page.ts'
const order = 'fixtures/caller/order.wav'
const asked: string = JSON.parse(readFileSync('fixtures/caller/words.json', 'utf8'))['order.wav']
const inWords = asked.replace('1 2 3 4 5', 'one two three four five')
const answer = 'Your order is on its way. It will be there tomorrow morning.'

/** A microphone is heard when the line stands, which it does some time after it was opened. */
function afterAWhile(file: string): { readonly rate: number; readonly samples: Int16Array } {
  const wav = readWav(readFileSync(file))
  const said = channelOf(wav, 0)
  const samples = new Int16Array(4 * wav.rate + said.length)
  samples.set(said, 4 * wav.rate)
  return { rate: wav.rate, samples }
}

async function server(options: ServeOptions): Promise<Server> {
  const made = await serve({ port: 0, ...options })
  onTestFinished(() => made.close())
  return made
}

testWithChromiumAndEars(
  'a question is heard by the server, and its answer by the page',
  async () => {
    const { callsUrl } = await server({ brain: scripted(() => [say(answer)]) })
    const page = await openChromium<Page>({ script, microphone: afterAWhile(order) })
    const { words, agent, told, errors, levels, speaker } = await page.run('turn', callsUrl)
    expect(errors).toEqual([])
    expect(told).toEqual(['audio_start', 'audio_stopped'])
    expect(wordErrorRate(inWords, words[0]!.slice('user: '.length)), words[0]).toBeLessThanOrEqual(0.4)
    expect(words[1]).toBe(`assistant: ${answer}`)
    expect(wordErrorRate(answer, await recognise(samplesOf(agent), agent.rate))).toBeLessThanOrEqual(0.4)
    expect(Math.min(levels.input, levels.output)).toBeGreaterThan(0.01)
    expect(speaker).toBe('on')
    expect(await page.leftovers()).toEqual(nothingLeft)
  },
  60_000,
)

/** Finds the order, tells of it at length; to whoever speaks again, another agent speaks. */
function desk(thought: Thought): readonly Utterance[] {
  const called = thought.items.flatMap((item) => (item.type === 'function_call' ? [item.name] : []))
  if (!called.includes('find_order')) return [callTool('find_order')]
  if (!lastWords(thought).includes('stop'))
    return [say('It is on its way to you, and it will be there soon. '.repeat(4))]
  return called.includes('transfer_to_Billing') ? [say('Billing here.')] : [callTool('transfer_to_Billing')]
}

testWithChromium(
  'a tool is approved, the answer is spoken into and falls silent, and another agent goes on',
  async () => {
    const ears = scriptedEars(['where is my order', 'please stop'])
    const { callsUrl } = await server({ ears, voice: toneVoice(), brain: scripted(desk) })
    const page = await openChromium<Page>({ script })
    const wav = (name: string) => readFileSync(`fixtures/caller/${name}.wav`).toString('base64')
    const { words, agent, told, errors, heardMs } = await page.run('call', callsUrl, {
      order: wav('order'),
      barge: wav('barge'),
    })
    expect(errors).toEqual([])
    expect(told.filter((what) => !what.startsWith('audio'))).toEqual([
      'Clerk find_order: on its way',
      'Clerk to Billing',
    ])
    expect(words.at(-1)).toBe('assistant: Billing here.')
    // A busy machine stretches what it plays, and Opus conceals the end: the measure is a coarse one.
    const [first, last, ...more] = stretches(samplesOf(agent), agent.rate * 0.2, 400)
    expect([more, last === undefined]).toEqual([[], false])
    const soundedMs = ((first![1] - first![0]) / agent.rate) * 1_000
    expect(Math.abs(heardMs! - soundedMs), `${heardMs} ms were heard, ${soundedMs} ms sounded`).toBeLessThan(400)
    expect(await page.leftovers()).toEqual(nothingLeft)
  },
  60_000,
)

const quiet: ServeOptions = { ears: scriptedEars(['hello']), voice: toneVoice(), brain: scripted(() => [say('Yes.')]) }

testWithChromium('devices change within the line; what is closed leaves nothing', async () => {
  const { callsUrl } = await server(quiet)
  const page = await openChromium<Page>({ script })
  expect((await page.run('connect', callsUrl)).state).toMatchObject({ microphone: 'on', speaker: 'on', problem: null })
  const { state, lines } = await page.run('change')
  expect(lines).toBe(1)
  expect(state).toMatchObject({ microphone: 'on', outputDevice: 'default', isOther: true })
  await page.run('hangUp')
  expect(await page.leftovers()).toEqual(nothingLeft)
})

testWithChromium('sound that may not play before a click is blocked, and plays after it', async () => {
  const { callsUrl } = await server(quiet)
  const page = await openChromium<Page>({ script, autoplay: 'blocked' })
  const { state } = await page.run('connect', callsUrl, { microphone: false })
  expect(state).toMatchObject({ microphone: 'off', speaker: 'blocked' })
  await page.playwright.mouse.click(5, 5)
  expect(await page.run('resume')).toBe('on')
})

testWithChromium.each([
  ['denied', 'microphone_denied', 'denied'],
  ['none', 'microphone_missing', 'missing'],
] as const)('a microphone that is %s is why there is no connection', async (microphone, code, is) => {
  const { callsUrl } = await server(quiet)
  const page = await openChromium<Page>({ script, microphone })
  const failed = await page.run('connect', callsUrl)
  expect(failed.code).toBe(code)
  expect([is, 'off']).toContain((failed.state as { microphone: string }).microphone)
  expect(await page.leftovers()).toEqual(nothingLeft)
})

testWithChromium('a far end that goes away is noticed at once', async () => {
  const made = await server(quiet)
  const page = await openChromium<Page>({ script, expectedErrors: /ERR_CONNECTION_REFUSED|Failed to load/ })
  await page.run('connect', made.callsUrl)
  await made.close()
  expect(await page.run('lost')).toBe('channel_closed')
})
