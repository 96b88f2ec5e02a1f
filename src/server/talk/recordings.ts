/** The audio of items, as `conversation.item.retrieve` gives it back. */
import { type Conversation, contentOf } from '../../conversation/conversation.ts'
import { bytesOf } from '../../protocol/audio.ts'
import { toBase64 } from '../../protocol/base64.ts'
import type { Item, Message } from '../../protocol/events.ts'
import type { Piece } from '../turns/sound.ts'

export interface Recordings {
  add(item_id: string, piece: Piece): void
  truncate(item_id: string, ms: number): void
  /** The item with its audio in it, where there is some. */
  withAudio(item: Item): Item
}

/** Keeps at most `limit` bytes; the items that were recorded first lose their audio first. */
export function recordings(limit: number): Recordings {
  const kept = new Map<string, Piece[]>()
  let size = 0

  function forget(item_id: string): void {
    for (const { bytes } of kept.get(item_id) ?? []) size -= bytes.length
    kept.delete(item_id)
  }

  return {
    add(item_id, piece) {
      const pieces = kept.get(item_id)
      size += piece.bytes.length
      if (pieces) pieces.push(piece)
      else kept.set(item_id, [piece])
      for (const first of kept.keys()) {
        if (size <= limit) return
        forget(first)
      }
    },
    truncate(item_id, ms) {
      const pieces = kept.get(item_id)
      const format = pieces?.[0]?.format
      if (!pieces || !format) return
      const bytes = joined(pieces).slice(0, bytesOf(ms, format))
      forget(item_id)
      kept.set(item_id, [{ bytes, format, ms }])
      size += bytes.length
    },
    withAudio(item) {
      const pieces = kept.get(item.id)
      if (!pieces || item.type !== 'message') return item
      const audio = toBase64(joined(pieces))
      const content = contentOf(item).map((part) =>
        part.type === 'input_audio' || part.type === 'output_audio' ? { ...part, audio } : part,
      )
      return { ...item, content } as Message
    },
  }
}

function joined(pieces: readonly Piece[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { bytes }) => sum + bytes.length, 0))
  let at = 0
  for (const { bytes } of pieces) {
    whole.set(bytes, at)
    at += bytes.length
  }
  return whole
}

/** The words of an item that was cut off are gone: nobody knows which of them were heard. */
export function withoutWords({ items }: Conversation, item_id: string): Item | null {
  const item = items.find(({ id }) => id === item_id)
  if (item?.type !== 'message') return null
  const content = contentOf(item).map((part) => {
    if (part.type !== 'output_audio') return part
    const { transcript: _, ...rest } = part
    return rest
  })
  return { ...item, content } as Message
}
