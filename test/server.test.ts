/** The local server over real sockets: who is let in, what is refused, who is put out, and that nothing brings it down. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { ClientOptions } from 'ws'
import { textOf } from '../src/conversation/conversation.ts'
import { mulberry32 } from '../src/protocol/random.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import { type ServeOptions, type Server, serve } from '../src/server/listen.ts'
import { scriptedEars, toneVoice } from '../src/testing/senses.ts'
import { frames } from './frames.ts'
import { certificate, type Line, line, type Told, wrongSoFar } from './line.ts'
import { untilTrue } from './until-true.ts'

const model = '?model=gpt-realtime-2.1'
const senses: ServeOptions = {
  port: 0,
  brain: scripted(({ items }) => [{ type: 'say', text: `You said: ${textOf(items.at(-1)!)}` }]),
  ears: scriptedEars(['hello']),
  voice: toneVoice({ msPerLetter: 1 }),
  pace: Number.POSITIVE_INFINITY,
}
const key = 'sk-good'
let open: Server
let locked: Server
const others: Server[] = []

async function another(options: ServeOptions): Promise<Server> {
  const server = await serve({ ...senses, ...options })
  others.push(server)
  return server
}

beforeAll(async () => {
  open = await serve({ ...senses, seed: 1 })
  locked = await serve({ ...senses, seed: 2, apiKeys: [key], models: ['gpt-realtime-2.1'] })
})
afterAll(() => Promise.all([open.close(), locked.close()]))
afterEach(async () => {
  await Promise.all(others.splice(0).map((server) => server.close()))
  expect(wrongSoFar(), 'what the official types do not have').toEqual([])
})

/** A line on which a call has begun. */
async function call(url = open.url + model, options: ClientOptions = {}): Promise<Line> {
  const begun = line(url, [], options)
  await begun.next('session.created')
  return begun
}

async function hangUp({ socket, closed }: Line): Promise<void> {
  socket.close(1000)
  expect((await closed).code).toBe(1000)
}

// ── the door ──────────────────────────────────────────────────────────────────────────────────────────────────────

test('port 0 picks a free one, which the url tells', async () => {
  expect(open.port).toBeGreaterThan(0)
  expect(open.url).toBe(`ws://127.0.0.1:${open.port}/v1/realtime`)
  expect(locked.port).not.toBe(open.port)
})

test('the first word is session.created, and it has a name of its own', async () => {
  const begun = line(open.url + model)
  await begun.next('session.created')
  const { event_id, session } = begun.events[0]!
  expect(event_id).toMatch(/^event_\w{21}$/)
  expect(session.id).toMatch(/^sess_\w{21}$/)
  await hangUp(begun)
})

test('a session tells when it expires, in seconds since 1970', async () => {
  const before = Math.floor(Date.now() / 1_000)
  const begun = line(open.url + model)
  const { session } = await begun.next('session.created')
  expect(session.expires_at).toBeGreaterThanOrEqual(before + 3_600)
  expect(session.expires_at).toBeLessThanOrEqual(Math.ceil(Date.now() / 1_000) + 3_600)
  await hangUp(begun)
})

test('a transcription session is asked for by its intent', async () => {
  const begun = line(`${open.url}?intent=transcription`)
  const { session } = await begun.next('session.created')
  expect(session).toMatchObject({ type: 'transcription', audio: { input: { transcription: {} } } })
  await hangUp(begun)
})

const bearer = (token: string): ClientOptions => ({ headers: { authorization: `Bearer ${token}` } })
const asBrowser = (token: string) => ['realtime', `openai-insecure-api-key.${token}`]

test('a key is let in, in a header or in a subprotocol', async () => {
  const withHeader = line(locked.url + model, [], bearer(key))
  await withHeader.next('session.created')
  const withProtocol = line(locked.url + model, asBrowser(key))
  await withProtocol.next('session.created')
  expect(withProtocol.socket.protocol).toBe('realtime')
  await Promise.all([withHeader, withProtocol].map(hangUp))
})

