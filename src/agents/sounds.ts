/** The sound of what was said, for a history that keeps it. Bytes never enter the state: they wait here. */
import { contentOf } from '../conversation/conversation.ts'
import { isAudio } from '../protocol/audio.ts'
import { toBase64 } from '../protocol/base64.ts'
import type { AudioDelta, ClientEvent, Item, ServerEvent } from '../protocol/events.ts'
import type { Sounds } from '../session/history.ts'
import { probe } from '../session/state.ts'

export interface SoundShelf {
  readonly all: Sounds
  received(event: ServerEvent | AudioDelta): void
  /** The line was lost: nothing more comes of what was being given. */
  lost(): void
}

/** Bytes of one part that are kept: over five minutes of PCM16 at 24 kHz. Of a longer one nothing is. */
const mostBytes = 16_000_000

/** The agent's sound comes as it is given; the user's is asked for, once its item is whole. `changed`: one is there. */
export function soundShelf(ask: (event: ClientEvent) => void, changed: () => void): SoundShelf {
  let all: Sounds = new Map()
  const growing = new Map<string, { chunks: Uint8Array[]; size: number }>()
  const keyOf = (id: string, at: number) => JSON.stringify([id, at])

  function put(id: string, at: number, audio: string): void {
    const parts = [...(all.get(id) ?? [])]
    while (parts.length < at) parts.push(null)
    parts[at] = audio
    all = new Map(all).set(id, parts)
    changed()
  }

  function heard({ item_id, content_index, audio }: AudioDelta): void {
    const key = keyOf(item_id, content_index)
    const sound = growing.get(key) ?? { chunks: [], size: 0 }
    sound.size += audio.byteLength
    if (sound.size <= mostBytes) sound.chunks.push(audio.slice())
    else sound.chunks = []
    growing.set(key, sound)
  }

  /** Of an answer that was cut off, what came of it. */
  function ended(id: string): void {
    for (const [key, { chunks, size }] of growing) {
      const [item_id, at] = JSON.parse(key) as [string, number]
      if (item_id !== id) continue
      growing.delete(key)
      if (size <= mostBytes) put(id, at, toBase64(joined(chunks, size)))
    }
  }

  function lost(): void {
    for (const key of growing.keys()) ended((JSON.parse(key) as [string])[0])
  }

  function told(item: Item): void {
    if (item?.type !== 'message') return
    for (const [at, part] of contentOf(item).entries()) {
      const { audio } = part as { readonly audio?: unknown }
      if (typeof audio === 'string' && audio.length * 0.75 <= mostBytes) put(item.id, at, audio)
    }
  }

  function isSpoken(item: Item): boolean {
    return (
      item?.type === 'message' && item.role === 'user' && contentOf(item).some(({ type }) => type === 'input_audio')
    )
  }

  return {
    get all() {
      return all
    },
    lost,
    received(event) {
      if (isAudio(event)) return heard(event)
      switch (event.type) {
        case 'response.output_item.done':
          return ended(event.item.id)
        case 'response.done':
          for (const { id } of event.response.output ?? []) ended(id)
          return
        case 'conversation.item.retrieved':
          return told(event.item)
        case 'conversation.item.done': {
          const { item } = event
          // Where it cannot be had, that is no error of the session's.
          if (isSpoken(item) && !all.has(item.id))
            ask({ type: 'conversation.item.retrieve', event_id: `${probe}${item.id}`, item_id: item.id })
          return
        }
        case 'conversation.item.deleted':
          if (!all.has(event.item_id)) return
          all = new Map([...all].filter(([id]) => id !== event.item_id))
      }
    },
  }
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
