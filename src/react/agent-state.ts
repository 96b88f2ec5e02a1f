import type { State } from '../session/state.ts'
import type { Store } from './store.ts'

/**
 * What the agent does. `idle`: there is no line, or not yet. `listening`: it is the user's turn. `thinking`: an answer was
 * asked for or is being made, or a tool runs. `speaking`: it is heard. `reconnecting`: the line was lost.
 */
export type AgentState = 'idle' | 'listening' | 'thinking' | 'speaking' | 'reconnecting'

export function agentStateOf({ status, session }: Store): AgentState {
  if (status === 'reconnecting') return status
  return status === 'connected' ? atWork(session.state) : 'idle'
}

function atWork({ playback, turn, conversation }: State): AgentState {
  if (playback.item) return 'speaking'
  if (turn.hearing) return 'listening'
  const isBusy = turn.asked || turn.given || turn.owed.length > 0
  const calls = () => conversation.calls.some(({ id }) => !turn.answered.includes(id))
  return isBusy || calls() ? 'thinking' : 'listening'
}
