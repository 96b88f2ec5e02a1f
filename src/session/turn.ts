/**
 * Who speaks. One response at a time: asking while one is being given leaves it owed; it is paid when the response is
 * done and no tool call is open. Every call id is answered once.
 */
import { activeResponse, type Conversation } from '../conversation/conversation.ts'
import { find } from '../conversation/order.ts'
import { createItem } from '../conversation/retell.ts'
import type { Item, RealtimeError, Response, ResponseCreateParams } from '../protocol/events.ts'
import { type Call, type Effect, inTurn, type State, type Step, transmit, withTurn } from './state.ts'

export function said(state: State, item: Item, fields?: object): Step {
  const event = createItem(item, fields)
  const next = { ...state, pending: [...state.pending, event] }
  return [next, state.link.at === 'live' ? [transmit(event)] : []]
}

/** The far end has it now. */
export function acknowledged(state: State, id: string): State {
  return state.pending.some(({ item }) => item.id === id)
    ? { ...state, pending: state.pending.filter(({ item }) => item.id !== id) }
    : state
}

export function asked(state: State, params: ResponseCreateParams): Step {
  return pay(withTurn(state, { owed: params }))
}

/** Asks for the answer that is owed, once one can be given; before the last call is answered it would lack what it says. */
export function pay(state: State): Step {
  const { owed, asked } = state.turn
  if (owed === null || asked !== null || state.link.at !== 'live') return [state, []]
  if (activeResponse(state.conversation) !== undefined || unanswered(state).length > 0) return [state, []]
  const event_id = `ask_${state.ids}`
  const event = isPlain(owed) ? {} : { response: owed }
  const next = withTurn({ ...state, ids: state.ids + 1 }, { owed: null, asked: { event_id, params: owed } })
  return [next, [transmit({ type: 'response.create', event_id, ...event })]]
}

/** A response that began when the far end knew all that was said answers all of it: nothing is owed any more. */
export function began(state: State, response: Response): State {
  if (response.conversation_id === null) return state
  const covered = state.pending.length === 0
  const owed = covered && isPlain(state.turn.owed) ? null : state.turn.owed
  return withTurn(state, { asked: null, owed, covered })
}

export function ended(state: State, response: Response): Step {
  return inTurn(dispatch(state, (response.output ?? []) as readonly Item[], response.id), pay)
}

/** A call is handed to its tool once, however often it is announced. */
export function called(state: State, call: Call, response_id: string | null): Step {
  return dispatch(state, [call], response_id)
}

/** Calls that stand in a restored conversation and were never run. */
export function callsOf(state: State): Step {
  return dispatch(state, state.conversation.calls, null)
}

export function answered(state: State, item: Item, respond: boolean): Step {
  const { turn } = state
  if (item.type !== 'function_call_output' || turn.answered.includes(item.call_id)) return [state, []]
  const owed = turn.owed ?? (respond ? {} : null)
  const answered = [...turn.answered, item.call_id]
  return inTurn(said(withTurn(state, { owed, answered }), item), pay)
}

/**
 * An error of the far end. A `response.create` that lost to another response is owed again, unless that other answers
 * all that was said: it is a race, not an error. All others are told.
 */
export function refused(state: State, error: RealtimeError): Step {
  const { code, event_id } = error
  if (code === 'conversation_already_has_active_response') {
    const params = state.turn.asked?.params ?? {}
    const owed = state.turn.owed ?? (state.turn.covered && isPlain(params) ? null : params)
    return pay(withTurn(state, { asked: null, owed }))
  }
  if (code === 'response_cancel_not_active') return [state, []]
  const told: Effect[] = [{ type: 'tell', notice: { type: 'refused', error } }]
  if (event_id && event_id === state.turn.asked?.event_id) return [withTurn(state, { asked: null }), told]
  const refusedItem = state.pending.find((said) => said.event_id === event_id)?.item
  return [refusedItem ? acknowledged(state, refusedItem.id) : state, told]
}

function dispatch(state: State, items: readonly Item[], response_id: string | null): Step {
  const { turn, conversation } = state
  const fresh = items.filter(
    (item): item is Call =>
      item.type === 'function_call' &&
      item.status === 'completed' &&
      !turn.calls.includes(item.call_id) &&
      !isAnswered(conversation, item),
  )
  if (fresh.length === 0) return [state, []]
  const calls = [...turn.calls, ...fresh.map(({ call_id }) => call_id)]
  return [withTurn(state, { calls }), fresh.map((call) => ({ type: 'call', call, response_id }))]
}

/** Calls without an output, said or about to be. */
function unanswered({ conversation, turn }: State): readonly Call[] {
  return conversation.calls.filter(({ call_id }) => !turn.answered.includes(call_id))
}

/** A call that stands in the conversation and is not open there has its output. One that stands beside it has none. */
function isAnswered({ items, calls }: Conversation, { id }: Call): boolean {
  return find(items, id) >= 0 && !calls.some((call) => call.id === id)
}

/** Asked for without wishes of its own: any response will do. */
function isPlain(params: ResponseCreateParams | null): boolean {
  return params !== null && Object.keys(params).length === 0
}
