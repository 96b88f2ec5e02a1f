/** What was made with `@openai/agents`, taken by its shape: tools, handoffs, agents, guardrails. Nothing of it is imported. */
import { UserError } from '../protocol/errors.ts'
import type { Prompt } from '../protocol/events.ts'
import type { RealtimeItem } from '../session/history.ts'
import type { RealtimeAgent, RealtimeAgentEvents } from './agent.ts'
import type { DefinedGuardrail } from './agent-shapes.ts'
import type { Approvals } from './approvals.ts'
import type { RunContext } from './context.ts'
import type { GuardrailResult, OutputGuardrail } from './guardrail.ts'
import type { Handoff } from './handoff.ts'
import type { FunctionTool } from './tool.ts'

/** Made with their `tool()`: it keeps its time by itself, and refuses arguments that are no JSON. */
export function isForeign(tool: object): boolean {
  return 'timeoutBehavior' in tool
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Another agent as a tool begins a run of its own, which takes the app's value where others take what they run with. */
export function contextFor<Context>(tool: FunctionTool<Context>, context: RunContext<Context>): RunContext<Context> {
  return isForeign(tool) && 'on' in tool ? (context.context as RunContext<Context>) : context
}

/** Their tools may give parts of text, images and files. */
export async function partsInWords(result: unknown): Promise<unknown> {
  const parts = [result].flat()
  const isPart = (part: unknown) =>
    ['text', 'image', 'file'].includes((part as { type: string } | null)?.type as string)
  if (!parts.length || !parts.every(isPart)) return result
  const { outputOf } = await import('./mcp-output.ts')
  return outputOf(parts, false)
}

/** Their agents ask their MCP servers themselves, each in its own manner. */
export function mcpToolsOf<Context>(
  agent: RealtimeAgent<Context>,
  context: RunContext<Context>,
): Promise<readonly FunctionTool<Context>[]> | undefined {
  return (agent as { getMcpTools?: CallableFunction }).getMcpTools?.(context)
}

/** Their prompt calls `promptId` what the wire calls `id`, and may be a function. */
export async function promptOf<Context>(
  agent: RealtimeAgent<Context>,
  context: RunContext<Context>,
): Promise<Prompt | undefined> {
  const given: unknown = agent.prompt
  const prompt = typeof given === 'function' ? await given(context, agent) : given
  if (!prompt?.promptId) return prompt
  const { promptId: id, ...rest } = prompt
  return { id, ...rest }
}

/**
 * What a handoff lets the next agent know; null: all. Their filters take the conversation in their own spelling, and what
 * they let through is known by its id.
 */
export function filtered<Context>(
  handoff: Handoff<Context>,
  history: readonly RealtimeItem[],
  runContext: RunContext<Context>,
): readonly RealtimeItem[] | null {
  const { inputFilter: filter, toolName } = handoff
  if (!filter) return null
  if (!('inputJsonSchema' in handoff)) return filter(history)
  const inputHistory = history.flatMap(asInput)
  const given = { inputHistory, preHandoffItems: [], newItems: [], runContext }
  const { inputHistory: kept } = (filter as CallableFunction)(given)
  const ids = new Set(Array.isArray(kept) ? kept.map(({ id }) => id) : [null])
  const known = history.filter(({ itemId }) => ids.has(itemId))
  if (known.length === ids.size) return known
  throw new UserError(`The inputFilter of '${toolName}' makes items of its own. Here it can only leave some out.`)
}

type Input = { readonly id: string; readonly type: string; readonly output?: string | null }

function asInput({ itemId: id, ...item }: RealtimeItem): readonly Input[] {
  if (item.type === 'message') return [{ id, ...item }]
  if (item.type !== 'function_call') return [{ id, ...item, type: 'hosted_tool_call' }]
  const { output, ...call } = item
  return [{ id, ...call }, ...(output === null ? [] : [{ id, ...call, type: 'function_call_result', output }])]
}

/** Tells an agent's own listeners. An agent of theirs throws what they throw. */
export function tellAgent<Context, Name extends keyof RealtimeAgentEvents<Context>>(
  agent: RealtimeAgent<Context>,
  failed: (error: unknown) => void,
  name: Name,
  ...args: RealtimeAgentEvents<Context>[Name]
): void {
  try {
    agent.emit?.(name, ...args)
  } catch (cause) {
    failed(new Error(`A listener of '${name}' failed.`, { cause }))
  }
}

/** Theirs wraps what it found, and has the function itself beside that. */
export function guardrailOf<Guardrail extends OutputGuardrail<never>>(
  guardrail: Guardrail | DefinedGuardrail,
): Guardrail | OutputGuardrail {
  if (!('guardrailFunction' in guardrail)) return guardrail
  const { guardrailFunction: execute } = guardrail as DefinedGuardrail
  return { ...guardrail, execute: execute as (data: unknown) => GuardrailResult }
}

/** What their tools may ask of a run context besides. */
export function approving(asked: Approvals): object {
  type Item = { readonly callId: string; readonly rawItem?: { readonly callId: string } }
  const callIdOf = ({ rawItem, callId }: Item) => ({ callId: rawItem?.callId ?? callId })
  return {
    isToolApproved: ({ callId }: Item) => asked.verdictOf(callId)?.approved,
    getRejectionMessage: (_name: string, callId: string) => asked.verdictOf(callId)?.message,
    approveTool: (item: Item, { alwaysApprove = false } = {}) =>
      asked.decide(callIdOf(item), { approved: true }, alwaysApprove),
    rejectTool: (item: Item, { alwaysReject = false, message }: { alwaysReject?: boolean; message?: string } = {}) =>
      asked.decide(callIdOf(item), { approved: false, ...(message === undefined ? {} : { message }) }, alwaysReject),
  }
}
