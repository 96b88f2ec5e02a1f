/** The WebRTC line in Node, over werift's peers: what it says and hears, why it ends, and what it leaves behind. */
import { afterEach, describe, expect, test } from 'vitest'
import {
  OpenAIRealtimeWebRTC,
  RealtimeAgent,
  RealtimeSession,
  type RealtimeSessionOptions,
  tool,
} from '../src/index.ts'
import { ConnectionError } from '../src/session/transport.ts'
import { type WebRTCOptions, webRTC } from '../src/transports/webrtc.ts'
import { type FarRtc, type FarRtcOptions, farRtc, type RtcLine } from './far-rtc.ts'
import { ear, notices } from './far-socket.ts'
import { microphone, type Platform, platform, streamOf } from './werift-platform.ts'

const key = 'sk-test-0123456789abcdef'
const agent = new RealtimeAgent({ name: 'A', instructions: 'Be brief.' })
const closing: (() => unknown)[] = []
const beyond = globalThis as { document?: unknown }
afterEach(async () => {
  delete beyond.document
  for (const close of closing.splice(0).reverse()) await close()
})

async function listening(options: FarRtcOptions = {}): Promise<FarRtc> {
  const far = await farRtc(options)
  closing.push(far.close)
  return far
}

/** Accepts the session config, and says back what is said. */
const accepting = (line: RtcLine): void => {
  line.channel.onMessage.subscribe((data) => {
    const { type, item } = JSON.parse(String(data))
    if (type === 'session.update') line.say({ type: 'session.updated', event_id: 'e', session: { type: 'realtime' } })
    if (type === 'conversation.item.create') line.say({ type: 'conversation.item.done', event_id: 'e', item })
  })
}

interface Called {
  readonly here: Platform
  readonly transport: OpenAIRealtimeWebRTC
  readonly session: RealtimeSession
  /** Resolves when it is so, now or after some change. */
  until<Found>(look: () => Found | undefined | false): Promise<Found>
  readonly errors: readonly unknown[]
}

function calling(options: Partial<WebRTCOptions> = {}, more: Partial<RealtimeSessionOptions<unknown>> = {}): Called {
  const here = platform()
  const transport = new OpenAIRealtimeWebRTC({ ...here, ...options } as never)
  const session = new RealtimeSession(agent, { transport, apiKey: key, ...more })
  const errors: unknown[] = []
  const news = notices()
  session.on('error', ({ error }) => errors.push(error))
  session.subscribe(news.tell)
  transport.media.subscribe(news.tell)
  closing.push(() => session.close())
  return { here, transport, session, errors, until: (look) => news.until(() => look() || undefined) as never }
}

const nothing = { tracks: 0, peers: 0 }
const answer = { id: 'a', type: 'message', role: 'assistant', status: 'in_progress', content: [] }

// ── what is offered ──────────────────────────────────────────────────────────────────────────────────────────────────

test('the session config travels with the offer, is said again when the channel opens, and is accepted before it is connected', async () => {
  const far = await listening({ line: accepting })
  const { session, transport } = calling({}, { model: 'm', config: { outputModalities: ['audio'] } })
  await session.connect({ url: far.url })
  const { path, method, headers, session: offered, sdp } = await far.request()
  expect([method, path, headers.authorization, headers.accept]).toEqual([
    'POST',
    '/v1/realtime/calls',
    `Bearer ${key}`,
    'application/sdp',
  ])
  expect(offered).toMatchObject({
    type: 'realtime',
    model: 'm',
    instructions: 'Be brief.',
    output_modalities: ['audio'],
  })
  expect(sdp).toMatch(/^m=audio .*[\s\S]*^m=application /m)
  const [first] = far.lines[0]!.heard
  expect(first).toMatchObject({ type: 'session.update', session: { instructions: 'Be brief.' } })
  expect(transport.callId).toBe('rtc_0')
  expect(transport.connectionState).toMatchObject({ status: 'connected', dataChannel: { label: 'oai-events' } })
})

