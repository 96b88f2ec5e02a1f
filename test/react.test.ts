/** `parley-voice/react` in a real browser, on the local server over a WebSocket. */

import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { afterAll, beforeAll, expect, onTestFinished, vi } from 'vitest'
import { type Server, serve } from '../src/server/index.ts'
import { scriptedEars, toneVoice } from '../src/testing/index.ts'
import {
  type BrowserOptions,
  type BrowserPage,
  nothingLeft,
  openChromium,
  testWithChromium,
} from './browser/browser.ts'
import { App } from './browser/react-app.tsx'

type Exported = typeof import('./browser/react.page.tsx')

/** What Chromium says of a socket that is closed while it opens. */
const givenUp = /WebSocket is closed before the connection is established/
/** And of a call that has ended by itself when it is hung up. */
const hungUp = /status of 404/

const begun = (): Promise<Server> =>
  serve({ port: 0, pace: 40, voice: toneVoice({ msPerLetter: 20 }), ears: scriptedEars(['hello']) })

async function secretOf({ url }: Server): Promise<string> {
  const session = { type: 'realtime', model: 'gpt-realtime-2.1' }
  const body = JSON.stringify({ session })
  return (await (await fetch(`${url.replace('ws', 'http')}/client_secrets`, { method: 'POST', body })).json()).value
}

let server: Server
beforeAll(async () => {
  server = await begun()
})
afterAll(() => server?.close())

const open = (options: Partial<BrowserOptions> = {}): Promise<BrowserPage<Exported>> =>
  openChromium<Exported>({ script: 'test/browser/react.page.tsx', ...options })

testWithChromium('StrictMode makes one session and one call, and unmounting ends it', async () => {
  const page = await open()
  expect(await page.run('strict', server.url)).toEqual({ made: 1, status: 'connected', settled: [null, null] })
  expect(server.calls()).toBe(1)
  expect(await page.run('leave')).toEqual(nothingLeft)
  await vi.waitFor(() => expect(server.calls()).toBe(0))
})

testWithChromium(
  'inline agents and options never make another session, and their functions are the last ones',
  async () => {
    const page = await open()
    const { sessions, created, keys, agent } = await page.run('inline', server.url)
    expect({ sessions, created, agent }).toEqual({ sessions: 1, created: 1, agent: 'Clerk' })
    expect(keys.length).toBe(1)
    expect(Number(keys[0]!.slice(4))).toBeGreaterThanOrEqual(9)
    expect(server.calls()).toBe(1)
    expect(await page.run('leave')).toEqual(nothingLeft)
  },
)

testWithChromium.each(['websocket', 'webrtc'] as const)(
  'unmounting at any await of connect() over %s leaves nothing, and connect() settles',
  { timeout: 60_000 },
  async (way) => {
    const own = await begun()
    onTestFinished(() => own.close())
    const page = await open({ expectedErrors: way === 'webrtc' ? hungUp : givenUp })
    const { wrong, came } = await page.run('fuzz', own.url, way, await secretOf(own))
    expect(wrong).toEqual([])
    expect(Object.keys(came).sort()).toEqual(expect.arrayContaining(['closed', 'dialing', 'live']))
    // A call that was answered when nobody wanted it any more ends at the server: nothing comes of it for 8 seconds.
    await vi.waitFor(() => expect(own.calls()).toBe(0), { timeout: 15_000 })
  },
)

testWithChromium("a session ends with its provider, unless it is the app's own", async () => {
  const page = await open()
  expect(await page.run('late', server.url)).toEqual({
    message: 'The RealtimeProvider of this session is not there any more.',
    left: nothingLeft,
  })
  expect(await page.run('given', server.url)).toEqual({ before: 'live', after: 'live', shown: 'connected' })
})

testWithChromium('closing while it connects gives way to the next connect()', async () => {
  const page = await open({ expectedErrors: givenUp })
  expect(await page.run('again', server.url)).toEqual({
    first: 'It was closed while it was connecting.',
    statuses: ['idle', 'connecting', 'connected', 'reconnecting', 'connected'],
  })
  await vi.waitFor(() => expect(server.calls()).toBe(0))
})

testWithChromium('a turn with a tool is shown, and closing and connecting again goes on from there', async () => {
  const page = await open()
  const { first, second } = await page.run('turns', server.url)
  expect(first.statuses).toEqual(['idle', 'connecting', 'connected', 'closed'])
  expect(first.states).toEqual(['idle', 'listening', 'thinking', 'speaking', 'listening', 'idle'])
  expect(first.transcript).toEqual([
    ['user', 'What is the weather?'],
    ['assistant', 'It is sunny.'],
  ])
  expect(first.html).toBe('What is the weather?It is sunny.')
  expect(second.statuses).toEqual(['connecting', 'connected', 'closed'])
  expect(second.states).toEqual(['idle', 'listening', 'thinking', 'speaking', 'listening', 'idle'])
  expect(second.transcript.slice(0, 3)).toEqual([...first.transcript, ['user', 'Thank you.']])
  expect([first.metrics, second.metrics]).toEqual([1, 2])
})

