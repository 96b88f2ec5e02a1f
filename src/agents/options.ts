import type { Clock } from '../protocol/clock.ts'
import type { SessionConfig, Tracing } from '../protocol/events.ts'
import { merge } from '../protocol/merge.ts'
import { toWire } from '../protocol/spelling.ts'
import type { InterruptionOptions } from '../session/interruption-options.ts'
import type { SessionAudio } from '../session/media.ts'
import type { MakeSpeaker } from '../session/speaker.ts'
import type { Part, Reconnect } from '../session/state.ts'
import { type TurnPolicy, withTurns } from '../session/talk.ts'
import type { ConnectOptions, Transport } from '../session/transport.ts'
import type { DefinedGuardrail } from './agent-shapes.ts'
import type { ErrorFormatter } from './calls.ts'
import type { GuardrailSettings, InputGuardrail, OutputGuardrail } from './guardrail.ts'
import type { HandoffManners } from './handoff.ts'
import type { Limits } from './limits.ts'
import type { ReplyOptions } from './replies.ts'
import { configOf, configWithin, type RealtimeSessionConfig, type Role } from './role.ts'
import type { StartingPoint } from './starting-point.ts'
import type { Way } from './ways.ts'

export interface RealtimeSessionOptions<Context> extends Pick<HandoffManners, 'voiceChange'>, TracingOptions {
  readonly apiKey?: ConnectOptions['apiKey']
  /**
   * The way to the far end. Default: WebRTC where the platform has it, else a WebSocket. `auto`: WebRTC, and a WebSocket
   * where that cannot be had or does not hold; the conversation goes on.
   */
  readonly transport?: Way | Transport
  /** Microphone and speaker for lines that carry no audio themselves: `browserAudio()` of `parley-voice/browser`. */
  readonly audio?: SessionAudio
  readonly model?: string
  /** The app's own value: tools and instructions get it as it is. */
  readonly context?: Context
  readonly config?: RealtimeSessionConfig
  /** How a lost line is dialed again: `{ attempts: 7, timeoutMs: 15_000 }`. `false`: never. */
  readonly reconnect?: Partial<Reconnect> | false
  /** Plays the agent's audio. Default: nobody does, and the app plays the `audio` events at the pace of speech. */
  readonly speaker?: MakeSpeaker
  /** Who silences the agent: whoever speaks, or whoever certainly does. Default: `{ mode: 'immediate' }`. */
  readonly interruption?: InterruptionOptions
  /** How turns are taken. Default: as `config` says, or the far end by itself. */
  readonly turns?: TurnPolicy
  /** Looks at what the agent says while it says it. */
  readonly outputGuardrails?: readonly (OutputGuardrail<Context> | DefinedGuardrail)[]
  readonly outputGuardrailSettings?: GuardrailSettings
  /** Looks at what the user says, when it was understood. */
  readonly inputGuardrails?: readonly (InputGuardrail<Context> | DefinedGuardrail)[]
  /** ms after which a call that the app did not decide on is denied. Default: 5 minutes. */
  readonly approvalTimeoutMs?: number
  /** What the model is told of a call that was rejected without a message, or failed; undefined: the usual sentence. */
  readonly toolErrorFormatter?: ErrorFormatter<Context> | CallableFunction
  /** After a call of the far end's own MCP tools, a response is asked for. Default: true. */
  readonly automaticallyTriggerResponseForMcpToolCalls?: boolean
  /** The sound of what is said stays on the history's items, as base64. Default: false. */
  readonly historyStoreAudio?: boolean
  /** What the agent says first, when the session is connected for the first time. */
  readonly greeting?: string | ReplyOptions
  readonly limits?: Limits
  /** What was said before: `restored(saved)`, or `seeded(history)`. The conversation goes on from there. */
  readonly start?: StartingPoint
  /** Time and chance, for tests. */
  readonly clock?: Clock
  readonly seed?: number
}

/** How the provider traces the session. Default: as the provider does it by itself. */
export interface TracingOptions {
  readonly tracingDisabled?: boolean
  readonly workflowName?: string
  readonly groupId?: string
  readonly traceMetadata?: Readonly<Record<string, unknown>>
}

export function tracingOf(options: TracingOptions): { readonly tracing?: Tracing | null } {
  const { tracingDisabled, workflowName, groupId, traceMetadata } = options
  if (tracingDisabled) return { tracing: null }
  const tracing = {
    ...(workflowName === undefined ? {} : { workflow_name: workflowName }),
    ...(groupId === undefined ? {} : { group_id: groupId }),
    ...(traceMetadata === undefined ? {} : { metadata: traceMetadata }),
  }
  return Object.keys(tracing).length ? { tracing } : {}
}

/** What the far end is told at the start. */
export function initialConfig<Context>(
  role: Role<Context>,
  options: RealtimeSessionOptions<Context>,
  overrides: RealtimeSessionConfig = {},
  { attached = false }: Partial<Part> = {},
): Partial<SessionConfig> {
  const wanted = merge(toWire(options.config ?? {}), toWire(overrides)) as RealtimeSessionConfig
  const config = { ...(attached ? configWithin(role, wanted) : configOf(role, wanted)), ...tracingOf(options) }
  return options.turns ? withTurns(config, options.turns) : config
}
