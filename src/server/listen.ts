/** The door of the local server: HTTP and WebSockets. What is said there is `converse.ts`'s. */
import { randomInt } from 'node:crypto'
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import type { ClientEvent } from '../protocol/events.ts'
import { newId } from '../protocol/ids.ts'
import { mulberry32 } from '../protocol/random.ts'
import { realClock } from '../session/clock.ts'
import { brain as embeddedBrain } from './brain/brain.ts'
import { type Call, type ConverseOptions, converse } from './converse.ts'
import { missingEars, pocketsphinx } from './ears/pocketsphinx.ts'
import { isObject, isTooDeep } from './rules/checks.ts'
import { refusal } from './rules/decide.ts'
import { type Refusal, refusals } from './rules/refusals.ts'
import { type AnySession, defaultSession, defaultTranscription } from './rules/session-config.ts'
import { type Secrets, secrets } from './secrets.ts'
import { flite } from './voice/flite.ts'

export interface ServeOptions
  extends Partial<Pick<ConverseOptions, 'ears' | 'brain' | 'voice' | 'pace' | 'sessionMs' | 'vad'>> {
  /** Default: 8787. `0` picks a free one. */
  readonly port?: number
  /** Default: 127.0.0.1, this machine alone. */
  readonly host?: string
  /** PEM, both or none: with them the server speaks TLS. */
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  /** Keys that are let in. Default: every key, and none. Client secrets made here are let in too. */
  readonly apiKeys?: readonly string[]
  /** Models that are served. Default: every model. */
  readonly models?: readonly string[]
  readonly seed?: number
}

export interface Server {
  /** Where a client connects to: `ws://127.0.0.1:8787/v1/realtime`. */
  readonly url: string
  readonly port: number
  /** What the server cannot do here, and what to install: one sentence each. */
  readonly missing: readonly string[]
  /** How many calls stand. */
  calls(): number
  /** Ends all calls (1001) and stops listening. */
  close(): Promise<void>
}

const pingMs = 20_000
/** Bytes that may wait for a client that does not read. Beyond it the call is ended (1013): it would eat the memory. */
const waitingLimit = 16 * 1024 * 1024
const bodyLimit = 1024 * 1024

/** Starts a local realtime server. Rejects when the port is taken, and when `pace` is not above 0. */
export async function serve(options: ServeOptions = {}): Promise<Server> {
  const { port = 8787, host = '127.0.0.1', cert, key, seed = Math.floor(Math.random() * 2 ** 32) } = options
  if (!((options.pace ?? 1) > 0)) throw new Error(`pace is a number above 0, not ${options.pace}.`)
  const ears = options.ears ?? pocketsphinx()
  const brain = options.brain ?? embeddedBrain()
  const voice = options.voice ?? flite()
  const random = mulberry32(seed)
  const kept = secrets(() => randomInt(2 ** 32) / 2 ** 32)
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 32 * 1024 * 1024,
    handleProtocols: (asked) => (asked.has('realtime') ? 'realtime' : false),
  })
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    respond(request, response, options, kept).catch(() => response.destroy())
  }
  const http = cert && key ? createHttps({ cert, key }, answer) : createHttp(answer)

  http.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    if (pathOf(request) !== '/v1/realtime') return socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n')
    sockets.handleUpgrade(request, socket, head, (client) => begin(client, request))
  })

  function begin(client: WebSocket, request: IncomingMessage): void {
    const send = (event: object) => {
      if (client.readyState !== client.OPEN) return
      if (client.bufferedAmount <= waitingLimit) return client.send(JSON.stringify(event))
      client.close(1013, 'The client does not read what it is sent.')
      call?.ended()
    }
    let call: Call | null = null
    const refuse = (why: Refusal) => send({ event_id: newId('event_', random), ...refusal(why, null) })
    const refused = admit(request, options, kept)
    client.on('error', () => {})
    if ('refusal' in refused) {
      const { type, code } = refused.refusal
      refuse(refused.refusal)
      return client.close(refused.close, `${type}.${code}`)
    }
    const begun = converse({
      clock: realClock,
      random,
      ears,
      brain,
      voice,
      epochMs: performance.timeOrigin,
      session: refused.session,
      ...(options.pace === undefined ? {} : { pace: options.pace }),
      ...(options.sessionMs === undefined ? {} : { sessionMs: options.sessionMs }),
      ...(options.vad === undefined ? {} : { vad: options.vad }),
      emit: send,
      hangUp: (code, reason) => client.close(code, reason),
    })
    call = begun
    const ping = setInterval(() => client.ping(), pingMs)
    client.on('close', () => {
      clearInterval(ping)
      begun.ended()
    })
    client.on('message', (data: RawData, isBinary: boolean) => {
      if (client.readyState !== client.OPEN) return
      const refused = isBinary ? refusals.binary() : hear(begun, String(data))
      if (refused) refuse(refused)
    })
  }

  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen(port, host, resolve)
  })
  http.on('error', () => {})
  const bound = (http.address() as AddressInfo).port
  const lacking = options.ears ? null : await missingEars()
  return {
    url: `${cert && key ? 'wss' : 'ws'}://${host.includes(':') ? `[${host}]` : host}:${bound}/v1/realtime`,
    port: bound,
    missing: lacking ? [lacking] : [],
    calls: () => sockets.clients.size,
    async close() {
      const stopped = new Promise<void>((resolve) => {
        http.close(() => resolve())
      })
      await Promise.all([...sockets.clients].map(leave))
      http.closeAllConnections()
      await stopped
    },
  }
}

