/**
 * What the microphone said and the far end may not have understood yet. Audio bytes never enter the state: they wait
 * here, at the edge, until their turn has words; after a lost line they are said again.
 */
import { bytesOf, bytesPerMs, formatOf, isAudio } from '../protocol/audio.ts'
import type { AudioDelta, ServerEvent } from '../protocol/events.ts'
import type { State } from './state.ts'

export interface Uplink {
  /** Keeps audio, in order. Returns false when older audio had to be let go for it. */
  keep(audio: Uint8Array, state: State): boolean
  /** The audio in hand was committed by us, up to here. */
  committing(): void
  /** What no turn has taken yet is taken back. */
  clearing(): void
  /** The far end says where a turn ended, and that it has its words. */
  received(event: ServerEvent | AudioDelta, state: State): void
  /** The line was lost: turns that still stand in the conversation are not said again. */
  lost(state: State): void
  /** All that is in hand, for a line that begins with it: audio, and null where we committed. */
  retell(): readonly (Uint8Array | null)[]
}

/** Microphone frames are small and many: they are kept in blocks of this many bytes, a second of PCM16. */
const blockBytes = 48_000
/** ms of audio that are kept; what is older is let go. */
const limitMs = 15_000

interface Block {
  readonly bytes: Uint8Array
  used: number
}

/** The end of a turn, at a place in the audio. */
interface Mark {
  readonly at: number
  /** We committed it; else the far end heard it end. */
  readonly isOurs: boolean
  /** Null until the far end has named it. */
  item_id: string | null
}

export function uplink(): Uplink {
  let blocks: Block[] = []
  /** Places in bytes since the line began: of the first block, of what is still kept, and of the end. */
  let first = 0
  let begin = 0
  let end = 0
  /** Bytes that the far end counts and that are not kept: they were taken back. */
  let taken = 0
  let stopped: number | null = null
  let marks: Mark[] = []

  const forget = (to: number) => {
    begin = Math.max(begin, Math.min(to, end))
    for (let block = blocks[0]; block && first + block.used <= begin; block = blocks[0]) {
      first += block.used
      blocks.shift()
    }
  }
  const takeBack = (from: number) => {
    for (let block = blocks.at(-1); block && end > from; block = blocks.at(-1)) {
      const less = Math.min(block.used, end - from)
      block.used -= less
      end -= less
      taken += less
      if (!block.used) blocks.pop()
    }
  }
  const understood = (id: string) => {
    const nth = marks.findIndex(({ item_id }) => item_id === id)
    if (nth < 0) return
    forget(marks[nth]!.at)
    marks = marks.slice(nth + 1)
  }
  const committed = (item_id: string) => {
    const ours = marks.find((mark) => mark.isOurs && !mark.item_id)
    if (ours) ours.item_id = item_id
    else marks.push({ at: stopped ?? end, isOurs: false, item_id })
    stopped = null
  }
  const append = (audio: Uint8Array) => {
    let block = blocks.at(-1)
    if (!block || block.used + audio.length > block.bytes.length) {
      block = { bytes: new Uint8Array(Math.max(blockBytes, audio.length)), used: 0 }
      blocks.push(block)
    }
    block.bytes.set(audio, block.used)
    block.used += audio.length
    end += audio.length
  }
  const between = (from: number, to: number) => {
    const pieces: Uint8Array[] = []
    let at = first
    for (const { bytes, used } of blocks) {
      const piece = bytes.slice(Math.max(0, from - at), Math.max(0, Math.min(used, to - at)))
      if (piece.length) pieces.push(piece)
      at += used
    }
    return pieces
  }

  return {
    keep(audio, { config }) {
      const had = begin
      append(audio)
      forget(end - limitMs * bytesPerMs(formatOf(config, 'input')))
      return begin === had
    },
    committing() {
      marks.push({ at: end, isOurs: true, item_id: null })
    },
    clearing() {
      takeBack(Math.max(begin, marks.at(-1)?.at ?? begin))
    },
    received(event, { config }) {
      if (isAudio(event)) return
      switch (event.type) {
        case 'input_audio_buffer.speech_stopped':
          stopped = bytesOf(event.audio_end_ms, formatOf(config, 'input')) - taken
          return
        case 'input_audio_buffer.cleared':
          // Where no turns are heard, what is to go was known when we asked for it.
          if (config.audio?.input?.turn_detection === null) return
          marks = []
          return forget(end)
        case 'input_audio_buffer.committed':
          committed(event.item_id)
          if (!config.audio?.input?.transcription) understood(event.item_id)
          return
        case 'conversation.item.deleted':
        case 'conversation.item.input_audio_transcription.completed':
        case 'conversation.item.input_audio_transcription.failed':
          return understood(event.item_id)
      }
    },
    lost({ conversation, removed }) {
      for (const id of [...conversation.items.map(({ id }) => id), ...removed]) understood(id)
      marks = marks.filter(({ isOurs }) => isOurs).map(({ at }) => ({ at, isOurs: true, item_id: null }))
      stopped = null
    },
    retell() {
      const told: (Uint8Array | null)[] = []
      let from = begin
      for (const { at } of marks.filter(({ isOurs }) => isOurs)) {
        told.push(...between(from, at), null)
        from = Math.max(from, at)
      }
      told.push(...between(from, end))
      // The next line counts from here.
      marks = marks.map((mark) => ({ ...mark, at: Math.max(0, mark.at - begin) }))
      blocks = between(begin, end).map((bytes) => ({ bytes, used: bytes.length }))
      end -= begin
      first = begin = taken = 0
      return told
    },
  }
}