test('with a client secret the offer goes as it is, and the config by the channel', async () => {
  const far = await listening({ line: accepting })
  const { session } = calling()
  beyond.document = {}
  await session.connect({ url: far.url, apiKey: () => 'ek_secret' })
  const { headers, session: offered, sdp } = await far.request()
  expect([headers['content-type'], headers.authorization, offered]).toEqual([
    'application/sdp',
    'Bearer ek_secret',
    null,
  ])
  expect(sdp).toContain('v=0')
  delete beyond.document
})

test.each([
  [{ apiKey: 'ek_secret' }, '/v1/realtime/calls'],
  [{ apiKey: 'ek_secret', model: 'm' }, '/v1/realtime/calls?model=m'],
  [{ apiKey: '' }, '/v1/realtime/calls?model=gpt-realtime-2.1'],
  [{ apiKey: '', model: 'm' }, '/v1/realtime/calls?model=m'],
])('connected with %j, it offers its call at %s', async (options, path) => {
  const far = await listening({ line: accepting })
  const { session } = calling()
  await session.connect({ url: far.url, ...options })
  expect((await far.request()).path).toBe(path)
})

test.each([
  ['ws://HOST/v1/realtime'],
  ['http://HOST/v1/realtime'],
  ['http://HOST/v1/realtime/calls'],
  ['ws://HOST/v1/realtime/calls'],
  ['http://HOST/v1/realtime/'],
])('the address %s is understood', async (url) => {
  const far = await listening({ line: accepting })
  const { session } = calling()
  await session.connect({ url: url.replace('HOST', new URL(far.url).host) })
  expect((await far.request()).path).toBe('/v1/realtime/calls')
})

test('another peer connection may take the place of ours, which is closed', async () => {
  const far = await listening({ line: accepting })
  const { session, here, transport } = calling({ changePeerConnection: () => here.peerConnection() })
  await session.connect({ url: far.url })
  expect(here.peers.map(({ connectionState }) => connectionState)).toEqual(['closed', 'connected'])
  expect(transport.connectionState.peerConnection).toBe(here.peers[1])
})

test('a change that gives nothing back leaves the peer connection that was', async () => {
  const far = await listening({ line: accepting })
  const { session, here, transport } = calling({ changePeerConnection: (() => {}) as never })
  await session.connect({ url: far.url })
  expect(transport.connectionState.peerConnection).toBe(here.peers[0])
})

