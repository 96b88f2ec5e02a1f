/** A connection that does not come in time: the cause says how far it had come, and who can do something. */
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { OpenAIRealtimeWebRTC, OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession } from '../src/index.ts'
import { ConnectionError } from '../src/session/transport.ts'
import type { WebRTCOptions } from '../src/transports/webrtc.ts'
import type { WebSocketOptions } from '../src/transports/websocket.ts'
import { type FarRtcOptions, farRtc } from './far-rtc.ts'
import { type FarSocketOptions, farSocket } from './far-socket.ts'
import { hungTool, never } from './hung.ts'
import { session as inHand } from './in-hand.ts'
import { platform } from './werift-platform.ts'

const key = 'sk-test-0123456789abcdef'
/** `ms`: of those that have something to do first. */
const within = (ms = 400) => ({ attempts: 0, timeoutMs: ms })
const silent = new RealtimeAgent({ name: 'A', instructions: 'Be brief.' })
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const failed = async (session: RealtimeSession, url: string): Promise<ConnectionError> => {
  const error = await session.connect({ url }).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(ConnectionError)
  return error as ConnectionError
}

/** The docs have a row for each. */
const errors = readFileSync('docs/errors.md', 'utf8')
const causes = readFileSync('docs/browser.md', 'utf8')
function requireDocs({ code, reason }: ConnectionError['cause']): void {
  const words = reason.replace(/\d+|(?<=')Bo(?=')/g, '…')
  expect(errors.includes(words.slice(0, 24)), words).toBe(true)
  expect(causes.includes(`\`${code}\``), String(code)).toBe(true)
}

/** Offer and answer as a firewall leaves them: whoever goes to these addresses finds nobody. */
const blocked = (async (to, init) => {
  const closed = (sdp: string) => sdp.replace(/^(a=candidate:\S+ \d+ \w+ \d+ )\S+ \d+/gm, '$1127.0.0.1 9')
  const { body = '' } = init ?? {}
  const answer = await fetch(to as string, { ...init, body: closed(String(body)) })
  return new Response(closed(await answer.text()), { status: answer.status, headers: answer.headers })
}) as typeof fetch

describe('over WebRTC', () => {
  test.each<[string, Partial<WebRTCOptions>, FarRtcOptions, string, RegExp]>([
    ['a key that never comes', { apiKey: () => never }, {}, 'key_timeout', /apiKey gave no key within 400 ms/],
    ['a peer that is never made', { peerConnection: () => never }, {}, 'offer_timeout', /no offer within 400 ms/],
    ['a peer that is never changed', { changePeerConnection: () => never }, {}, 'offer_timeout', /no offer/],
    ['a far end that never answers', {}, { answer: () => never }, 'timeout', /No connection within 400 ms/],
    [
      'a firewall',
      { fetch: blocked, apiKey: 'ek_secret' },
      {},
      'ice_failed',
      /answered, but no way to it .* 2000 ms.*firewall.*'auto'/,
    ],
    ['a channel that never opens', {}, { isDeaf: true }, 'channel_timeout', /the data channel did not open/],
  ])('%s has its own name, and leaves nothing', async (_, options, farOptions, code, words) => {
    const far = await farRtc(farOptions)
    closing.push(far.close)
    const here = platform()
    const transport = new OpenAIRealtimeWebRTC({ ...here, apiKey: key, ...options })
    const session = new RealtimeSession(silent, {
      transport,
      reconnect: within(/ice|channel/.test(code) ? 2_000 : 400),
    })
    const { cause } = await failed(session, far.url)
    expect(cause).toMatchObject({ code, fatal: false, reason: expect.stringMatching(words) })
    requireDocs(cause)
    expect(here.left()).toEqual({ tracks: 0, peers: 0 })
  })
})

