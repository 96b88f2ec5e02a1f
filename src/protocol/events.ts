/** The words both ends speak: every event of the Realtime API (GA). Types only. */
import type { Item, ItemToCreate } from './items.ts'
import type { RealtimeError, Response, ResponseCreateParams } from './response.ts'
import type { SessionConfig, TranscriptionSessionConfig } from './session-config.ts'

export type * from './items.ts'
export type * from './response.ts'
export type * from './session-config.ts'

// ── what a client says ──────────────────────────────────────────────────────────────────────────────────────────

type Said<Type extends string, Fields = unknown> = { readonly type: Type; readonly event_id?: string } & Fields

export type ClientEvent =
  | Said<'session.update', { readonly session: SessionConfig | TranscriptionSessionConfig }>
  | Said<'input_audio_buffer.append', { readonly audio: string }>
  | Said<'input_audio_buffer.commit'>
  | Said<'input_audio_buffer.clear'>
  | Said<'output_audio_buffer.clear'>
  | Said<'conversation.item.create', { readonly item: ItemToCreate; readonly previous_item_id?: string }>
  | Said<'conversation.item.retrieve', { readonly item_id: string }>
  | Said<'conversation.item.delete', { readonly item_id: string }>
  | Said<
      'conversation.item.truncate',
      { readonly item_id: string; readonly content_index: number; readonly audio_end_ms: number }
    >
  | Said<'response.create', { readonly response?: ResponseCreateParams }>
  | Said<'response.cancel', { readonly response_id?: string }>

// ── what a server says ──────────────────────────────────────────────────────────────────────────────────────────

type Told<Type extends string, Fields = unknown> = Type extends string
  ? { readonly type: Type; readonly event_id: string } & Fields
  : never

type InItem = { readonly item_id: string }
type InContent = InItem & { readonly content_index: number }
type InResponse = { readonly response_id: string; readonly output_index: number } & InItem
type InPart = InResponse & { readonly content_index: number }
type Placed = { readonly item: Item; readonly previous_item_id?: string | null }

/** A content part as it is announced: its types are `text` and `audio`, without `output_`. */
export interface PartAnnounced {
  readonly type?: 'text' | 'audio'
  readonly text?: string
  readonly audio?: string
  readonly transcript?: string
}

export interface LogProb {
  readonly token: string
  readonly logprob: number
  readonly bytes: readonly number[]
}

export type TranscriptionUsage =
  | { readonly type: 'duration'; readonly seconds: number }
  | {
      readonly type: 'tokens'
      readonly input_tokens: number
      readonly output_tokens: number
      readonly total_tokens: number
      readonly input_token_details?: { readonly text_tokens?: number; readonly audio_tokens?: number }
    }

export interface RateLimit {
  readonly name?: 'requests' | 'tokens'
  readonly limit?: number
  readonly remaining?: number
  readonly reset_seconds?: number
}

/** A session as it is: its config, and what only the far end knows of it. `expires_at` is in seconds since 1970. */
export type Session = (SessionConfig | TranscriptionSessionConfig) & {
  readonly id?: string
  readonly object?: string
  readonly expires_at?: number
}

type SessionEvents =
  | Told<'session.created' | 'session.updated', { readonly session: Session }>
  | Told<
      'conversation.created',
      { readonly conversation: { readonly id?: string; readonly object?: 'realtime.conversation' } }
    >
  | Told<'rate_limits.updated', { readonly rate_limits: readonly RateLimit[] }>
  | Told<'error', { readonly error: RealtimeError }>