describe('the microphone', () => {
  test.each<[string, Partial<WebRTCOptions>, object]>([
    ['that is not wanted', { microphone: false }, {}],
    ['of a session of text', {}, { outputModalities: ['text'] }],
  ])('%s is never asked for; the offer has audio all the same', async (_, options, config) => {
    const far = await listening({ line: accepting })
    const { session, here } = calling(options, { config })
    await session.connect({ url: far.url })
    expect(here.asked).toEqual([])
    expect((await far.request()).sdp).toMatch(/^m=audio [\s\S]*^a=sendrecv/m)
  })

  test('is asked for with echo cancellation and what the app wishes, once for all lines, and let go at the end', async () => {
    const far = await listening({ line: accepting })
    const { session, here, until } = calling({ microphone: { deviceId: 'desk' } })
    await session.connect({ url: far.url })
    far.lines[0]!.close()
    await far.line(1)
    await until(() => session.state.link.at === 'live')
    expect(here.asked).toEqual([
      { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, deviceId: 'desk' } },
    ])
    expect(here.left()).toEqual({ tracks: 1, peers: 1 })
    session.close()
    expect(here.left()).toEqual(nothing)
  })

  test('of the app is used and never stopped', async () => {
    const far = await listening({ line: accepting })
    const track = microphone()
    const { session, here, transport } = calling({ mediaStream: streamOf(track) as never })
    await session.connect({ url: far.url })
    expect(transport.connectionState.peerConnection!.getSenders().map((sender) => sender.track)).toContain(track)
    session.close()
    expect([here.asked, track.stopped, here.left()]).toEqual([[], false, nothing])
  })

  test('is muted before connecting, on a new line, and after a change of the device', async () => {
    const far = await listening({ line: accepting })
    const { session, here, transport, until } = calling()
    session.mute(true)
    await session.connect({ url: far.url })
    expect([here.tracks[0]!.enabled, session.muted, transport.muted]).toEqual([false, true, true])
    far.lines[0]!.close()
    await far.line(1)
    await until(() => session.state.link.at === 'live')
    expect(here.tracks[0]!.enabled).toBe(false)
    await transport.media.useMicrophone('other')
    expect(here.tracks.map(({ enabled, stopped }) => [enabled, stopped])).toEqual([
      [false, true],
      [false, false],
    ])
    session.mute(false)
    expect([here.tracks[1]!.enabled, transport.muted]).toEqual([true, false])
  })

  test('changes without a new line', async () => {
    const far = await listening({ line: accepting })
    const { session, here, transport } = calling()
    await session.connect({ url: far.url })
    const own = microphone()
    await transport.media.useMicrophone(own as never)
    const [sender] = transport.connectionState.peerConnection!.getSenders()
    expect([sender!.track, here.left(), far.lines.length]).toEqual([own, { tracks: 0, peers: 1 }, 1])
    session.close()
    expect(own.stopped).toBe(false)
  })

  test('that cannot be had leaves the one in use', async () => {
    const far = await listening({ line: accepting })
    const { session, here, transport } = calling()
    await session.connect({ url: far.url })
    here.refuse('NotFoundError')
    await expect(transport.media.useMicrophone('gone')).rejects.toMatchObject({ name: 'MediaError', state: 'missing' })
    expect([here.left().tracks, transport.media.state.microphone]).toEqual([1, 'on'])
  })

  test('that is unplugged is replaced by the default one, and the call goes on', async () => {
    const far = await listening({ line: accepting })
    const { session, here, transport, until } = calling()
    const states: string[] = []
    transport.media.subscribe(() => {
      const { microphone } = transport.media.state
      if (states.at(-1) !== microphone) states.push(microphone)
    })
    await session.connect({ url: far.url })
    here.tracks[0]!.stop()
    await until(() => here.tracks.length === 2 && transport.media.state.microphone === 'on')
    expect(states).toEqual(['asking', 'on', 'lost', 'on'])
    expect([session.state.link.at, far.lines.length]).toEqual(['live', 1])
  })

  test('that is unplugged when there is no other is lost, and the call goes on', async () => {
    const far = await listening({ line: accepting })
    const { session, here, transport, until } = calling()
    await session.connect({ url: far.url })
    here.refuse('NotFoundError')
    here.tracks[0]!.stop()
    await until(() => transport.media.state.problem?.includes('no such microphone'))
    expect([transport.media.state.microphone, session.state.link.at]).toEqual(['lost', 'live'])
    session.sendMessage('in writing')
    await far.lines[0]!.hears(({ type }) => type === 'conversation.item.create')
  })

  test('that is lost does not end the call with the line either: another is heard on the next one', async () => {
    const far = await listening({ line: accepting })
    const { session, here, transport, until } = calling()
    await session.connect({ url: far.url })
    here.refuse('NotFoundError')
    here.tracks[0]!.stop()
    await until(() => transport.media.state.problem?.includes('no such microphone'))
    far.lines[0]!.close()
    await far.line(1)
    await until(() => session.state.link.at === 'live')
    const own = microphone()
    await transport.media.useMicrophone(own as never)
    const [sender] = transport.connectionState.peerConnection!.getSenders()
    expect([sender!.track, transport.media.state.microphone]).toEqual([own, 'on'])
  })

  test('that is muted, at the session or at the transport, is so when those who watch the session hear of it', async () => {
    const { session, transport } = calling()
    const seen: boolean[] = []
    session.subscribe(() => seen.push(session.muted))
    for (const muted of [true, false]) {
      session.mute(muted)
      expect([...new Set(seen.splice(0))]).toEqual([muted])
    }
    for (const muted of [true, false]) {
      transport.mute(muted)
      expect([session.muted, ...new Set(seen.splice(0))]).toEqual([muted, muted])
    }
  })

  test.each([
    ['NotAllowedError', 'microphone_denied', /Allow it/],
    ['NotFoundError', 'microphone_missing', /no such microphone/],
    ['NotReadableError', 'microphone_busy', /another program/],
    ['AbortError', 'microphone_busy', /another program/],
  ])('%s is why there is no connection: %s', async (name, code, words) => {
    const far = await listening({ line: accepting })
    const { session, here } = calling()
    here.refuse(name)
    const error = await session.connect({ url: far.url }).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({
      cause: { code, fatal: true, initiator: 'us' },
      message: expect.stringMatching(words),
    })
    expect([here.left(), far.requests.length]).toEqual([nothing, 0])
  })

  test('carries the audio: bytes are refused', async () => {
    const far = await listening({ line: accepting })
    const { session } = calling()
    await session.connect({ url: far.url })
    expect(() => session.sendAudio(new Uint8Array(960))).toThrow('track carries the audio')
  })
})

