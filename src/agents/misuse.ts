/** What the compiler cannot hold apps to: a wrong word that would switch something off without a word. */
import { UserError } from '../protocol/errors.ts'

interface Checked {
  readonly transport?: unknown
  readonly turns?: unknown
  readonly voiceChange?: unknown
  readonly interruption?: { readonly mode?: unknown } | undefined
  readonly outputGuardrailSettings?: { readonly mode?: unknown } | undefined
  readonly outputGuardrails?: unknown
  readonly inputGuardrails?: unknown
  readonly approvalTimeoutMs?: unknown
  readonly reconnect?: unknown
  readonly config?: object | undefined
}

const words = {
  turns: ['serverVad', 'semanticVad', 'pushToTalk', 'manual'],
  voiceChange: ['keep', 'new-session'],
  'interruption.mode': ['immediate', 'confirm'],
  'outputGuardrailSettings.mode': ['monitor', 'holdback'],
}

const ways = ['webrtc', 'websocket', 'auto']

/** @throws UserError that names the option, and what it may be. */
export function requireOptions(options: Checked): void {
  const { transport, approvalTimeoutMs, config = {} } = options
  for (const [name, known] of Object.entries(words)) {
    const value = name
      .split('.')
      .reduce<unknown>((of, key) => (of as Record<string, unknown> | undefined)?.[key], options)
    if (value !== undefined && !known.includes(value as string)) {
      throw new UserError(`The option ${name} is one of ${known.join(', ')}, not '${value}'.`)
    }
  }
  if (transport !== undefined && typeof transport !== 'object' && !ways.includes(transport as string)) {
    throw new UserError(`There is no transport '${transport}': pass 'webrtc', 'websocket', 'auto', or a transport.`)
  }
  for (const name of ['outputGuardrails', 'inputGuardrails'] as const) requireGuardrails(name, options[name])
  requireAbove0('approvalTimeoutMs', approvalTimeoutMs)
  requireReconnect(options.reconnect)
  const ofAgent = ['instructions', 'tools'].find((key) => key in config)
  if (ofAgent) throw new UserError(`'${ofAgent}' belongs to the agent, not to the session's config.`)
}

/**
 * What is no PCM16 or G.711 would be noise, or nothing, at the far end.
 *
 * @throws UserError that says what it is to be.
 */
export function requireBytes(audio: unknown): void {
  if (audio instanceof Float32Array || audio instanceof Float64Array) {
    throw new UserError('sendAudio takes PCM16 or G.711, not samples from -1 to 1. Convert them first.')
  }
  if (ArrayBuffer.isView(audio) || (audio as ArrayBuffer | null)?.byteLength !== undefined) return
  throw new UserError('sendAudio takes an ArrayBuffer or a typed array of bytes. Decode base64 first.')
}

export function noApproval(callId: string): UserError {
  return new UserError(`The call '${callId}' waits for no approval: it was decided, or is too old.`)
}

/** What is no number would be dialed again for ever. */
function requireReconnect(reconnect: unknown = {}): void {
  if (reconnect === false) return
  if (Object(reconnect) !== reconnect) {
    throw new UserError(`reconnect is false, or { attempts, timeoutMs }, not ${reconnect}.`)
  }
  const { attempts = 0, timeoutMs } = reconnect as { readonly attempts?: number; readonly timeoutMs?: unknown }
  if (!(attempts >= 0 && attempts === Math.floor(attempts))) {
    throw new UserError(`reconnect.attempts is a whole number from 0 on, or Infinity, not ${attempts}.`)
  }
  requireAbove0('reconnect.timeoutMs', timeoutMs)
}

function requireAbove0(name: string, value: unknown = 1): void {
  if (typeof value !== 'number' || !(value > 0)) throw new UserError(`${name} is a number above 0, not ${value}.`)
}

function requireGuardrails(name: string, guardrails: unknown): void {
  if (guardrails === undefined) return
  const runs = (one: object) => ['execute', 'guardrailFunction', 'run'].some((key) => key in one)
  if (Array.isArray(guardrails) && guardrails.every((one) => typeof one === 'object' && one && runs(one))) return
  throw new UserError(`${name} is a list of guardrails: { name, execute }.`)
}
