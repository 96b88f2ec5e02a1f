/** The model hands the conversation over to another agent. */

import type { RealtimeItem } from '../session/history.ts'
import { type Ask, plain } from '../session/state.ts'
import type { RealtimeAgent } from './agent.ts'
import type { Told } from './calls.ts'
import type { Casting } from './casting.ts'
import type { RunContext } from './context.ts'
import { type Handoff, type HandoffManners, transferMessage } from './handoff.ts'
import type { Role } from './role.ts'
import { filtered } from './shapes.ts'
import type { ToolCall } from './tool.ts'

export interface TransfersOptions<Context> {
  readonly cast: Casting<Context>
  readonly context: RunContext<Context>
  readonly history: () => readonly RealtimeItem[]
  readonly become: (agent: RealtimeAgent<Context>, manners: HandoffManners) => Promise<Role<Context>>
  readonly edit: (history: readonly RealtimeItem[]) => void
}

/** One after the other: of two handoffs in one breath, the first is made. Rejects with what the model is told when none is. */
export function transfers<Context>(
  options: TransfersOptions<Context>,
): (handoff: Handoff<Context>, call: ToolCall, from: Role<Context>, signal: AbortSignal) => Promise<Told> {
  const { cast, context, history } = options
  let last: Promise<unknown> = Promise.resolve()

  async function handOver(handoff: Handoff<Context>, call: ToolCall, from: Role<Context>): Promise<Told> {
    const { agent: current } = cast.role
    if (current !== from.agent) throw new Error(`The conversation was handed over to '${current.name}' already.`)
    const agent = await handoff.onInvokeHandoff(context, call.arguments)
    const wanted = filtered(handoff, history(), context)
    const role = await options.become(agent, handoff)
    if (wanted) options.edit(withRecent(wanted, history()))
    return { output: transferMessage(agent), ask: firstTurn(handoff, role) }
  }

  return (handoff, call, from, signal) => {
    const mine = last.then(() => handOver(handoff, call, from))
    // One that never ends holds up the others until it is cancelled.
    const cancelled = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    last = Promise.race([mine.catch(() => {}), cancelled])
    return mine
  }
}

/** What the user said last, and what came of it, the next agent always knows. */
function withRecent(wanted: readonly RealtimeItem[], all: readonly RealtimeItem[]): readonly RealtimeItem[] {
  const lastOfUser = all.findLastIndex((item) => item.type === 'message' && item.role === 'user')
  const recent = all.slice(Math.max(0, lastOfUser))
  return [...wanted.filter(({ itemId }) => !recent.some((item) => item.itemId === itemId)), ...recent]
}

function firstTurn<Context>({ firstTurn = 'continue' }: Handoff<Context>, role: Role<Context>): Ask | null {
  if (firstTurn === 'wait') return null
  if (firstTurn === 'continue') return { ...plain, when: 'batch' }
  const instructions = `${role.instructions}\n\nSay in one sentence who you are. Then go on with what the user wants.`
  return { id: null, params: { instructions }, when: 'batch' }
}
