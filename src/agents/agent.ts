import { UserError } from '../protocol/errors.ts'
import { type Emitter, emitter } from '../session/emitter.ts'
import type { RunContext } from './context.ts'
import type { FunctionTool, ToolDetails } from './tool.ts'

export type Instructions<Context> =
  | string
  | ((context: RunContext<Context>, agent: RealtimeAgent<Context>) => string | Promise<string>)

export interface RealtimeAgentOptions<Context> {
  readonly name: string
  /** What the agent is to be and do; a function is asked at each connection. */
  readonly instructions?: Instructions<Context>
  readonly tools?: readonly FunctionTool<Context>[]
  /** The far end's voice for this agent. It cannot change once the agent has spoken. */
  readonly voice?: string
}

/** What an agent tells of itself. A session tells the same, with the agent as the second argument. */
export interface RealtimeAgentEvents<Context> {
  readonly agent_start: [context: RunContext<Context>, agent: RealtimeAgent<Context>]
  readonly agent_end: [context: RunContext<Context>, output: string]
  readonly agent_tool_start: [
    context: RunContext<Context>,
    tool: FunctionTool<Context>,
    details: Pick<ToolDetails, 'toolCall'>,
  ]
  readonly agent_tool_end: [
    context: RunContext<Context>,
    tool: FunctionTool<Context>,
    result: string,
    details: Pick<ToolDetails, 'toolCall'>,
  ]
}

/**
 * One who speaks: a name, instructions and tools.
 *
 * @throws UserError when two of its tools have one name.
 */
export class RealtimeAgent<Context = unknown> {
  readonly name: string
  readonly instructions: Instructions<Context>
  readonly tools: readonly FunctionTool<Context>[]
  readonly voice: string | undefined
  readonly #events: Emitter<RealtimeAgentEvents<Context>>

  constructor({ name, instructions = '', tools = [], voice }: RealtimeAgentOptions<Context>) {
    const twice = tools.find((tool, n) => tools.findIndex((other) => other.name === tool.name) !== n)
    if (twice) throw new UserError(`Agent '${name}' has two tools called '${twice.name}'. Rename one of them.`)
    this.name = name
    this.#events = emitter(`Agent '${name}'`)
    this.instructions = instructions
    this.tools = tools
    this.voice = voice
  }

  on<Name extends keyof RealtimeAgentEvents<Context>>(
    name: Name,
    listener: (...args: RealtimeAgentEvents<Context>[Name]) => unknown,
  ): this {
    this.#events.on(name, listener)
    return this
  }

  off<Name extends keyof RealtimeAgentEvents<Context>>(
    name: Name,
    listener: (...args: RealtimeAgentEvents<Context>[Name]) => unknown,
  ): this {
    this.#events.off(name, listener)
    return this
  }

  emit<Name extends keyof RealtimeAgentEvents<Context>>(name: Name, ...args: RealtimeAgentEvents<Context>[Name]): void {
    this.#events.emit(name, ...args)
  }
}
