/** A misspelt event name or config key is a compile error, and listeners get what is written. Only types: `tsc` is the test. */
import {
  type ApprovalRequest,
  type FunctionTool,
  type GuardrailTripped,
  handoff,
  type LimitReached,
  type Link,
  OpenAIRealtimeWebSocket,
  RealtimeAgent,
  type RealtimeAudio,
  type RealtimeItem,
  RealtimeSession,
  type RealtimeSessionEvents,
  type RunContext,
  type ToolCall,
  type TurnMetrics,
  tool,
  type UnfinishedResponse,
} from 'parley-voice'

interface Shop {
  readonly orders: Readonly<Record<string, string>>
}
const context: Shop = { orders: {} }
const agent = new RealtimeAgent<Shop>({ name: 'Clerk' })
const session = new RealtimeSession(agent, { context })
const transport = new OpenAIRealtimeWebSocket()
const nothing = (): void => {}

// ── events: each by its name, with its arguments ────────────────────────────────────────────────────────────────────

type By = RealtimeAgent<Shop>
type In = RunContext<Shop>

session.on('agent_start', (...args) => exactly<[In, By]>()(bare(args)))
session.on('agent_end', (...args) => exactly<[In, By, string]>()(bare(args)))
session.on('agent_handoff', (...args) => exactly<[In, By, By]>()(bare(args)))
session.on('agent_tool_start', (_context, _agent, used, { toolCall }) => {
  exactly<FunctionTool<Shop>>()(used)
  exactly<ToolCall>()(toolCall)
})
session.on('agent_tool_end', (_context, _agent, used, result, { toolCall }) => {
  exactly<FunctionTool<Shop>>()(used)
  exactly<string>()(result)
  exactly<ToolCall>()(toolCall)
})
session.on('audio_start', (...args) => exactly<[In, By]>()(bare(args)))
session.on('audio_stopped', (...args) => exactly<[In, By]>()(bare(args)))
session.on('audio_interrupted', (...args) => exactly<[In, By]>()(bare(args)))
session.on('audio', (audio) => exactly<RealtimeAudio>()(audio))
session.on('guardrail_tripped', (_context, _agent, error, { itemId }) => {
  exactly<GuardrailTripped>()(error)
  exactly<string>()(itemId)
})
session.on('tool_approval_requested', (_context, _agent, request) => exactly<ApprovalRequest<Shop>>()(request))
session.on('response_unfinished', (_context, _agent, details) => exactly<UnfinishedResponse>()(details))
session.on('limit_reached', (limit) => exactly<LimitReached>()(limit))
session.on('metrics', (turn) => exactly<TurnMetrics>()(turn))
session.on('history_added', (item) => exactly<RealtimeItem>()(item))
session.on('history_updated', (history) => exactly<readonly RealtimeItem[]>()(history))
session.on('error', ({ error }) => exactly<unknown>()(error))
session.on('connection_change', (link) => exactly<Link>()(link))

agent.on('agent_end', (...args) => exactly<[In, string]>()(bare(args)))
agent.on('agent_handoff', (...args) => exactly<[In, By]>()(bare(args)))
agent.on('agent_tool_start', (_context, used, { toolCall }) => {
  exactly<FunctionTool<Shop>>()(used)
  exactly<ToolCall>()(toolCall)
})

/** The names that its users know are all there. */
type Known =
  | 'agent_start'
  | 'agent_end'
  | 'agent_handoff'
  | 'agent_tool_start'
  | 'agent_tool_end'
  | 'transport_event'
  | 'audio_start'
  | 'audio_stopped'
  | 'audio'
  | 'audio_interrupted'
  | 'guardrail_tripped'
  | 'history_updated'
  | 'history_added'
  | 'error'
  | 'tool_approval_requested'
  | 'mcp_tool_call_completed'
  | 'mcp_tools_changed'
none<Exclude<Known, keyof RealtimeSessionEvents<Shop>>>()