const wrongKey = { code: 'invalid_api_key', close: 3000 }
const beta = { code: 'beta_api_shape_disabled', close: 4000 }
const turnedAway: readonly (readonly [
  what: string,
  path: string,
  protocols: readonly string[],
  options: ClientOptions,
  how: { readonly code: string; readonly close: number },
])[] = [
  ['without a key', model, [], {}, wrongKey],
  ['with a wrong key', model, [], bearer('sk-bad'), wrongKey],
  ['with a wrong key in a subprotocol', model, asBrowser('sk-bad'), {}, wrongKey],
  ['with a secret that nobody made', model, [], bearer('ek_000000000000000000000'), wrongKey],
  ['with a wrong key and no model', '', [], bearer('sk-bad'), wrongKey],
  ['without a model', '', [], bearer(key), { code: 'missing_model', close: 4000 }],
  ['with a model that is not served', '?model=gpt-5', [], bearer(key), { code: 'invalid_model', close: 4000 }],
  ['in the beta, by its header', model, [], { headers: { 'openai-beta': 'realtime=v1' } }, beta],
  ['in the beta, by its subprotocol', model, [...asBrowser(key), 'openai-beta.realtime-v1'], {}, beta],
]

test.each(turnedAway)('who comes %s hears why, and is turned away', async (_, path, protocols, options, how) => {
  const begun = line(locked.url + path, protocols, options)
  expect(await begun.closed).toEqual({ code: how.close, reason: `invalid_request_error.${how.code}` })
  expect(begun.events).toMatchObject([{ type: 'error', error: { type: 'invalid_request_error', code: how.code } }])
})

test('nobody is upgraded on another path', async () => {
  const { socket } = line(`ws://127.0.0.1:${open.port}/v1/chat`)
  const [, response] = await once(socket, 'unexpected-response')
  expect(response.statusCode).toBe(404)
  const told: Buffer[] = []
  for await (const piece of response) told.push(piece)
  const { error } = JSON.parse(String(Buffer.concat(told)))
  expect(error).toMatchObject({ type: 'invalid_request_error', code: 'not_found' })
  expect(error.message).toMatch(/^Invalid URL \(GET \/v1\/chat\)\. .*\/v1\/realtime, a WebSocket/)
})

test('a path that is no path harms nobody', async () => {
  const socket = connect(open.port, '127.0.0.1')
  const wanted = ['GET // HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', '', '']
  socket.end(wanted.join('\r\n'))
  const [answer] = await once(socket, 'data')
  expect(String(answer)).toMatch(/^HTTP\/1\.1 40[04]/)
  const begun = await call()
  expect(await begun.talk('still here?')).toBe('You said: still here?')
  await hangUp(begun)
})

test('a taken port is told at once', async () => {
  await expect(serve({ ...senses, port: open.port })).rejects.toThrow(new RegExp(`EADDRINUSE.*${open.port}`))
})

test('with a key and a certificate it speaks TLS', async () => {
  const tls = certificate()
  const server = await another(tls)
  expect(server.url).toBe(`wss://127.0.0.1:${server.port}/v1/realtime`)
  const begun = await call(server.url + model, { ca: tls.cert })
  expect(await begun.talk('softly')).toBe('You said: softly')
  await hangUp(begun)
})

test.each([
  ['cert', 'key'],
  ['key', 'cert'],
] as const)('a %s without a %s is refused: it would be plain to read', async (given, other) => {
  const words = `serve() has a ${given} and no ${other}. Pass both for TLS, or none.`
  await expect(serve({ ...senses, [given]: certificate()[given] })).rejects.toThrow(words)
})

test.each([0, -1, Number.NaN])('pings every %d ms are refused', async (pingMs) => {
  await expect(serve({ ...senses, pingMs })).rejects.toThrow(`pingMs is a number above 0, not ${pingMs}.`)
})

// ── frames that are no events ─────────────────────────────────────────────────────────────────────────────────────

const noEvents: readonly (readonly [what: string, frame: string | Uint8Array, code: string, words: RegExp])[] = [
  ['a binary frame', Buffer.from('{"type":"response.create"}'), 'invalid_event', /binary frames are not supported/],
  ['no JSON', '{"type":', 'invalid_json', /could not parse/],
  ['an empty frame', '', 'invalid_json', /could not parse/],
  ['a list', '[]', 'invalid_event', /'type'/],
  ['null', 'null', 'invalid_event', /'type'/],
  ['no type', '{"event_id":"mine"}', 'invalid_event', /'type'/],
  ['a type that is a number', '{"type":1}', 'invalid_event', /'type'/],
  [
    'an unknown type',
    '{"type":"call.begin"}',
    'invalid_value',
    /^Invalid value: 'call.begin'. Supported values are: 'session.update', .*'response.create', and 'response.cancel'\.$/,
  ],
]

