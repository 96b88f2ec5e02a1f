import { msOf } from '../protocol/audio.ts'
import type { Clock } from '../protocol/clock.ts'
import type { AudioDelta, AudioFormat } from '../protocol/events.ts'
import type { Heard, MakeSpeaker, SoundingItem } from './speaker.ts'

export interface PacedSpeakerOptions {
  readonly clock: Clock
  /** The format of the audio that comes. Asked for at each piece: a session may change it. */
  readonly format: () => AudioFormat
  /** Told of each piece as it is queued, and when it begins to sound, in ms of the clock, if nothing pauses it. */
  readonly queued?: (audio: AudioDelta, at: number) => void
  /** Told when the speaker falls silent before its end, at this ms of the clock. */
  readonly hushed?: (at: number) => void
}

interface Sounding {
  readonly item_id: string
  readonly content_index: number
  /** Stretches without a gap: when each begins to sound, and how long it is, in ms. */
  readonly stretches: { readonly at: number; ms: number }[]
}

/**
 * A speaker that makes no sound: it plays at the pace of speech by the clock, so that what was heard is known where
 * the app plays the audio itself (or nobody does).
 */
export function pacedSpeaker({ clock, format, queued, hushed }: PacedSpeakerOptions): MakeSpeaker {
  return (listener) => {
    let sounding: Sounding[] = []
    let isDry = true
    let silentAt = Number.NEGATIVE_INFINITY
    let timer: (() => void) | null = null
    /** Items that have not begun to sound, and when they will, by the speaker's own time. */
    let silent: { readonly item: SoundingItem; readonly at: number }[] = []
    let stopSounding: (() => void) | null = null
    /** When it was paused, in ms of the clock; and for how long it has stood still so far. */
    let pausedAt: number | null = null
    let stoodMs = 0

    /** The speaker's own time, which stands still while it is paused. */
    const now = () => (pausedAt ?? clock.now()) - stoodMs
    const wait = () => {
      if (!isDry && pausedAt === null) timer ??= clock.at(silentAt + stoodMs, drain)
    }

    /** Tells of each item as it begins to sound. */
    function sound(): void {
      stopSounding?.()
      stopSounding = null
      if (pausedAt !== null) return
      for (const { item } of silent.filter(({ at }) => at <= now())) listener.sounded?.(item)
      silent = silent.filter(({ at }) => at > now())
      if (silent[0]) stopSounding = clock.at(silent[0].at + stoodMs, sound)
    }

    function drain(): void {
      timer = null
      if (now() < silentAt) return wait()
      isDry = true
      // More of the last item may come: what was heard of it still counts.
      sounding = sounding.slice(-1)
      listener.drained()
    }

    function resume(): void {
      if (pausedAt === null) return
      stoodMs += clock.now() - pausedAt
      pausedAt = null
      sound()
      wait()
    }

    return {
      play(audio) {
        const at = Math.max(now(), silentAt)
        const ms = msOf(audio.audio.length, format())
        const isNew = sounding.at(-1)?.item_id !== audio.item_id
        extend(entryOf(sounding, audio), at, ms)
        silentAt = at + ms
        isDry = false
        queued?.(audio, at + stoodMs)
        if (isNew) {
          const { item_id, response_id } = audio
          silent.push({ item: { item_id, response_id }, at })
          sound()
        }
        wait()
      },
      hush() {
        timer?.()
        timer = null
        const heardAt = now()
        const cut = sounding
          .map((item) => heardOf(item, heardAt))
          .filter(({ heardMs, receivedMs }) => heardMs < receivedMs)
        if (cut.length) hushed?.(heardAt + stoodMs)
        sounding = []
        silent = []
        stopSounding?.()
        stopSounding = null
        isDry = true
        silentAt = Number.NEGATIVE_INFINITY
        resume()
        return cut
      },
      pause() {
        pausedAt ??= clock.now()
        timer?.()
        timer = null
        stopSounding?.()
        stopSounding = null
      },
      resume,
    }
  }
}

function entryOf(sounding: Sounding[], { item_id, content_index }: AudioDelta): Sounding {
  const last = sounding.at(-1)
  if (last && last.item_id === item_id && last.content_index === content_index) return last
  const next: Sounding = { item_id, content_index, stretches: [] }
  sounding.push(next)
  return next
}

function extend({ stretches }: Sounding, at: number, ms: number): void {
  const last = stretches.at(-1)
  if (last && last.at + last.ms >= at) last.ms += ms
  else stretches.push({ at, ms })
}

function heardOf({ item_id, content_index, stretches }: Sounding, now: number): Heard {
  const heardMs = stretches.reduce((sum, { at, ms }) => sum + Math.min(Math.max(now - at, 0), ms), 0)
  const receivedMs = stretches.reduce((sum, { ms }) => sum + ms, 0)
  return { item_id, content_index, heardMs, receivedMs }
}
