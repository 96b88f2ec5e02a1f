/** Calls over WebRTC with the local server: real UDP, real Opus, and a client by werift in this process. */
import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { readWav } from '../src/audio/wav.ts'
import { textOf } from '../src/conversation/conversation.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import { type ServeOptions, type Server, serve } from '../src/server/listen.ts'
import type { Thought } from '../src/server/senses.ts'
import { recognise, wordErrorRate } from '../src/testing/recognise.ts'
import { scriptedEars, toneVoice } from '../src/testing/senses.ts'
import { testWithEars } from './ears.ts'
import { type Line, line } from './line.ts'
import { say } from './talk.ts'
import { untilTrue } from './until-true.ts'
import { post, type WebRtcPeer, type WireEvent, webRtcPeer } from './webrtc-peer.ts'

const model = 'gpt-realtime-2.1'
const key = 'sk-good'
/** 60 ms a letter: 7.2 s of sound. */
const longAnswer = `${'This answer is long enough. '.repeat(4)}It has an end.`
const barge = wav('barge')

function wav(name: string): Int16Array {
  return readWav(readFileSync(`fixtures/caller/${name}.wav`)).samples
}

async function server(options: ServeOptions = {}): Promise<Server> {
  const made = await serve({
    port: 0,
    ears: scriptedEars(['please stop']),
    brain: scripted(() => [say('All is well.')]),
    voice: toneVoice(),
    ...options,
  })
  onTestFinished(() => made.close())
  return made
}

async function caller(callsUrl: string, exchange = post(callsUrl)): Promise<WebRtcPeer> {
  const made = await webRtcPeer({ exchange })
  onTestFinished(() => made.close())
  await made.next('session.created')
  return made
}

/** An offer that can be answered, of a client that never connects. */
async function someOffer(): Promise<string> {
  let made = ''
  const exchange = async (offer: string): Promise<string> => {
    made = offer
    throw new Error('enough')
  }
  await webRtcPeer({ exchange }).catch(() => {})
  return made
}

function ask({ say: tell }: WebRtcPeer, text = 'hi'): void {
  const content = [{ type: 'input_text', text }]
  tell({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } })
  tell({ type: 'response.create' })
}

function types(events: readonly WireEvent[]): string[] {
  return events.map(({ type }) => type)
}

/** A sideband: a line that was let in. */
async function sideband(url: string, id: string): Promise<Line> {
  const opened = line(`${url}?call_id=${id}`)
  await new Promise((resolve) => opened.socket.once('open', resolve))
  return opened
}

/** Calls, and tells the call's id. */
async function callWithId({ callsUrl }: Server): Promise<{ peer: WebRtcPeer; id: string }> {
  let id = ''
  const peer = await caller(callsUrl, async (offer) => {
    const response = await create(callsUrl, { body: offer })
    id = response.headers.get('location')?.split('/').at(-1) ?? ''
    return response.text()
  })
  return { peer, id }
}

function create(callsUrl: string, { headers, ...init }: RequestInit, query = `?model=${model}`): Promise<Response> {
  const usual = { 'content-type': 'application/sdp', authorization: `Bearer ${key}` }
  return fetch(callsUrl + query, { method: 'POST', headers: { ...usual, ...headers }, ...init })
}

function form(parts: Readonly<Record<string, string | Blob>>): RequestInit {
  const body = new FormData()
  for (const [name, part] of Object.entries(parts)) body.append(name, part)
  return { method: 'POST', body, headers: { authorization: `Bearer ${key}` } }
}

// ── the door ─────────────────────────────────────────────────────────────────────────────────────────────────────────

test('an offer is answered with SDP, and the call is named in Location, for pages of any origin', async () => {
  const { callsUrl } = await server()
  const response = await create(callsUrl, { body: await someOffer() })
  expect(response.status).toBe(201)
  expect(response.headers.get('content-type')).toBe('application/sdp')
  expect(response.headers.get('location')).toMatch(/^\/v1\/realtime\/calls\/rtc_\w{21}$/)
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  expect(response.headers.get('access-control-expose-headers')).toMatch(/\bLocation\b/)
  expect(await response.text()).toMatch(/^v=0\r\n.*m=audio .*opus\/48000.*m=application /is)
})

