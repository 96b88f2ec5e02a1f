/** What most apps name. */
export { RealtimeAgent, type RealtimeAgentEvents, type RealtimeAgentOptions } from './agents/agent.ts'
export type { ApprovalItem } from './agents/approvals.ts'
export type { ErrorFormatter, ToolFailure } from './agents/calls.ts'
export type { RunContext } from './agents/context.ts'
export type { ApprovalRequest, RealtimeAudio, RealtimeSessionEvents, UnfinishedResponse } from './agents/events.ts'
export type {
  GuardrailResult,
  GuardrailSettings,
  GuardrailTripped,
  InputGuardrail,
  OutputGuardrail,
} from './agents/guardrail.ts'
export { type Handoff, type HandoffManners, type HandoffOptions, handoff } from './agents/handoff.ts'
export type { AvailableMcpTool } from './agents/hosted-mcp.ts'
export type { LimitReached, Limits } from './agents/limits.ts'
export type {
  FollowedMcpTools,
  FollowMcpToolsOptions,
  McpClientLike,
  McpListedTool,
  McpServerLike,
  McpToolsOptions,
  NamedMcpServerLike,
} from './agents/mcp.ts'
export type { RealtimeSessionOptions } from './agents/options.ts'
export type { Reply, ReplyEnd, ReplyOptions } from './agents/replies.ts'
export { ReplyError } from './agents/reply-error.ts'
export type { RealtimeSessionConfig } from './agents/role.ts'
export type { SavedSession } from './agents/saved.ts'
export type { JsonSchema, StandardSchema } from './agents/schema.ts'
export { RealtimeSession } from './agents/session.ts'
export type { SessionTransport } from './agents/session-transport.ts'
export {
  backgroundResult,
  type FunctionTool,
  type ToolCall,
  type ToolDetails,
  type ToolInputGuardrail,
  type ToolOptions,
  type ToolOutputGuardrail,
  tool,
} from './agents/tool.ts'
export type { Clock } from './protocol/clock.ts'
export { UserError } from './protocol/errors.ts'
export type * from './protocol/events.ts'
export { realClock } from './session/clock.ts'
export type {
  Origin,
  RealtimeContent,
  RealtimeItem,
  RealtimeItemInput,
  RealtimeMcpApprovalRequestItem,
  RealtimeMcpCallItem,
  RealtimeMessageItem,
  RealtimeToolCallItem,
  TranscriptStatus,
} from './session/history.ts'
export type { InterruptionOptions } from './session/interruption-options.ts'
export { type Media, MediaError, type MediaState, type MicrophoneState, type SessionAudio } from './session/media.ts'
export type {
  InterruptionMetrics,
  ResponseMetrics,
  ToolSpan,
  TurnLatency,
  TurnMetrics,
} from './session/metrics.ts'
export type { MicrophoneAudio, TraceEntry } from './session/observing.ts'
export type { Heard, MakeSpeaker, SoundingItem, Speaker, SpeakerListener } from './session/speaker.ts'
export type { Link, State } from './session/state.ts'
export type { TurnPolicy } from './session/talk.ts'
export {
  type Cause,
  type Connection,
  ConnectionError,
  type ConnectOptions,
  type Dial,
  type Listener,
  type Transport,
} from './session/transport.ts'
export type { SessionUsage } from './session/usage.ts'
export type { RealtimeUserInput } from './session/user-input.ts'
export {
  OpenAIRealtimeWebRTC,
  type OpenAIRealtimeWebRTCEvents,
  type OpenAIRealtimeWebRTCOptions,
} from './transports/openai-webrtc.ts'
export {
  OpenAIRealtimeWebSocket,
  type OpenAIRealtimeWebSocketEvents,
  type OpenAIRealtimeWebSocketOptions,
} from './transports/openai-websocket.ts'
