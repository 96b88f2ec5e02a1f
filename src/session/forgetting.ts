/** What is known of calls and items goes with them: a long call remembers what is open, and what still stands. */
import { find } from '../conversation/order.ts'
import { type State, type Step, withTurn } from './state.ts'

export function tidied(before: State, [after, effects]: Step): Step {
  const [was, is] = [before.conversation, after.conversation]
  const answered = is.calls.length < was.calls.length ? withoutCalls(after) : after
  return [is.items.length < was.items.length ? withoutItems(answered) : answered, effects]
}

/** A call whose output stands in the conversation is answered there: its item told again opens no other. */
function withoutCalls(state: State): State {
  const open = new Set(state.conversation.calls.map(({ id }) => id))
  const { calls, answered } = state.turn
  return withTurn(state, {
    calls: calls.filter(({ id }) => open.has(id)),
    answered: answered.filter((id) => open.has(id)),
  })
}

function withoutItems(state: State): State {
  const { conversation, playback } = state
  const stands = (id: string) => find(conversation.items, id) >= 0
  const cuts = Object.fromEntries(Object.entries(playback.cuts).filter(([id]) => stands(id)))
  const wordless = new Set([...conversation.wordless].filter(stands))
  return { ...state, conversation: { ...conversation, wordless }, playback: { ...playback, cuts } }
}