test('a page may ask whether it may call', async () => {
  const { callsUrl } = await server()
  const { status, headers } = await fetch(callsUrl, { method: 'OPTIONS' })
  expect(status).toBe(204)
  expect(headers.get('access-control-allow-methods')).toBe('POST')
  expect(headers.get('access-control-allow-headers')).toMatch(/authorization/)
})

const noSound = 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio garbage\r\n'
test.for<readonly [what: string, init: RequestInit, query: string, status: number, code: string]>([
  ['without a key', { body: 'v=0', headers: { authorization: '' } }, '', 401, 'invalid_api_key'],
  ['with a wrong key', { body: 'v=0', headers: { authorization: 'Bearer no' } }, '', 401, 'invalid_api_key'],
  ['without a model', { body: 'OFFER' }, '', 400, 'missing_model'],
  ['for a model that is not served', { body: 'OFFER' }, '?model=other', 400, 'invalid_model'],
  ['of the beta', { body: 'OFFER', headers: { 'openai-beta': 'realtime=v1' } }, '', 400, 'beta_api_shape_disabled'],
  ['with no body', { body: '' }, `?model=${model}`, 400, 'invalid_offer'],
  ['with words instead of SDP', { body: 'hello' }, `?model=${model}`, 400, 'invalid_offer'],
  ['with an offer that is broken', { body: noSound }, `?model=${model}`, 400, 'invalid_offer'],
  ['with more than a MiB', { body: 'v=0\r\n'.repeat(300_000) }, `?model=${model}`, 413, 'request_too_large'],
  ['with JSON', { body: '{}', headers: { 'content-type': 'application/json' } }, '', 400, 'unsupported_content_type'],
  ['with a broken form', { body: 'x', headers: { 'content-type': 'multipart/form-data' } }, '', 400, 'invalid_form'],
  ['by GET', { method: 'GET' }, '', 405, 'method_not_supported'],
] as const)('a request %s is refused', async ([, init, query, status, code]) => {
  const { callsUrl, calls } = await server({ apiKeys: [key], models: [model] })
  const body = init.body === 'OFFER' ? { body: await someOffer() } : {}
  const response = await create(callsUrl, { ...init, ...body }, query)
  expect(response.status).toBe(status)
  expect(await response.json()).toMatchObject({ error: { code, message: expect.any(String) } })
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  expect(calls()).toBe(0)
})

test.for<
  readonly [what: string, parts: Readonly<Record<string, string>>, status: number, code: string, param?: string]
>([
  ['without an offer', { session: '{}' }, 400, 'missing_required_parameter', 'sdp'],
  ['with a session that is no JSON', { sdp: 'OFFER', session: '{' }, 400, 'invalid_json'],
  ['with a session that is a list', { sdp: 'OFFER', session: '[]' }, 400, 'invalid_type', 'session'],
  ['without a model', { sdp: 'OFFER', session: '{"type":"realtime"}' }, 400, 'missing_model'],
  [
    'with a field that is not known',
    { sdp: 'OFFER', session: `{"type":"realtime","model":"${model}","mood":1}` },
    400,
    'unknown_parameter',
    'session.mood',
  ],
] as const)('a form %s is refused', async ([, parts, status, code, param]) => {
  const { callsUrl, calls } = await server()
  const offer = await someOffer()
  const whole = Object.entries(parts).map(([name, part]) => [name, part === 'OFFER' ? offer : part])
  const response = await fetch(callsUrl, form(Object.fromEntries(whole)))
  expect(response.status).toBe(status)
  expect(await response.json()).toMatchObject({ error: { code, ...(param && { param }) } })
  expect(calls()).toBe(0)
})

test('a call that is made with a form begins with the session of the form', async () => {
  const { callsUrl } = await server({ apiKeys: [key], models: [model] })
  const peer = await caller(callsUrl, async (offer) => {
    const session = JSON.stringify({ type: 'realtime', model, instructions: 'Be brief.' })
    const sdp = new Blob([offer], { type: 'application/sdp' })
    const response = await fetch(callsUrl, form({ sdp, session: new Blob([session], { type: 'application/json' }) }))
    expect(response.status).toBe(201)
    return response.text()
  })
  expect(peer.events[0]).toMatchObject({ type: 'session.created', session: { model, instructions: 'Be brief.' } })
})

