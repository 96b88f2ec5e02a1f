/** What was made with `@openai/agents`, by its shape; what no realtime session can do is refused when it is given. */
import { UserError } from '../protocol/errors.ts'
import type { RealtimeAgent } from './agent.ts'
import type { Handoff } from './handoff.ts'
import type { HostedToolLike } from './hosted-tool.ts'

// What their functions are given has the main fields of what they ask for, and is not of their classes: so their
// parameters are not compared.

/** A tool of `tool()`, or of an agent's `asTool()`. */
export interface ForeignTool {
  readonly type: 'function'
  readonly name: string
  readonly description: string
  readonly parameters: object
  readonly strict: boolean
  readonly invoke: CallableFunction
  readonly needsApproval: CallableFunction
  readonly isEnabled: CallableFunction
}

/** A handoff of `handoff()`. */
export interface ForeignHandoff {
  readonly agentName: string
  readonly toolName: string
  readonly toolDescription: string
  readonly inputJsonSchema: object
  readonly strictJsonSchema: boolean
  readonly onInvokeHandoff: CallableFunction
  readonly isEnabled: CallableFunction
  readonly inputFilter?: CallableFunction | undefined
  getHandoffAsFunctionTool(): object
}

/** An `Agent`. Its model is the session's; what the Realtime API cannot do, it may not ask for. */
export interface ForeignAgent {
  readonly name: string
  readonly instructions: string | CallableFunction
  readonly handoffDescription?: string | undefined
  readonly tools: readonly { readonly type: string }[]
  readonly handoffs: readonly unknown[]
  readonly mcpServers: readonly unknown[]
  readonly prompt?: unknown
  readonly outputType: unknown
  readonly inputGuardrails: readonly unknown[]
  readonly outputGuardrails: readonly unknown[]
  readonly toolUseBehavior: unknown
}

/** A guardrail of `defineOutputGuardrail()` or `defineInputGuardrail()`. */
export interface DefinedGuardrail {
  readonly name: string
  readonly guardrailFunction: CallableFunction
}

export type AnyAgent<Context> = RealtimeAgent<Context> | ForeignAgent

/** @throws UserError when the agent wants what no realtime session can do. */
export function agentOf<Context>(agent: AnyAgent<Context>, seen: Set<unknown> = new Set()): RealtimeAgent<Context> {
  if (seen.has(agent) || !('outputType' in agent)) return agent as RealtimeAgent<Context>
  seen.add(agent)
  const { name, outputType, inputGuardrails, outputGuardrails, toolUseBehavior, handoffs } = agent
  toolsOf(agent.tools)
  if (inputGuardrails.length || outputGuardrails.length)
    throw new UserError(
      `Agent '${name}' has guardrails of its own. Give them to the session: they hold for all agents.`,
    )
  if (outputType !== 'text')
    throw new UserError(`Agent '${name}' has an outputType, but one who speaks gives text alone.`)
  if (toolUseBehavior !== 'run_llm_again')
    throw new UserError(`Agent '${name}' has a toolUseBehavior, which is none of a realtime session.`)
  for (const to of handoffs as readonly (ForeignAgent | Handoff)[]) agentOf('agent' in to ? to.agent : to, seen)
  return agent as unknown as RealtimeAgent<Context>
}

/** @throws UserError when a tool is none that the Realtime API has. */
export function toolsOf<Tool>(tools: readonly { readonly type: string }[]): readonly Tool[] {
  for (const tool of tools as readonly Partial<HostedToolLike>[]) {
    if ([tool.type, tool.providerData?.['type']].some((type) => type === 'function' || type === 'mcp')) continue
    throw new UserError(
      `The tool '${tool.name}' is none that the Realtime API has: it takes functions and MCP servers.`,
    )
  }
  return tools as readonly Tool[]
}