// ── why a line ends ──────────────────────────────────────────────────────────────────────────────────────────────────

test.each([
  [401, true],
  [403, true],
  [404, true],
  [429, false],
  [500, false],
  [503, false],
])('HTTP %i: the cause says so in the words of the provider, and nothing is left', async (status, fatal) => {
  const body = JSON.stringify({ error: { message: `Words of the provider, and ${key}.`, code: 'x' } })
  const far = await listening({ answer: () => ({ status, body }) })
  const { session, here } = calling({}, { reconnect: false })
  const error = await session.connect({ url: far.url }).catch((error: unknown) => error)
  const reason = `The far end answered with HTTP ${status}: Words of the provider, and ….`
  const told = { lastError: { code: 'x', message: 'Words of the provider, and ….' }, body: body.replace(key, '…') }
  expect(error).toMatchObject({ cause: { code: status, fatal, initiator: 'far end', reason, ...told } })
  expect(here.left()).toEqual(nothing)
})

test.each<[string, Partial<WebRTCOptions>, FarRtcOptions, object]>([
  [
    'an answer that the peer connection does not take',
    {
      changePeerConnection: (peer) =>
        Object.assign(peer, { setRemoteDescription: () => Promise.reject(new Error('No such line.')) }),
    },
    {},
    { code: 'sdp_refused', fatal: true, reason: expect.stringContaining('No such line.') },
  ],
  [
    'nobody there',
    { fetch: () => Promise.reject(new TypeError('fetch failed')) },
    {},
    { code: 'unreachable', fatal: false, initiator: 'network' },
  ],
  [
    'nobody there, as Node says it',
    {
      fetch: () =>
        Promise.reject(new TypeError('fetch failed', { cause: new Error(`connect ECONNREFUSED 127.0.0.1:9 ${key}`) })),
    },
    {},
    { reason: 'The far end cannot be reached: fetch failed: connect ECONNREFUSED 127.0.0.1:9 …' },
  ],
  [
    'a peer connection that cannot be made',
    {
      peerConnection: () => {
        throw new Error('No peers today.')
      },
    },
    {},
    { code: null, reason: expect.stringContaining('No peers today.'), fatal: false },
  ],
  [
    'a change of the peer connection that fails',
    { changePeerConnection: () => Promise.reject(new Error('Not mine.')) },
    {},
    { reason: expect.stringContaining('Not mine.') },
  ],
  [
    'a platform without peer connections',
    { peerConnection: undefined },
    {},
    { reason: expect.stringContaining('Pass peerConnection.'), fatal: true, initiator: 'us' },
  ],
  [
    'a platform without a microphone',
    { mediaDevices: undefined },
    {},
    { code: 'microphone_missing', fatal: true, initiator: 'us' },
  ],
])('%s is a named cause, and leaves nothing', async (_, options, farOptions, cause) => {
  const far = await listening({ line: accepting, ...farOptions })
  const { session, here } = calling(options, { reconnect: false })
  const error = await session.connect({ url: far.url }).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(ConnectionError)
  expect(error).toMatchObject({ cause })
  expect(here.left()).toEqual(nothing)
})

