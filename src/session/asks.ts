/** Responses that are wanted: how they are named, kept in a row, and asked for. */
import { isAudio } from '../protocol/audio.ts'
import { type Ask, type Effect, type Input, type State, transmit, withTurn } from './state.ts'

/** The key of a response's metadata under which its name stands. */
export const nameKey = 'parley_reply'

export function isPlain({ id, params, uninterruptible }: Ask): boolean {
  return id === null && !uninterruptible && Object.keys(params).length === 0
}

/** One with wishes of its own has a name, by which its response is found. */
export function named(ask: Ask, state: State): readonly [State, Ask] {
  if (ask.id !== null || isPlain(ask)) return [state, ask]
  return [
    { ...state, ids: state.ids + 1 },
    { ...ask, id: `ask_${state.ids}` },
  ]
}

/** Of plain ones, which any response answers, one of a kind is enough. */
export function owing(state: State, ask: Ask, first = false): State {
  const { owed } = state.turn
  const isSame = (other: Ask) => isPlain(ask) && isPlain(other) && ask.when === other.when && ask.batch === other.batch
  // One that does not depend on a spoken turn stands for one that does, and not the other way about.
  if (!first && owed.some((other) => isSame(other) && (!other.turn || ask.turn))) return state
  const others = owed.filter((other) => !isSame(other))
  return withTurn(state, { owed: first ? [ask, ...others] : [...others, ask] })
}

/** Not every far end says that a response is beside the conversation: one that has the name of such an ask is. */
export function besideIn(input: Input, { turn, conversation }: State): Input {
  if (input.type !== 'received' || isAudio(input.event)) return input
  const { event } = input
  if (event.type !== 'response.created' && event.type !== 'response.done') return input
  const { id, conversation_id, metadata } = event.response
  if (conversation_id !== undefined) return input
  const isBeside =
    turn.beside.some((ask) => ask.id === metadata?.[nameKey]) ||
    conversation.responses.some((one) => one.id === id && one.conversation_id === null)
  return isBeside ? { ...input, event: { ...event, response: { ...event.response, conversation_id: null } } } : input
}

/** The event that asks for it. */
export function create({ id, params }: Ask, event_id: string): Effect {
  const metadata = id === null ? {} : { metadata: { ...params.metadata, [nameKey]: id } }
  const response = { ...params, ...metadata }
  return transmit({
    type: 'response.create',
    event_id,
    ...(Object.keys(response).length ? { response } : {}),
  })
}
