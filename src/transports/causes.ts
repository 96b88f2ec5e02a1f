/** Why a connection ended, and whether dialing again could do better. */
import type { RealtimeError } from '../protocol/events.ts'
import { lastErrorOf } from '../session/last-error.ts'
import type { Cause } from '../session/transport.ts'

/** Codes of the far end that will be the same at the next attempt. */
const fatalCodes = new Set([
  'invalid_api_key',
  'missing_model',
  'invalid_model',
  'model_not_found',
  'insufficient_quota',
  'beta_api_shape_disabled',
])
/** Policy, authentication, and a shape or model that the far end does not take. */
const fatalCloses = new Set([1008, 3000, 4000])
const fatalStatuses = new Set([400, 401, 403, 404])

/** Characters of a body that are kept. */
const mostOfBody = 2_000

const meanings: Readonly<Record<number, string>> = {
  1001: 'The far end went away',
  1006: 'The connection broke',
  1008: 'The far end refused the connection',
  1011: 'The far end failed',
  1012: 'The far end restarts',
  1013: 'The far end is overloaded',
  3000: 'The far end did not accept the key',
  4000: 'The far end did not accept the request',
}

export function closed(code: number, reason: string, error: RealtimeError | null): Cause {
  const meaning = meanings[code] ?? `The far end closed the connection with ${code}`
  return told(meaning, code, fatalCloses.has(code), code === 1006 ? 'network' : 'far end', reason, error)
}

/** What can befall a line that carries audio. */
export type Break =
  | 'channel_closed'
  | 'channel_stalled'
  | 'ice_disconnected'
  | 'ice_failed'
  | 'peer_closed'
  | 'sdp_refused'
  | 'track_ended'
  | 'unreachable'

const breaks: Readonly<Record<Break, readonly [string, boolean, Cause['initiator']]>> = {
  channel_closed: ['The far end closed the data channel', false, 'far end'],
  channel_stalled: ['The line is too slow: too much waits to be sent', false, 'network'],
  ice_disconnected: ['The way to the far end was lost, and did not come back', false, 'network'],
  ice_failed: ['There is no way to the far end (ICE failed). Does a firewall hold UDP back?', false, 'network'],
  peer_closed: ['The peer connection was closed', false, 'far end'],
  sdp_refused: ["The far end's answer is no SDP that fits the offer", true, 'far end'],
  track_ended: ["The far end's audio track ended", false, 'far end'],
  unreachable: ['The far end cannot be reached', false, 'network'],
}

export function broken(code: Break, words = '', error: RealtimeError | null = null): Cause {
  const [meaning, fatal, initiator] = breaks[code]
  return told(meaning, code, fatal, initiator, words, error)
}

function told(
  meaning: string,
  code: number | string,
  fatal: boolean,
  initiator: Cause['initiator'],
  reason: string,
  error: RealtimeError | null,
): Cause {
  const lastError = error && lastErrorOf(error)
  const words = [reason, lastError?.message].filter((said) => said).join('; ')
  const end = /[.?]$/.test(meaning) ? '' : '.'
  return {
    reason: `${meaning}${words ? `: ${words}` : end}`,
    code,
    fatal: fatal || fatalCodes.has(lastError?.code ?? ''),
    initiator,
    ...(lastError ? { lastError } : {}),
  }
}

/** The far end answered the upgrade, or the offer, with HTTP. */
export function refused(status: number, body: string): Cause {
  const lastError = errorIn(body)
  return {
    reason: `The far end answered with HTTP ${status}: ${(lastError?.message ?? wordsOf(body)) || 'it gave no reason.'}`,
    code: status,
    fatal: fatalStatuses.has(status) || fatalCodes.has(lastError?.code ?? ''),
    initiator: 'far end',
    ...(lastError ? { lastError } : {}),
    ...(body ? { body: body.slice(0, mostOfBody) } : {}),
  }
}

/** The socket was never opened: no address, no WebSocket, or a key that could not be had, which may be had later. */
export function unopened(why: string, isMisuse: boolean): Cause {
  return {
    reason: `There is no connection: ${why}`,
    code: null,
    fatal: isMisuse,
    initiator: isMisuse ? 'us' : 'network',
  }
}

function errorIn(body: string): Cause['lastError'] {
  try {
    const { error } = JSON.parse(body)
    if (typeof error === 'object' && error) return lastErrorOf(error)
  } catch {}
}

/** Of a page of some proxy, its first words. */
function wordsOf(body: string): string {
  return body
    .replace(/<[^>]*>|\s+/g, ' ')
    .trim()
    .slice(0, 200)
}