test('a call that was made and never opened is hung up; of one that opened, the connection tells', async () => {
  const far = await listening({ line: accepting })
  const changePeerConnection = (peer: RTCPeerConnection) =>
    Object.assign(peer, { setRemoteDescription: () => Promise.reject(new Error('No such line.')) })
  const fails = async (hungUp: number) => {
    const failing = calling({ changePeerConnection }, { reconnect: false })
    await expect(failing.session.connect({ url: `${far.url}?model=m&region=x` })).rejects.toThrow('No such line.')
    await far.until(() => far.hungUp.length >= hungUp || undefined)
  }
  await fails(1)
  const { session, here } = calling({}, { reconnect: false })
  await session.connect({ url: far.url })
  session.close()
  expect(here.left()).toEqual(nothing)
  await fails(2)
  expect(far.hungUp).toMatchObject(
    ['rtc_0', 'rtc_2'].map((call) => ({
      path: `/v1/realtime/calls/${call}/hangup?region=x`,
      headers: { authorization: `Bearer ${key}` },
    })),
  )
})

test('a fetch that throws where a call is hung up keeps nobody from hearing of its end', async () => {
  const far = await listening({ line: accepting })
  const ask = ((to: string, init: RequestInit) => {
    if (to.includes('hangup')) throw new Error('No more calls.')
    return fetch(to, init)
  }) as typeof fetch
  const changePeerConnection = (peer: RTCPeerConnection) =>
    Object.assign(peer, { setRemoteDescription: () => Promise.reject(new Error('No such line.')) })
  const { session, here } = calling({ fetch: ask, changePeerConnection }, { reconnect: false })
  await expect(session.connect({ url: far.url })).rejects.toThrow('No such line.')
  expect(here.left()).toEqual(nothing)
})

test('a page is told that it may be the one that is not allowed', async () => {
  beyond.document = {}
  const refusing = () => Promise.reject(new TypeError('Failed to fetch'))
  const { session } = calling({ fetch: refusing }, { reconnect: false, apiKey: 'ek_1' })
  await expect(session.connect({ url: 'https://elsewhere.example/v1/realtime/calls' })).rejects.toThrow(
    'The far end cannot be reached: Failed to fetch. Does it allow this page (CORS)?',
  )
})

test.each([{ callId: 'rtc_1' }, { url: 'https://far.example/v1/realtime?call_id=rtc_1' }])(
  'a call that stands already is not begun again: %j is refused before anything is asked for',
  async (where) => {
    const { session, here } = calling()
    await expect(session.connect(where)).rejects.toThrow("transport: 'websocket'")
    expect([here.peers, here.asked]).toEqual([[], []])
  },
)

test('a standard key is refused in a page', async () => {
  const far = await listening({ line: accepting })
  const { session } = calling()
  beyond.document = {}
  await expect(session.connect({ url: far.url })).rejects.toThrow('A standard API key must not reach a browser')
  expect(far.requests).toEqual([])
  const allowed = calling({ useInsecureApiKey: true, audioElement: element() })
  await allowed.session.connect({ url: far.url })
  allowed.session.close()
})

