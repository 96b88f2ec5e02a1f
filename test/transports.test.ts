/** One suite of behaviours on every transport; then what only a socket can do: refuse, break and stall. */
import { type AddressInfo, createServer, Socket } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { RealtimeAgent } from '../src/agents/agent.ts'
import { RealtimeSession } from '../src/agents/session.ts'
import type { ClientEvent, ServerEvent } from '../src/protocol/events.ts'
import { realClock } from '../src/session/clock.ts'
import { type Cause, type Connection, ConnectionError, type Dial } from '../src/session/transport.ts'
import { world } from '../src/testing/index.ts'
import { memory } from '../src/transports/memory.ts'
import { OpenAIRealtimeWebRTC } from '../src/transports/openai-webrtc.ts'
import { openWire } from '../src/transports/socket.web.ts'
import { webRTC } from '../src/transports/webrtc.ts'
import { type WebSocketOptions, webSocket } from '../src/transports/websocket.ts'
import type { WireRequest } from '../src/transports/wire.ts'
import { farRtc } from './far-rtc.ts'
import {
  type Ear,
  ear,
  type FarLine,
  type FarSocket,
  type FarSocketOptions,
  farSocket,
  type Notices,
  notices,
  type Said,
} from './far-socket.ts'
import { platform } from './werift-platform.ts'

const key = 'sk-test-0123456789abcdef'
const secret = 'ek_0123456789abcdef'
const beyond = globalThis as { WebSocket?: unknown; document?: unknown }

/** A far end, whatever the way to it. */
interface Far {
  readonly dial: Dial
  say(event: object): void
  hears(wanted: (event: Said) => boolean): Promise<Said>
  close(code: number, reason: string): void
  /** Breaks the line. */
  cut(): void
  /** The far end knows that the line is gone. */
  ended(): Promise<unknown>
  heard(): readonly Said[]
  /** What a break of the line is called. Default: 1006. */
  readonly brokenAs?: string
  /** What the end of the line is called where the way has no codes for it, and no words. */
  readonly closedAs?: string
  /** Sends what is no event, if there is a way to. */
  sendRaw?(data: string | Buffer): void
}

const closing: (() => Promise<void>)[] = []
const platformSocket = beyond.WebSocket
beforeEach(() => {
  beyond.WebSocket = WebSocket
})
afterEach(async () => {
  beyond.WebSocket = platformSocket
  delete beyond.document
  for (const close of closing.splice(0)) await close()
})

async function listening(options: FarSocketOptions = {}): Promise<FarSocket> {
  const far = await farSocket(options)
  closing.push(far.close)
  return far
}

async function overSocket(options: (url: string) => WebSocketOptions): Promise<Far> {
  const far = await listening()
  const line = () => far.lines[0]!
  return {
    dial: webSocket(options(far.url)),
    say: (event) => line().say(event),
    hears: async (wanted) => (await far.line()).hears(wanted),
    close: (code, reason) => line().socket.close(code, reason),
    cut: () => line().raw.destroy(),
    ended: () => line().ended,
    heard: () => line().heard,
    sendRaw: (data) => line().socket.send(data),
  }
}

async function inMemory(): Promise<Far> {
  const heard: Said[] = []
  const news: Notices = notices()
  let far: Parameters<Parameters<typeof memory>[0]['accept']>[0]
  let isCut = false
  let isOver = false
  const dial = memory({
    clock: realClock,
    fault: () => (isCut ? 'cut' : 'pass'),
    accept: (wire) => {
      far = wire
      return {
        received(event) {
          heard.push(event as Said)
          news.tell()
        },
        closed() {
          isOver = true
          news.tell()
        },
      }
    },
  })
  return {
    dial,
    say: (event) => far.send(event as ServerEvent),
    hears: (wanted) => news.until(() => heard.find(wanted)),
    close: (code, reason) => far.close(code, reason),
    cut() {
      isCut = true
      far.send({ type: 'conversation.created', event_id: 'e', conversation: {} })
    },
    ended: () => news.until(() => isOver || undefined),
    heard: () => heard,
  }
}

/** Over werift's peers; that the way is lost is said by the ICE of the client, which would take half a minute to notice. */
async function overWebRTC(): Promise<Far> {
  const far = await farRtc()
  const here = platform()
  closing.push(far.close)
  const lines = webRTC(here)
  closing.push(async () => lines.close())
  const line = () => far.lines.at(-1)!
  return {
    dial: lines.dialer({ url: far.url, apiKey: key }),
    say: (event) => line().say(event),
    hears: async (wanted) => (await far.line()).hears(wanted),
    close: () => line().close(),
    cut: () => here.lose('failed'),
    ended: async () => (await far.line()).ended,
    heard: () => line().heard,
    brokenAs: 'ice_failed',
    closedAs: 'channel_closed',
    // A message of nothing stalls a channel of werift.
    sendRaw: (data) => data.length && line().sendRaw(data),
  }
}

