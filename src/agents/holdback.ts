/** Holds the agent's sound back until its words were checked. */
import { msOf } from '../protocol/audio.ts'
import type { Clock } from '../protocol/clock.ts'
import type { AudioDelta, AudioFormat } from '../protocol/events.ts'
import type { Heard, Speaker } from '../session/speaker.ts'

export interface HoldbackOptions {
  readonly clock: Clock
  /** The format of the audio that comes. Asked for at each piece: a session may change it. */
  readonly format: () => AudioFormat
  /** How many characters of an item are known now: as `passed` counts them. */
  readonly lengthOf: (response_id: string, item_id: string) => number
  /** Told when everything was heard, and nothing is held. */
  readonly drained: () => void
  /** Told once an item: for how many ms its first sound was held. */
  readonly held?: (ms: number, item_id: string) => void
  /** Told when some of what was held is held no more: it went on, or was dropped. */
  readonly moved?: () => void
  /** The inner speaker threw at a piece of this response: nothing more of that one goes on to it. */
  readonly unplayable?: (response_id: string, error: unknown) => void
}

export interface HeldSpeaker extends Speaker {
  /** The inner speaker has drained: give this to it as its listener. */
  drained(): void
  /** The first `checkedLength` characters of an item may be heard; `isFinal`: all of it. */
  passed(response_id: string, item_id: string, checkedLength: number, isFinal: boolean): void
  /**
   * Nothing more of this response may be heard: what is held of it is dropped, and what still comes. What went on to the
   * inner speaker already sounds on, unless `hush` follows. Returns what will have been heard of the items that are cut.
   */
  refused(response_id: string): readonly Heard[]
  /** Whether something of this response is held. */
  isHolding(response_id: string): boolean
  /** How many items and responses are remembered. */
  readonly remembered: number
}

/** A piece of sound, and how much of its item must have been checked before it may be heard. */
interface Held {
  readonly audio: AudioDelta
  readonly ms: number
  readonly length: number
  readonly at: number
}

/** What came of a content part, and what of it went on to the inner speaker. */
interface Entry {
  readonly response_id: string
  readonly item_id: string
  readonly content_index: number
  receivedMs: number
  releasedMs: number
}

/** How much of an item has passed. */
interface Pass {
  length: number
  isTimed: boolean
}

/** What a speaker may have besides goes to the inner one. */
interface Pausable {
  pause?(...args: unknown[]): unknown
  resume?(...args: unknown[]): unknown
}

/** Items that passed and responses that were refused are remembered for sound of theirs that is still to come. */
const mostRemembered = 64

/**
 * A speaker before a speaker: no sample goes on to the inner one before the words that it speaks have passed. All of it
 * stays in the order in which it came: what has passed waits for what came before it.
 *
 * It takes for granted that a far end tells the words of a sound no later than the sound: deltas of the transcript run
 * ahead. So what is known of an item's words when a piece of its sound comes must pass before that piece is heard. Sound
 * of which no word is known yet waits for the first pass of its item; where there never is a word (a laugh), that is the
 * final one.
 */
