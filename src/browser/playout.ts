/** The ledger of a queue that plays without a gap: which item its milliseconds belong to. Pure. */
import type { AudioDelta } from '../protocol/events.ts'
import type { Heard, SoundingItem } from '../session/speaker.ts'

type Item = Pick<AudioDelta, 'item_id' | 'response_id' | 'content_index'>

export interface Playout {
  queued(item: Item, ms: number): void
  /** What of each item was heard when `playedMs` of the queue had been. */
  heard(playedMs: number): readonly Heard[]
  /** Items that began to sound since they were last asked for. */
  begun(playedMs: number): readonly SoundingItem[]
  /** All was heard: only the last item may still grow. */
  settled(): void
  clear(): void
}

interface Entry {
  readonly item: Item
  readonly fromMs: number
  ms: number
  isBegun: boolean
}

export function playout(): Playout {
  let entries: Entry[] = []
  let endMs = 0
  return {
    queued({ item_id, response_id, content_index }, ms) {
      const last = entries.at(-1)
      if (last?.item.item_id === item_id && last.item.content_index === content_index) last.ms += ms
      else entries.push({ item: { item_id, response_id, content_index }, fromMs: endMs, ms, isBegun: false })
      endMs += ms
    },
    heard: (playedMs) =>
      entries.map(({ item: { item_id, content_index }, fromMs, ms }) => {
        return { item_id, content_index, heardMs: Math.min(Math.max(playedMs - fromMs, 0), ms), receivedMs: ms }
      }),
    begun(playedMs) {
      const begun = entries.filter(({ isBegun, fromMs }) => !isBegun && playedMs > fromMs)
      for (const entry of begun) entry.isBegun = true
      return begun.map(({ item: { item_id, response_id } }) => ({ item_id, response_id }))
    },
    settled() {
      entries = entries.slice(-1)
    },
    clear() {
      entries = []
      endMs = 0
    },
  }
}
