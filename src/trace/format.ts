/** A trace as it is written: a header, then a line of JSON for each thing that happened or was sent. */
import type { State } from '../session/state.ts'
import { counted } from '../session/usage.ts'

export const version = 1

export interface TraceHeader {
  readonly parley: 'trace'
  readonly version: number
  /** When the recording began, in ISO 8601. */
  readonly at: string
  /** Who spoke for the far end then. */
  readonly agent: string | null
  /** What the far end was asked to be then. */
  readonly config: State['config']
}

/** What is kept of audio. */
export interface TraceAudio {
  readonly bytes: number
  readonly ms: number
  /** The loudest sample, 0 to 1. */
  readonly peak: number
  /** How many pieces it came in, where more than one is told of together. */
  readonly pieces?: number
  /** The audio itself, where it was to be kept. */
  readonly base64?: string
}

/** Older detail that made room for newer: it is gone, and what it led to stands in the header's state. */
export interface TraceDropped {
  /** Lines of audio that were left out. */
  readonly audio: number
  /** Events that were left out; before them the trace has nothing. */
  readonly events: number
}

const secretKeys = new Set(['authorization', 'api_key', 'apikey', 'client_secret', 'password'])
const secrets = /\b(?:sk|ek|rk)[-_][\w-]{12,}|\bBearer\s+[\w.~+/=-]{8,}/g
const redacted = '[redacted]'

/** JSON of sets, maps and everything else, without keys and the like, and without audio that is written out. */
export function written(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (part instanceof Set) return { $set: [...part] }
    if (part instanceof Map) return { $map: [...part] }
    if (key === 'headers' && part && typeof part === 'object') {
      return Object.fromEntries(Object.keys(part).map((name) => [name, redacted]))
    }
    if (typeof part !== 'string') return part
    if (key === 'audio') return ''
    return secretKeys.has(key.toLowerCase()) ? redacted : part.replace(secrets, redacted)
  })
}

/** Throws a `SyntaxError` where it is no JSON. */
export function read(line: string): unknown {
  return JSON.parse(line, (_key, part: { readonly $set?: unknown; readonly $map?: unknown } | null) => {
    if (part === null || typeof part !== 'object') return part
    if (Array.isArray(part.$set)) return new Set(part.$set)
    return isPairs(part.$map) ? new Map(part.$map) : part
  })
}

function isPairs(value: unknown): value is [unknown, unknown][] {
  return Array.isArray(value) && value.every((pair) => Array.isArray(pair))
}

export function headerLine(header: TraceHeader, state: State): string {
  return written({ ...header, state, counted: state.usage[counted] })
}

/** The state that a header tells; null where it tells none. */
export function stateOf(header: { readonly state?: unknown; readonly counted?: unknown }): State | null {
  const state = header.state as State | undefined
  if (!state?.link || !state.turn || !state.conversation || !state.playback || !state.usage) return null
  if (!Array.isArray(header.counted)) return state
  return { ...state, usage: { ...state.usage, [counted]: header.counted as readonly string[] } }
}