testWithChromium('what hinders connect() is told to the caller and shown as the cause', async () => {
  const page = await open({ expectedErrors: /WebSocket connection to/ })
  expect(await page.run('refused', 'ws://127.0.0.1:9/v1/realtime')).toEqual({
    rejected: 'ConnectionError',
    cause: expect.stringMatching(/./),
    statuses: ['idle', 'connecting', 'closed'],
  })
  expect(await page.run('thrown', server.url)).toEqual({
    cause: expect.stringContaining('There are no instructions today.'),
    status: 'closed',
  })
})

testWithChromium('approvals, muting and agents are shown as they are, whoever changes them', async () => {
  const page = await open()
  expect(await page.run('muting')).toEqual({ byHook: [true, true], byApp: false, noMedia: 'UserError' })
  expect(await page.run('agents', server.url)).toEqual({ names: ['Clerk', 'Tutor', 'Tutor', 'Clerk'], handoffs: 2 })
  expect(await page.run('approvals', server.url)).toEqual({
    asked: ['refund_order'],
    after: 0,
    answered: 'It was refunded.',
    rejected: 'Not today.',
    late: 'ignored',
  })
})

testWithChromium('a delta renders only who reads the message that grows', async () => {
  const page = await open()
  const { deltas, renders, states } = await page.run('renders', server.url)
  expect(deltas).toBeGreaterThanOrEqual(3)
  const { state, 'row 1': answer, ...others } = renders
  expect(answer).toBeGreaterThanOrEqual(2)
  expect(answer).toBeLessThanOrEqual(deltas + 3)
  expect(Object.entries(others).filter(([, count]) => count > 0)).toEqual([])
  expect(state).toBeLessThanOrEqual(states.length)
})

/** A second of 440 Hz. */
const tone = {
  rate: 48_000,
  samples: Int16Array.from({ length: 48_000 }, (_, n) => 12_000 * Math.sin((n * 440 * 2 * Math.PI) / 48_000)),
}

testWithChromium.each(['websocket', 'webrtc'] as const)(
  'devices and muting are shown over %s, and let go',
  async (way) => {
    const page = await open({ microphone: tone })
    expect(await page.run('devices', server.url, way, await secretOf(server))).toEqual({
      before: 'off',
      during: 'on',
      kinds: ['audioinput', 'audiooutput', 'videoinput'],
      hasDevice: true,
      speaker: 'on',
      chosen: 'on',
      muted: [true, true],
      left: nothingLeft,
    })
  },
)

testWithChromium.each(['websocket', 'webrtc'] as const)(
  'devices are chosen before the call, and others take their places when they vanish, over %s',
  async (way) => {
    const page = await open()
    const { chosen, used, later, ...rest } = await page.run('vanished', server.url, way, await secretOf(server))
    expect(used).toEqual(chosen)
    expect(later).toEqual([expect.any(String), null, false])
    expect(later[0]).not.toBe(chosen[0])
    expect(rest).toEqual({ states: ['lost', 'on'], problem: null, left: nothingLeft })
  },
)

testWithChromium.each(['websocket', 'webrtc'] as const)(
  'why there is no microphone is still shown when connect() over %s has rejected for it',
  async (way) => {
    const page = await open({ microphone: 'denied' })
    expect(await page.run('forbidden', server.url, way, await secretOf(server))).toEqual({
      status: 'closed',
      state: 'denied',
      problem: expect.stringContaining('Allow it for this page'),
      left: nothingLeft,
    })
  },
)

testWithChromium('levels are told by one loop, without rendering, until nobody listens', async () => {
  const page = await open({ microphone: tone })
  const { loudest, shown, ...rest } = await page.run('levels', server.url)
  expect(loudest).toBeLessThanOrEqual(1)
  expect(shown).toBeLessThanOrEqual(loudest + 0.001)
  const reported = ['A listener of useAudioLevel failed.: mine']
  expect(rest, 'who throws is reported once').toEqual({ renders: 1, loops: 1, afterwards: 0, reported })
})

testWithChromium('what a server rendered is taken over', async () => {
  const page = await open()
  const { before, agent } = await page.run('hydrated', renderToString(createElement(App)))
  expect(JSON.parse(before)).toMatchObject({ status: 'idle', agent: null })
  expect(JSON.parse(agent)).toMatchObject({ status: 'idle', agent: 'Clerk' })
})
