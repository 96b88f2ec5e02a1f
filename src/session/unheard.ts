/**
 * What was cut before any of it was heard: the far end forgets it, or it would take it for said. History keeps it, as
 * unheard. It is deleted once no response is being given, for an item may still be growing until then.
 */
import { activeResponse, contentOf, itemOf } from '../conversation/conversation.ts'
import { find } from '../conversation/order.ts'
import type { ClientEvent, Response } from '../protocol/events.ts'
import { type State, type Step, transmit } from './state.ts'

/** How the ids of events begin that delete what was unheard: that it is not there any more is no error. */
export const unheardDeletion = 'unheard_'

/** A response that was cut has ended: of what came of it after that, or without sound, nothing was heard. */
export function unheardIn(state: State, { id, output }: Response): Step {
  const { cuts, begun = [], isFar } = state.playback
  if (state.part.attached || !state.turn.cut.includes(id)) return forgotten(state)
  // Where the far end plays, it says itself what was heard of a response that began to sound.
  if (isFar && begun.includes(id)) return forgotten(state)
  const items = (output ?? []).filter((item) => !Object.hasOwn(cuts, item.id) && !begun.includes(item.id))
  const ids = items.map((item) => item.id).filter((one) => isSpoken(state, one))
  if (!ids.length) return forgotten(state)
  const nothing = Object.fromEntries(ids.map((one) => [one, { heardMs: 0, receivedMs: 0 }]))
  return forgotten(withUnheard({ ...state, playback: { ...state.playback, cuts: { ...cuts, ...nothing } } }, ids))
}

/** These have been cut, and are still in the far end's context. */
export function withUnheard(state: State, ids: readonly string[]): State {
  if (!ids.length || state.link.at !== 'live') return state
  const { unheard = [] } = state.playback
  return { ...state, playback: { ...state.playback, unheard: [...unheard, ...ids] } }
}

export function forgotten(state: State): Step {
  const { unheard, ...rest } = state.playback
  if (!unheard || state.link.at !== 'live' || activeResponse(state.conversation)) return [state, []]
  const ids = unheard.filter((id) => find(state.conversation.items, id) >= 0 && !state.removed.includes(id))
  const { link } = state
  const behind = new Map([...link.behind].filter(([told]) => find(state.conversation.items, told) >= 0))
  for (const id of ids) {
    const before = nearest(state, find(state.conversation.items, id) - 1)
    if (before !== null) behind.set(before, behind.get(id) ?? id)
  }
  return [{ ...state, link: { ...link, behind }, playback: rest }, ids.map(deletion)]
}

/** It stands in our conversation alone. */
export function isGone({ playback: { cuts, unheard = [] } }: State, id: string): boolean {
  return Object.hasOwn(cuts, id) && cuts[id]!.heardMs < 1 && !unheard.includes(id)
}

/** The last item up to this place that the far end has. */
export function nearest(state: State, from: number): string | null {
  const { conversation, link } = state
  const behind = link.at === 'live' ? [...link.behind] : []
  for (let at = from; at >= 0; at--) {
    const { id } = conversation.items[at]!
    const told = behind.find(([, last]) => last === id)
    if (told) return told[0]
    if (!isGone(state, id)) return id
  }
  return null
}

function deletion(item_id: string) {
  const event: ClientEvent = { type: 'conversation.item.delete', event_id: `${unheardDeletion}${item_id}`, item_id }
  return transmit(event)
}

function isSpoken(state: State, id: string): boolean {
  const item = itemOf(state.conversation, id)
  if (item?.type !== 'message' || item.role !== 'assistant') return false
  return contentOf(item).some(({ type }) => type === 'output_audio')
}
