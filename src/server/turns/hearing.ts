/** What comes from the microphone: the input buffer, where a turn begins and ends in it, and the ears that follow it. */
import { decodeAlaw, decodeUlaw } from '../../audio/g711.ts'
import { toSamples } from '../../audio/pcm.ts'
import { type Resampler, resampler } from '../../audio/resample.ts'
import { bytesOf, bytesPerSample, msOf, rateOf } from '../../protocol/audio.ts'
import type { AudioFormat, TurnDetection } from '../../protocol/events.ts'
import { inputFormat } from '../rules/decide.ts'
import type { AnySession } from '../rules/session-config.ts'
import type { Ears, Listening } from '../senses.ts'
import { type Heard, type TurnSettings, turnDetector, type Vad } from './vad.ts'

export interface HearingOptions {
  readonly ears: Ears
  readonly vad: () => Vad
  readonly session: () => AnySession
  readonly newId: (prefix: string) => string
  /** Speech began, at this ms of all audio ever written. */
  readonly started: (audio_start_ms: number, item_id: string) => void
  /** Speech ended; here is the turn that was said. */
  readonly stopped: (audio_end_ms: number, turn: HeardTurn) => void
}

/** A turn that has been said. */
export interface HeardTurn {
  readonly item_id: string
  readonly ms: number
  readonly audio: readonly Uint8Array[]
  readonly words: Promise<string>
  /** Tells the words that the ears have by now, and each further piece as they have it. */
  follow(listener: (delta: string) => void): void
}

export interface Hearing {
  /** Bytes in the buffer that no turn has taken yet. */
  readonly buffered: number
  /** All audio that was ever written, in ms: neither `clear` nor `commit` resets it. */
  readonly writtenMs: number
  write(bytes: Uint8Array): void
  /** Takes what is in the buffer as a turn; the one that is being spoken, if there is one. */
  take(): HeardTurn
  /** Forgets what is in the buffer, and the turn that is being spoken. */
  clear(): void
  /** The input's format or turn detection is another now. */
  configured(): void
  end(): void
}

interface Turn {
  readonly item_id: string
  readonly listening: Listening
  readonly toEars: Resampler
  /** Words so far that nobody was told. */
  readonly untold: string[]
}

/** ms that are looked at together: a client may append a whole recording at once. */
const pieceMs = 100

