/** Plays a recorded call again: the same inputs through the same `step`, so that each state is the one that was. */
import { isAudio } from '../protocol/audio.ts'
import { fromBase64 } from '../protocol/base64.ts'
import { messageOf } from '../protocol/errors.ts'
import type { AudioDelta, ClientEvent, ServerEvent } from '../protocol/events.ts'
import { followTurns } from '../session/measuring.ts'
import type { TurnMetrics } from '../session/metrics.ts'
import type { Effect, Input, State } from '../session/state.ts'
import { step } from '../session/step.ts'
import { read, stateOf, type TraceAudio, type TraceDropped, type TraceHeader, version } from './format.ts'

export interface Replay {
  readonly header: TraceHeader
  /** The state before the first step. */
  readonly begin: State
  readonly steps: readonly ReplayStep[]
  /** The turns, as the session told of them. */
  readonly turns: readonly TurnMetrics[]
  /** What was left out when the call was recorded; null where nothing was. */
  readonly dropped: TraceDropped | null
  /** Lines that could not be read, or of which nothing is known. The replay goes on without them. */
  readonly problems: readonly TraceProblem[]
}

export interface ReplayStep {
  /** ms of the session's clock. */
  readonly at: number
  /** `local`: it happened here, and came over no line. */
  readonly direction: 'in' | 'out' | 'local'
  /** The line of the trace, from 1 on. */
  readonly line: number
  /** What came or was sent, as the wire has it; of what is no event of the wire, the input. */
  readonly event: ServerEvent | AudioDelta | ClientEvent | Input | { readonly type: 'input_audio_buffer.append' }
  /** Of audio: how long and how loud it was. */
  readonly audio: TraceAudio | null
  /** After this step. What did not change is the same object as before. */
  readonly state: State
  /** What the session then wanted done. */
  readonly effects: readonly Effect[]
}

export interface TraceProblem {
  readonly line: number
  readonly reason: string
}

/** It is no trace, or one that cannot be played. Says at which line. */
export class TraceError extends Error {
  override readonly name = 'TraceError'
  readonly line: number

  constructor(message: string, line: number) {
    super(`Line ${line}: ${message}`)
    this.line = line
  }
}

/**
 * Plays a trace again, given as its text or its lines. Audio that was not kept is silence of the same length.
 *
 * @throws TraceError where it does not begin as a trace does, or is of a later version. What is broken further on is left
 * out, and stands in `problems`.
 */
export function replay(trace: string | Iterable<string>): Replay {
  const lines = typeof trace === 'string' ? trace.split('\n') : [...trace]
  const { header, begin } = headed(lines[0])
  const problems: TraceProblem[] = []
  const steps: ReplayStep[] = []
  const turns: TurnMetrics[] = []
  const follow = followTurns()
  const sound = soundOf()
  let dropped: TraceDropped | null = null
  let state = begin

  function play(told: unknown, line: number): void {
    const entry = entryOf(told)
    if (!entry) throw new Error('Nothing is known of what it tells.')
    const { at, direction, audio } = entry
    if (direction === 'out')
      return void steps.push({ at, direction, line, event: entry.event, audio, state, effects: [] })
    const input = sound(entry.input, audio)
    const { state: after, effects, error } = stepped(state, input, at)
    if (error !== undefined) problems.push({ line, reason: `It changes nothing: ${messageOf(error)}` })
    const before = state
    state = after
    const event = input.type === 'received' ? input.event : input
    steps.push({ at, direction, line, event, audio, state, effects })
    if (error === undefined) turns.push(...follow(before, after, input, at))
  }

  for (const [n, text] of lines.entries()) {
    if (n === 0 || text.trim() === '') continue
    try {
      const told = read(text)
      const left = droppedOf(told)
      if (left) dropped = left
      else play(told, n + 1)
    } catch (error) {
      const isCut = error instanceof SyntaxError
      const reason = isCut ? 'It is no JSON: the trace was cut here, or changed.' : messageOf(error)
      problems.push({ line: n + 1, reason })
    }
  }
  return { header, begin, steps, turns, dropped, problems }
}

