/** A page's devices on a WebRTC line to the local server. What is said on it is in browser-voice.test.ts. */
import { expect, onTestFinished } from 'vitest'
import { scripted } from '../src/server/brain/scripted.ts'
import { type ServeOptions, type Server, serve } from '../src/server/listen.ts'
import { scriptedEars, toneVoice } from '../src/testing/senses.ts'
import { nothingLeft, openChromium, testWithChromium } from './browser/browser.ts'
import { say } from './talk.ts'

type Page = typeof import('./browser/webrtc.page.ts')
const script = 'test/browser/webrtc.page.ts'

async function server(options: ServeOptions): Promise<Server> {
  const made = await serve({ port: 0, ...options })
  onTestFinished(() => made.close())
  return made
}

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
  ['denied', 'webrtc', 'microphone_denied', 'denied', /Allow it for this page/],
  ['none', 'webrtc', 'microphone_missing', 'missing', /Plug one in/],
  ['denied', 'websocket', 'microphone_denied', 'denied', /Allow it for this page/],
  ['none', 'websocket', 'microphone_missing', 'missing', /Plug one in/],
] as const)(
  'a microphone that is %s is why there is no connection over %s, and is told until one is wanted again',
  async (microphone, way, code, is, problem) => {
    const { callsUrl, url } = await server(quiet)
    const page = await openChromium<Page>({ script, microphone })
    const told = await page.run('refused', way, way === 'webrtc' ? callsUrl : url)
    const refusal = { microphone: is, problem: expect.stringMatching(problem), speaker: 'off' }
    expect(told.rejected).toEqual([code, code])
    expect([told.afterwards, told.closed, told.again]).toMatchObject([refusal, refusal, refusal])
    expect(told.states).toEqual(['off', 'asking', is, 'off', 'asking', is])
    expect(told.chosen).toMatchObject({ microphone: 'off', problem: null })
    expect(told.written).toMatchObject({ microphone: 'off', problem: null })
    expect(await page.leftovers()).toEqual(nothingLeft)
  },
)

testWithChromium.each(['webrtc', 'websocket', 'fallen'] as const)(
  'who is answered in writing alone is asked for no microphone over %s, unless the app wants one or chooses it',
  async (way) => {
    const { callsUrl, url } = await server(quiet)
    const to = way === 'webrtc' ? callsUrl : url
    const open = () => openChromium<Page>({ script })
    const unasked = await open()
    expect(await unasked.run('written', way, to)).toEqual({ asked: [0, 1], states: ['off', 'on'] })
    expect(await unasked.leftovers()).toEqual(nothingLeft)
    const wanted = await open()
    expect(await wanted.run('written', way, to, true)).toMatchObject({ asked: [1, 2], states: ['on', 'on'] })
    expect(await wanted.leftovers()).toEqual(nothingLeft)
  },
)

testWithChromium('a far end that goes away is noticed at once', async () => {
  const made = await server(quiet)
  const page = await openChromium<Page>({ script, expectedErrors: /ERR_CONNECTION_REFUSED|Failed to load/ })
  await page.run('connect', made.callsUrl)
  await made.close()
  expect(await page.run('lost')).toBe('channel_closed')
})
