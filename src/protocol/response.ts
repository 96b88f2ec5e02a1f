import type { Item, ItemToCreate } from './items.ts'
import type { AudioFormat, Prompt, Tool, ToolChoice, VoiceName } from './session-config.ts'

export interface Usage {
  readonly total_tokens?: number
  readonly input_tokens?: number
  readonly output_tokens?: number
  readonly input_token_details?: {
    readonly text_tokens?: number
    readonly audio_tokens?: number
    readonly image_tokens?: number
    readonly cached_tokens?: number
    readonly cached_tokens_details?: {
      readonly text_tokens?: number
      readonly audio_tokens?: number
      readonly image_tokens?: number
    }
  }
  readonly output_token_details?: { readonly text_tokens?: number; readonly audio_tokens?: number }
}

export type ResponseStatus = 'in_progress' | 'completed' | 'cancelled' | 'failed' | 'incomplete'

export interface StatusDetails {
  readonly type?: 'completed' | 'cancelled' | 'failed' | 'incomplete'
  readonly reason?: 'turn_detected' | 'client_cancelled' | 'max_output_tokens' | 'content_filter'
  readonly error?: { readonly type?: string; readonly code?: string; readonly message?: string }
}

/** An answer of the model: being given, or as it ended. */
export interface Response {
  readonly id: string
  readonly object?: 'realtime.response'
  readonly status?: ResponseStatus
  readonly status_details?: StatusDetails | null
  readonly output?: readonly Item[]
  /** null when the response is out of band: it is no part of the conversation. */
  readonly conversation_id?: string | null
  readonly output_modalities?: readonly ('text' | 'audio')[]
  readonly max_output_tokens?: number | 'inf'
  readonly audio?: { readonly output?: { readonly format?: AudioFormat; readonly voice?: VoiceName } }
  readonly metadata?: { readonly [name: string]: string } | null
  readonly usage?: Usage | null
}

/** What a `response.create` may wish for; all else is the session's. */
export interface ResponseCreateParams {
  readonly instructions?: string
  readonly output_modalities?: readonly ('text' | 'audio')[]
  readonly audio?: {
    readonly output?: { readonly format?: AudioFormat; readonly voice?: VoiceName | { readonly id: string } }
  }
  readonly tools?: readonly Tool[]
  readonly tool_choice?: ToolChoice
  readonly parallel_tool_calls?: boolean
  readonly max_output_tokens?: number | 'inf'
  readonly reasoning?: { readonly effort?: 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' }
  /** `none`: out of band, beside the conversation. */
  readonly conversation?: 'auto' | 'none' | (string & {})
  readonly metadata?: { readonly [name: string]: string } | null
  /** The context instead of the conversation's. `item_reference` names an item of the conversation. */
  readonly input?: readonly (ItemToCreate | { readonly type: 'item_reference'; readonly id: string })[]
  readonly prompt?: Prompt | null
}

export interface RealtimeError {
  readonly type: string
  readonly message: string
  readonly code?: string | null
  readonly param?: string | null
  /** The event of ours that it answers. */
  readonly event_id?: string | null
}