/** As much of an element as is used. */
function element(): HTMLAudioElement {
  return { play: async () => {}, srcObject: null } as unknown as HTMLAudioElement
}

test.each<[string, (line: RtcLine, here: Platform) => void, string]>([
  ['the data channel is closed', (line) => line.close(), 'channel_closed'],
  ['ICE fails', (_, here) => here.lose('failed'), 'ice_failed'],
  ['the peer connection is closed by others', (_, here) => void here.peers.at(-1)!.close(), 'peer_closed'],
  ["the far end's track ends", (_, here) => here.peers.at(-1)!.getReceivers()[0]!.track.stop(), 'track_ended'],
])('%s: the line ends for that, and the next one is told the conversation', async (_, lose, code) => {
  const far = await listening({ line: accepting })
  const { session, here, until } = calling()
  const causes: unknown[] = []
  session.on('connection_change', (link) => 'cause' in link && causes.push(link.cause?.code))
  await session.connect({ url: far.url })
  session.sendMessage('Remember me.', {}, { triggerResponse: false })
  await until(() => session.state.pending.length === 0 && session.history.length === 1)
  lose(far.lines[0]!, here)
  const line = await far.line(1)
  const retold = await line.hears(({ type }) => type === 'conversation.item.create')
  expect(retold).toMatchObject({ item: { content: [{ type: 'input_text', text: 'Remember me.' }] } })
  await until(() => session.state.link.at === 'live')
  expect(causes).toContain(code)
  expect(here.left()).toEqual({ tracks: 1, peers: 1 })
})

test('a way that is lost and comes back within the grace is the same line', async () => {
  const far = await listening({ line: accepting })
  const timers = new Map<number, () => void>()
  const clock = {
    now: () => 0,
    at(time: number, run: () => void) {
      timers.set(time, run)
      return () => timers.delete(time)
    },
  }
  const heard = ear()
  const here = platform()
  const lines = webRTC({ ...here, clock })
  closing.push(lines.close)
  const line = lines.dialer({ url: far.url })(heard)
  await heard.opening()
  here.lose('disconnected')
  expect([...timers.keys()]).toEqual([5_000])
  here.lose('connected')
  expect(timers.size).toBe(0)
  here.lose('disconnected')
  timers.get(5_000)!()
  expect(await heard.dropping()).toMatchObject({ code: 'ice_disconnected', fatal: false, initiator: 'network' })
  line.close()
  lines.close()
  expect([here.left(), timers.size <= 1]).toEqual([nothing, true])
})

test('a channel that does not carry off what is said ends the line, before it has eaten the memory', async () => {
  const far = await listening({ line: accepting })
  const { session, transport, until } = calling()
  const causes: unknown[] = []
  session.on('connection_change', (link) => 'cause' in link && causes.push(link.cause?.code))
  await session.connect({ url: far.url })
  Object.defineProperty(transport.connectionState.dataChannel, 'bufferedAmount', { get: () => 5_000_000 })
  session.sendMessage('Remember me.', {}, { triggerResponse: false })
  await far.line(1)
  await until(() => session.state.link.at === 'live' && session.state.pending.length === 0)
  expect([causes[0], session.history.length]).toEqual(['channel_stalled', 1])
})

test('an event that is too large for the channel is refused by name, and the call goes on', async () => {
  const far = await listening({ line: accepting })
  const { session, here, errors, until } = calling()
  await session.connect({ url: far.url })
  Object.defineProperty(here.peers[0]!.sctp, 'maxMessageSize', { value: 2_000 })
  session.sendMessage('x'.repeat(3_000), {}, { triggerResponse: false })
  await until(() => errors.length > 0)
  expect(errors[0]).toMatchObject({ code: 'message_not_sent', message: expect.stringContaining('takes 2000') })
  session.sendMessage('short', {}, { triggerResponse: false })
  await far.lines[0]!.hears(({ item }) => JSON.stringify(item ?? '').includes('short'))
  expect([session.state.link.at, session.history.length]).toEqual(['live', 1])
})