export function heldSpeaker(speaker: Speaker, options: HoldbackOptions): HeldSpeaker {
  const { clock, format } = options
  const passes = new Map<string, Pass>()
  const refusals = new Set<string>()
  let held: Held[] = []
  let ledger: Entry[] = []
  let isSounding = false
  /** Something was refused: who refuses it may still hush, and then nothing has drained. */
  let settling: (() => void) | null = null

  function play(audio: AudioDelta): void {
    const { response_id, item_id } = audio
    const ms = msOf(audio.audio.length, format())
    entryOf(audio).receivedMs += ms
    if (refusals.has(response_id)) return settle()
    const length = Math.max(options.lengthOf(response_id, item_id), 1)
    held.push({ audio, ms, length, at: clock.now() })
    release()
  }

  function release(): void {
    for (let next = held[0]; next; next = held[0]) {
      const { audio, ms, at } = next
      const pass = passOf(audio.item_id)
      if (pass.length < next.length) return
      held.shift()
      if (!isPlayed(audio)) continue
      entryOf(audio).releasedMs += ms
      if (pass.isTimed) continue
      pass.isTimed = true
      options.held?.(clock.now() - at, audio.item_id)
    }
  }

  /** A speaker that throws has not played it. */
  function isPlayed(audio: AudioDelta): boolean {
    const wasSounding = isSounding
    isSounding = true
    try {
      speaker.play(audio)
      return true
    } catch (error) {
      if (!options.unplayable) throw error
      isSounding = wasSounding
      refuse(audio.response_id)
      options.unplayable(audio.response_id, error)
      return false
    }
  }

  function passed(_: string, item_id: string, checkedLength: number, isFinal: boolean): void {
    const pass = passOf(item_id)
    pass.length = Math.max(pass.length, checkedLength, isFinal ? 1 : 0)
    for (const { audio, length } of isFinal ? held : []) {
      if (audio.item_id === item_id) pass.length = Math.max(pass.length, length)
    }
    release()
    options.moved?.()
  }

  /** Returns whether something of it was held. */
  function refuse(response_id: string): boolean {
    refusals.add(response_id)
    if (refusals.size > mostRemembered) refusals.delete(refusals.values().next().value!)
    const before = held.length
    held = held.filter(({ audio }) => audio.response_id !== response_id)
    return held.length < before
  }

  function refused(response_id: string): readonly Heard[] {
    if (!refuse(response_id)) return []
    const cut = ledger.filter((entry) => entry.response_id === response_id).map((entry) => heardOf(entry, []))
    release()
    settling ??= clock.at(clock.now(), settle)
    options.moved?.()
    return cut.filter(isCut)
  }

  function hush(): readonly Heard[] {
    const inner = speaker.hush()
    const heard = ledger.map((entry) => heardOf(entry, inner))
    settling?.()
    settling = null
    held = []
    ledger = []
    isSounding = false
    options.moved?.()
    return heard.filter(isCut)
  }

  /** An item may go on after a silence: the last one keeps its count. */
  function settle(): void {
    settling?.()
    settling = null
    if (isSounding || held.length) return
    ledger = ledger.slice(-1)
    options.drained()
  }

  function entryOf({ response_id, item_id, content_index }: AudioDelta): Entry {
    const known = ledger.find((entry) => entry.item_id === item_id && entry.content_index === content_index)
    if (known) return known
    const entry = { response_id, item_id, content_index, receivedMs: 0, releasedMs: 0 }
    ledger.push(entry)
    return entry
  }

  function passOf(item_id: string): Pass {
    const known = passes.get(item_id)
    if (known) return known
    const pass = { length: 0, isTimed: false }
    passes.set(item_id, pass)
    if (passes.size > mostRemembered) passes.delete(passes.keys().next().value!)
    return pass
  }

  const { pause, resume } = speaker as Speaker & Pausable
  return {
    ...(pause ? { pause: (...args: unknown[]) => pause.apply(speaker, args) } : {}),
    ...(resume ? { resume: (...args: unknown[]) => resume.apply(speaker, args) } : {}),
    play,
    hush,
    passed,
    refused,
    drained() {
      isSounding = false
      settle()
    },
    isHolding: (response_id) => held.some(({ audio }) => audio.response_id === response_id),
    get remembered() {
      return passes.size + refusals.size + ledger.length
    },
  }
}

/** What was not heard is what the inner speaker has cut of it, and what never came to it. */
function heardOf({ item_id, content_index, releasedMs, receivedMs }: Entry, inner: readonly Heard[]): Heard {
  const unheard = inner
    .filter((heard) => heard.item_id === item_id && heard.content_index === content_index)
    .reduce((sum, heard) => sum + heard.receivedMs - heard.heardMs, 0)
  return { item_id, content_index, heardMs: Math.max(releasedMs - unheard, 0), receivedMs }
}

function isCut({ heardMs, receivedMs }: Heard): boolean {
  return heardMs < receivedMs
}
