/** What is heard where the line carries the audio: the far end plays, and tells what sounds and where it was cut. */
import { itemsOf } from '../conversation/conversation.ts'
import { find } from '../conversation/order.ts'
import { type State, type Step, transmit } from './state.ts'

/** Letters that are said in a ms, about: how long an answer would have been is known to the far end alone. */
const charsPerMs = 1 / 65

/** A response begins to sound. What was cut before it sounded is cut now. */
export function sounding(state: State, response_id: string, now: number): Step {
  if (!state.playback.isFar) return [state, []]
  if (state.turn.cut.includes(response_id)) return [state, [transmit({ type: 'output_audio_buffer.clear' })]]
  // What is said beside the conversation is not heard in it.
  if (state.conversation.responses.some((one) => one.id === response_id && one.conversation_id === null))
    return [state, []]
  const item = itemsOf(state.conversation).findLast((one) => one.type === 'message' && one.role === 'assistant')
  if (!item) return [state, []]
  return [{ ...state, playback: { ...state.playback, item: { item_id: item.id, response_id, since: now } } }, []]
}

/** It was heard to its end. */
export function faded(state: State, response_id: string): Step {
  return isSounding(state, response_id) ? [{ ...state, playback: { ...state.playback, item: null } }, []] : [state, []]
}

/** The far end cut it, for a barge-in or because we asked. */
export function farSilenced(state: State, response_id: string, now: number): Step {
  return isSounding(state, response_id) ? cutAt(state, now) : [state, []]
}

/** What sounds is heard no further; how much of it was, by the clock, until the far end says it exactly. */
export function cutAt(state: State, now: number): Step {
  const { item } = state.playback
  if (!item) return [state, []]
  const next = { ...state, playback: { ...state.playback, item: null } }
  return [
    withCut(next, item.item_id, now - (item.since ?? now)),
    [{ type: 'tell', notice: { type: 'audio_interrupted' } }],
  ]
}

export function farTruncated(state: State, item_id: string, heardMs: number): State {
  return state.playback.isFar ? withCut(state, item_id, heardMs) : state
}

function withCut(state: State, item_id: string, ms: number): State {
  if (find(state.conversation.items, item_id) < 0 || !Number.isFinite(ms)) return state
  const heardMs = Math.max(1, Math.floor(ms))
  const cut = { heardMs, receivedMs: heardMs, charsPerMs }
  return { ...state, playback: { ...state.playback, cuts: { ...state.playback.cuts, [item_id]: cut } } }
}

function isSounding({ playback }: State, response_id: string): boolean {
  return playback.isFar === true && playback.item?.response_id === response_id
}