// ── what is heard ────────────────────────────────────────────────────────────────────────────────────────────────────

test('the sound is known from what the far end says of it; interrupted, it is cancelled, then cleared', async () => {
  const far = await listening({ line: accepting })
  const { session, until } = calling()
  const told: string[] = []
  for (const name of ['audio_start', 'audio_stopped', 'audio_interrupted'] as const)
    session.on(name, () => told.push(name))
  await session.connect({ url: far.url })
  const line = far.lines[0]!
  line.say({ type: 'response.created', event_id: 'e', response: { id: 'r', output: [] } })
  line.say({ type: 'conversation.item.added', event_id: 'e', item: answer })
  line.say({ type: 'output_audio_buffer.started', event_id: 'e', response_id: 'r' })
  await until(() => session.state.playback.item)
  session.interrupt()
  await line.hears(({ type }) => type === 'output_audio_buffer.clear')
  const types = line.heard.map(({ type }) => type)
  expect(types).toEqual(['session.update', 'response.cancel', 'output_audio_buffer.clear'])
  line.say({ type: 'conversation.item.truncated', event_id: 'e', item_id: 'a', content_index: 0, audio_end_ms: 640 })
  await until(() => session.state.playback.cuts['a']?.heardMs === 640)
  expect(session.history.at(-1)).toMatchObject({ interrupted: true, heardMs: 640 })
  expect(told.toSorted()).toEqual(['audio_interrupted', 'audio_start', 'audio_stopped'])
})

test('what cannot be held back is refused before anything is dialed', async () => {
  const far = await listening()
  const guardrail = { name: 'g', execute: async () => ({ tripwireTriggered: false, outputInfo: {} }) }
  const { session, here } = calling(
    {},
    { outputGuardrails: [guardrail], outputGuardrailSettings: { mode: 'holdback' } },
  )
  await expect(session.connect({ url: far.url })).rejects.toThrow('cannot be held back')
  expect([far.requests, here.peers, here.asked]).toEqual([[], [], []])
})

describe('alone', () => {
  test('it connects with a config, speaks, tells, and ends', async () => {
    const far = await listening({ line: accepting })
    const here = platform()
    const transport = new OpenAIRealtimeWebRTC({ ...here, baseUrl: far.url, apiKey: key })
    const told: unknown[] = []
    const news = notices()
    transport.on('connection_change', (status) => told.push(status))
    transport.on('function_call', ({ name, callId }) => told.push([name, callId]))
    transport.on('*', news.tell)
    await transport.connect({ initialSessionConfig: { outputModalities: ['audio'] } })
    const call = { id: 'c', type: 'function_call', name: 'f', call_id: 'call', arguments: '{}', status: 'completed' }
    far.lines[0]!.say({ type: 'conversation.item.done', event_id: 'e', item: call })
    far.lines[0]!.say({
      type: 'response.output_item.done',
      event_id: 'e',
      response_id: 'r',
      output_index: 0,
      item: call,
    })
    await news.until(() => told.length > 2 || undefined)
    transport.sendFunctionCallOutput({ callId: 'call' }, 'done')
    await far.lines[0]!.hears(({ item }) => JSON.stringify(item ?? '').includes('"done"'))
    expect(() => transport.sendAudio(new Uint8Array(4))).toThrow('track carries the audio')
    transport.close()
    expect(told).toEqual(['connecting', 'connected', ['f', 'call'], 'disconnected'])
    expect([transport.status, here.left()]).toEqual(['disconnected', nothing])
    expect([transport.connectionState.peerConnection, transport.callId]).toEqual([undefined, undefined])
  })

  test('what is said before it is connected is said then; it is connected once, closed at will, and connected again', async () => {
    const far = await listening({ line: accepting })
    const here = platform()
    const transport = new OpenAIRealtimeWebRTC({ ...here, baseUrl: far.url, apiKey: key })
    closing.push(() => transport.close())
    transport.close()
    transport.sendEvent({ type: 'input_audio_buffer.clear', event_id: 'early' })
    transport.sendMessage('Early.', {}, { triggerResponse: false })
    const connecting = transport.connect()
    await expect(transport.connect()).rejects.toThrow('connected already')
    await connecting
    await far.lines[0]!.hears(({ item }) => JSON.stringify(item ?? '').includes('Early.'))
    transport.close()
    transport.close()
    expect(here.left()).toEqual(nothing)
    await transport.connect()
    expect([transport.status, transport.callId, here.left()]).toEqual(['connected', 'rtc_1', { tracks: 1, peers: 1 }])
  })
})

