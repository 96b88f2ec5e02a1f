/** What comes from the microphone: the input buffer, where a turn begins and ends in it, and the ears that follow it. */
import { bytesPerSample, formatOf, rateOf } from '../../protocol/audio.ts'
import type { Clock } from '../../protocol/clock.ts'
import type { TurnDetection } from '../../protocol/events.ts'
import type { AnySession } from '../rules/session-config.ts'
import type { Ears } from '../senses.ts'
import { listener, type Piece, pieceMs, piecesOf, tape } from './sound.ts'
import { type Turn, turnOf } from './turn.ts'
import { type Heard, type TurnDetector, type TurnSettings, turnDetector, type Vad } from './vad.ts'

export interface HearingOptions {
  readonly clock: Clock
  readonly ears: Ears
  /** Asked for a detector with the rate of the sound that comes, in Hz; it may want another. */
  readonly vad: (lineRate: number) => Vad
  readonly session: () => AnySession
  readonly newId: (prefix: string) => string
  /** Speech began, at this ms of all audio ever written. */
  readonly started: (audio_start_ms: number, item_id: string) => void
  /** Speech ended; here is the turn that was said. */
  readonly stopped: (audio_end_ms: number, turn: HeardTurn) => void
}

/** A turn that has been said. */
export interface HeardTurn extends Pick<Turn, 'item_id' | 'follow'> {
  readonly ms: number
  readonly audio: readonly Piece[]
  readonly words: Promise<string>
}

export interface Hearing {
  /** ms in the buffer that no turn has taken yet. */
  readonly bufferedMs: number
  /** All audio that was ever written, in ms: neither `clear` nor `commit` resets it. */
  readonly writtenMs: number
  /** A turn is being said: it began, and has not ended. */
  readonly isSpeaking: boolean
  write(bytes: Uint8Array): void
  /** Sound of a line that carries it itself: whole samples of PCM16 at 24 kHz, whatever the session's format is. */
  writeSound(bytes: Uint8Array): void
  /** Takes what is in the buffer as a turn; the one that is being spoken, if there is one. */
  take(): HeardTurn
  /** A recording that came whole, beside the buffer, as a turn. */
  hearWhole(item_id: string, audio: readonly Uint8Array[]): HeardTurn
  /** Forgets what is in the buffer, and the turn that is being spoken. */
  clear(): void
  /** The session is another now. */
  configured(): void
  /** Cancels whatever still listens. Settles when nothing is left of it, if the ears can tell. */
  end(): Promise<void>
}

/** ms that are heard without a pause: between them others have their turn. */
const atOnceMs = 1_000
/** Turns that the ears follow at one time; further ones wait until one is understood. */
const mostUnfinished = 4
/** ms that may wait to be heard. A client that writes more has to wait itself, or it would eat the memory. */
const mostWaitingMs = 15 * 60_000

const lineFormat = { type: 'audio/pcm', rate: 24_000 } as const