test.each(noEvents)('%s is refused, and the call goes on', async (_, frame, code, words) => {
  const begun = await call()
  begun.send(frame)
  const { error } = await begun.next('error')
  expect(error).toMatchObject({ type: 'invalid_request_error', code })
  expect(error.message).toMatch(words)
  expect(await begun.talk('still here?')).toBe('You said: still here?')
  await hangUp(begun)
})

test('a refusal names the event that it answers, if that had a name', async () => {
  const begun = await call()
  for (const frame of ['{"type":"x","event_id":"mine_1"}', '{"type":"x"}', '{"type":"x","event_id":5}'])
    begun.send(frame)
  const named = [await begun.next('error'), await begun.next('error'), await begun.next('error')]
  expect(named.map(({ error }) => error.event_id)).toEqual(['mine_1', null, null])
  await hangUp(begun)
})

test('a refusal names an event that has a name and no type', async () => {
  const begun = await call()
  begun.send('{"event_id":"mine_1"}')
  expect((await begun.next('error')).error.event_id).toBe('mine_1')
})

test('an event that has fields of its own is answered as the event that it is', async () => {
  const begun = await call()
  begun.send({ type: 'conversation.item.retrieve', item_id: 'nobody', code: 'mine', param: 'mine' })
  expect((await begun.next('error')).error.code).toBe('item_retrieve_invalid_item_id')
})

test('300 random frames are answered, and a turn can still be held', async () => {
  const begun = await call()
  const said = frames(mulberry32(300), 300)
  for (const [n, frame] of said.entries()) {
    begun.send(frame)
    begun.send({ type: 'conversation.item.retrieve', item_id: 'nobody', event_id: `after ${n}` })
  }
  const seen: Told[][] = [[]]
  while (seen.length <= said.length) {
    const { error } = await begun.next('error')
    if (error.event_id === `after ${seen.length - 1}`) seen.push([])
    else seen.at(-1)!.push(error)
  }
  const count = (type: string) => begun.events.filter((event) => event.type === type).length
  while (count('response.done') < count('response.created')) await begun.next('rate_limits.updated')
  expect(await begun.talk('after all that')).toBe('You said: after all that')
  expect(seen.flat().length).toBeGreaterThan(150)
  expect(seen.flat().length).toBeLessThan(300)
  wrongAfterFrames = wrongSoFar()
  await hangUp(begun)
})

test('what random frames brought about is told in the official shape', () => {
  expect(wrongAfterFrames).toEqual([])
})
let wrongAfterFrames: readonly string[] = []

test('a frame beyond all bounds ends its call alone', async () => {
  const [big, small] = [await call(), await call()]
  big.send(' '.repeat(32 * 1024 * 1024 + 1))
  expect((await big.closed).code).toBe(1009)
  expect(await small.talk('still here?')).toBe('You said: still here?')
  await hangUp(small)
})

// ── ends ──────────────────────────────────────────────────────────────────────────────────────────────────────────

test('close() ends every call with 1001, and resolves', async () => {
  const server = await another({})
  const lines = [await call(server.url + model), await call(server.url + model)]
  expect(server.calls()).toBe(2)
  await server.close()
  for (const { closed } of lines) expect(await closed).toEqual({ code: 1001, reason: 'The server is closing.' })
  const { socket } = line(server.url + model)
  const error = await new Promise<object>((resolve) => socket.on('error', resolve))
  expect(error).toMatchObject({ code: 'ECONNREFUSED' })
})

test('when close() resolves, no call stands', async () => {
  const server = await another({})
  await call(server.url + model)
  await server.close()
  expect(server.calls()).toBe(0)
})