/** The platform's way to a socket, which in Node is taken by `ws`: its socket is made by `openWire`, and then used. */
const throughThePlatform = (url: string): WebSocketOptions => ({
  url,
  apiKey: key,
  createWebSocket: ({ url, apiKey }) => openWire({ ...bare, url, key: apiKey }, silent).socket,
})
const bare: WireRequest = {
  url: '',
  key: null,
  organization: undefined,
  project: undefined,
  headers: {},
  useInsecureApiKey: false,
}
const silent = { opened() {}, received() {}, refused() {}, closed() {} }

const ways: Record<string, () => Promise<Far>> = {
  memory: inMemory,
  'socket.node': () => overSocket((url) => ({ url, apiKey: key })),
  'socket.web': () => overSocket(throughThePlatform),
  'a socket of the app': () =>
    overSocket((url) => ({ url, createWebSocket: async ({ url }) => new WebSocket(url) as never })),
  'WebRTC (werift)': overWebRTC,
}

const pcm = Uint8Array.from({ length: 4_800 }, (_, n) => (n * 7) % 256)
const audioDelta = (audio: Uint8Array) => ({
  type: 'response.output_audio.delta',
  event_id: 'e',
  response_id: 'r',
  item_id: 'i',
  output_index: 0,
  content_index: 0,
  delta: Buffer.from(audio).toString('base64'),
})
const mark = (n: number) => ({ type: 'mark', event_id: `e${n}`, n })
const marks = (count: number) => Array.from({ length: count }, (_, n) => mark(n))
const commit: ClientEvent = { type: 'input_audio_buffer.commit' }