test('a call that is made with a client secret begins with the session of the secret', async () => {
  const { callsUrl, url } = await server({ apiKeys: [key] })
  const secretsUrl = `${url.replace('ws', 'http')}/client_secrets`
  const session = { type: 'realtime', model, instructions: 'Be kind.' }
  const made = await fetch(secretsUrl, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ session }),
  })
  const { value } = (await made.json()) as { value: string }
  const peer = await caller(callsUrl, async (offer) => {
    const response = await create(callsUrl, { body: offer, headers: { authorization: `Bearer ${value}` } }, '')
    expect(response.status).toBe(201)
    return response.text()
  })
  expect(peer.events[0]).toMatchObject({ session: { model, instructions: 'Be kind.' } })
})

// ── talking ──────────────────────────────────────────────────────────────────────────────────────────────────────────

test('an answer is heard as it is spoken, and its events frame the sound', async () => {
  const { callsUrl } = await server()
  const peer = await caller(callsUrl)
  ask(peer)
  const stopped = await peer.next('output_audio_buffer.stopped')
  const told = types(peer.events)
  expect(told.filter((type) => type.startsWith('output_audio_buffer.'))).toEqual([
    'output_audio_buffer.started',
    'output_audio_buffer.stopped',
  ])
  expect(told).not.toContain('response.output_audio.delta')
  expect(told).toContain('response.output_audio.done')
  expect(told.indexOf('output_audio_buffer.started')).toBeGreaterThan(told.indexOf('response.content_part.added'))
  expect(told.indexOf('output_audio_buffer.stopped')).toBeGreaterThan(told.indexOf('response.done'))
  const { response } = (await peer.next('response.created')) as unknown as { response: { id: string } }
  expect(stopped['response_id']).toBe(response.id)
  expect(peer.packets.length).toBe((12 * 60) / 20)
  expect(peer.packets.map(({ timestamp }) => timestamp - peer.packets[0]!.timestamp)).toEqual(
    peer.packets.map((_, nth) => nth * 960),
  )
})

test('an answer that was made at once still takes as long as it sounds', async () => {
  const { callsUrl } = await server({ pace: Number.POSITIVE_INFINITY })
  const peer = await caller(callsUrl)
  ask(peer)
  await peer.next('response.done')
  const byThen = peer.packets.length
  await peer.next('output_audio_buffer.stopped')
  expect(byThen).toBeLessThan(18)
  expect(peer.packets.length).toBe(36)
})

test('silence costs nothing: between two answers no packet comes, and time goes on', async () => {
  const { callsUrl } = await server()
  const peer = await caller(callsUrl)
  ask(peer)
  await peer.next('output_audio_buffer.stopped')
  const [before, from] = [peer.packets.length, peer.events.length]
  // What is said in the meantime takes its time.
  await peer.speak(new Int16Array(24_000 / 2))
  expect(peer.packets.length).toBe(before)
  ask(peer)
  await peer.next('output_audio_buffer.stopped', from)
  const gap = (peer.packets[before]!.timestamp - peer.packets[before - 1]!.timestamp) / 48
  expect(gap).toBeGreaterThan(480)
  expect(peer.packets[before]!.sequenceNumber).toBe((peer.packets[before - 1]!.sequenceNumber + 1) & 0xffff)
})

testWithEars(
  'what is said is understood, and what is answered can be understood, both ways through Opus',
  async () => {
    const asked: string[] = []
    const brain = scripted(({ items }: Thought) => {
      asked.push(textOf(items.at(-1)!))
      return [say('The weather will be sunny and warm tomorrow.')]
    })
    const { callsUrl } = await serve({ port: 0, brain }).then((made) => {
      onTestFinished(() => made.close())
      return made
    })
    const peer = await caller(callsUrl)
    peer.say({
      type: 'session.update',
      session: {
        type: 'realtime',
        audio: { input: { turn_detection: { type: 'server_vad', silence_duration_ms: 700 } } },
      },
    })
    await peer.next('session.updated')
    await peer.speak(wav('order'))
    await peer.next('output_audio_buffer.stopped')
    expect(wordErrorRate('where is my order the number is one two three four five', asked.join(' '))).toBeLessThan(0.3)
    const heard = await recognise(peer.heard(), 24_000)
    expect(wordErrorRate('the weather will be sunny and warm tomorrow', heard)).toBeLessThan(0.3)
  },
  60_000,
)

