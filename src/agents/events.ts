import type { AudioDelta, ServerEvent } from '../protocol/events.ts'
import type { Link } from '../session/state.ts'
import type { RealtimeAgent } from './agent.ts'
import type { RunContext } from './context.ts'
import type { RealtimeItem } from './history.ts'
import type { FunctionTool, ToolDetails } from './tool.ts'

type ToolCall = Pick<ToolDetails, 'toolCall'>

/** What a `RealtimeSession` tells, and the arguments that its listeners get. */
export interface RealtimeSessionEvents<Context> {
  readonly agent_start: [context: RunContext<Context>, agent: RealtimeAgent<Context>]
  readonly agent_end: [context: RunContext<Context>, agent: RealtimeAgent<Context>, text: string]
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
  readonly history_updated: [history: readonly RealtimeItem[]]
  readonly history_added: [item: RealtimeItem]
  /** The far end refused something, a response failed, a tool failed, a listener threw. The session goes on. */
  readonly error: [error: { readonly type: 'error'; readonly error: unknown }]
  /** The line: dialing, joining, live, waiting to dial again, or closed; with the cause. */
  readonly connection_change: [link: Link]
}

export interface RealtimeAudio {
  readonly type: 'audio'
  readonly data: ArrayBuffer
  readonly responseId: string
  readonly itemId: string
}
