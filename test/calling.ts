/** Calls of one agent's tools, in the world's time: what the model is told, what is asked for then, and what the app hears. */

import { RealtimeAgent } from '../src/agents/agent.ts'
import type { ApprovalItem, Verdict } from '../src/agents/approvals.ts'
import { type Calls, type CallsOptions, calls } from '../src/agents/calls.ts'
import type { RunContext } from '../src/agents/context.ts'
import type { FunctionTool } from '../src/agents/tool.ts'
import type { Ask, Call } from '../src/session/state.ts'
import { noUsage } from '../src/session/usage.ts'
import { type World, world } from '../src/testing/world.ts'

export interface Answered {
  readonly call_id: string
  readonly output: string
  readonly ask: Ask | null
}

export interface Calling {
  readonly world: World
  readonly calls: Calls<unknown>
  readonly answered: readonly Answered[]
  readonly errors: readonly unknown[]
  readonly log: readonly string[]
  /** The model calls the tool; settles when it was answered, or at rest. */
  call(name: string, args?: string, id?: string): Promise<Answered | undefined>
}

export const context: RunContext = { context: { user: 'u' }, history: [], usage: noUsage }

export function callOf(name: string, args = '{}', id = 'c'): Call {
  return { id: `item_${id}`, type: 'function_call', call_id: id, name, arguments: args, status: 'completed' }
}

export function calling(
  tools: readonly FunctionTool[],
  {
    verdict = async () => ({ approved: true }),
    ...more
  }: Partial<CallsOptions<unknown>> & { readonly verdict?: (item: ApprovalItem) => Promise<Verdict> } = {},
): Calling {
  const w = world(1)
  const answered: Answered[] = []
  const errors: unknown[] = []
  const log: string[] = []
  const agent = new RealtimeAgent({ name: 'Clerk' })
  const role = { agent, instructions: '', tools, handoffs: [], exposed: [] }
  const made = calls<unknown>({
    clock: w.clock,
    context,
    roleOf: () => role,
    hasSpoken: () => false,
    approve: (item) => verdict(item),
    transfer: async () => ({ output: 'transferred', ask: null }),
    answer: ({ call_id }, output, ask) => answered.push({ call_id, output, ask }),
    started: ({ name }) => log.push(`start ${name}`),
    ended: ({ name }, output) => log.push(`end ${name}: ${output}`),
    failed: (error) => errors.push(error),
    ...more,
  })
  return {
    world: w,
    calls: made,
    answered,
    errors,
    log,
    async call(name, args, id) {
      made.run(callOf(name, args, id), 'r')
      await w.settle(w.now() + 1)
      return answered.at(-1)
    },
  }
}
