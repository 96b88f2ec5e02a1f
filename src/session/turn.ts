/**
 * Who speaks. One response at a time: asking while one is being given leaves it owed; it is paid when the response is
 * done. What the answers to a batch of calls ask for waits until none of them is open. Every call id is answered once.
 */
import { activeResponse } from '../conversation/conversation.ts'
import { createItem } from '../conversation/retell.ts'
import type { Item, RealtimeError, Response } from '../protocol/events.ts'
import { create, isPlain, named, nameKey, owing } from './asks.ts'
import { isUnechoing, placed, taken, unechoed, untaken } from './echoes.ts'
import {
  type Ask,
  type Call,
  type Effect,
  inTurn,
  plain,
  probe,
  type State,
  type Step,
  transmit,
  withTurn,
} from './state.ts'
import { judged } from './unfinished.ts'
import { unheardDeletion } from './unheard.ts'

export function said(state: State, item: Item, fields?: object): Step {
  const event = createItem(item, fields)
  const next = { ...state, pending: [...state.pending, event] }
  return [taken(next), state.link.at === 'live' ? [transmit(event)] : []]
}

/** The far end has it now. */
export function acknowledged(state: State, id: string): State {
  return state.pending.some(({ item }) => item.id === id)
    ? { ...state, pending: state.pending.filter(({ item }) => item.id !== id) }
    : state
}

/** A response beside the conversation waits for none; all others stand in a row. */
export function asked(state: State, wanted: Ask): Step {
  const [next, ask] = named(wanted, state)
  if (ask.params.conversation !== 'none') return pay(owing(next, ask))
  const { beside } = next.turn
  return [withTurn(next, { beside: [...beside, ask] }), next.link.at === 'live' ? [create(ask, ask.id!)] : []]
}

/** What was asked for by this name is not wanted any more; one that is being given is cut by its response. */
export function unasked(state: State, id: string): Step {
  const { owed, beside, asked } = state.turn
  const isOther = (ask: Ask) => ask.id !== id
  return [
    withTurn(state, {
      owed: owed.filter(isOther),
      beside: beside.filter(isOther),
      asked: asked?.ask.id === id ? { ...asked, cut: true } : asked,
    }),
    [],
  ]
}

/** Asks for the next answer that is owed, once it can be given. */
export function pay(state: State): Step {
  const { owed, asked } = state.turn
  if (owed.length === 0 || asked !== null || state.link.at !== 'live') return [state, []]
  if (activeResponse(state.conversation) !== undefined) return [state, []]
  const ask = owed.find((one) => isDue(one, state))
  if (!ask) return [state, []]
  const event_id = ask.id ?? `ask_${state.ids}`
  const behind = state.pending[0]?.item.id
  const next = withTurn(
    { ...state, ids: state.ids + 1 },
    { owed: owed.filter((one) => one !== ask), asked: { event_id, ask, ...(behind ? { behind } : {}) } },
  )
  return [next, [create(ask, event_id)]]
}

/** Before the last call is answered, the answer to the others would lack what it says. */
function isDue({ when, batch, held }: Ask, state: State): boolean {
  if (!when) return true
  const open = unanswered(state).filter((call) => batch === undefined || batchOf(state, call.id) === batch)
  if (open.length) return held === true && open.some(({ id }) => waits(state, id))
  return when === 'batch' || (!state.turn.hearing && state.playback.item === null)
}

/**
 * A response that began when the far end knew all that was said answers all of it: nothing plain is owed any more. One
 * that was cut before it began is cancelled now that it has an id.
 */
export function began(state: State, response: Response, now: number): Step {
  const name = nameOf(state, response)
  if (response.conversation_id === null) {
    const beside = state.turn.beside.filter(({ id }) => id !== name)
    return [beside.length === state.turn.beside.length ? state : withTurn(state, { beside }), []]
  }
  const { asked, owed, cut, heard } = state.turn
  // One that was asked for by name is no other: what the far end began by itself leaves it under way.
  const isAsked = asked !== null && (asked.ask.id === null || asked.ask.id === name)
  const isUnechoed = heard || (isAsked && state.pending.some(({ item }) => item.id === asked.behind))
  const told = isUnechoed ? unechoed(state) : state
  // What is said to a far end that mirrors nothing may be under way to it.
  const covered = state.pending.length === 0 && !isUnechoing(told)
  const isCut = isAsked && asked.cut === true
  const until = state.part.observing ? null : now + state.reconnect.timeoutMs
  const given = { response_id: response.id, ask: isAsked ? asked.ask : plain, until }
  const next = withTurn(told, {
    asked: isAsked ? null : asked,
    owed: covered && !isCut ? owed.filter((ask) => !isPlain(ask)) : owed,
    covered,
    heard: false,
    given,
  })
  if (!isCut) return [next, []]
  const cancel = transmit({ type: 'response.cancel', response_id: response.id })
  return [withTurn(next, { cut: [...cut, response.id] }), [cancel]]
}

/**
 * The name that a response was asked for by. A far end that does not say it back gives what was asked for next, unless it
 * heard a turn, which it may answer by itself.
 */
export function nameOf({ turn }: State, { metadata, conversation_id }: Response): string | undefined {
  const { asked, beside, hearing, heard } = turn
  if (metadata !== null) return metadata?.[nameKey]
  if (conversation_id === null) return beside[0]?.id ?? undefined
  return hearing || heard ? undefined : (asked?.ask.id ?? undefined)
}

