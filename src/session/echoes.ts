/**
 * Whether the far end tells again what it was told. One that does has done so before it begins what was asked for after it, or
 * answers a turn that it heard. Of one that does not, nothing is waited for: what it was told stands where it was said.
 */
import { evolve } from '../conversation/conversation.ts'
import type { Item, ServerEvent } from '../protocol/events.ts'
import type { State } from './state.ts'

/**
 * The echo of what was retold at the join is no news: the items keep what they were, and their identity. What is placed
 * behind one of them comes after those that the far end was not told. The front, which we call `root`, is null to the far
 * end.
 */
export function hear({ conversation, link, pending }: State, event: ServerEvent): State['conversation'] {
  if (link.at !== 'live' || !('item' in event) || !('previous_item_id' in event)) return evolve(conversation, event)
  if (link.retold.has(event.item.id)) return conversation
  const isFirst = pending.find(({ item }) => item.id === event.item.id)?.previous_item_id === 'root'
  const previous_item_id = isFirst ? 'root' : link.behind.get(event.previous_item_id ?? '')
  return evolve(conversation, previous_item_id ? { ...event, previous_item_id } : event)
}

/** The far end told of an item, of whomever it is. */
export function echoed(state: State): State {
  const { link } = state
  return link.at === 'live' && link.mirrors !== true ? { ...state, link: { ...link, mirrors: true } } : state
}

/** A response began before which it would have told of one. A call that stands without us was begun by what we did not hear. */
export function unechoed(state: State): State {
  const { link, part } = state
  if (link.at !== 'live' || link.mirrors !== null || part.attached) return state
  return taken({ ...state, link: { ...link, mirrors: false } })
}

export function isUnechoing({ link }: State): boolean {
  return link.at === 'live' && link.mirrors === false
}

export function taken(state: State): State {
  if (!isUnechoing(state) || state.pending.length === 0) return state
  const all = state.pending.reduce((after, { item, previous_item_id }) => placed(after, item, previous_item_id), state)
  return { ...all, pending: [] }
}

/** It was taken for accepted, and is refused after all. */
export function untaken(state: State, event_id: string | null | undefined): State {
  const { link, conversation } = state
  const item = isUnechoing(state) && conversation.items.find(({ id }) => event_id === `say_${id}`)
  return item && link.at === 'live' && !link.retold.has(item.id) ? without(state, item.id) : state
}

/** As if the far end had told of it. */
export function placed(state: State, item: Item, previous_item_id: string | null = null): State {
  const event = { type: 'conversation.item.done', event_id: '', item, previous_item_id } as const
  return { ...state, conversation: hear(state, event) }
}

/** What stands here alone needs nobody's leave to go. */
export function without(state: State, item_id: string): State {
  const event = { type: 'conversation.item.deleted', event_id: '', item_id } as const
  return { ...state, conversation: evolve(state.conversation, event) }
}