test('no record of DTLS has the number of another: a browser would drop it as a replay', async () => {
  const { callsUrl } = await server()
  const numbers: string[] = []
  const peer = await webRtcPeer({
    exchange: post(callsUrl),
    datagram(data) {
      for (
        let at = 0;
        data[0]! >= 20 && data[0]! <= 63 && at + 13 <= data.length;
        at += 13 + data.readUInt16BE(at + 11)
      )
        if (data.readUInt16BE(at + 3) > 0) numbers.push(data.toString('hex', at + 3, at + 11))
    },
  })
  onTestFinished(() => peer.close())
  for (let nth = 0; nth < 12; nth++) {
    peer.say({ type: 'nonsense' })
    await peer.until(() => types(peer.events).filter((type) => type === 'error').length > nth)
  }
  expect(numbers.length).toBeGreaterThan(12)
  expect(new Set(numbers).size).toBe(numbers.length)
})

// ── interrupting ─────────────────────────────────────────────────────────────────────────────────────────────────────

test.for([
  ['while the answer is being made', 1],
  ['after it was made, while it is heard', Number.POSITIVE_INFINITY],
] as const)('a caller who speaks %s cuts it at what was sent', async ([, pace]) => {
  const thoughts: string[][] = []
  const brain = scripted(({ items }: Thought) => {
    thoughts.push(items.map(textOf))
    return [say(thoughts.length === 1 ? longAnswer : 'Yes.')]
  })
  const { callsUrl } = await server({ pace, brain })
  const peer = await caller(callsUrl)
  ask(peer)
  // A second: long enough for the first words.
  await peer.until(() => peer.packets.length > 50)
  const speaking = peer.speak(barge)
  const { audio_end_ms, item_id } = await peer.next('conversation.item.truncated')
  const received = peer.packets.length * 20
  await speaking
  const told = types(peer.events)
  const interrupted = told.indexOf('input_audio_buffer.speech_started')
  const order = told
    .slice(interrupted)
    .filter((type) => /speech_started|response\.done|output_audio_buffer|truncated/.test(type))
    .slice(0, pace === 1 ? 4 : 3)
  expect(order).toEqual([
    'input_audio_buffer.speech_started',
    ...(pace === 1 ? ['response.done'] : []),
    'output_audio_buffer.cleared',
    'conversation.item.truncated',
  ])
  expect(Math.abs(Number(audio_end_ms) - received)).toBeLessThanOrEqual(40)
  const added = await peer.next('response.output_item.added')
  expect(added['item']).toMatchObject({ id: item_id })
  await peer.until(() => thoughts.length >= 2)
  const known = thoughts[1]!.find((words) => words.startsWith('This answer')) ?? ''
  expect(longAnswer).toContain(known.replace(/\W+$/, ''))
  expect(known.length).toBeGreaterThan(5)
  expect(known.length).toBeLessThan(longAnswer.length / 2)
})

test.for([
  ['clear alone', ['output_audio_buffer.clear']],
  ['cancel, then clear', ['response.cancel', 'output_audio_buffer.clear']],
  ['clear, then cancel', ['output_audio_buffer.clear', 'response.cancel']],
] as const)('%s silences the agent, and the item is cut at what was sent', async ([, orders]) => {
  const { callsUrl } = await server({ pace: 2, brain: scripted(() => [say(longAnswer)]) })
  const peer = await caller(callsUrl)
  ask(peer)
  await peer.until(() => peer.packets.length > 10)
  for (const type of orders) peer.say({ type })
  const { audio_end_ms } = await peer.next('conversation.item.truncated')
  const received = peer.packets.length
  const { response } = (await peer.next('response.done')) as unknown as { response: { status: string } }
  expect(response.status).toBe(orders.includes('response.cancel' as never) ? 'cancelled' : 'completed')
  expect(Math.abs(Number(audio_end_ms) - received * 20)).toBeLessThanOrEqual(40)
  const told = types(peer.events)
  expect(told.filter((type) => type.startsWith('output_audio_buffer.'))).toEqual([
    'output_audio_buffer.started',
    'output_audio_buffer.cleared',
  ])
  expect(told).not.toContain('error')
  // The next answer follows the last packet that was received, with nothing of this one before it.
  const from = peer.events.length
  ask(peer)
  await peer.next('output_audio_buffer.started', from)
  // Those that were under way, and three of silence.
  expect(peer.packets.length - received).toBeLessThanOrEqual(2 + 3)
})

