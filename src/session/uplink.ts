/**
 * What the microphone said and the far end may not have understood yet. Audio bytes never enter the state: they wait
 * here, at the edge, until their turn has words; after a lost line they are said again.
 */
import { bytesOf, isAudio } from '../protocol/audio.ts'
import type { AudioDelta, AudioFormat, ServerEvent } from '../protocol/events.ts'
import type { State } from './state.ts'

export interface Uplink {
  /** Keeps audio, in order. Returns false when older audio had to be let go for it. */
  keep(audio: Uint8Array): boolean
  /** The audio in hand was committed by us, up to here. */
  committing(): void
  /** The far end says where a turn ended, and that it has its words. */
  received(event: ServerEvent | AudioDelta, state: State): void
  /** The line was lost: turns that still stand in the conversation are not said again. */
  lost(state: State): void
  /** All that is in hand, for a line that begins with it. */
  retell(): readonly Uint8Array[]
}

/** Microphone frames are small and many: they are kept in blocks of this many bytes, a second of PCM16. */
const blockBytes = 48_000

interface Block {
  readonly bytes: Uint8Array
  used: number
}

/** Keeps at most `limit` bytes; what is older is let go. */
export function uplink(limit: number): Uplink {
  let blocks: Block[] = []
  /** Places in bytes since the line began: of the first block, of what is still kept, and of the end. */
  let first = 0
  let begin = 0
  let end = 0
  let stopped: number | null = null
  let ends = new Map<string, number>()

  const forget = (to: number) => {
    begin = Math.max(begin, to)
    for (let block = blocks[0]; block && first + block.used <= begin; block = blocks[0]) {
      first += block.used
      blocks.shift()
    }
  }
  const understood = (item_id: string) => {
    const to = ends.get(item_id)
    ends.delete(item_id)
    if (to !== undefined) forget(to)
  }

  return {
    keep(audio) {
      let block = blocks.at(-1)
      if (!block || block.used + audio.length > block.bytes.length) {
        block = { bytes: new Uint8Array(Math.max(blockBytes, audio.length)), used: 0 }
        blocks.push(block)
      }
      block.bytes.set(audio, block.used)
      block.used += audio.length
      end += audio.length
      const had = begin
      forget(end - limit)
      return begin === had
    },
    committing() {
      stopped = end
    },
    received(event, state) {
      if (isAudio(event)) return
      switch (event.type) {
        case 'input_audio_buffer.speech_stopped':
          stopped = bytesOf(event.audio_end_ms, formatOf(state))
          return
        case 'input_audio_buffer.cleared':
          return forget(end)
        case 'input_audio_buffer.committed':
          ends.set(event.item_id, stopped ?? end)
          stopped = null
          if (!state.config.audio?.input?.transcription) understood(event.item_id)
          return
        case 'conversation.item.input_audio_transcription.completed':
        case 'conversation.item.input_audio_transcription.failed':
          return understood(event.item_id)
      }
    },
    lost({ conversation }) {
      for (const item of conversation.items) understood(item.id)
      ends = new Map()
      stopped = null
    },
    retell() {
      const told = blocks.map(({ bytes, used }, n) => bytes.slice(n ? 0 : begin - first, used))
      blocks = told.map((bytes) => ({ bytes, used: bytes.length }))
      first = begin = 0
      end = told.reduce((sum, { length }) => sum + length, 0)
      return told
    },
  }
}

function formatOf(state: State): AudioFormat {
  return state.config.audio?.input?.format ?? { type: 'audio/pcm', rate: 24_000 }
}
