/** How fast the agent speaks, and how much sound has come: beside the state, for audio never enters it. */
import { textOf } from '../conversation/item.ts'
import { charsPerMs, learned, type Rate, usualRate } from '../conversation/rate.ts'
import { isAudio, msOf } from '../protocol/audio.ts'
import type { AudioDelta, AudioFormat, ServerEvent } from '../protocol/events.ts'
import type { Growing } from './heard-so-far.ts'

export interface SpeechRate {
  received(event: ServerEvent | AudioDelta, format: AudioFormat): void
  readonly charsPerMs: number
  /** The sound that has come of the items that are being given. */
  readonly growing: readonly Growing[]
}

export function speechRate(): SpeechRate {
  /** ms of sound of the items that are being given. */
  const sounds = new Map<string, number>()
  let rate: Rate = usualRate

  return {
    received(event, format) {
      if (isAudio(event)) {
        sounds.set(event.item_id, (sounds.get(event.item_id) ?? 0) + msOf(event.audio.length, format))
      } else if (event.type === 'response.output_item.done') {
        const { item } = event
        const isWhole = item.type === 'message' && item.status === 'completed'
        if (isWhole) rate = learned(rate, textOf(item).length, sounds.get(item.id) ?? 0)
        sounds.delete(item.id)
      } else if (event.type === 'response.done') sounds.clear()
    },
    get charsPerMs() {
      return charsPerMs(rate)
    },
    get growing() {
      return [...sounds].map(([item_id, receivedMs]) => ({ item_id, receivedMs }))
    },
  }
}