export function hearing({ ears, vad, session, newId, started, stopped }: HearingOptions): Hearing {
  let buffer: Uint8Array[] = []
  let buffered = 0
  /** Written, while the detector was still busy with what came before. */
  const waiting: Uint8Array[] = []
  /** The first byte of a sample, the second of which has not come yet. */
  let half: Uint8Array = new Uint8Array(0)
  let busy: symbol | null = null
  let writtenMs = 0
  let turn: Turn | null = null
  let format: AudioFormat
  let toVad: Resampler
  let detector: ReturnType<typeof turnDetector>
  configured()

  function configured(): void {
    const detecting = vad()
    format = inputFormat(session())
    half = new Uint8Array(0)
    toVad = resampler(rateOf(format), detecting.rate)
    detector = turnDetector(detecting, () => settingsOf(detectionOf(session())), Math.round(writtenMs))
  }

  function write(bytes: Uint8Array): void {
    const whole = wholeSamples(bytes)
    const size = bytesOf(pieceMs, format)
    for (let from = 0; from < whole.length; from += size) waiting.push(whole.subarray(from, from + size))
    hearAll()
  }

  function wholeSamples(bytes: Uint8Array): Uint8Array {
    const odd = (half.length + bytes.length) % bytesPerSample(format)
    if (!half.length && !odd) return bytes
    const all = new Uint8Array(half.length + bytes.length)
    all.set(half)
    all.set(bytes, half.length)
    half = all.slice(all.length - odd)
    return all.subarray(0, all.length - odd)
  }

  function hearAll(): void {
    for (let piece = busy ? undefined : waiting.shift(); piece; piece = busy ? undefined : waiting.shift()) hear(piece)
  }

  function hear(piece: Uint8Array): void {
    place(piece)
    if (!detectionOf(session())) return
    const heard = detector.hear(toVad.push(decode(piece, format)))
    if (!(heard instanceof Promise)) return follow(heard)
    const mine = Symbol()
    busy = mine
    const goOn = (known: readonly Heard[]) => {
      if (busy !== mine) return
      busy = null
      follow(known)
      hearAll()
    }
    heard.then(goOn, () => goOn([]))
  }

  function place(piece: Uint8Array): void {
    buffer.push(piece)
    buffered += piece.length
    writtenMs += msOf(piece.length, format)
    if (turn) tell(turn, decode(piece, format))
  }

  function follow(heard: readonly Heard[]): void {
    for (const { type, at } of heard) {
      if (type === 'started') start(at)
      else if (turn) stopped(at, take())
    }
    if (!turn && detectionOf(session())) forgetSilence()
  }

  function start(at: number): void {
    turn = begin()
    started(at, turn.item_id)
    for (const piece of buffer) tell(turn, decode(piece, format))
  }

  function begin(): Turn {
    const { language, prompt } = session().audio?.input?.transcription ?? {}
    const listening = ears.listen({ language, prompt })
    const untold: string[] = []
    listening.onPartial = (delta) => untold.push(delta)
    return { item_id: newId('item_'), listening, toEars: wider(rateOf(format), ears.rate), untold }
  }

  /** Of silence, only what a turn may begin with is kept. */
  function forgetSilence(): void {
    const kept = bytesOf(settingsOf(detectionOf(session())).prefixMs + 2 * pieceMs, format)
    let size = buffer.reduce((sum, { length }) => sum + length, 0)
    while (buffer.length > 1 && size - buffer[0]!.length >= kept) size -= buffer.shift()!.length
  }

  function empty(): readonly Uint8Array[] {
    const audio = buffer
    busy = null
    buffer = []
    buffered = 0
    turn = null
    detector.reset()
    return audio
  }

  function placeAll(): void {
    for (const piece of waiting.splice(0)) place(piece)
  }

  function take(): HeardTurn {
    const taken = turn ?? begin()
    if (!turn) for (const piece of buffer) tell(taken, decode(piece, format))
    const ms = msOf(buffered, format)
    const { item_id, listening, toEars, untold } = taken
    listening.hear(toEars.flush())
    const follow = (listener: (delta: string) => void) => {
      for (const delta of untold.splice(0)) listener(delta)
      listening.onPartial = listener
    }
    return { item_id, ms, audio: empty(), words: listening.finish(), follow }
  }

  return {
    get buffered() {
      return waiting.reduce((sum, { length }) => sum + length, buffered)
    },
    get writtenMs() {
      return waiting.reduce((sum, { length }) => sum + msOf(length, format), writtenMs)
    },
    write,
    take() {
      placeAll()
      return take()
    },
    clear() {
      placeAll()
      turn?.listening.cancel()
      empty()
    },
    configured,
    end: () => turn?.listening.cancel(),
  }
}

export function detectionOf({ audio }: AnySession): TurnDetection | null {
  return audio?.input?.turn_detection ?? null
}

/**
 * `semantic_vad` knows when a sentence is complete; this server does not. It waits by `eagerness` alone: a longer
 * silence than `server_vad`'s, since a pause in a thought is no end.
 */
function settingsOf(how: TurnDetection | null): TurnSettings {
  if (how?.type === 'semantic_vad') {
    const silenceMs = { high: 500, medium: 900, auto: 900, low: 1_800 }[how.eagerness ?? 'auto']
    return { threshold: 0.5, prefixMs: 300, silenceMs }
  }
  return {
    threshold: how?.threshold ?? 0.5,
    prefixMs: how?.prefix_padding_ms ?? 300,
    silenceMs: how?.silence_duration_ms ?? 200,
  }
}

/**
 * A telephone's samples are held for ears twice as wide, not smoothed: the mirror image above 4 kHz stands for what the
 * line cut off. A recogniser that was taught on wide speech understands that, and hardly a word of smooth narrow sound.
 */
function wider(from: number, to: number): Resampler {
  if (to !== 2 * from) return resampler(from, to)
  return {
    push: (samples) => Int16Array.from({ length: 2 * samples.length }, (_, n) => samples[n >> 1]!),
    flush: () => new Int16Array(0),
  }
}

function tell({ listening, toEars }: Turn, samples: Int16Array): void {
  listening.hear(toEars.push(samples))
}

function decode(bytes: Uint8Array, { type }: AudioFormat): Int16Array {
  if (type === 'audio/pcmu') return decodeUlaw(bytes)
  return type === 'audio/pcma' ? decodeAlaw(bytes) : toSamples(bytes)
}