test('an interruption that the session does not want leaves the agent its say', async () => {
  const { callsUrl } = await server({ brain: scripted(() => [say('This answer goes on and on to its end.')]) })
  const peer = await caller(callsUrl)
  const turn_detection = { type: 'server_vad', interrupt_response: false, create_response: false }
  peer.say({ type: 'session.update', session: { type: 'realtime', audio: { input: { turn_detection } } } })
  ask(peer)
  await peer.until(() => peer.packets.length > 5)
  await peer.speak(barge)
  await peer.next('output_audio_buffer.stopped')
  expect(types(peer.events)).toContain('input_audio_buffer.speech_started')
  expect(types(peer.events)).not.toContain('conversation.item.truncated')
  expect(peer.packets.length).toBe((38 * 60) / 20)
})

test('over a WebSocket there is no output buffer to clear', async () => {
  const { url } = await server()
  const plain = line(`${url}?model=${model}`)
  await plain.next('session.created')
  plain.socket.send(JSON.stringify({ type: 'output_audio_buffer.clear' }))
  expect(await plain.next('error')).toMatchObject({ error: { code: 'invalid_value', param: 'type' } })
})

// ── ending ───────────────────────────────────────────────────────────────────────────────────────────────────────────

test('a call that is hung up is over at both ends, and cannot be hung up again', async () => {
  const made = await server()
  const { peer, id } = await callWithId(made)
  expect(made.calls()).toBe(1)
  const hangUp = () => fetch(`${made.callsUrl}/${id}/hangup`, { method: 'POST' })
  expect((await hangUp()).status).toBe(200)
  expect(made.calls()).toBe(0)
  await peer.until(() => peer.channel.readyState === 'closed')
  const again = await hangUp()
  expect(again.status).toBe(404)
  expect(await again.json()).toMatchObject({ error: { code: 'call_id_not_found' } })
})

test('only who has a key hangs up', async () => {
  const made = await server({ apiKeys: [key] })
  const { id } = await callWithId(made)
  expect((await fetch(`${made.callsUrl}/${id}/hangup`, { method: 'POST' })).status).toBe(401)
  expect(made.calls()).toBe(1)
})

test.for([
  ['the connection', ({ close }: WebRtcPeer) => close()],
  ['the data channel', async ({ channel }: WebRtcPeer) => channel.close()],
] as const)('a caller who closes %s is gone at once', async ([, leave]) => {
  const made = await server()
  const { peer, id } = await callWithId(made)
  const side = await sideband(made.url, id)
  await leave(peer)
  expect((await side.closed).code).toBe(1000)
  await untilTrue(() => made.calls() === 0)
})

test('a caller who dies without a word is gone within ten seconds, and the sidebands are told why', async () => {
  const made = await server()
  const { peer, id } = await callWithId(made)
  const side = await sideband(made.url, id)
  await peer.vanish()
  expect(await side.closed).toMatchObject({
    code: 1000,
    reason: expect.stringMatching(/nothing came from it for 9 s/),
  })
  await untilTrue(() => made.calls() === 0)
})

test('a client that was answered and never comes is let go', async () => {
  const made = await server()
  const response = await create(made.callsUrl, { body: await someOffer() })
  const side = await sideband(made.url, response.headers.get('location')!.split('/').at(-1)!)
  expect(made.calls()).toBe(1)
  expect(await side.closed).toMatchObject({ reason: expect.stringMatching(/nothing came from it for 8 s/) })
  expect(made.calls()).toBe(0)
})

test('a caller who says nothing stays', async () => {
  const made = await server()
  const { peer } = await callWithId(made)
  const { iceTransport } = peer.connection.dtlsTransports[0]!
  const asked = () => iceTransport.connection.candidatePairs.reduce((sum, one) => sum + one.responsesReceived, 0)
  // It asks every 4 to 6 seconds whether it may send.
  const before = asked()
  await untilTrue(() => asked() >= before + 3, 25_000)
  expect(made.calls()).toBe(1)
}, 40_000)

