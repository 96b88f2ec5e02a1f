/** Client secrets: short-lived keys that carry a session's config, for clients that must not hold a real one. */
import { newId } from '../protocol/ids.ts'
import { isObject } from './rules/checks.ts'
import { type Refusal, refusals } from './rules/refusals.ts'
import {
  type AnySession,
  defaultSession,
  defaultTranscription,
  isRefusal,
  objectOf,
  update,
} from './rules/session-config.ts'

export interface Secret {
  readonly value: string
  /** Seconds since 1970. */
  readonly expires_at: number
  readonly session: AnySession
}

export interface Secrets {
  /** Makes a secret of a request's body, as `POST /v1/realtime/client_secrets` takes it. */
  make(body: string): Secret | Refusal
  /** The secret of this value, while it is valid. */
  find(value: string): Kept | null
}

interface Kept extends Secret {
  /** The model that the secret was made for; null: the one that the client asks for. */
  readonly model: string | null
}

const least = 10
const most = 7_200
const usual = 600

export function secrets(random: () => number, now: () => number = () => Date.now() / 1000): Secrets {
  const kept = new Map<string, Kept>()
  return {
    make(body) {
      const asked = parse(body)
      if (!asked) return refusals.invalidJson()
      const session = sessionOf(asked['session'])
      if (isRefusal(session)) return session
      const seconds = secondsOf(asked['expires_after'])
      if (typeof seconds === 'object') return seconds
      const expires_at = Math.floor(now() + seconds)
      const value = newId('ek_', random)
      const named = { ...session, id: newId('sess_', random), object: objectOf(session), expires_at: 0 }
      const model = namedModel(asked['session'])
      for (const [old, { expires_at }] of kept) if (expires_at < now()) kept.delete(old)
      kept.set(value, { value, expires_at, session, model })
      return { value, expires_at, session: named }
    },
    find(value) {
      const secret = kept.get(value)
      return secret && secret.expires_at >= now() ? secret : null
    },
  }
}

function sessionOf(asked: unknown): AnySession | Refusal {
  if (asked === undefined) return defaultSession('gpt-realtime-2.1')
  if (!isObject(asked)) return refusals.invalidType('session', 'an object')
  if (asked['type'] === 'transcription') return update(defaultTranscription(), asked)
  return update(defaultSession(namedModel(asked) ?? 'gpt-realtime-2.1'), asked)
}

function namedModel(asked: unknown): string | null {
  return isObject(asked) && typeof asked['model'] === 'string' ? asked['model'] : null
}

function secondsOf(asked: unknown): number | Refusal {
  if (asked === undefined) return usual
  if (!isObject(asked)) return refusals.invalidType('expires_after', 'an object')
  const { seconds = usual, anchor = 'created_at' } = asked
  if (anchor !== 'created_at') return refusals.invalidValue('expires_after.anchor', anchor, ['created_at'])
  const isFine = typeof seconds === 'number' && seconds >= least && seconds <= most
  return isFine
    ? seconds
    : refusals.outOfRange('expires_after.seconds', seconds, `a number between ${least} and ${most}`)
}

function parse(body: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(body || '{}')
    return isObject(value) ? value : null
  } catch {
    return null
  }
}
