/**
 * Who speaks. One response at a time: asking while one is being given leaves it owed; it is paid when the response is
 * done and no tool call is open. Every call id is answered once.
 */
import { activeResponse } from '../conversation/conversation.ts'
import { createItem } from '../conversation/retell.ts'
import type { Item, RealtimeError, Response, ResponseCreateParams } from '../protocol/events.ts'
import { probe } from './link.ts'
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

/**
 * A response that began when the far end knew all that was said answers all of it: nothing is owed any more. One that
 * was cut before it began is cancelled now that it has a name.
 */
export function began(state: State, response: Response): Step {
  if (response.conversation_id === null) return [state, []]
  const { asked, owed, cut } = state.turn
  const covered = state.pending.length === 0
  const next = withTurn(state, { asked: null, owed: covered && isPlain(owed) ? null : owed, covered })
  if (!asked?.cut) return [next, []]
  const cancel = transmit({ type: 'response.cancel', response_id: response.id })
  return [withTurn(next, { cut: [...cut, response.id] }), [cancel]]
}

export function ended(state: State, response: Response): Step {
  return inTurn(called(state, response.id), pay)
}

/**
 * Each call that stands in the conversation is handed to its tool once, however often it is announced. Those of a
 * response beside the conversation are not: their outputs would have no place in it.
 */
export function called(state: State, response_id: string | null): Step {
  const { turn, conversation } = state
  const fresh = conversation.calls.filter(({ id }) => !turn.calls.includes(id))
  if (fresh.length === 0) return [state, []]
  const calls = [...turn.calls, ...fresh.map(({ id }) => id)]
  return [withTurn(state, { calls }), fresh.map((call) => ({ type: 'call', call, response_id }))]
}

export function answered(state: State, item: Item, respond: boolean): Step {
  const call = item.type === 'function_call_output' && unanswered(state).find(({ call_id }) => call_id === item.call_id)
  if (!call) return [state, []]
  const { owed, answered } = state.turn
  const next = withTurn(state, { owed: owed ?? (respond ? {} : null), answered: [...answered, call.id] })
  return inTurn(said(next, item), pay)
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
  if (code === 'response_cancel_not_active' || event_id?.startsWith(probe)) return [state, []]
  const told: Effect[] = [{ type: 'tell', notice: { type: 'refused', error } }]
  const { asked } = state.turn
  const refusedItem = state.pending.find((said) => said.event_id === event_id)?.item
  if (refusedItem) return [acknowledged(state, refusedItem.id), told]
  // An error that names no event is taken for the answer to what was asked: better asked twice than never.
  return [asked && (event_id ?? asked.event_id) === asked.event_id ? withTurn(state, { asked: null }) : state, told]
}

/** Calls without an output, said or about to be. */
function unanswered({ conversation, turn }: State): readonly Call[] {
  return conversation.calls.filter(({ id }) => !turn.answered.includes(id))
}

/** Asked for without wishes of its own: any response will do. */
function isPlain(params: ResponseCreateParams | null): boolean {
  return params !== null && Object.keys(params).length === 0
}
