/**
 * An answer is cut while it is given, when all that has come of it was heard: its words may have run ahead of its sound. Here
 * it counts as cut where its sound ended; the far end is told once it is certain that there was more.
 */
import { itemOf } from '../conversation/conversation.ts'
import type { Cut } from '../conversation/retell.ts'
import { formatOf, msOf } from '../protocol/audio.ts'
import type { AudioDelta, Response } from '../protocol/events.ts'
import type { Heard } from './speaker.ts'
import { type State, type Step, transmit } from './state.ts'

/** The sound that has come of an item that is being given, in ms. */
export interface Growing {
  readonly item_id: string
  readonly receivedMs: number
}

/** What began to be heard, is not whole, and was not cut by the speaker. */
export function heardSoFar(
  state: State,
  growing: readonly Growing[],
  cutShort: readonly Heard[],
): readonly (readonly [string, Cut])[] {
  const { begun = [], cuts } = state.playback
  return growing.flatMap(({ item_id, receivedMs }) => {
    const isKnown = Object.hasOwn(cuts, item_id) || cutShort.some((one) => one.item_id === item_id)
    if (isKnown || receivedMs < 1 || !begun.includes(item_id) || isWhole(state, item_id) !== false) return []
    return [[item_id, { heardMs: receivedMs, receivedMs }] as const]
  })
}

/** More of it comes after it was cut. An audio delta costs no copy of the state, but the first of these. */
export function moreCame(state: State, { item_id, content_index, audio }: AudioDelta): Step {
  const { playback, config } = state
  const cut = Object.hasOwn(playback.cuts, item_id) ? playback.cuts[item_id] : undefined
  if (!cut || playback.isFar || cut.heardMs < Math.max(1, cut.receivedMs)) return [state, []]
  const receivedMs = cut.receivedMs + msOf(audio.length, formatOf(config, 'output'))
  const cuts = { ...playback.cuts, [item_id]: { ...cut, receivedMs } }
  const audio_end_ms = Math.floor(cut.heardMs)
  return [
    { ...state, playback: { ...playback, cuts } },
    [transmit({ type: 'conversation.item.truncate', item_id, content_index, audio_end_ms })],
  ]
}

/** Its response has ended: what is whole, and of which no more came, was heard to its end. */
export function heardToEnd(state: State, { output }: Response): State {
  const { playback } = state
  const ids = (output ?? []).map(({ id }) => id).filter((id) => Object.hasOwn(playback.cuts, id))
  const wasHeard = ids.filter((id) => {
    const { heardMs, receivedMs } = playback.cuts[id]!
    return heardMs >= Math.max(1, receivedMs) && isWhole(state, id)
  })
  if (playback.isFar || !wasHeard.length) return state
  const cuts = Object.fromEntries(Object.entries(playback.cuts).filter(([id]) => !wasHeard.includes(id)))
  return { ...state, playback: { ...playback, cuts } }
}

/** Undefined where there is no such message. */
function isWhole(state: State, id: string): boolean | undefined {
  const item = itemOf(state.conversation, id)
  return item?.type === 'message' ? item.status !== 'in_progress' && item.status !== 'incomplete' : undefined
}