/** Ends a call of a server that closes; a client that does not answer is left after half a second. */
function leave(client: WebSocket): Promise<void> {
  const late = setTimeout(() => client.terminate(), 500)
  return new Promise((resolve) => {
    client.once('close', () => {
      clearTimeout(late)
      resolve()
    })
    client.close(1001, 'The server is closing.')
  })
}

type Admitted = { readonly session: AnySession } | { readonly refusal: Refusal; readonly close: number }

/** Key and model are checked after the upgrade, as the real service does: the client hears why. */
function admit(request: IncomingMessage, { apiKeys, models }: ServeOptions, kept: Secrets): Admitted {
  const searchParams = new URLSearchParams(/\?(.*)/s.exec(request.url ?? '')?.[1])
  const protocols = String(request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/)
  const isBeta = request.headers['openai-beta'] === 'realtime=v1' || protocols.includes('openai-beta.realtime-v1')
  if (isBeta) return { refusal: refusals.beta(), close: 4000 }
  const key = keyOf(request, protocols)
  const secret = key ? kept.find(key) : null
  if (apiKeys && !secret && !(key && apiKeys.includes(key))) return { refusal: refusals.apiKey(), close: 3000 }
  if (searchParams.get('intent') === 'transcription') return { session: defaultTranscription() }
  if (secret?.session.type === 'transcription') return { session: secret.session }
  const model = secret?.model ?? searchParams.get('model') ?? secret?.session.model
  if (!model) return { refusal: refusals.missingModel(), close: 4000 }
  if (models && !models.includes(model)) return { refusal: refusals.invalidModel(model), close: 4000 }
  return { session: secret ? { ...secret.session, model } : defaultSession(model) }
}

function keyOf({ headers }: IncomingMessage, protocols: readonly string[] = []): string | null {
  const bearer = /^Bearer\s+(.+)$/i.exec(headers.authorization ?? '')?.[1]
  const prefix = 'openai-insecure-api-key.'
  return bearer ?? protocols.find((one) => one.startsWith(prefix))?.slice(prefix.length) ?? null
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.replace(/[?#].*/s, '').replace(/\/+$/, '')
}

/** Hands an event on; refuses what is none. */
function hear(call: Call, text: string): Refusal | null {
  let event: unknown
  try {
    event = JSON.parse(text)
  } catch {
    return refusals.invalidJson()
  }
  if (!isObject(event)) return refusals.noType()
  if (isTooDeep(event)) return refusals.tooDeep()
  call.hear(event as unknown as ClientEvent)
  return null
}

/** `POST /v1/realtime/client_secrets`; all else is not here. */
async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServeOptions,
  kept: Secrets,
): Promise<void> {
  const reply = (status: number, body: object) => {
    response.writeHead(status, { 'content-type': 'application/json', 'access-control-allow-origin': '*' })
    response.end(JSON.stringify(body))
  }
  const refuse = (status: number, error: Refusal) => reply(status, { error })
  const path = pathOf(request)
  if (path !== '/v1/realtime/client_secrets') {
    const { method = 'GET' } = request
    const message = `Invalid URL (${method} ${path})`
    return refuse(404, { type: 'invalid_request_error', code: 'not_found', message, param: null })
  }
  if (request.method === 'OPTIONS') {
    response.writeHead(204, {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'authorization, content-type',
      'access-control-max-age': '86400',
    })
    return void response.end()
  }
  if (request.method !== 'POST') {
    response.setHeader('allow', 'POST')
    const message = `Not allowed to ${request.method} on ${path}. (HINT: try POST)`
    return refuse(405, { type: 'invalid_request_error', code: 'method_not_supported', message, param: null })
  }
  const key = keyOf(request)
  if (options.apiKeys && !(key && options.apiKeys.includes(key))) return refuse(401, refusals.apiKey())
  let body = ''
  for await (const chunk of request) {
    body += String(chunk)
    if (body.length > bodyLimit) return refuse(413, refusals.invalidJson())
  }
  const made = kept.make(body)
  if ('code' in made) return refuse(400, made)
  reply(200, made)
}