describe.each(Object.entries(ways))('%s', (name, reach) => {
  /** A line that stands, both ends in hand. */
  async function connected(): Promise<{ far: Far; ear: Ear; line: Connection }> {
    const far = await reach()
    const heard = ear()
    const line = far.dial(heard)
    await heard.opening()
    line.send({ type: 'input_audio_buffer.clear' })
    await far.hears(({ type }) => type === 'input_audio_buffer.clear')
    return { far, ear: heard, line }
  }

  test('it opens once, tells events in order, and drops once and last', async () => {
    const { far, ear } = await connected()
    for (const event of marks(200)) far.say(event)
    far.close(1012, 'Maintenance')
    await ear.dropping()
    await far.ended()
    expect(ear.told.map((what) => Object.keys(what)[0])).toEqual([
      'opened',
      ...marks(200).map(() => 'received'),
      'dropped',
    ])
    expect(ear.events()).toEqual(marks(200))
  })

  test('events that are sent come to the far end whole and in order', async () => {
    const { far, line } = await connected()
    const items = Array.from({ length: 50 }, (_, n) => `${n} “quoted” \u2028 💬 ${'x'.repeat(n * 100)}`)
    for (const item_id of items) line.send({ type: 'conversation.item.delete', item_id })
    await far.hears(({ item_id }) => item_id === items.at(-1))
    expect(far.heard().slice(1)).toEqual(items.map((item_id) => ({ type: 'conversation.item.delete', item_id })))
  })

  test('audio comes as the bytes that were sent, both ways', async () => {
    const { far, ear, line } = await connected()
    for (const length of [0, 1, 2, 3, 480, 4_800]) far.say(audioDelta(pcm.subarray(0, length)))
    expect(await ear.hearing(6)).toEqual(
      [0, 1, 2, 3, 480, 4_800].map((length) => {
        const audio = pcm.slice(0, length)
        return { ...audioDelta(audio), audio }
      }),
    )
    expect(line.append(pcm)).toBe(true)
    const { audio } = await far.hears(({ type }) => type === 'input_audio_buffer.append')
    expect(Buffer.from(String(audio), 'base64').equals(pcm)).toBe(true)
  })

  test('events and fields that nobody knows pass through as they are', async () => {
    const { far, ear } = await connected()
    const events = [
      { type: 'something.new', event_id: 'e', audio: 'loud', nested: { delta: [1, null, 'é💬'] } },
      { type: 'session.updated', event_id: 'e', session: { type: 'realtime', invented: true }, also: 1 },
      { ...audioDelta(pcm), obfuscation: 'abc', also: { x: 1 } },
    ]
    for (const event of events) far.say(event)
    expect(await ear.hearing(3)).toEqual([events[0], events[1], { ...events[2], audio: pcm }])
  })

  test('microphone audio of any size comes to the far end whole, in order with all else', async () => {
    const { far, line } = await connected()
    // A data channel carries no message of this length.
    const most = name.startsWith('WebRTC') ? 30_000 : 60_000
    const lengths = [0, 1, 2, 3, 56, 57, 58, 60, 61, 480, 960, 30_000, 49_113, 49_115, 49_116, 49_117, 60_000]
    const pieces = lengths
      .filter((length) => length <= most)
      .map((length, nth) => Uint8Array.from({ length }, (_, n) => (n * 7 + nth) % 256))
    for (const [nth, piece] of pieces.entries()) {
      expect(line.append(piece, true)).toBe(true)
      line.send({ type: 'conversation.item.delete', item_id: `after_${nth}` })
    }
    await far.hears(({ item_id }) => item_id === `after_${pieces.length - 1}`)
    expect(far.heard().slice(1)).toEqual(
      pieces.flatMap((piece, nth) => [
        { type: 'input_audio_buffer.append', audio: Buffer.from(piece).toString('base64') },
        { type: 'conversation.item.delete', item_id: `after_${nth}` },
      ]),
    )
  })

  test('after our close nothing more is heard, and the cause is ours', async () => {
    const far = await reach()
    const heard = ear()
    const line = far.dial({
      opened: heard.opened,
      received(event) {
        heard.received(event)
        line.close()
        line.close()
      },
      dropped: heard.dropped,
    })
    await heard.opening()
    line.send(commit)
    await far.hears(() => true)
    for (const event of marks(100)) far.say(event)
    const cause = await heard.dropping()
    await far.ended()
    expect(cause).toMatchObject({ initiator: 'us', fatal: true, code: 'closed_by_us' })
    expect(heard.told).toEqual([{ opened: true }, { received: mark(0) }, { dropped: cause }])
  })

  test('a line that is closed before it opened never opens', async () => {
    const far = await reach()
    const heard = ear()
    far.dial(heard).close()
    expect(await heard.dropping()).toMatchObject({ initiator: 'us' })
    const next = ear()
    const line = far.dial(next)
    await next.opening()
    line.close()
    await next.dropping()
    expect(heard.told).toHaveLength(1)
  })

  test('after the end, sending and appending do nothing', async () => {
    const { far, ear, line } = await connected()
    far.close(1000, '')
    await ear.dropping()
    line.send(commit)
    expect(line.append(pcm)).toBe(false)
    line.close()
    await far.ended()
    expect(far.heard()).toEqual([{ type: 'input_audio_buffer.clear' }])
    expect(ear.told).toHaveLength(2)
  })

  test.each<[number, string, Partial<Cause>]>([
    [1000, 'Bye', { fatal: false }],
    [1001, 'Your session hit the maximum duration of 60 minutes.', { fatal: false }],
    [1008, 'Policy', { fatal: true }],
    [1011, 'Oops', { fatal: false }],
    [1012, '', { fatal: false }],
    [1013, 'Later', { fatal: false }],
    [3000, 'invalid_request_error.invalid_api_key', { fatal: true }],
    [4000, 'invalid_request_error.invalid_model', { fatal: true }],
    [4999, 'Unheard of', { fatal: false }],
  ])('the far end closes with %i: the cause has its code and its words', async (code, reason, cause) => {
    const { far, ear } = await connected()
    far.close(code, reason)
    if (far.closedAs) cause = { fatal: false }
    expect(await ear.dropping()).toMatchObject({ code: far.closedAs ?? code, initiator: 'far end', ...cause })
    if (!far.closedAs) expect((await ear.dropping()).reason).toContain(reason)
  })

  test('a line that breaks is the fault of the network', async () => {
    const { far, ear } = await connected()
    far.cut()
    expect(await ear.dropping()).toMatchObject({
      code: far.brokenAs ?? 1006,
      fatal: false,
      initiator: 'network',
    })
  })

  test.each([
    ['insufficient_quota', true],
    ['server_error', false],
    [null, false],
  ])('the last error before the end, %s, is in its cause', async (code, fatal) => {
    const { far, ear } = await connected()
    const error = { type: 'error', event_id: 'e', error: { type: 't', code: 'other', message: 'An earlier one.' } }
    far.say(error)
    far.say({ ...error, error: { type: 't', code, message: 'No more for you.' } })
    far.say(mark(1))
    far.close(1000, 'Done')
    const cause = await ear.dropping()
    expect(cause).toMatchObject({ fatal, lastError: { code, message: 'No more for you.' } })
    expect(cause.reason).toContain('No more for you.')
    expect(cause.reason).not.toContain('earlier')
  })

  /** What is no text cannot be said in memory. */
  if (name !== 'memory') {
    test('garbage, half frames and binary frames are passed over', async () => {
      const { far, ear } = await connected()
      const whole = JSON.stringify(audioDelta(pcm))
      const garbage = ['', '{', 'nonsense', 'null', '[]', '"x"', '{}', '{"type":1}', '\0', whole.slice(0, -1)]
      for (const frame of [...garbage, whole.slice(0, 900), Buffer.from(whole), Buffer.alloc(0), Buffer.alloc(9_000)]) {
        far.sendRaw!(frame)
      }
      far.say(mark(1))
      await ear.hearing(1)
      expect(ear.told).toEqual([{ opened: true }, { received: mark(1) }])
    })
  }
})