describe('over a WebSocket', () => {
  test.each<[string, WebSocketOptions, FarSocketOptions, string, RegExp]>([
    ['a key that never comes', { apiKey: () => never }, {}, 'key_timeout', /apiKey gave no key within 400 ms/],
    ['a socket never made', { createWebSocket: () => never }, {}, 'socket_timeout', /createWebSocket gave no socket/],
    ['a far end that never answers', {}, { upgrade: () => true }, 'timeout', /No connection within 400 ms/],
  ])('%s has its own name', async (_, options, farOptions, code, words) => {
    const far = await farSocket(farOptions)
    closing.push(far.close)
    const transport = new OpenAIRealtimeWebSocket({ apiKey: key, ...options })
    const { cause } = await failed(new RealtimeSession(silent, { transport, reconnect: within() }), far.url)
    expect(cause).toMatchObject({ code, fatal: false, reason: expect.stringMatching(words) })
    requireDocs(cause)
  })
})

describe('before anything is dialed', () => {
  test.each<[string, RealtimeAgent, 'webrtc' | 'websocket']>([
    ['instructions', new RealtimeAgent({ name: 'Bo', instructions: () => never }), 'websocket'],
    ['instructions', new RealtimeAgent({ name: 'Bo', instructions: () => never }), 'webrtc'],
    ['isEnabled', new RealtimeAgent({ name: 'Bo', tools: [hungTool] }), 'websocket'],
  ])("the agent's own %s may hang (%#): connect() says so, and may be called again", async (_, agent, way) => {
    const here = platform()
    let dialed = 0
    const fetching = (() => {
      dialed++
      return never
    }) as typeof fetch
    const transport =
      way === 'webrtc'
        ? new OpenAIRealtimeWebRTC({ ...here, apiKey: key, fetch: fetching })
        : new OpenAIRealtimeWebSocket({ apiKey: key, createWebSocket: fetching as never })
    const session = new RealtimeSession(agent, { transport, reconnect: within() })
    for (let time = 0; time < 2; time++) {
      const { cause } = await failed(session, 'ws://127.0.0.1:9')
      expect(cause).toMatchObject({ code: 'config_timeout', fatal: true, initiator: 'us' })
      expect(cause.reason).toMatch(/'Bo'.* 400 ms.*instructions.*isEnabled/)
      requireDocs(cause)
    }
    expect([dialed, here.asked, here.left()]).toEqual([0, [], { tracks: 0, peers: 0 }])
  })

  test('closed while the instructions are waited for, it settles at once', async () => {
    const agent = new RealtimeAgent({ name: 'Bo', instructions: () => never })
    const session = new RealtimeSession(agent, { transport: 'websocket', apiKey: key })
    const connecting = session.connect().catch((error: unknown) => error)
    session.close()
    expect(String(await connecting)).toContain('closed while it was connecting')
  })
})

test('a user who never answers is not taken for a far end that does not', () => {
  const it = inHand({ reconnect: { timeoutMs: 100 } })
  it.play({ type: 'started' }, { type: 'reached', stage: 'offer' }, { type: 'prompted', isOpen: true })
  it.at(300_000)
  it.play({ type: 'woke' })
  expect(it.state.link).toMatchObject({ at: 'waiting', cause: { code: 'microphone_timeout', initiator: 'us' } })
  const { cause } = it.state.link as { readonly cause: ConnectionError['cause'] }
  expect(cause.reason).toMatch(/300000 ms/)
  requireDocs(cause)
})

test('how far one attempt came says nothing of the next', () => {
  const it = inHand({ reconnect: { timeoutMs: 100 } })
  it.play({ type: 'started' }, { type: 'reached', stage: 'way' })
  it.at(100)
  it.play({ type: 'woke' })
  expect(it.state.link).toMatchObject({ at: 'waiting', cause: { code: 'ice_failed', initiator: 'network' } })
  it.at(10_000)
  it.play({ type: 'woke' })
  it.at(10_100)
  it.play({ type: 'woke' })
  expect(it.state.link).toMatchObject({ at: 'waiting', tries: 2, cause: { code: 'timeout' } })
})
