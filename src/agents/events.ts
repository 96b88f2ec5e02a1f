import type { AudioDelta, McpCall, Response, ServerEvent } from '../protocol/events.ts'
import type { RealtimeItem } from '../session/history.ts'
import type { TurnMetrics } from '../session/metrics.ts'
import type { Link, Unfinished } from '../session/state.ts'
import type { RealtimeAgent } from './agent.ts'
import type { ApprovalItem } from './approvals.ts'
import type { RunContext } from './context.ts'
import type { GuardrailTripped } from './guardrail.ts'
import type { AvailableMcpTool } from './hosted-mcp.ts'
import type { LimitReached } from './limits.ts'
import type { FunctionTool, ToolDetails } from './tool.ts'

type ToolCall = Pick<ToolDetails, 'toolCall'>

/** What a `RealtimeSession` tells, and the arguments that its listeners get. */
export interface RealtimeSessionEvents<Context> {
  readonly agent_start: [context: RunContext<Context>, agent: RealtimeAgent<Context>]
  readonly agent_end: [context: RunContext<Context>, agent: RealtimeAgent<Context>, text: string]
  /** Another agent has taken over: the far end has accepted it. */
  readonly agent_handoff: [context: RunContext<Context>, from: RealtimeAgent<Context>, to: RealtimeAgent<Context>]
  readonly agent_tool_start: [
    context: RunContext<Context>,
    agent: RealtimeAgent<Context>,
    tool: FunctionTool<Context>,
    details: ToolCall,
  ]
  readonly agent_tool_end: [
    context: RunContext<Context>,
    agent: RealtimeAgent<Context>,
    tool: FunctionTool<Context>,
    result: string,
    details: ToolCall,
  ]
  /** Every event of the far end, as the wire has it; one of audio has its bytes besides, in `audio`. */
  readonly transport_event: [event: ServerEvent | AudioDelta]
  /** The agent begins to be heard. */
  readonly audio_start: [context: RunContext<Context>, agent: RealtimeAgent<Context>]
  /** Everything that the agent said has been heard, or was cut off. */
  readonly audio_stopped: [context: RunContext<Context>, agent: RealtimeAgent<Context>]
  /** The agent's audio as it comes, in the session's output format: faster than it is to be played. */
  readonly audio: [audio: RealtimeAudio]
  /** The agent was cut off while it was heard: drop what is queued. */
  readonly audio_interrupted: [context: RunContext<Context>, agent: RealtimeAgent<Context>]
  /** A guardrail tripped: the response was cut, if it could still be. */
  readonly guardrail_tripped: [
    context: RunContext<Context>,
    agent: RealtimeAgent<Context>,
    error: GuardrailTripped,
    details: { readonly itemId: string },
  ]
  /** A call waits for `session.approve()` or `session.reject()`; the conversation goes on meanwhile. */
  readonly tool_approval_requested: [
    context: RunContext<Context>,
    agent: RealtimeAgent<Context>,
    request: ApprovalRequest<Context>,
  ]
  readonly mcp_tool_call_completed: [context: RunContext<Context>, agent: RealtimeAgent<Context>, call: McpCall]
  /** The tools that the far end's MCP servers offer. */
  readonly mcp_tools_changed: [tools: readonly AvailableMcpTool[]]
  /** A response that did not complete, or that completed and could not be heard. */
  readonly response_unfinished: [
    context: RunContext<Context>,
    agent: RealtimeAgent<Context>,
    details: UnfinishedResponse,
  ]
  /** A limit is near (`isWarning`), or was reached: then the agent says goodbye, and the session ends. */
  readonly limit_reached: [limit: LimitReached]
  /** In `holdback`: for how long an answer's first sound was held, in ms. */
  readonly audio_held: [details: { readonly ms: number; readonly itemId: string }]
  /** Somebody may be interrupting: the agent waits (`interruption: { mode: 'confirm' }`). Pause what you play. */
  readonly audio_paused: [context: RunContext<Context>, agent: RealtimeAgent<Context>]
  /** It was no interruption: the agent goes on from the same sample. */
  readonly audio_resumed: [context: RunContext<Context>, agent: RealtimeAgent<Context>]
  /**
   * A turn is over: it was answered and heard out, or cut. How long each part of it took. Listen before `connect()`: a
   * turn that is under way when the first listener comes is not measured.
   */
  readonly metrics: [turn: TurnMetrics]
  readonly history_updated: [history: readonly RealtimeItem[]]
  readonly history_added: [item: RealtimeItem]
  /** The far end refused something, a response failed, a tool failed, a listener threw. The session goes on. */
  readonly error: [error: { readonly type: 'error'; readonly error: unknown }]
  /** The line: dialing, joining, live, waiting to dial again, or closed; with the cause. */
  readonly connection_change: [link: Link]
}

export interface ApprovalRequest<Context> {
  readonly type: ApprovalItem['type']
  /** Null for a tool that the far end runs itself. */
  readonly tool: FunctionTool<Context> | null
  readonly approvalItem: ApprovalItem
}

export interface UnfinishedResponse {
  readonly responseId: string
  readonly why: Unfinished
  /** It was asked for again. */
  readonly isRetried: boolean
  readonly response: Response
}

export interface RealtimeAudio {
  readonly type: 'audio'
  readonly data: ArrayBuffer
  readonly responseId: string
  readonly itemId: string
}