/** As a session does it: what cannot be made sense of changes nothing. */
export function stepped(
  state: State,
  input: Input,
  at: number,
): { readonly state: State; readonly effects: readonly Effect[]; readonly error?: unknown } {
  try {
    const [after, effects] = step(state, input, at)
    return { state: after, effects }
  } catch (error) {
    return { state, effects: [], error }
  }
}

function headed(line = ''): { readonly header: TraceHeader; readonly begin: State } {
  let header: (TraceHeader & { readonly state?: unknown; readonly counted?: unknown }) | null
  try {
    header = read(line) as typeof header
  } catch {
    header = null
  }
  if (header?.parley !== 'trace')
    throw new TraceError('This is no trace of Parley: those begin with {"parley":"trace".', 1)
  if (!(header.version <= version)) {
    const which = `It is of version ${header.version}, and this Parley reads up to ${version}`
    throw new TraceError(`${which}: update parley-voice.`, 1)
  }
  const begin = stateOf(header)
  if (!begin) throw new TraceError('It does not tell the state that the call began with.', 1)
  const { parley, version: of, at, agent, config } = header
  return { header: { parley, version: of, at, agent, config }, begin }
}

type Entry = { readonly at: number; readonly audio: TraceAudio | null } & (
  | { readonly direction: 'in' | 'local'; readonly input: Input }
  | { readonly direction: 'out'; readonly event: ClientEvent }
)

/** What a line tells; null where it is nothing that is known. */
export function entryOf(told: unknown): Entry | null {
  const { at, direction, input, event, audio } = (told ?? {}) as Told
  if (typeof at !== 'number') return null
  const sound = isSound(audio) ? audio : null
  if (direction === 'out') {
    return typeof event?.type === 'string' ? { at, direction, event: event as ClientEvent, audio: sound } : null
  }
  if (direction !== 'in' && direction !== 'local') return null
  const isWhole = input?.type !== 'received' || typeof input.event?.type === 'string'
  return input && known.has(input.type) && isWhole ? { at, direction, input: input as Input, audio: sound } : null
}

interface Told {
  readonly at?: unknown
  readonly direction?: unknown
  readonly input?: { readonly type: string; readonly event?: { readonly type: string } }
  readonly event?: { readonly type: string }
  readonly audio?: unknown
}

/** A type that is missing here does not compile. */
const inputs: Readonly<Record<Input['type'], true>> = {
  started: true,
  opened: true,
  received: true,
  dropped: true,
  woke: true,
  said: true,
  asked: true,
  unasked: true,
  sent: true,
  configured: true,
  edited: true,
  interrupted: true,
  cut: true,
  silenced: true,
  drained: true,
  sounded: true,
  heardWords: true,
  unheard: true,
  unplayable: true,
  prompted: true,
  reached: true,
  deferred: true,
  answered: true,
  renewed: true,
  ended: true,
}
const known: ReadonlySet<string> = new Set(Object.keys(inputs))

function isSound(audio: unknown): audio is TraceAudio {
  const { bytes, ms, peak } = (audio ?? {}) as Partial<TraceAudio>
  return [bytes, ms, peak].every((one) => typeof one === 'number' && one >= 0 && one < 2 ** 24)
}

function droppedOf(told: unknown): TraceDropped | null {
  const { dropped } = (told ?? {}) as { readonly dropped?: Partial<TraceDropped> }
  return dropped ? { audio: Number(dropped.audio) || 0, events: Number(dropped.events) || 0 } : null
}

/** Gives a piece of audio its bytes: its own where they were kept, else silence, of which there is only one. */
export function soundOf(): (input: Input, audio: TraceAudio | null) => Input {
  let still = new Uint8Array(0)
  return (input, told) => {
    if (input.type !== 'received' || !isAudio(input.event)) return input
    const { bytes = 0, base64 } = told ?? {}
    if (still.length < bytes) still = new Uint8Array(bytes)
    const audio = base64 === undefined ? still.subarray(0, bytes) : fromBase64(base64)
    return { ...input, event: { ...input.event, delta: base64 ?? '', audio } }
  }
}