// @ts-expect-error: misspelt
session.on('agent_started', nothing)
// @ts-expect-error: misspelt
session.on('audioInterrupted', nothing)
// @ts-expect-error: misspelt
session.off('history_update', nothing)
// @ts-expect-error: the transport's name for it
session.on('turn_done', nothing)
// @ts-expect-error: misspelt
agent.on('agent_tool_started', nothing)
// @ts-expect-error: the session's, not an agent's
agent.on('audio_start', nothing)
// @ts-expect-error: misspelt
transport.on('turn_ended', nothing)
// @ts-expect-error: misspelt
transport.off('audio_interupted', nothing)
// @ts-expect-error: there is no fourth argument
session.on('agent_end', (_context, _agent, _text, more) => more)
// @ts-expect-error: the agent comes second
session.on('agent_start', (by: RealtimeAgent<Shop>) => by)
// @ts-expect-error: an item has no such field
session.on('history_added', ({ id }) => id)

// ── keys: each by its name, at any depth ────────────────────────────────────────────────────────────────────────────

// @ts-expect-error: misspelt
new RealtimeSession(agent, { context, outputGuardrail: [] })
// @ts-expect-error: misspelt
new RealtimeSession(agent, { context, outputGuardrailSettings: { debounceLength: 50 } })
// @ts-expect-error: no such mode
new RealtimeSession(agent, { context, outputGuardrailSettings: { mode: 'hold' } })
// @ts-expect-error: misspelt
new RealtimeSession(agent, { context, reconnect: { attempt: 3 } })
// @ts-expect-error: misspelt
new RealtimeSession(agent, { context, limits: { maxDuration: 60_000 } })
// @ts-expect-error: no such transport
new RealtimeSession(agent, { context, transport: 'carrier-pigeon' })
// @ts-expect-error: misspelt
new RealtimeSession(agent, { context, config: { outputModality: ['text'] } })
// @ts-expect-error: no such modality
new RealtimeSession(agent, { context, config: { outputModalities: ['smell'] } })
// @ts-expect-error: misspelt
new RealtimeSession(agent, { context, config: { audio: { ouput: { voice: 'marin' } } } })
// @ts-expect-error: misspelt
session.updateConfig({ audio: { input: { turnDetection: { type: 'server_vad', treshold: 0.5 } } } })
// @ts-expect-error: misspelt
session.updateConfig({ audio: { output: { sped: 1 } } })
// @ts-expect-error: misspelt
session.connect({ key: 'k' })
// @ts-expect-error: misspelt
session.sendMessage('hello', {}, { respond: false })
// @ts-expect-error: misspelt
session.approve({ callId: 'c' }, { always: true })
// @ts-expect-error: no such part
session.sendMessage({ content: [{ type: 'input_video', text: 'x' }] })
// @ts-expect-error: misspelt
session.generateReply({ instruction: 'Greet.' })
// @ts-expect-error: misspelt
new RealtimeAgent({ name: 'A', instruction: 'Help.' })
// @ts-expect-error: misspelt
tool({ name: 't', description: 'd', onInterrupt: 'cancel', execute: nothing })
// @ts-expect-error: no such way
tool({ name: 't', description: 'd', respond: 'never', execute: nothing })
// @ts-expect-error: misspelt
handoff(agent, { firstTurns: 'wait' })

new RealtimeSession(agent, {
  context,
  outputGuardrailSettings: { debounceTextLength: -1, mode: 'holdback' },
  reconnect: { attempts: 3 },
  limits: { maxDurationMs: 60_000 },
  config: { outputModalities: ['audio'], audio: { input: { turnDetection: { type: 'server_vad', threshold: 0.5 } } } },
})

declare function exactly<T>(): <Given>(value: Given, ...wrong: Is<Given, T> extends true ? [] : [T]) => undefined
type Is<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** Arguments, without the names that a listener's list of them carries. */
declare function bare<Args extends readonly unknown[]>(args: Args): { [Arg in keyof Args]: Args[Arg] }
declare function none<None extends never>(): None
