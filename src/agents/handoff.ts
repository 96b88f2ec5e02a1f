import { UserError } from '../protocol/errors.ts'
import type { RealtimeItem } from '../session/history.ts'
import type { RealtimeAgent } from './agent.ts'
import { type AnyAgent, agentOf, type ForeignHandoff } from './agent-shapes.ts'
import type { RunContext } from './context.ts'
import { type ArgumentsOf, type JsonSchema, jsonSchemaOf, type StandardSchema, validate } from './schema.ts'
import { type NamedAgent, parseArguments, requireName } from './tool.ts'

/** How the next agent takes over. */
export interface HandoffManners {
  /**
   * The next agent's first turn: `continue` (default) answers what the user said, `introduce` says who it is first,
   * `wait` says nothing until the user speaks.
   */
  readonly firstTurn?: 'continue' | 'introduce' | 'wait'
  /**
   * A voice cannot change once it was heard. Where the next agent has another: `keep` goes on with the voice of before,
   * `new-session` begins a new session with the far end and tells it the conversation. Default: the session's
   * `voiceChange`; where that is not given either, the handoff fails and says so.
   */
  readonly voiceChange?: 'keep' | 'new-session'
  /** What the next agent is to know of the conversation. Default: all of it. */
  readonly inputFilter?: (history: readonly RealtimeItem[]) => readonly RealtimeItem[]
}

/** A handoff as an agent holds it. Those of other SDKs that have this shape work as they are. */
export interface Handoff<Context = unknown> extends HandoffManners {
  readonly agent: RealtimeAgent<Context>
  readonly agentName: string
  readonly toolName: string
  readonly toolDescription: string
  /** Gives the agent that takes over. Throws what the model is told when there is no handing over. */
  onInvokeHandoff(context: RunContext<Context>, input: string): RealtimeAgent<Context> | Promise<RealtimeAgent<Context>>
  getHandoffAsFunctionTool(): {
    readonly type: 'function'
    readonly name: string
    readonly description: string
    readonly parameters: Record<string, unknown>
    readonly strict?: boolean
  }
  isEnabled?(args: { readonly runContext: RunContext<Context>; readonly agent: NamedAgent }): boolean | Promise<boolean>
}

export interface HandoffOptions<Parameters, Context> extends HandoffManners {
  /** Default: `transfer_to_` and the agent's name. */
  readonly toolName?: string
  readonly toolDescription?: string
  /** What the model has to give with the handoff: a Standard Schema, or a JSON Schema. */
  readonly inputType?: Parameters
  /** Called before the handoff, with the model's input where `inputType` is given. What it throws stops the handoff. */
  readonly onHandoff?: (context: RunContext<Context>, input: ArgumentsOf<Parameters>) => unknown
  readonly isEnabled?: boolean | NonNullable<Handoff<Context>['isEnabled']>
}

const noInput = { type: 'object', properties: {}, required: [], additionalProperties: false } as const

/**
 * Lets the model hand the conversation over to an agent.
 *
 * @throws UserError when the tool's name is not one that the protocol takes, when no JSON Schema can be made of
 * `inputType`, or when the agent wants what no realtime session can do.
 */
export function handoff<Context = unknown, const Parameters extends StandardSchema | JsonSchema = JsonSchema>(
  to: AnyAgent<Context>,
  options: HandoffOptions<Parameters, Context> = {},
): Handoff<Context> {
  const agent = agentOf(to)
  const { onHandoff, inputType, isEnabled, toolName = nameFor(agent.name), ...manners } = options
  requireName(toolName)
  const schema: StandardSchema | JsonSchema = inputType ?? noInput
  const parameters = jsonSchemaOf(schema, toolName)
  const description = manners.toolDescription ?? describe(agent)
  return {
    ...manners,
    agent,
    agentName: agent.name,
    toolName,
    toolDescription: description,
    ...(isEnabled === undefined ? {} : { isEnabled: typeof isEnabled === 'boolean' ? () => isEnabled : isEnabled }),
    async onInvokeHandoff(context, input) {
      const given = inputType ? await validate(schema, parseArguments(input)) : {}
      await onHandoff?.(context, given as ArgumentsOf<Parameters>)
      return agent
    },
    getHandoffAsFunctionTool: () => ({ type: 'function', name: toolName, description, parameters, strict: true }),
  }
}

function nameFor(name: string): string {
  return `transfer_to_${name}`.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64)
}

function describe<Context>({ name, handoffDescription }: RealtimeAgent<Context>): string {
  return `Handoff to the ${name} agent to handle the request. ${handoffDescription ?? ''}`.trim()
}

/** What the model is told when the conversation was handed over. */
export function transferMessage<Context>({ name }: RealtimeAgent<Context>): string {
  return JSON.stringify({ assistant: name })
}

/** What an agent may hold in `handoffs`: those of `@openai/agents` work as they are. */
export type HandoffTarget<Context> = AnyAgent<Context> | Handoff<Context> | ForeignHandoff

/**
 * An agent stands for a handoff to it.
 *
 * @throws UserError when the agent wants what no realtime session can do.
 */
export function handoffOf<Context>(target: HandoffTarget<Context>): Handoff<Context> {
  if (!('getHandoffAsFunctionTool' in target)) return handoff(target)
  const it = target as Handoff<Context>
  agentOf(it.agent)
  return it
}

/** @throws UserError when two of an agent's tools and handoffs have one name. */
export function requireDistinct(
  agent: string,
  tools: readonly { readonly name: string }[],
  handoffs: readonly { readonly toolName: string }[],
): void {
  const names = [...tools.map(({ name }) => name), ...handoffs.map(({ toolName }) => toolName)]
  const twice = names.find((name, n) => names.indexOf(name) !== n)
  if (twice) throw new UserError(`Agent '${agent}' has two tools called '${twice}'. Rename one of them.`)
}