export function hearing({ clock, ears, vad, session, newId, started, stopped }: HearingOptions): Hearing {
  const buffer = tape()
  /** Written, while what came before is not heard yet. */
  const waiting = tape()
  /** The first byte of a sample, the second of which has not come yet. */
  let half: Uint8Array = new Uint8Array(0)
  /** Whom hearing waits for: the detector, or the others. */
  let busy: symbol | null = null
  let placedMs = 0
  let turn: Turn | null = null
  /** All that are not over yet, and those that have been said and are yet to be understood. */
  const unfinished = new Set<Turn>()
  let format = formatOf(session(), 'input')
  let detect: ((piece: Piece) => ReturnType<TurnDetector['hear']>) | null = null
  let resetDetector = () => {}
  configured()

  /** A detector stands for as long as turns are detected: it asks for its settings, and its sound may change. */
  function configured(): void {
    const next = formatOf(session(), 'input')
    if (next.type !== format.type) half = new Uint8Array(0)
    format = next
    if (!detectionOf(session())) {
      detect = null
      busy = null
      hearAll()
    } else detect ??= detecting()
  }

  function detecting(): NonNullable<typeof detect> {
    const made = vad(rateOf(format))
    const settings = () => settingsOf(detectionOf(session()))
    const detector = turnDetector(made, settings, { at: Math.round(placedMs), speaking: turn !== null })
    const toVad = listener(made.rate)
    resetDetector = detector.reset
    return (piece) => detector.hear(toVad.samples(piece))
  }

  function write(bytes: Uint8Array): void {
    for (const piece of piecesOf(wholeSamples(bytes), format)) waiting.push(piece)
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
    for (let heardMs = 0; !busy && waiting.ms; ) {
      if (waiting.ms <= mostWaitingMs) {
        if (heardMs >= atOnceMs) return void clock.at(clock.now(), paused(hearAll))
        if (unfinished.size >= mostUnfinished) return
      }
      const piece = waiting.shift()!
      heardMs += piece.ms
      hear(piece)
    }
  }

  function hear(piece: Piece): void {
    place(piece)
    const heard = detected(piece)
    if (!(heard instanceof Promise)) return follow(heard)
    const goOn = paused((known: readonly Heard[]) => {
      follow(known)
      hearAll()
    })
    heard.then(goOn, () => goOn([]))
  }

  /** A detector may be somebody else's: what it throws is silence. */
  function detected(piece: Piece): ReturnType<TurnDetector['hear']> {
    try {
      return detect?.(piece) ?? []
    } catch {
      return []
    }
  }

  /** Nothing is heard until this is called; after `take`, `clear` or `configured` went on without it, it does nothing. */
  function paused<Given extends readonly unknown[]>(goOn: (...given: Given) => void): (...given: Given) => void {
    const mine = Symbol()
    busy = mine
    return (...given) => {
      if (busy !== mine) return
      busy = null
      goOn(...given)
    }
  }

  function place(piece: Piece): void {
    buffer.push(piece)
    placedMs += piece.ms
    turn?.hear(piece)
  }

  function follow(heard: readonly Heard[]): void {
    for (const { type, at } of heard) {
      if (type === 'started') start(at)
      else if (turn) stopped(at, take())
    }
    if (!turn && detect) forgetSilence()
  }

  function start(at: number): void {
    if (turn) void dropped(turn)
    turn = begin()
    started(at, turn.item_id)
    for (const piece of buffer.pieces) turn.hear(piece)
  }

  function begin(item_id = newId('item_')): Turn {
    const { language, prompt } = session().audio?.input?.transcription ?? {}
    const begun = turnOf(ears, { language, prompt }, item_id)
    unfinished.add(begun)
    letBegin()
    return begun
  }

  function letBegin(): void {
    for (const one of [...unfinished].slice(0, mostUnfinished)) one.begin()
  }

  function over(one: Turn): void {
    unfinished.delete(one)
    letBegin()
    hearAll()
  }

  async function dropped(one: Turn): Promise<void> {
    await one.cancel()
    over(one)
  }

  /** Of silence, only what a turn may begin with is kept. */
  function forgetSilence(): void {
    const kept = settingsOf(detectionOf(session())).prefixMs + 2 * pieceMs
    while (buffer.ms - (buffer.pieces[0]?.ms ?? kept) >= kept) buffer.shift()
  }

  function empty(): readonly Piece[] {
    busy = null
    turn = null
    resetDetector()
    return buffer.takeAll()
  }

  function placeAll(): void {
    for (const piece of waiting.takeAll()) place(piece)
  }

  function take(): HeardTurn {
    const taken = turn ?? begin()
    if (!turn) for (const piece of buffer.pieces) taken.hear(piece)
    return said(taken, empty())
  }

  function said(one: Turn, audio: readonly Piece[]): HeardTurn {
    const words = one.finish()
    words.then(
      () => over(one),
      () => over(one),
    )
    return { item_id: one.item_id, ms: sumMs(audio), audio, words, follow: one.follow }
  }

  return {
    get bufferedMs() {
      return rounded(buffer.ms + waiting.ms)
    },
    get writtenMs() {
      return placedMs + waiting.ms
    },
    get isSpeaking() {
      return turn !== null
    },
    write,
    writeSound(bytes) {
      for (const piece of piecesOf(bytes, lineFormat)) waiting.push(piece)
      hearAll()
    },
    take() {
      placeAll()
      return take()
    },
    hearWhole(item_id, audio) {
      const whole = begin(item_id)
      const pieces = audio.flatMap((bytes) => piecesOf(bytes, format))
      for (const piece of pieces) whole.hear(piece)
      return said(whole, pieces)
    },
    clear() {
      placeAll()
      if (turn) void dropped(turn)
      empty()
    },
    configured,
    async end() {
      busy = Symbol()
      waiting.takeAll()
      await Promise.all([...unfinished].map(dropped))
    },
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

function sumMs(pieces: readonly Piece[]): number {
  return rounded(pieces.reduce((sum, { ms }) => sum + ms, 0))
}

/** To a millionth: sums of fractions come a hair short of what they are. */
function rounded(ms: number): number {
  return Math.round(ms * 1e6) / 1e6
}
