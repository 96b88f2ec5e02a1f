import type { AudioDelta } from '../protocol/events.ts'

/** How much of an item was heard when the speaker fell silent. */
export interface Heard {
  readonly item_id: string
  readonly content_index: number
  readonly heardMs: number
  readonly receivedMs: number
}

/** Plays the agent's audio and knows how much of it was heard: the playback ledger. */
export interface Speaker {
  /** Queues audio behind what is queued already. */
  play(audio: AudioDelta): void
  /** Falls silent at once and forgets what is queued. Returns what was cut: items not heard to their end, in order. */
  hush(): readonly Heard[]
  /** Falls silent at once and keeps what is queued: nothing sounds, and nothing counts as heard, until `resume` or `hush`. */
  pause?(): void
  /** Goes on from the sample at which it was paused. */
  resume?(): void
}

/** What a speaker tells. */
export interface SpeakerListener {
  /** Everything that was queued has been heard. */
  drained(): void
  /** The first sample of an item sounds now. A speaker that does not know says nothing: it is taken to sound at once. */
  sounded?(item: SoundingItem): void
}

export type SoundingItem = Pick<AudioDelta, 'item_id' | 'response_id'>

export type MakeSpeaker = (listener: SpeakerListener) => Speaker
