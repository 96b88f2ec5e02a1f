/** Parley: realtime voice agents. Runs in browsers, Node, workers, Deno and Bun; it has no dependency but the platform. */
export { RealtimeAgent, type RealtimeAgentEvents, type RealtimeAgentOptions } from './agents/agent.ts'
export type { RealtimeSessionConfig } from './agents/config.ts'
export type { RunContext } from './agents/context.ts'
export type { RealtimeAudio, RealtimeSessionEvents } from './agents/events.ts'
export type { RealtimeContent, RealtimeItem, RealtimeMessageItem, RealtimeToolCallItem } from './agents/history.ts'
export type { JsonSchema, StandardSchema } from './agents/schema.ts'
export { RealtimeSession, type RealtimeSessionOptions, type RealtimeUserInput } from './agents/session.ts'
export { type FunctionTool, type ToolDetails, type ToolOptions, tool } from './agents/tool.ts'
export type { Clock } from './protocol/clock.ts'
export { UserError } from './protocol/errors.ts'
export type * from './protocol/events.ts'
export { realClock } from './session/clock.ts'
export { type PacedSpeakerOptions, pacedSpeaker } from './session/paced-speaker.ts'
export type { Heard, MakeSpeaker, Speaker } from './session/speaker.ts'
export type { Link, State } from './session/state.ts'
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
export {
  OpenAIRealtimeWebSocket,
  type OpenAIRealtimeWebSocketEvents,
  type OpenAIRealtimeWebSocketOptions,
} from './transports/openai-websocket.ts'