/** Answers an upgrade with HTTP. */
function http(socket: Socket, status: number, body: string, type = 'application/json'): true {
  const head = [`HTTP/1.1 ${status} X`, `content-type: ${type}`, `content-length: ${Buffer.byteLength(body)}`]
  socket.end(`${[...head, 'connection: close'].join('\r\n')}\r\n\r\n${body}`)
  return true
}
const provider = (code: string, message: string) =>
  JSON.stringify({ error: { message, type: 'invalid_request_error', code, param: null } })
const agent = new RealtimeAgent({ name: 'A' })

async function dropping(options: WebSocketOptions): Promise<Cause> {
  const heard = ear()
  webSocket(options)(heard)
  const cause = await heard.dropping()
  expect(heard.told).toHaveLength(1)
  return cause
}

/** Accepts the session config, and nothing else. */
const accepting: NonNullable<FarSocketOptions['line']> = (line) => {
  const session = { type: 'realtime' }
  line.hears(({ type }) => type === 'session.update').then(() => line.say({ type: 'session.updated', session }))
}

describe('the far end answers with HTTP', () => {
  const html = '<!doctype html><title>No</title>'
  const statuses: readonly (readonly [number, boolean])[] = [
    [401, true],
    [403, true],
    [404, true],
    [429, false],
    [500, false],
    [503, false],
  ]

  test.each(statuses)('%i: the cause says so in the words of the provider', async (status, fatal) => {
    const far = await listening({ upgrade: (socket) => http(socket, status, provider('x', 'Words of the provider.')) })
    const cause = await dropping({ url: far.url, apiKey: key })
    const reason = `The far end answered with HTTP ${status}: Words of the provider.`
    const lastError = { code: 'x', message: 'Words of the provider.', type: 'invalid_request_error' }
    const body = provider('x', 'Words of the provider.')
    expect(cause).toEqual({ reason, code: status, fatal, initiator: 'far end', lastError, body })
  })

  test.each(statuses)('%i with a page: the cause says that', async (status, fatal) => {
    const far = await listening({ upgrade: (socket) => http(socket, status, html, 'text/html') })
    const cause = await dropping({ url: far.url, apiKey: key })
    expect(cause).toEqual({
      reason: expect.stringContaining(`HTTP ${status}`),
      code: status,
      fatal,
      initiator: 'far end',
      body: html,
    })
  })

  test.each(statuses.filter(([, fatal]) => fatal))('%i: connect() rejects at once', async (status) => {
    const far = await listening({ upgrade: (socket) => http(socket, status, provider('x', 'Words.')) })
    const session = new RealtimeSession(agent, { apiKey: key })
    const error = await session.connect({ url: far.url }).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ConnectionError)
    expect((error as ConnectionError).cause).toMatchObject({ code: status, fatal: true })
    expect((error as ConnectionError).message).toContain('Words.')
    expect(session.state.link).toEqual({ at: 'closed', cause: (error as ConnectionError).cause })
    expect(far.asked()).toBe(1)
  })

  test.each(statuses.filter(([, fatal]) => !fatal))('%i: connect() dials again, and joins', async (status) => {
    const far = await listening({ upgrade: (socket, nth) => nth === 0 && http(socket, status, ''), line: accepting })
    const session = new RealtimeSession(agent, { apiKey: key, reconnect: { attempts: 1 } })
    await session.connect({ url: far.url })
    expect([session.state.link.at, far.asked()]).toEqual(['live', 2])
    session.close()
  })

  test('connect() rejects when there are no attempts left', async () => {
    const far = await listening({ upgrade: (socket) => http(socket, 503, provider('x', 'Busy.')) })
    for (const [reconnect, asked] of [
      [false, 1],
      [{ attempts: 1 }, 3],
    ] as const) {
      const session = new RealtimeSession(agent, { apiKey: key, reconnect })
      await expect(session.connect({ url: far.url })).rejects.toThrow('The far end answered with HTTP 503: Busy.')
      expect(far.asked()).toBe(asked)
    }
  })
})