/** The response being given says something. */
export function spoke(state: State): State {
  const { given } = state.turn
  return given && given.until !== null ? withTurn(state, { given: { ...given, until: null } }) : state
}

export function ended(state: State, response: Response): Step {
  if (response.conversation_id === null) return called(state, response.id)
  // A far end that knows no metadata: what was asked for while this one was given, and not refused, is this one.
  const { asked } = state.turn
  const isNameless = asked !== null && asked.ask.id !== null && response.metadata === undefined
  const next = withTurn(state, { given: null, asked: isNameless ? null : asked })
  const judgement = judged(next, response, state.turn.given)
  return inTurn(judgement, (next) => called(next, response.id), pay)
}

/**
 * Each call that stands in the conversation is handed to its tool once, however often it is announced. Those of a
 * response beside the conversation are not: their outputs would have no place in it. What was owed before the calls were
 * made waits for their answers.
 */
export function called(state: State, response_id: string | null): Step {
  if (state.part.observing) return [state, []]
  const { turn, conversation } = state
  const isAnswered = (call_id: string) =>
    state.pending.some(({ item }) => item.type === 'function_call_output' && item.call_id === call_id)
  const fresh = conversation.calls.filter(
    ({ id, call_id }) => !turn.calls.some((call) => call.id === id) && !isAnswered(call_id),
  )
  if (fresh.length === 0) return [state, []]
  const calls = [...turn.calls, ...fresh.map(({ id }) => ({ id, batch: response_id }))]
  const waiting = { when: 'batch', batch: response_id, held: true } as const
  const owed = turn.owed.map((ask) => (isPlain(ask) && !ask.when ? { ...ask, ...waiting } : ask))
  return [withTurn(state, { calls, owed }), fresh.map((call) => ({ type: 'call', call, response_id }))]
}

/** What the user said before the call was made is answered now, and what the call gives when it is answered. */
export function deferred(state: State, call_id: string): Step {
  const call = unanswered(state).find((one) => one.call_id === call_id)
  const calls = state.turn.calls.map((one) => (one.id === call?.id ? ({ ...one, waits: true } as const) : one))
  return call ? pay(withTurn(state, { calls })) : [state, []]
}

/** `ask`: what is to be asked for once the batch is answered; null where this answer asks for nothing. */
export function answered(state: State, item: Item, ask: Ask | null): Step {
  const call = item.type === 'function_call_output' && unanswered(state).find(({ call_id }) => call_id === item.call_id)
  if (!call) return [state, []]
  const next = withTurn(state, { answered: [...state.turn.answered, call.id] })
  const wanted = ask && { ...ask, batch: batchOf(state, call.id) }
  return inTurn(said(wanted ? owing(...named(wanted, next)) : next, item), pay)
}

/**
 * An error of the far end. A `response.create` that lost to another response is owed again, unless that other answers
 * all that was said: it is a race, not an error. All others are told.
 */
export function refused(state: State, error: RealtimeError): Step {
  const { code, event_id } = error
  const { asked, covered } = state.turn
  // An error that names no event is taken for the answer to what was asked: better asked twice than never.
  const isAsked = asked !== null && (event_id ?? asked.event_id) === asked.event_id
  if (code === 'conversation_already_has_active_response') {
    const ask = isAsked ? asked.ask : plain
    const next = isAsked ? withTurn(state, { asked: null }) : state
    const owed = isAsked && asked.cut ? next : covered && isPlain(ask) ? next : owing(next, ask, true)
    // One that began while there was no line: its end will pay.
    return state.part.attached && !activeResponse(state.conversation) ? [owed, []] : pay(owed)
  }
  if (code === 'response_cancel_not_active' || event_id?.startsWith(probe)) return [state, []]
  if (event_id?.startsWith(unheardDeletion)) return [state, []]
  // The line ends with it and is dialed again: `connection_change` tells.
  if (code === 'session_expired' && state.reconnect.attempts > 0) return [state, []]
  const told: Effect[] = [{ type: 'tell', notice: { type: 'refused', error } }]
  if (state.removed.some((id) => event_id === `drop_${id}`)) {
    return [{ ...state, removed: state.removed.filter((id) => event_id !== `drop_${id}`) }, told]
  }
  const refusedItem = state.pending.find((said) => said.event_id === event_id)?.item
  if (refusedItem) {
    const next = acknowledged(state, refusedItem.id)
    return isThere(state, error) ? pay(placed(next, refusedItem)) : [next, told]
  }
  const untold = untaken(state, event_id)
  if (untold !== state) return [untold, told]
  const { beside } = state.turn
  if (beside.some(({ id }) => id === event_id)) {
    return [withTurn(state, { beside: beside.filter(({ id }) => id !== event_id) }), told]
  }
  return isAsked ? inTurn([withTurn(state, { asked: null }), told], pay) : [state, told]
}

/** It was said on the line before, and a call that stands without us has heard it. */
function isThere({ part }: State, { message }: RealtimeError): boolean {
  return part.attached && /already exists/i.test(message)
}

function batchOf({ turn }: State, call: string): string | null {
  return turn.calls.find(({ id }) => id === call)?.batch ?? null
}

function waits({ turn }: State, call: string): boolean {
  return turn.calls.some(({ id, waits }) => id === call && waits)
}

/** Calls without an output, said or about to be. */
function unanswered({ conversation, turn }: State): readonly Call[] {
  return conversation.calls.filter(({ id }) => !turn.answered.includes(id))
}