// ── given up at every step ───────────────────────────────────────────────────────────────────────────────────────────

describe('closed while it waits', () => {
  const never = new Promise<never>(() => {})
  const undecided = tool({
    name: 'undecided',
    description: 'Nobody knows.',
    parameters: { type: 'object', properties: {} },
    strict: false,
    isEnabled: () => never,
    execute: () => '',
  })
  const steps: Readonly<Record<string, (here: Platform) => [Partial<WebRTCOptions>, FarRtcOptions, RealtimeAgent?]>> = {
    'for the instructions': () => [{}, {}, new RealtimeAgent({ name: 'A', instructions: () => never })],
    'for a tool to say whether it is there': () => [{}, {}, new RealtimeAgent({ name: 'A', tools: [undecided] })],
    'for the key': () => [{ apiKey: () => never }, {}],
    'for the peer connection': () => [{ peerConnection: () => never }, {}],
    'for the microphone': (here) => {
      here.hold(never)
      return [{}, {}]
    },
    'for the app to change the peer connection': () => [{ changePeerConnection: () => never }, {}],
    'for the answer': () => [{}, { answer: () => never }],
    'for the channel': () => [{}, { line: () => {} }],
  }

  test.each(Object.entries(steps))('%s: it settles, and leaves nothing', async (_, step) => {
    const here = platform()
    const [options, farOptions, who = agent] = step(here)
    const far = await listening(farOptions)
    const transport = new OpenAIRealtimeWebRTC({ ...here, apiKey: key, ...options })
    const session = new RealtimeSession(who, { transport })
    const connecting = session.connect({ url: far.url }).catch((error: unknown) => error)
    for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setImmediate(resolve))
    session.close()
    expect(await connecting).toBeInstanceOf(Error)
    expect(here.left()).toEqual(nothing)
  })

  test('whatever the step: after so many turns of the loop', async () => {
    const far = await listening({ line: accepting })
    const slow = async (): Promise<void> => {
      for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    const deliberate = new RealtimeAgent({ name: 'A', instructions: () => slow().then(() => 'Be brief.') })
    for (let turns = 0; turns < 120; turns += 3) {
      const here = platform()
      const session = new RealtimeSession(deliberate, {
        transport: new OpenAIRealtimeWebRTC(here),
        apiKey: () => slow().then(() => key),
      })
      const connecting = session.connect({ url: far.url }).catch((error: unknown) => error)
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
      session.close()
      await connecting
      expect(here.left(), `closed after ${turns} turns`).toEqual(nothing)
    }
  })

  test('a microphone that is given too late is let go', async () => {
    const far = await listening({ line: accepting })
    const { session, here, transport, until } = calling()
    let give = (_?: unknown) => {}
    here.hold(
      new Promise((resolve) => {
        give = resolve
      }),
    )
    const connecting = session.connect({ url: far.url }).catch((error: unknown) => error)
    await until(() => transport.media.state.microphone === 'asking')
    session.close()
    await connecting
    give()
    await new Promise((resolve) => setImmediate(resolve))
    expect([here.tracks.length, here.left()]).toEqual([1, nothing])
  })
})