describe('the session and the close codes', () => {
  test.each([1008, 3000, 4000])('%i while joining: connect() rejects at once', async (code) => {
    const far = await listening({ line: ({ socket }) => socket.close(code, 'Their words') })
    const session = new RealtimeSession(agent, { apiKey: key })
    const error = await session.connect({ url: far.url }).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({ cause: { code, fatal: true }, message: expect.stringContaining('Their words') })
    expect(far.asked()).toBe(1)
  })

  test.each([1000, 1001, 1011, 1012, 1013, 4999])('%i while joining: connect() dials again', async (code) => {
    const far = await listening({ line: (line, nth) => (nth ? accepting(line, nth) : line.socket.close(code)) })
    const session = new RealtimeSession(agent, { apiKey: key, reconnect: { attempts: 1 } })
    await session.connect({ url: far.url })
    expect(session.state.link.at).toBe('live')
    session.close()
  })
})

test('the clock that a lost line waits by never comes early', async () => {
  const times = Array.from({ length: 60 }, (_, n) => realClock.now() + n / 7)
  const came = await Promise.all(
    times.map((time) => new Promise<number>((resolve) => realClock.at(time, () => resolve(realClock.now() - time)))),
  )
  expect(came.filter((late) => late < 0)).toEqual([])
})

describe('no line at all', () => {
  test('nobody listens: the network is to blame, and dialing again may help', async () => {
    const far = await farSocket()
    await far.close()
    const cause = await dropping({ url: far.url, apiKey: key })
    expect(cause).toMatchObject({ code: 1006, fatal: false, initiator: 'network' })
    expect(cause.reason).toContain('ECONNREFUSED')
  })

  test('TLS with a server that speaks none: the cause says that it was TLS', async () => {
    const far = await listening()
    const cause = await dropping({ url: far.url.replace('ws:', 'wss:'), apiKey: key })
    expect(cause).toMatchObject({ code: 1006, initiator: 'network' })
    expect(cause.reason).toMatch(/SSL|TLS/)
  })

  test.each(['', 'HTTP/1.1 101 Switching', 'garbage\r\n\r\n', '\0\x01\x02'])('a server that says %j', async (words) => {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(words))
    })
    closing.push(() => new Promise((resolve) => server.close(() => resolve())))
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/realtime`
    expect(await dropping({ url, apiKey: key })).toMatchObject({ code: 1006, fatal: false, initiator: 'network' })
  })

  test.each<[string, WebSocketOptions, string | RegExp]>([
    ['no key and no address', {}, 'Pass apiKey'],
    ['an empty key and no address', { apiKey: '' }, 'Pass apiKey'],
    ['an address that is none', { apiKey: key, url: 'nonsense' }, /nonsense.*no address/],
    ['an address of another kind', { apiKey: key, url: 'ftp://127.0.0.1/' }, /no address/],
  ])('%s is told as one final cause of ours, and never thrown', async (_, options, words) => {
    const cause = await dropping(options)
    expect(cause).toMatchObject({ code: null, fatal: true, initiator: 'us' })
    expect(cause.reason).toMatch(words)
    expect(cause.reason).not.toContain(key)
    const session = new RealtimeSession(agent, { transport: { dialer: () => webSocket(options) } })
    await expect(session.connect()).rejects.toThrow(words)
  })

  test.each<[string, WebSocketOptions, string]>([
    ['a socket that could not be made', { createWebSocket: () => Promise.reject(new Error('No proxy.')) }, 'No proxy.'],
    [
      'a maker of sockets that throws',
      {
        createWebSocket: () => {
          throw new Error('No proxy.')
        },
      },
      'No proxy.',
    ],
  ])('%s may be had later: the cause is not final', async (_, options, words) => {
    const cause = await dropping(options)
    expect(cause).toMatchObject({ code: null, fatal: false, initiator: 'network' })
    expect(cause.reason).toContain(words)
  })
})

describe('what is no key is not sent as one', () => {
  test.each<[string, unknown, RegExp]>([
    ['a page', '<!doctype html>\n<html lang="en"><head><title>App</title>', /but '<!doctype html> <html lang="en">/],
    ['words', 'Not found', /but 'Not found'\./],
    ['JSON', `{"value":"${secret}"}`, /but '\{"value":"…"\}'\./],
    ['a key and more', `Bearer ${key}`, /but 'Bearer …'\./],
    ['a key in two lines', `${key}\n${secret}`, /but '… …'\./],
    ['a control character', 'a\u0000b', /but 'a b'/],
    ['letters that no header takes', 'schlüssel', /but 'schlüssel'/],
    ['an object', { value: secret }, /but a value of type object/],
  ])('%s', async (_, given, words) => {
    let dialed = 0
    const far = await listening({ upgrade: () => ++dialed > 0 })
    const apiKey = given as string
    const transport = new OpenAIRealtimeWebRTC({ peerConnection: () => void dialed++ as never })
    for (const way of ['websocket', transport] as const) {
      for (const asked of [apiKey, async () => apiKey]) {
        const session = new RealtimeSession(agent, { apiKey: asked, transport: way })
        const error = await session.connect({ url: far.url }).catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({ name: 'ConnectionError', cause: { fatal: true, initiator: 'us' } })
        expect(String(error)).toMatch(words)
        expect(String(error)).toMatch(/apiKey gave no key but .*Does your route answer/)
        expect(inspect(error, { depth: 9 })).not.toMatch(new RegExp(`${key}|${secret}`))
      }
    }
    expect(dialed).toBe(0)
  })

  test('white space around it is not of it', async () => {
    const far = await listening()
    const heard = ear()
    const line = webSocket({ url: far.url, apiKey: async () => ` ${key}\n` })(heard)
    await heard.opening()
    expect(far.lines[0]!.request.headers.authorization).toBe(`Bearer ${key}`)
    line.close()
  })
})

test('the body of a refused upgrade is told, without the key', async () => {
  const body = JSON.stringify({ error: { type: 't', code: 'token_expired', message: `Of ${key}.`, param: 'p' } })
  const far = await listening({ upgrade: (socket) => http(socket, 401, body) })
  expect(await dropping({ url: far.url, apiKey: key })).toMatchObject({
    code: 401,
    lastError: { type: 't', code: 'token_expired', message: 'Of ….', param: 'p' },
    body: body.replace(key, '…'),
  })
})

describe('a function for the key that fails', () => {
  const vault = new Error('The vault is shut.')
  test.each<[string, WebSocketOptions['apiKey']]>([
    ['rejects', () => Promise.reject(vault)],
    [
      'throws',
      () => {
        throw vault
      },
    ],
  ])('and %s ends the first connection at once, with what it threw', async (_, apiKey) => {
    const cause = await dropping({ apiKey })
    expect(cause).toMatchObject({ code: null, fatal: true, initiator: 'us', error: vault })
    let asked = 0
    const counted = () => {
      asked++
      return (apiKey as () => Promise<string>)()
    }
    const session = new RealtimeSession(agent, { apiKey: counted, transport: 'websocket' })
    const error = await session.connect().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'ConnectionError', cause: { error: vault } })
    expect(String(error)).toContain('The vault is shut.')
    expect(asked).toBe(1)
  })

  test('is asked again where a line stood before', async () => {
    const far = await listening({ line: accepting })
    let asked = 0
    const apiKey = () => {
      if (++asked === 2) throw vault
      return 'sk-1234567890'
    }
    const session = new RealtimeSession(agent, { apiKey, transport: 'websocket' })
    await session.connect({ url: far.url })
    session.renew()
    await vi.waitFor(() => {
      expect(asked).toBe(3)
      expect(session.state.link.at).toBe('live')
    }, 5_000)
    session.close()
  })
})

test('a far end in memory that cannot be made is told as a drop, and never thrown', async () => {
  const heard = ear()
  const accept = () => {
    throw new Error('No far end today.')
  }
  memory({ clock: realClock, accept })(heard)
  expect((await heard.dropping()).reason).toContain('No far end today.')
})

test('a line in memory that was cut takes audio, as a socket does, until its end is told', async () => {
  const w = world(1)
  const heard: Cause[] = []
  const line = memory({
    clock: w.clock,
    latency: () => 10,
    fault: () => 'cut',
    accept: () => ({ received() {}, closed() {} }),
  })({ opened() {}, received() {}, dropped: (cause) => heard.push(cause) })
  await w.settle(20)
  expect([line.append(new Uint8Array(960)), line.append(new Uint8Array(960))]).toEqual([true, true])
  await w.settle(40)
  expect(heard).toMatchObject([{ code: 1006 }])
  expect(line.append(new Uint8Array(960))).toBe(false)
})

describe('the key', () => {
  test('travels in a header, with organization, project and what the app adds', async () => {
    const far = await listening()
    const options = { organization: 'org', project: 'proj', headers: { 'x-mine': 'yes' }, model: 'm 1' }
    const heard = ear()
    const line = webSocket({ url: far.url, apiKey: key, ...options })(heard)
    const { request } = await far.line()
    expect(request.headers).toMatchObject({
      authorization: `Bearer ${key}`,
      'openai-organization': 'org',
      'openai-project': 'proj',
      'x-mine': 'yes',
    })
    expect(request.headers).not.toHaveProperty('sec-websocket-extensions')
    expect(request.url).toBe('/v1/realtime?model=m%201')
    line.close()
  })

  test('travels as a subprotocol where the platform has no headers', async () => {
    const far = await listening()
    const news = notices()
    let isOpen = false
    const opened = () => {
      isOpen = true
      news.tell()
    }
    const wire = openWire({ ...bare, url: far.url, key, organization: 'org', project: 'proj' }, { ...silent, opened })
    const { request } = await far.line()
    const asked = request.headers['sec-websocket-protocol']
    expect(asked?.split(',')).toEqual([
      'realtime',
      `openai-insecure-api-key.${key}`,
      'openai-organization.org',
      'openai-project.proj',
    ])
    await news.until(() => isOpen || undefined)
    wire.close()
  })

  test('is not needed where the address is given', async () => {
    const far = await listening()
    const heard = ear()
    const line = webSocket({ url: far.url })(heard)
    await heard.opening()
    expect(far.lines[0]!.request.headers).not.toHaveProperty('authorization')
    line.close()
  })

  test('is asked for again at each dial', { timeout: 5_000 }, async () => {
    const keys = ['one', 'two', 'three']
    const far = await listening({ upgrade: (socket, nth) => nth < 2 && http(socket, 503, ''), line: accepting })
    let asked = 0
    const session = new RealtimeSession(agent, { apiKey: async () => keys[asked++] ?? 'none' })
    await session.connect({ url: far.url })
    expect(asked).toBe(3)
    expect(far.lines[0]!.request.headers.authorization).toBe('Bearer three')
    session.close()
  })

  test.each<[string, FarSocketOptions]>([
    ['HTTP', { upgrade: (socket) => http(socket, 401, provider('invalid_api_key', `Incorrect API key: ${key}.`)) }],
    ['a page', { upgrade: (socket) => http(socket, 401, `<pre>authorization: Bearer ${key}</pre>`, 'text/html') }],
    ['a reason', { line: ({ socket }) => socket.close(3000, `Incorrect API key: ${key}`) }],
    [
      'an error',
      {
        line: ({ socket }) => {
          socket.send(`{"type":"error","error":{"code":"invalid_api_key","message":"Incorrect API key: ${key}."}}`)
          socket.close(3000, 'invalid_request_error.invalid_api_key')
        },
      },
    ],
  ])('stands in no cause, even if the far end repeats it in %s', async (_, options) => {
    const far = await listening(options)
    const session = new RealtimeSession(agent, { apiKey: key })
    session.on('error', () => {})
    const error = await session.connect({ url: far.url }).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ConnectionError)
    expect(JSON.stringify([error, (error as Error).cause, session.state]) + String(error)).not.toContain(key)
    expect(inspect([error, session.state], { depth: 20 })).not.toContain(key)
  })

  test.each([
    [401, true],
    [429, false],
  ])('stands in no cause of HTTP %i', async (status) => {
    const far = await listening({ upgrade: (socket) => http(socket, status, provider('x', 'Words.')) })
    const session = new RealtimeSession(agent, { apiKey: key, reconnect: false })
    const error = await session.connect({ url: far.url }).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ConnectionError)
    expect(inspect([error, session.state], { depth: 20, showHidden: true })).not.toContain(key)
  })

  const throughPage = (url: string, more: Partial<WireRequest>) => () => {
    openWire({ ...bare, url, ...more }, silent).close()
  }

  test('of an account is refused in a page; a client secret, or the will to, is let in', async () => {
    const far = await listening()
    const refusal = 'A standard API key must not reach a browser. Have your server make a client secret'
    expect(throughPage(far.url, { key })).not.toThrow()
    beyond.document = {}
    expect(throughPage(far.url, { key })).toThrow(refusal)
    expect(throughPage(far.url, { key: 'ek_secret' })).not.toThrow()
    expect(throughPage(far.url, { key: null })).not.toThrow()
    expect(throughPage(far.url, { key, useInsecureApiKey: true })).not.toThrow()
    expect(await dropping(throughThePlatform(far.url))).toMatchObject({
      reason: expect.stringContaining(refusal),
      fatal: true,
      initiator: 'us',
    })
  })

  test('a platform without WebSocket is told what to pass', () => {
    delete beyond.WebSocket
    expect(throughPage('ws://127.0.0.1:9', { key })).toThrow('This platform has no WebSocket. Pass createWebSocket.')
  })
})

describe('audio that is sent in one turn of the event loop', () => {
  const piece = (n: number) => new Uint8Array(960).fill(n)

  test.each([1, 50, 3_000])(
    '%i pieces come whole and in order, though the line is closed in the same turn',
    async (count) => {
      const far = await listening()
      const heard = ear()
      const line = webSocket({ apiKey: key, url: far.url })(heard)
      await heard.opening()
      for (let n = 0; n < count; n++) expect(line.append(piece(n), true)).toBe(true)
      line.send(commit)
      line.close()
      await (await far.line()).ended
      const audio = (n: number) => Buffer.from(piece(n)).toString('base64')
      expect((await far.line()).heard).toEqual([
        ...Array.from({ length: count }, (_, n) => ({ type: 'input_audio_buffer.append', audio: audio(n) })),
        commit,
      ])
    },
  )

  test('is one write', async () => {
    const far = await listening()
    const heard = ear()
    const line = webSocket({ apiKey: key, url: far.url })(heard)
    await heard.opening()
    const writes = [vi.spyOn(Socket.prototype, '_write'), vi.spyOn(Socket.prototype, '_writev' as '_write')]
    for (let n = 0; n < 40; n++) line.append(piece(n), false)
    await new Promise(setImmediate)
    expect(writes.flatMap(({ mock }) => mock.calls)).toHaveLength(1)
    for (const spied of writes) spied.mockRestore()
    await (await far.line()).hears(({ audio }) => audio === Buffer.from(piece(39)).toString('base64'))
  })

  test('is all taken by a line that is not slow, however little may wait', async () => {
    const far = await listening()
    const heard = ear()
    const line = webSocket({ apiKey: key, url: far.url, bufferLimit: 0 })(heard)
    await heard.opening()
    for (let n = 0; n < 40; n++) expect(line.append(piece(n)), `piece ${n}`).toBe(true)
    await (await far.line()).hears(({ audio }) => audio === Buffer.from(piece(39)).toString('base64'))
  })
})

describe('the heartbeat', () => {
  // Long enough for a machine that has other things to do.
  const heartbeatMs = 400

  test.each<[string, boolean, (line: FarLine) => void]>([
    ['pings are answered', true, () => {}],
    ['pings are not answered, but that speaks', false, (line) => line.say(mark(0))],
  ])('keeps a line on which %s', async (_, autoPong, answer) => {
    const pings = notices()
    let count = 0
    const far = await listening({
      autoPong,
      line: (line) =>
        line.socket.on('ping', () => {
          count++
          answer(line)
          pings.tell()
        }),
    })
    const heard = ear()
    webSocket({ apiKey: key, url: far.url, heartbeatMs })(heard)
    await Promise.race([pings.until(() => count >= 3 || undefined), heard.dropping()])
    const line = await far.line()
    line.say(mark(7))
    await Promise.race([heard.hearing(autoPong ? 1 : count + 1), heard.dropping()])
    expect(heard.told.filter((what) => 'dropped' in what)).toEqual([])
    expect(heard.events().at(-1)).toEqual(mark(7))
  })

  test('ends a line on which nothing comes in answer, and says so', async () => {
    const far = await listening({ autoPong: false })
    const heard = ear()
    webSocket({ apiKey: key, url: far.url, heartbeatMs })(heard)
    expect(await heard.dropping()).toEqual({
      reason: 'The connection broke: The far end did not answer a ping within 400 ms.',
      code: 1006,
      fatal: false,
      initiator: 'network',
    })
    await (await far.line()).ended
  })

  test('beats every 20 seconds where nobody says otherwise', async () => {
    const far = await listening()
    const armed = vi.spyOn(globalThis, 'setInterval')
    const heard = ear()
    webSocket({ apiKey: key, url: far.url })(heard)
    await heard.opening()
    expect(armed.mock.calls.map(([, ms]) => ms)).toContain(20_000)
    armed.mockRestore()
  })
})

describe('a far end that does not read', () => {
  const frame = (n: number) => {
    const audio = new Uint8Array(32_768).fill(n % 256)
    new DataView(audio.buffer).setUint32(0, n)
    return audio
  }

  test.each<[string, (url: string) => WebSocketOptions]>([
    ['socket.node', (url) => ({ url, apiKey: key })],
    ['socket.web', throughThePlatform],
  ])('%s: microphone audio is let go whole; every other event still comes, in order', async (_, options) => {
    const far = await listening()
    const heard = ear()
    const line = webSocket({ ...options(far.url), bufferLimit: 100_000 })(heard)
    await heard.opening()
    const theirs = await far.line()
    theirs.raw.pause()

    const taken: number[] = []
    let refused = 0
    let sent = 0
    for (; refused < 50 && sent < 5_000; sent++) {
      if (line.append(frame(sent))) taken.push(sent)
      else refused++
      line.send({ type: 'conversation.item.delete', item_id: `${sent}` })
    }
    expect(refused).toBe(50)
    theirs.raw.resume()
    await theirs.hears(({ item_id }) => item_id === `${sent - 1}`)

    const others = theirs.heard.filter(({ type }) => type === 'conversation.item.delete')
    expect(others.map(({ item_id }) => Number(item_id))).toEqual(Array.from({ length: sent }, (_, n) => n))
    const audio = theirs.heard.flatMap((event) =>
      event.type === 'input_audio_buffer.append' ? [Buffer.from(String(event['audio']), 'base64')] : [],
    )
    expect(audio.map((bytes) => bytes.readUInt32BE(0))).toEqual(taken)
    expect(audio.every((bytes, at) => bytes.equals(frame(taken[at]!)))).toBe(true)
    expect(line.append(frame(sent)), 'the line carries audio again').toBe(true)
    line.close()
  })
})
