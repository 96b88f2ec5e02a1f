/** What happened in a call, as the views read it: of the call that goes on, or of one that was opened. */
import type { RealtimeSession, State, TraceEntry, TurnMetrics } from 'parley-voice'
import { type Recorder, type Replay, record, type TraceAudio } from 'parley-voice/trace'
import { type Entry, entryOf, type Fields } from './events.ts'
import { type Strips, strips } from './strips.ts'

export interface Log {
  readonly entries: readonly Entry[]
  /** How many older events were left out; `entries[0]` is the one after them. */
  readonly left: number
  readonly turns: readonly TurnMetrics[]
  readonly strips: Strips
  /** When the call began, in ms of the session's clock. */
  readonly begin: number
  /** What the far end said that it is. */
  readonly model: string | null
  /** Another whenever there is something new. */
  readonly version: number
  subscribe(listener: () => void): () => void
}

export interface LiveLog extends Log {
  readonly session: RealtimeSession
  readonly recorder: Recorder
  readonly state: State
  /** How loud it is now. */
  heard(level: { readonly input: number; readonly output: number }): void
}

/** Events that are kept for the time line; the trace keeps more. */
const mostEntries = 50_000
/** ms between two looks at what is new: nothing is rendered for a single event. */
const lookMs = 100
/** ms of microphone audio that are told of together, as a trace does it. */
const togetherMs = 1_000
const levelMs = 50

const logs = new WeakMap<RealtimeSession, LiveLog>()

/** Begins with the session's first reader, and lasts as long as the session. */
export function liveLogOf(session: RealtimeSession): LiveLog {
  let log = logs.get(session)
  if (!log) logs.set(session, (log = liveLog(session)))
  return log
}

function liveLog(session: RealtimeSession): LiveLog {
  const recorder = record(session)
  const ticking = ticker()
  const levels = strips()
  let entries: Entry[] = []
  const turns: TurnMetrics[] = []
  let left = 0
  let model: string | null = null
  let begin: number | null = null
  /** Where the entry of the microphone stands that more is added to. */
  let microphone = -1

  session.observe((told) => {
    begin ??= told.at
    const { event, audio } = heardIn(told)
    const open = entries[microphone]
    if (told.direction === 'out' && audio) {
      if (open?.audio && told.at - open.at < togetherMs) {
        entries[microphone] = entryOf(open.n, open.at, 'out', event, joined(open.audio, audio))
        return ticking.bump()
      }
      microphone = entries.length
    }
    model = modelIn(event) ?? model
    entries.push(entryOf(left + entries.length, told.at, told.direction, event, audio))
    if (entries.length > mostEntries) makeRoom()
    ticking.bump()
  })
  session.on('metrics', (turn) => {
    turns.push(turn)
    ticking.bump()
  })

  function makeRoom(): void {
    const gone = mostEntries / 10
    entries = entries.slice(gone)
    left += gone
    microphone = -1
  }

  return {
    session,
    recorder,
    get state() {
      return session.state
    },
    get entries() {
      return entries
    },
    get left() {
      return left
    },
    turns,
    strips: levels,
    get begin() {
      return begin ?? 0
    },
    get model() {
      return model
    },
    get version() {
      return ticking.version
    },
    subscribe: ticking.subscribe,
    heard(level) {
      const at = performance.now()
      if (!session.media || session.state.link.at !== 'live' || at - levels.until < levelMs) return
      levels.add('input', at, levelMs, level.input)
      levels.add('output', at, levelMs, level.output)
      levels.keep(at)
      ticking.bump()
    },
  }
}

/** A call that was recorded. Its levels are those of the audio that its events told of. */
export function logOf({ header, steps, turns }: Replay): Log {
  const levels = strips()
  const entries = steps.map(({ at, direction, event, audio }, n) => {
    if (audio) levels.sounded(direction === 'out' ? 'input' : 'output', at, audio)
    if (event.type === 'silenced') levels.cut(at)
    return entryOf(n, at, direction, event, audio)
  })
  const named = header.config.model ?? null
  return {
    entries,
    left: 0,
    turns,
    strips: levels,
    begin: steps[0]?.at ?? 0,
    model: steps.reduce<string | null>((model, { event }) => modelIn(event) ?? model, named),
    version: 0,
    subscribe: () => () => {},
  }
}

function heardIn(told: TraceEntry): { readonly event: object; readonly audio: TraceAudio | null } {
  const event: object = told.direction === 'out' ? told.event : 'event' in told.input ? told.input.event : told.input
  const { audio: bytes } = event as Fields
  if (!(bytes instanceof Uint8Array)) return { event, audio: null }
  return { event, audio: traceOf(bytes) }
}

/** PCM16 at 24 kHz, which is all that this page asks for. */
function traceOf(bytes: Uint8Array): TraceAudio {
  const samples = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength & ~1)
  let loudest = 0
  for (let n = 0; n < samples.byteLength; n += 2) loudest = Math.max(loudest, Math.abs(samples.getInt16(n, true)))
  return { bytes: bytes.length, ms: rounded(bytes.length / 48), peak: rounded(loudest / 32_768) }
}

const rounded = (number: number) => Math.round(number * 1_000) / 1_000

function joined(before: TraceAudio, more: TraceAudio): TraceAudio {
  return {
    bytes: before.bytes + more.bytes,
    ms: rounded(before.ms + more.ms),
    peak: Math.max(before.peak, more.peak),
    pieces: (before.pieces ?? 1) + 1,
  }
}

function modelIn(event: object): string | null {
  const { type, session } = event as Fields
  if (type !== 'session.created' && type !== 'session.updated') return null
  const { model } = (session ?? {}) as Fields
  return typeof model === 'string' ? model : null
}

/** Tells those who listen that something is new: at most once in `lookMs`, and not at all while nobody does. */
function ticker() {
  const listeners = new Set<() => void>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let version = 0
  const look = () => {
    timer = undefined
    version++
    for (const listener of listeners) listener()
  }
  return {
    get version() {
      return version
    },
    bump() {
      if (timer === undefined && listeners.size) timer = setTimeout(look, lookMs)
    },
    subscribe(listener: () => void) {
      listeners.add(listener)
      version++
      return () => {
        listeners.delete(listener)
        if (listeners.size) return
        clearTimeout(timer)
        timer = undefined
      }
    },
  }
}
