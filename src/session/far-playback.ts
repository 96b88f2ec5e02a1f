/** What is heard where the line carries the audio: the far end plays, and tells what sounds and where it was cut. */
import { itemsOf, textOf } from '../conversation/conversation.ts'
import { find } from '../conversation/order.ts'
import { charsPerMs, learned, usualRate } from '../conversation/rate.ts'
import type { Item } from '../protocol/events.ts'
import { type State, type Step, transmit } from './state.ts'
import { forgotten, withUnheard } from './unheard.ts'

/** Responses that began to sound are remembered while they may be given: the last ones are enough. */
const mostBegun = 8

/** ms after which what was said is taken for heard, besides the time that its words take. */
const patienceMs = 5_000
/** The words may take so many times as long as is thought: where nothing was learned, it may be another script or voice. */
const slowest = { learned: 2, unlearned: 4 }

/** A response begins to sound. What was cut before it sounded is cut now. */
export function sounding(state: State, response_id: string, now: number): Step {
  if (!state.playback.isFar) return [state, []]
  if (state.turn.cut.includes(response_id)) return [state, [transmit({ type: 'output_audio_buffer.clear' })]]
  // What is said beside the conversation is not heard in it.
  if (state.conversation.responses.some((one) => one.id === response_id && one.conversation_id === null))
    return [state, []]
  const item = itemsOf(state.conversation).findLast(isAnswer)
  const begun = [...(state.playback.begun ?? []).slice(1 - mostBegun), response_id]
  const playback = { ...state.playback, begun }
  if (!item) return [{ ...state, playback }, []]
  return [
    bounded({ ...state, playback: { ...playback, item: { item_id: item.id, response_id, since: now } } }, now),
    [],
  ]
}

/** All of it has been said: a far end that never tells that it fell silent holds nobody for ever. */
export function bounded(state: State, now: number): State {
  const { item, isFar, rate } = state.playback
  if (!isFar || !item || state.conversation.responses.some(({ id }) => id === item.response_id)) return state
  const slow = rate ? slowest.learned : slowest.unlearned / Math.min(1, state.config.audio?.output?.speed || 1)
  const wordsMs = (charsAround(state, item.item_id) / charsPerMs(rate ?? usualRate)) * slow
  const until = Math.max(now, (item.since ?? now) + wordsMs) + patienceMs
  return { ...state, playback: { ...state.playback, item: { ...item, until } } }
}

/** What one response says may be several items, one after the other. */
function charsAround(state: State, item_id: string): number {
  const items = itemsOf(state.conversation)
  const at = items.findIndex(({ id }) => id === item_id)
  let [from, to] = [at, at]
  while (from > 0 && isAnswer(items[from - 1]!)) from--
  while (to < items.length && isAnswer(items[to]!)) to++
  return items.slice(from, to).reduce((sum, item) => sum + textOf(item).length, 0)
}

/** It has had its time; how fast it was said is not known. */
export function overheard(state: State, now: number): Step {
  const until = state.playback.item?.until
  return until && until <= now ? [{ ...state, playback: { ...state.playback, item: null } }, []] : [state, []]
}

/** It was heard to its end: so long took its words. */
export function faded(state: State, response_id: string, now: number): Step {
  if (!isSounding(state, response_id)) return [state, []]
  const { item, rate = usualRate } = state.playback
  const { items } = state.conversation
  const at = find(items, item!.item_id)
  const [answer, next] = [items[at], items[at + 1]]
  const isAlone = answer !== undefined && !(next && isAnswer(next))
  const known = isAlone ? learned(rate, textOf(answer).length, now - (item!.since ?? now)) : rate
  return [{ ...state, playback: { ...state.playback, item: null, rate: known } }, []]
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

/** What was not heard at all is deleted, as it is where it is played here; a call that stands without us does that itself. */
export function farTruncated(state: State, item_id: string, heardMs: number): Step {
  if (!state.playback.isFar) return [state, []]
  const next = withCut(state, item_id, heardMs)
  if (next === state || heardMs >= 1 || state.part.attached) return [next, []]
  const cuts = { ...state.playback.cuts, [item_id]: { heardMs: 0, receivedMs: 0 } }
  return forgotten(withUnheard({ ...state, playback: { ...state.playback, cuts } }, [item_id]))
}

function withCut(state: State, item_id: string, ms: number): State {
  if (find(state.conversation.items, item_id) < 0 || !Number.isFinite(ms)) return state
  const heardMs = Math.max(1, Math.floor(ms))
  const cut = { heardMs, receivedMs: heardMs, charsPerMs: charsPerMs(state.playback.rate ?? usualRate) }
  return { ...state, playback: { ...state.playback, cuts: { ...state.playback.cuts, [item_id]: cut } } }
}

function isAnswer(item: Item): boolean {
  return item.type === 'message' && item.role === 'assistant'
}

function isSounding({ playback }: State, response_id: string): boolean {
  return playback.isFar === true && playback.item?.response_id === response_id
}
