/** Who is let in, and what is taken for an event: the same for every line. */
import type { IncomingMessage } from 'node:http'
import type { ClientEvent } from '../protocol/events.ts'
import type { Call } from './converse.ts'
import { isObject, isTooDeep } from './rules/checks.ts'
import { type Refusal, refusals } from './rules/refusals.ts'
import { type AnySession, defaultSession, defaultTranscription } from './rules/session-config.ts'
import type { Secrets } from './secrets.ts'

export interface DoorOptions {
  /** Keys that are let in. Default: every key, and none. Client secrets made here are let in too. */
  readonly apiKeys?: readonly string[]
  /** Models that are served. Default: every model. */
  readonly models?: readonly string[]
}

export type Admitted =
  | { readonly session: AnySession }
  /** How a WebSocket is closed, and the status of an HTTP request. */
  | { readonly refusal: Refusal; readonly close: number; readonly status: 400 | 401 }

/** What a request's body asks for. */
interface Asked {
  readonly model?: unknown
  readonly type?: unknown
}

/** Looks at key and model, and gives the session that the client begins with. */
export function admit(
  request: IncomingMessage,
  { apiKeys, models }: DoorOptions,
  kept: Secrets,
  asked: Asked = {},
): Admitted {
  const searchParams = paramsOf(request)
  const protocols = String(request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/)
  const isBeta = request.headers['openai-beta'] === 'realtime=v1' || protocols.includes('openai-beta.realtime-v1')
  if (isBeta) return { refusal: refusals.beta(), close: 4000, status: 400 }
  const key = keyOf(request, protocols)
  const secret = key ? kept.find(key) : null
  if (apiKeys && !secret && !(key && apiKeys.includes(key))) {
    return { refusal: refusals.apiKey(), close: 3000, status: 401 }
  }
  if (searchParams.get('intent') === 'transcription') return { session: defaultTranscription() }
  if (secret?.session.type === 'transcription') return { session: secret.session }
  if (!secret && asked.type === 'transcription') return { session: defaultTranscription() }
  const wanted = typeof asked.model === 'string' ? asked.model : null
  const model = secret?.model ?? wanted ?? searchParams.get('model') ?? secret?.session.model
  if (!model) return { refusal: refusals.missingModel(), close: 4000, status: 400 }
  if (models && !models.includes(model)) return { refusal: refusals.invalidModel(model), close: 4000, status: 400 }
  return { session: secret ? { ...secret.session, model } : defaultSession(model) }
}

export function keyOf({ headers }: IncomingMessage, protocols: readonly string[] = []): string | null {
  const bearer = /^Bearer\s+(.+)$/i.exec(headers.authorization ?? '')?.[1]
  const prefix = 'openai-insecure-api-key.'
  return bearer ?? protocols.find((one) => one.startsWith(prefix))?.slice(prefix.length) ?? null
}

export function pathOf({ url = '/' }: IncomingMessage): string {
  return url.replace(/[?#].*/s, '').replace(/\/+$/, '')
}

export function paramsOf({ url = '' }: IncomingMessage): URLSearchParams {
  return new URLSearchParams(/\?(.*)/s.exec(url)?.[1])
}

/** Hands an event on; refuses what is none, and what `check` refuses. */
export function hear(
  call: Call,
  text: string,
  check: (event: { readonly type?: unknown }) => Refusal | null = () => null,
): Refusal | null {
  let event: unknown
  try {
    event = JSON.parse(text)
  } catch {
    return refusals.invalidJson()
  }
  if (!isObject(event)) return refusals.noType()
  if (isTooDeep(event)) return refusals.tooDeep()
  const refused = check(event)
  if (!refused) call.hear(event as unknown as ClientEvent)
  return refused
}
