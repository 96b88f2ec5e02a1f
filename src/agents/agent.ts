import type { Prompt } from '../protocol/events.ts'
import { type Emitter, emitter } from '../session/emitter.ts'
import { type ForeignTool, toolsOf } from './agent-shapes.ts'
import type { RunContext } from './context.ts'
import { type HandoffTarget, handoffOf, requireDistinct } from './handoff.ts'
import type { HostedTool } from './hosted-tool.ts'
import type { McpServerLike } from './mcp.ts'
import { type FunctionTool, isFunctionTool, type ToolDetails } from './tool.ts'

export type Instructions<Context> =
  | string
  | ((context: RunContext<Context>, agent: RealtimeAgent<Context>) => string | Promise<string>)

export interface RealtimeAgentOptions<Context> {
  readonly name: string
  /** What the agent is to be and do; a function is asked at `connect()` and whenever the agent takes over. */
  readonly instructions?: Instructions<Context>
  readonly tools?: readonly (AgentTool<Context> | ForeignTool)[]
  /** Agents that this one may hand the conversation over to. */
  readonly handoffs?: readonly HandoffTarget<Context>[]
  /** Tells other agents' models when to hand over to this one. */
  readonly handoffDescription?: string
  /** The far end's voice for this agent. It cannot change once the agent has spoken. */
  readonly voice?: string
  /** A prompt that is kept at the provider. */
  readonly prompt?: Prompt
  /** MCP servers whose tools are this agent's: clients of `@modelcontextprotocol/sdk`, or what has their shape. */
  readonly mcpServers?: readonly McpServerLike[]
}

/** A tool that is run here, or one that the far end runs itself (`hostedMcpTool`). */
export type AgentTool<Context> = FunctionTool<Context> | HostedTool

/** What an agent tells of itself. A session tells the same, with the agent as the second argument. */
export interface RealtimeAgentEvents<Context> {
  readonly agent_handoff: [context: RunContext<Context>, to: RealtimeAgent<Context>]
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
 * One who speaks: a name, instructions, tools, and other agents to hand over to.
 *
 * `handoffs` may be filled after construction, so that two agents can hand over to each other.
 *
 * Tools, handoffs and agents of `@openai/agents` work as they are.
 *
 * @throws UserError when two of its tools have one name, or when one of them, or an agent to hand over to, wants what no
 * realtime session can do.
 */
export class RealtimeAgent<Context = unknown> {
  readonly name: string
  readonly instructions: Instructions<Context>
  readonly tools: readonly AgentTool<Context>[]
  handoffs: readonly HandoffTarget<Context>[]
  readonly handoffDescription: string
  readonly voice: string | undefined
  readonly prompt: Prompt | undefined
  readonly mcpServers: readonly McpServerLike[]
  readonly #events: Emitter<RealtimeAgentEvents<Context>>

  constructor(options: RealtimeAgentOptions<Context>) {
    const { name, instructions = '', tools = [], handoffs = [], handoffDescription = '', mcpServers = [] } = options
    requireDistinct(
      name,
      tools.filter((tool) => isFunctionTool(tool)),
      [],
    )
    this.name = name
    this.#events = emitter(`Agent '${name}'`)
    this.instructions = instructions
    this.tools = toolsOf(tools)
    for (const target of handoffs) handoffOf(target)
    this.handoffs = handoffs
    this.handoffDescription = handoffDescription
    this.voice = options.voice
    this.prompt = options.prompt
    this.mcpServers = mcpServers
  }

  on<Name extends keyof RealtimeAgentEvents<Context>>(
    name: Name,
    listener: (...args: RealtimeAgentEvents<Context>[Name]) => unknown,
  ): this {
    this.#events.on(name, listener)
    return this
  }

  /** Listens for the next one only. */
  once<Name extends keyof RealtimeAgentEvents<Context>>(
    name: Name,
    listener: (...args: RealtimeAgentEvents<Context>[Name]) => unknown,
  ): this {
    this.#events.once(name, listener)
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
