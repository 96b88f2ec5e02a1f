/** `POST /v1/realtime/client_secrets` over real HTTP, and what the secrets open. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { mulberry32 } from '../src/protocol/random.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import { type Server, serve } from '../src/server/listen.ts'
import { secrets } from '../src/server/secrets.ts'
import { scriptedEars, toneVoice } from '../src/testing/senses.ts'
import { line, wrongSoFar } from './line.ts'

const key = 'sk-good'
let server: Server

beforeAll(async () => {
  const senses = { brain: scripted(() => []), ears: scriptedEars(['hello']), voice: toneVoice() }
  server = await serve({ ...senses, port: 0, seed: 3, apiKeys: [key], models: ['gpt-realtime-2.1', 'local-1'] })
})
afterAll(() => server.close())
afterEach(() => {
  expect(wrongSoFar(), 'what the official types do not have').toEqual([])
})

function ask(how: RequestInit = {}, path = '/v1/realtime/client_secrets'): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  return fetch(`http://127.0.0.1:${server.port}${path}`, { method: 'POST', headers, ...how })
}

const session = {
  type: 'realtime',
  model: 'gpt-realtime-2.1',
  instructions: 'Be brief.',
  audio: { output: { voice: 'cedar' } },
}
const carried = (body: object) => ask({ body: JSON.stringify(body) }).then((response) => response.json())

test('a secret comes with its session and with when it expires, in seconds since 1970', async () => {
  const before = Math.floor(Date.now() / 1_000)
  const response = await ask({
    body: JSON.stringify({ session, expires_after: { anchor: 'created_at', seconds: 60 } }),
  })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toContain('application/json')
  const secret = await response.json()
  expect(Object.keys(secret).toSorted()).toEqual(['expires_at', 'session', 'value'])
  expect(secret.value).toMatch(/^ek_\w{21}$/)
  expect(secret.expires_at).toBeGreaterThanOrEqual(before + 60)
  expect(secret.expires_at).toBeLessThanOrEqual(Math.ceil(Date.now() / 1_000) + 60)
  expect(secret.session).toMatchObject({ ...session, expires_at: 0, output_modalities: ['audio'] })
})

test('no two secrets are the same', async () => {
  const made = await Promise.all(Array.from({ length: 20 }, () => carried({ session })))
  expect(new Set(made.map(({ value }) => value)).size).toBe(20)
})

test("a secret's session is named, as the official type has it", async () => {
  const secret = await carried({ session })
  expect(secret.session).toMatchObject({ id: expect.stringMatching(/^sess_/), object: 'realtime.session' })
})

test('a session of a secret is called by its type', async () => {
  const objects = [{ type: 'realtime' }, { type: 'transcription' }].map((session) => carried({ session }))
  expect((await Promise.all(objects)).map(({ session }) => session.object)).toEqual([
    'realtime.session',
    'realtime.transcription_session',
  ])
})

test.each([
  ['no model opens the one that is asked for', {}, '?model=local-1', 'local-1'],
  ['no model opens the usual one when none is asked for', {}, '', 'gpt-realtime-2.1'],
  ['a model opens that one, whichever is asked for', { session }, '?model=local-1', 'gpt-realtime-2.1'],
])('a secret that names %s', async (_, body, query, model) => {
  const { value } = await carried(body)
  const begun = line(server.url + query, ['realtime', `openai-insecure-api-key.${value}`])
  expect((await begun.next('session.created')).session).toMatchObject({ type: 'realtime', model })
  begun.socket.close(1000)
  await begun.closed
})

test('an empty body gives the usual session, for ten minutes', () => {
  const kept = secrets(mulberry32(1), () => 1_000)
  for (const body of ['', '{}']) {
    expect(kept.make(body)).toMatchObject({
      expires_at: 1_600,
      session: { type: 'realtime', model: 'gpt-realtime-2.1' },
    })
  }
})

test('a secret is found until it expires, and never after', () => {
  let now = 1_000
  const kept = secrets(mulberry32(1), () => now)
  const made = kept.make('{"expires_after":{"seconds":10}}') as { readonly value: string }
  for (const [time, isFound] of [
    [1_000, true],
    [1_010, true],
    [1_011, false],
    [9_000, false],
  ] as const) {
    now = time
    expect(kept.find(made.value) !== null, `at ${time}`).toBe(isFound)
  }
})

test('a secret lets in, again and again, and brings its session; no model need be named', async () => {
  const { value } = await carried({ session })
  for (const [protocols, options] of [
    [[], { headers: { authorization: `Bearer ${value}` } }],
    [['realtime', `openai-insecure-api-key.${value}`], {}],
  ] as const) {
    const begun = line(server.url, protocols, options)
    expect((await begun.next('session.created')).session).toMatchObject(session)
    begun.socket.close(1000)
    await begun.closed
  }
})

test('a transcription secret opens a transcription', async () => {
  const { value } = await carried({
    session: {
      type: 'transcription',
      audio: { input: { transcription: { model: 'gpt-transcribe', language: 'en' } } },
    },
  })
  const begun = line(server.url, ['realtime', `openai-insecure-api-key.${value}`])
  expect((await begun.next('session.created')).session).toMatchObject({
    type: 'transcription',
    audio: { input: { transcription: { language: 'en' } } },
  })
  begun.socket.close(1000)
  await begun.closed
})

test('a secret is its own letters and no others', async () => {
  const { value } = await carried({ session })
  for (const other of [value.slice(0, -1), `${value}A`, value.toLowerCase(), 'constructor']) {
    const begun = line(server.url, ['realtime', `openai-insecure-api-key.${other}`])
    expect((await begun.closed).code, other).toBe(3000)
  }
})

test('only a key makes secrets: none, a wrong one, or a secret is answered 401', async () => {
  const { value } = await carried({ session })
  for (const token of [null, 'sk-bad', value]) {
    const response = await ask({ headers: token ? { authorization: `Bearer ${token}` } : {}, body: '{}' })
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_api_key', type: 'invalid_request_error' } })
  }
})

const wrongBodies: readonly (readonly [body: string, code: string, param: string | null])[] = [
  ['{', 'invalid_json', null],
  ['[]', 'invalid_json', null],
  ['null', 'invalid_json', null],
  ['{"session":5}', 'invalid_type', 'session'],
  ['{"session":{"type":"realtime","mood":1}}', 'unknown_parameter', 'session.mood'],
  ['{"session":{"type":"call"}}', 'invalid_value', 'session.type'],
  ['{"session":{"model":"gpt-realtime-2.1"}}', 'missing_required_parameter', 'session.type'],
  ['{"expires_after":5}', 'invalid_type', 'expires_after'],
  ['{"expires_after":{"anchor":"now"}}', 'invalid_value', 'expires_after.anchor'],
  ['{"expires_after":{"seconds":9}}', 'invalid_value', 'expires_after.seconds'],
  ['{"expires_after":{"seconds":7201}}', 'invalid_value', 'expires_after.seconds'],
  ['{"expires_after":{"seconds":"60"}}', 'invalid_value', 'expires_after.seconds'],
]

test.each(wrongBodies)('%s is a wrong body: 400', async (body, code, param) => {
  const response = await ask({ body })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error', code, param } })
})

test('a body beyond a mebibyte is not read to its end: 413', async () => {
  expect((await ask({ body: ' '.repeat(1024 * 1024 + 1) })).status).toBe(413)
})

test.each(['GET', 'PUT', 'DELETE'])('%s is not allowed: 405, and what is', async (method) => {
  const response = await ask({ method })
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
  expect(await response.json()).toMatchObject({ error: { code: 'method_not_supported' } })
})

test.each(['/', '/v1/realtime', '/v1/realtime/sessions', '/v1/realtime/client_secrets/1'])(
  '%s is not here: 404',
  async (path) => {
    const response = await ask({ body: '{}' }, path)
    expect(response.status).toBe(404)
    const whatIsHere =
      `Invalid URL (POST ${path.replace(/\/$/, '')}). Here are: /v1/realtime, a WebSocket; ` +
      'POST /v1/realtime/client_secrets; POST /v1/realtime/calls, and POST /v1/realtime/calls/{call_id}/hangup.'
    expect(await response.json()).toMatchObject({
      error: { type: 'invalid_request_error', code: 'not_found', message: expect.stringContaining(whatIsHere) },
    })
  },
)

test('a page of another origin may read the answer', async () => {
  const response = await ask({ body: '{}' })
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
})

test('a browser that asks first may post, with a key and JSON', async () => {
  const response = await ask({
    method: 'OPTIONS',
    headers: {
      origin: 'http://localhost:5173',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  })
  expect(response.ok).toBe(true)
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  expect(response.headers.get('access-control-allow-methods')).toContain('POST')
  const allowed = response.headers.get('access-control-allow-headers')?.toLowerCase() ?? ''
  expect(allowed).toContain('authorization')
  expect(allowed).toContain('content-type')
})

test('a secret opens no model that is not served', async () => {
  const { value } = await carried({ session: { type: 'realtime', model: 'gpt-5' } })
  const begun = line(server.url, ['realtime', `openai-insecure-api-key.${value}`])
  begun.socket.on('message', () => begun.socket.close(1000))
  expect((await begun.closed).code).toBe(4000)
})