test('a server that closes ends its calls', async () => {
  const made = await server()
  const { peer, id } = await callWithId(made)
  const side = await sideband(made.url, id)
  await made.close()
  expect((await side.closed).code).toBe(1001)
  await peer.until(() => peer.channel.readyState === 'closed')
})

test('a session that expires says so, and ends the call', async () => {
  const made = await server({ sessionMs: 2_500 })
  const { peer } = await callWithId(made)
  expect(await peer.next('error')).toMatchObject({ error: { code: 'session_expired' } })
  await peer.until(() => peer.channel.readyState === 'closed')
  expect(made.calls()).toBe(0)
})

// ── sidebands ────────────────────────────────────────────────────────────────────────────────────────────────────────

test('sidebands steer a call and hear its events, though neither its begin nor its sound', async () => {
  const made = await server()
  const { peer, id } = await callWithId(made)
  const sides = [await sideband(made.url, id), await sideband(made.url, id)] as const
  sides[0].socket.send(JSON.stringify({ type: 'session.update', session: { type: 'realtime', instructions: 'Hm.' } }))
  for (const side of sides) {
    expect(await side.next('session.updated')).toMatchObject({ session: { instructions: 'Hm.' } })
    expect(side.events.map(({ type }) => type)).toEqual(['session.updated'])
  }
  sides[1].socket.send(JSON.stringify({ type: 'response.create' }))
  await peer.next('output_audio_buffer.stopped')
  const told = types(peer.events).slice(1)
  for (const side of sides) {
    await side.next('output_audio_buffer.stopped')
    expect(side.events.map(({ type }) => type)).toEqual(told)
  }
  expect(peer.packets.length).toBe(36)
})

test('a sideband has no sound of its own, and what it says wrong is told to it alone', async () => {
  const made = await server()
  const { peer, id } = await callWithId(made)
  const side = await sideband(made.url, id)
  side.socket.send(JSON.stringify({ type: 'input_audio_buffer.append', audio: 'AAAA' }))
  expect(await side.next('error')).toMatchObject({ error: { code: 'invalid_value', param: 'type' } })
  side.socket.send('{')
  expect(await side.next('error')).toMatchObject({ error: { code: 'invalid_json' } })
  expect(types(peer.events)).toEqual(['session.created'])
})

test.for([
  ['a call that is none', 'rtc_none', {}, 404],
  ['a call, without the key', null, { headers: { authorization: 'Bearer no' } }, 401],
] as const)('a sideband of %s is refused', async ([, none, options, status]) => {
  const made = await server({ apiKeys: [key] })
  const { id } = await callWithId(made)
  const headers = { authorization: `Bearer ${key}` }
  const refused = line(`${made.url}?call_id=${none ?? id}`, [], { headers, ...options })
  const got = await new Promise((resolve) =>
    refused.socket.once('unexpected-response', (_, { statusCode }) => resolve(statusCode)),
  )
  expect(got).toBe(status)
})

// ── nonsense ─────────────────────────────────────────────────────────────────────────────────────────────────────────

test('nonsense on the data channel and in the sound is refused or passed over, and the call goes on', async () => {
  const { callsUrl } = await server()
  const peer = await caller(callsUrl)
  const refused = async (message: string | Buffer, code: string) => {
    const from = peer.events.length
    peer.channel.send(message)
    expect(await peer.next('error', from)).toMatchObject({ error: { code } })
  }
  await refused(Buffer.from([1, 2, 3]), 'invalid_event')
  await refused('{', 'invalid_json')
  await refused('[]', 'invalid_event')
  await refused(`${'['.repeat(200)}${']'.repeat(200)}`, 'invalid_event')
  await refused('"'.repeat(200_000), 'invalid_json')
  await peer.speak(new Int16Array(24_000 / 2), ({ header, payload }, nth) => {
    const random = Buffer.from(Array.from({ length: (nth * 37) % 200 }, (_, n) => (n * 151 + nth * 83) & 255))
    const packet = (changed: object, bytes: Buffer) =>
      Object.assign(Object.create(Object.getPrototypeOf({ header, payload })), { header: changed, payload: bytes })
    return [packet(Object.assign(Object.create(Object.getPrototypeOf(header)), header), random)]
  })
  ask(peer)
  await peer.next('output_audio_buffer.stopped')
  expect(peer.packets.length).toBe(36)
})