test('a client that vanishes frees its call, and what was thought for it is stopped', async () => {
  const { promise: stopped, resolve } = signalled()
  const server = await another({
    brain: {
      async *think({ signal }) {
        signal.addEventListener('abort', () => resolve())
        yield { type: 'say', text: 'Hm.' }
        await once(signal, 'abort')
      },
    },
  })
  const begun = await call(server.url + model)
  begun.send({ type: 'response.create' })
  await begun.next('response.output_audio.delta')
  begun.socket.terminate()
  await stopped
  await untilTrue(() => server.calls() === 0)
})

test('without pings nobody is asked', async () => {
  const server = await another({ pingMs: Number.POSITIVE_INFINITY })
  const begun = await call(server.url + model)
  let pings = 0
  begun.socket.on('ping', () => pings++)
  for (let n = 0; n < 20; n++) await begun.talk('still here?')
  expect(pings).toBe(0)
})

test('a client that answers no ping is let go; one that does, and one that talks, stay', async () => {
  const server = await another({ pingMs: 25 })
  const deaf = await call(server.url + model, { autoPong: false })
  const polite = await call(server.url + model)
  const talking = await call(server.url + model, { autoPong: false })
  let pings = 0
  polite.socket.on('ping', () => pings++)
  let isOver = false
  const over = Promise.all([deaf.closed, politely()])
  over
    .catch(() => {})
    .finally(() => {
      isOver = true
    })
  while (!isOver) await talking.talk('still here?')
  const [{ code }] = await over
  expect(code).toBe(1006)
  expect(await polite.talk('and here?')).toBe('You said: and here?')
  expect(server.calls()).toBe(2)

  /** Twice as many pings as one may leave without an answer. */
  async function politely(): Promise<void> {
    while (pings < 8) {
      await new Promise((resolve, reject) => {
        polite.socket.once('ping', resolve)
        polite.socket.once('close', () => reject(new Error('It was let go.')))
      })
    }
  }
})

function signalled(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

test('a client that reads gets 40 MB; one that never reads is ended, and the others are not', async () => {
  const ended = signalled()
  const { rate, speak } = toneVoice({ msPerLetter: 20_000 })
  const voice = {
    rate,
    speak: (...how: Parameters<typeof speak>) => {
      how[1].signal.addEventListener('abort', ended.resolve)
      return speak(...how)
    },
  }
  const server = await another({ brain: scripted(() => [{ type: 'say', text: 'Aah' }]), voice })
  const [reader, deaf] = [await call(server.url + model), await call(server.url + model)]
  const beside = { type: 'response.create', response: { conversation: 'none' } }
  for (let n = 0; n < 10; n++) {
    reader.send(beside)
    await reader.next('response.done')
  }
  const bytes = reader.events.reduce((sum, { delta = '' }) => sum + delta.length, 0)
  expect(bytes).toBeGreaterThan(38_000_000)
  deaf.socket.pause()
  for (let n = 0; n < 10; n++) deaf.send(beside)
  await ended.promise
  deaf.socket.resume()
  expect(await deaf.closed).toEqual({ code: 1013, reason: 'The client does not read what it is sent.' })
  reader.send(beside)
  expect((await reader.next('response.done')).response.status).toBe('completed')
  await hangUp(reader)
})

test('two calls at once do not mix', async () => {
  const lines = await Promise.all(['left', 'right'].map(async (name) => ({ name, ...(await call()) })))
  await Promise.all(
    lines.map(async ({ name, talk }) => {
      for (let n = 0; n < 20; n++) expect(await talk(`${name} ${n}`)).toBe(`You said: ${name} ${n}`)
    }),
  )
  const [left, right] = lines.map(({ events }) => new Set(events.map(({ event_id }) => event_id)))
  expect([...left!].filter((id) => right!.has(id))).toEqual([])
  expect(JSON.stringify(lines[0]!.events)).not.toContain('right')
  expect(JSON.stringify(lines[1]!.events)).not.toContain('left')
  await Promise.all(lines.map(hangUp))
})

test('a session that expires says so, and ends with 1001', async () => {
  const server = await another({ sessionMs: 60 })
  const begun = await call(server.url + model)
  const { error } = await begun.next('error')
  const message = 'Your session hit the maximum duration of 0 minutes.'
  expect(error).toMatchObject({ code: 'session_expired', message })
  expect(await begun.closed).toEqual({ code: 1001, reason: message })
})
