/** The server's HTTP: client secrets, and calls over WebRTC. All else is not here. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { type DoorOptions, keyOf, pathOf } from './door.ts'
import { type Refusal, refusals } from './rules/refusals.ts'
import type { Secrets } from './secrets.ts'
import { type Calls, callsPath } from './webrtc/calls.ts'

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const secretsPath = '/v1/realtime/client_secrets'
const bodyLimit = 1024 * 1024

/** Any page may ask, and read where its call is: who is let in is the key's to say. */
const anyOrigin = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'Location' }
const preflight = {
  ...anyOrigin,
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers': 'authorization, content-type',
  'access-control-max-age': '86400',
}

/** Answers a request. Rejects when the client left before it had asked. */
export async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: DoorOptions,
  kept: Secrets,
  calls: Calls,
): Promise<void> {
  const { status, headers, body } = await replyTo(request, options, kept, calls)
  response.writeHead(status, { ...anyOrigin, ...headers })
  response.end(body)
}

async function replyTo(request: IncomingMessage, options: DoorOptions, kept: Secrets, calls: Calls): Promise<Reply> {
  const path = pathOf(request)
  const { method = 'GET' } = request
  const isCalls = path === callsPath || path.startsWith(`${callsPath}/`)
  if (path !== secretsPath && !isCalls) return refuse(404, refusals.noPath(method, path))
  if (method === 'OPTIONS') return { status: 204, headers: preflight, body: '' }
  if (method !== 'POST') {
    const { status, headers, body } = refuse(405, refusals.noMethod(method, path))
    return { status, headers: { ...headers, allow: 'POST' }, body }
  }
  return isCalls ? calls.respond(request, path) : makeSecret(request, options, kept)
}

async function makeSecret(request: IncomingMessage, { apiKeys }: DoorOptions, kept: Secrets): Promise<Reply> {
  const key = keyOf(request)
  if (apiKeys && !(key && apiKeys.includes(key))) return refuse(401, refusals.apiKey())
  const body = await bodyOf(request)
  if (!body) return refuse(413, refusals.tooLarge())
  const made = kept.make(String(body))
  return 'code' in made ? refuse(400, made) : json(200, made)
}

/** A request's body; null when it is larger than 1 MiB. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    chunks.push(chunk as Buffer)
    length += (chunk as Buffer).length
    if (length > bodyLimit) return null
  }
  return Buffer.concat(chunks)
}

/** A refusal in the shape of the real service. */
export function refuse(status: number, error: Refusal): Reply {
  return json(status, { error })
}

/** Refuses a WebSocket, with the words that a request would be refused with. */
export function refuseUpgrade(socket: Socket, status: 401 | 404, error: Refusal): void {
  const { headers, body } = refuse(status, error)
  const all = { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'))
}

function json(status: number, body: object): Reply {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}
