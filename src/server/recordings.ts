/** The audio of items, as `conversation.item.retrieve` gives it back. */
import { type Conversation, contentOf } from '../conversation/conversation.ts'
import { toBase64 } from '../protocol/base64.ts'
import type { Item, Message } from '../protocol/events.ts'

export interface Recordings {
  add(item_id: string, audio: Uint8Array): void
  truncate(item_id: string, bytes: number): void
  /** The item with its audio in it, where there is some. */
  withAudio(item: Item): Item
}

/** Keeps at most `limit` bytes; the items that were recorded first lose their audio first. */
export function recordings(limit: number): Recordings {
  const kept = new Map<string, Uint8Array[]>()
  let size = 0

  function forget(item_id: string): void {
    for (const { length } of kept.get(item_id) ?? []) size -= length
    kept.delete(item_id)
  }

  function record(item_id: string, pieces: Uint8Array[]): void {
    kept.set(item_id, pieces)
    for (const { length } of pieces) size += length
  }

  return {
    add(item_id, audio) {
      const pieces = kept.get(item_id)
      size += audio.length
      if (pieces) pieces.push(audio)
      else kept.set(item_id, [audio])
      for (const first of kept.keys()) {
        if (size <= limit) return
        forget(first)
      }
    },
    truncate(item_id, bytes) {
      const whole = kept.get(item_id)
      if (!whole) return
      forget(item_id)
      record(item_id, [join(whole).slice(0, bytes)])
    },
    withAudio(item) {
      const pieces = kept.get(item.id)
      if (!pieces || item.type !== 'message') return item
      const audio = toBase64(join(pieces))
      const content = contentOf(item).map((part) =>
        part.type === 'input_audio' || part.type === 'output_audio' ? { ...part, audio } : part,
      )
      return { ...item, content } as Message
    },
  }
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
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