type ItemEvents =
  | Told<'conversation.item.created' | 'conversation.item.added' | 'conversation.item.done', Placed>
  | Told<'conversation.item.retrieved', { readonly item: Item }>
  | Told<'conversation.item.deleted', InItem>
  | Told<'conversation.item.truncated', InContent & { readonly audio_end_ms: number }>
  | Told<
      'conversation.item.input_audio_transcription.delta',
      InItem & {
        readonly content_index?: number
        readonly delta?: string
        readonly logprobs?: readonly LogProb[] | null
      }
    >
  | Told<
      'conversation.item.input_audio_transcription.completed',
      InContent & {
        readonly transcript: string
        readonly usage: TranscriptionUsage
        readonly languages?: readonly { readonly code: string }[]
        readonly logprobs?: readonly LogProb[] | null
      }
    >
  | Told<
      'conversation.item.input_audio_transcription.failed',
      InContent & {
        readonly error: {
          readonly type?: string
          readonly code?: string
          readonly message?: string
          readonly param?: string
        }
      }
    >
  | Told<
      'conversation.item.input_audio_transcription.segment',
      InContent & {
        readonly id: string
        readonly text: string
        readonly speaker: string
        readonly start: number
        readonly end: number
      }
    >

type BufferEvents =
  | Told<'input_audio_buffer.speech_started', InItem & { readonly audio_start_ms: number }>
  | Told<'input_audio_buffer.speech_stopped', InItem & { readonly audio_end_ms: number }>
  | Told<'input_audio_buffer.committed', InItem & { readonly previous_item_id?: string | null }>
  | Told<'input_audio_buffer.cleared'>
  | Told<
      'input_audio_buffer.timeout_triggered',
      InItem & { readonly audio_start_ms: number; readonly audio_end_ms: number }
    >
  | {
      readonly type: 'input_audio_buffer.dtmf_event_received'
      readonly event: string
      readonly received_at: number
    }
  | Told<
      'output_audio_buffer.started' | 'output_audio_buffer.stopped' | 'output_audio_buffer.cleared',
      { readonly response_id: string }
    >

type ResponseEvents =
  | Told<'response.created' | 'response.done', { readonly response: Response }>
  | Told<
      'response.output_item.added' | 'response.output_item.done',
      { readonly response_id: string; readonly output_index: number; readonly item: Item }
    >
  | Told<'response.content_part.added' | 'response.content_part.done', InPart & { readonly part: PartAnnounced }>
  | Told<'response.output_text.delta', InPart & { readonly delta: string }>
  | Told<'response.output_text.done', InPart & { readonly text: string }>
  | Told<'response.output_audio_transcript.delta', InPart & { readonly delta: string }>
  | Told<'response.output_audio_transcript.done', InPart & { readonly transcript: string }>
  | Told<'response.output_audio.delta', InPart & { readonly delta: string }>
  | Told<'response.output_audio.done', InPart>
  | Told<'response.function_call_arguments.delta', InResponse & { readonly call_id: string; readonly delta: string }>
  | Told<
      'response.function_call_arguments.done',
      InResponse & { readonly call_id: string; readonly name: string; readonly arguments: string }
    >

type McpEvents =
  | Told<'mcp_list_tools.in_progress' | 'mcp_list_tools.completed' | 'mcp_list_tools.failed', InItem>
  | Told<
      'response.mcp_call_arguments.delta',
      InResponse & { readonly delta: string; readonly obfuscation?: string | null }
    >
  | Told<'response.mcp_call_arguments.done', InResponse & { readonly arguments: string }>
  | Told<
      'response.mcp_call.in_progress' | 'response.mcp_call.completed' | 'response.mcp_call.failed',
      InItem & { readonly output_index: number }
    >

export type KnownServerEvent = SessionEvents | ItemEvents | BufferEvents | ResponseEvents | McpEvents

declare const unlisted: unique symbol
/**
 * An event that these types do not have: it passes through as it came. Its `type` is a string like any other; here it is
 * opaque, so that a `switch` over `type` narrows the events that are known.
 */
export interface UnknownServerEvent {
  readonly type: typeof unlisted
  readonly event_id?: string
}

export type ServerEvent = KnownServerEvent | UnknownServerEvent

/** Audio of the agent, as a transport hands it over: with its bytes, in the session's output format. */
export type AudioDelta = Told<
  'response.output_audio.delta',
  InPart & { readonly delta: string; readonly audio: Uint8Array }
>
