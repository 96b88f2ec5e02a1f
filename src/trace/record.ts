/** Records a call: what happened in it, in order, so that it can be played again. */
import { formatOf, isAudio } from '../protocol/audio.ts'
import { fromBase64 } from '../protocol/base64.ts'
import type { ClientEvent } from '../protocol/events.ts'
import type { MicrophoneAudio, TraceEntry } from '../session/observing.ts'
import type { Input, State } from '../session/state.ts'
import { headerLine, read, type TraceAudio, type TraceDropped, version, written } from './format.ts'
import { entryOf, soundOf, stepped } from './replay.ts'
import { joined, traceOf } from './sound.ts'

/** What is recorded: a `RealtimeSession`. */
export interface Recordable {
  readonly state: State
  readonly currentAgent?: { readonly name: string }
  observe(listener: (entry: TraceEntry) => void): () => void
}

export interface RecordOptions {
  /** Keeps the audio of both sides too, as base64. Default: only how long and how loud it was. */
  readonly keepAudio?: boolean
  /** About how many characters may be kept. Default: 32 million. Then older detail makes room: audio first. */
  readonly maxLength?: number
}

export interface Recorder {
  /** The trace so far, as JSON lines: for a file that ends in `.jsonl`. */
  text(): string
  /** About how many characters it has. */
  readonly length: number
  readonly dropped: TraceDropped
  /** Records no further. What was recorded stays. */
  stop(): void
}

interface Line {
  readonly at: number
  readonly entry: object
  readonly audio: TraceAudio | null
  /** The state is the same without it. */
  readonly isSpare: boolean
  readonly text: string
}

/** ms of microphone audio that are told of together. */
const togetherMs = 1_000

/** Begins to record a session: before `connect()`, or at any moment after. No key enters the trace. */
export function record(session: Recordable, options: RecordOptions = {}): Recorder {
  const { keepAudio = false, maxLength = 32_000_000 } = options
  const header = {
    parley: 'trace',
    version,
    at: new Date().toISOString(),
    agent: session.currentAgent?.name ?? null,
    config: session.state.config,
  } as const
  /** The state before the first line that is kept. */
  let base = session.state
  let last = base
  let lines: Line[] = []
  let length = 0
  /** Where the line of the microphone stands that more is added to. */
  let microphone = -1
  let dropped: TraceDropped = { audio: 0, events: 0 }
  const sound = soundOf()

  const stop = session.observe((entry) => {
    if (entry.direction === 'out') sent(entry.at, entry.event)
    else happened(entry.at, entry.direction, entry.input)
    last = session.state
    if (length > maxLength) makeRoom()
  })

  function happened(at: number, direction: 'in' | 'local', input: Input): void {
    if (input.type !== 'received' || !isAudio(input.event)) return add(lineOf(at, { direction, input }))
    const { audio, delta: _, ...event } = input.event
    const told = traceOf(audio, formatOf(session.state.config, 'output'), keepAudio)
    add(lineOf(at, { direction, input: { type: 'received', event } }, told, session.state === last))
  }

  function sent(at: number, event: ClientEvent | MicrophoneAudio): void {
    if (event.type !== 'input_audio_buffer.append') return add(lineOf(at, { direction: 'out', event }))
    const { type, audio } = event
    const bytes = typeof audio === 'string' ? fromBase64(audio) : audio
    const told = traceOf(bytes, formatOf(session.state.config, 'input'), keepAudio)
    const entry = { direction: 'out', event: { type } }
    const open = lines[microphone]
    if (keepAudio || !open?.audio || at - open.at >= togetherMs) {
      microphone = lines.length
      return add(lineOf(at, entry, told, true))
    }
    const line = lineOf(open.at, entry, joined(open.audio, told), true)
    length += line.text.length - open.text.length
    lines[microphone] = line
  }

  function add(line: Line): void {
    lines.push(line)
    length += line.text.length
  }

  /** Audio goes first, then what came with it and changed nothing; at last the oldest events, which the base takes in. */
  function makeRoom(): void {
    const enough = maxLength * 0.9
    const kept: Line[] = []
    for (const line of lines) {
      if (length <= enough || !line.audio?.base64) kept.push(line)
      else kept.push(replaced(line, withoutSound(line)))
    }
    lines = kept.filter((line) => {
      if (length <= enough || !line.isSpare) return true
      length -= line.text.length
      dropped = { ...dropped, audio: dropped.audio + 1 }
      return false
    })
    let first = 0
    for (; length > enough && first < lines.length; first++) {
      const line = lines[first]!
      const entry = entryOf(read(line.text))
      if (entry && entry.direction !== 'out') base = stepped(base, sound(entry.input, entry.audio), entry.at).state
      length -= line.text.length
      dropped = { ...dropped, events: dropped.events + 1 }
    }
    lines = lines.slice(first)
    microphone = -1
  }

  function replaced(before: Line, after: Line): Line {
    length += after.text.length - before.text.length
    return after
  }

  return {
    text() {
      const notice = dropped.audio || dropped.events ? [written({ dropped })] : []
      return [headerLine(header, base), ...notice, ...lines.map(({ text }) => text), ''].join('\n')
    },
    get length() {
      return length
    },
    get dropped() {
      return dropped
    },
    stop,
  }
}

function lineOf(at: number, entry: object, audio: TraceAudio | null = null, isSpare = false): Line {
  return { at, entry, audio, isSpare, text: written({ at, ...entry, ...(audio ? { audio } : {}) }) }
}

function withoutSound({ at, entry, audio, isSpare }: Line): Line {
  const { base64: _, ...rest } = audio!
  return lineOf(at, entry, rest, isSpare)
}
