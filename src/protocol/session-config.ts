/** The config of a session, as the Realtime API (GA) spells it. */

/** PCM16 little-endian mono at 24 kHz, or G.711 at 8 kHz. */
export type AudioFormat =
  | { readonly type?: 'audio/pcm'; readonly rate?: 24000 }
  | { readonly type?: 'audio/pcmu' }
  | { readonly type?: 'audio/pcma' }

export type TurnDetection =
  | {
      readonly type: 'server_vad'
      readonly threshold?: number
      readonly prefix_padding_ms?: number
      readonly silence_duration_ms?: number
      readonly create_response?: boolean
      readonly interrupt_response?: boolean
      readonly idle_timeout_ms?: number | null
    }
  | {
      readonly type: 'semantic_vad'
      readonly eagerness?: 'low' | 'medium' | 'high' | 'auto'
      readonly create_response?: boolean
      readonly interrupt_response?: boolean
    }

export interface Transcription {
  readonly model?: string
  readonly language?: string
  readonly languages?: readonly string[]
  /** Words that are likely to be said. */
  readonly keywords?: readonly string[]
  readonly prompt?: string
  readonly delay?: 'minimal' | 'low' | 'medium' | 'high' | 'xhigh'
}

export interface NoiseReduction {
  readonly type?: 'near_field' | 'far_field'
  /** Default: 1. */
  readonly strength?: number
}

/** The voices that are known; others are taken as they are spelt. */
export type VoiceName =
  | 'alloy'
  | 'ash'
  | 'ballad'
  | 'cedar'
  | 'coral'
  | 'echo'
  | 'marin'
  | 'sage'
  | 'shimmer'
  | 'verse'
  | (string & {})

/** null switches off. */
export interface AudioInput {
  readonly format?: AudioFormat
  readonly noise_reduction?: NoiseReduction | null
  readonly transcription?: Transcription | null
  readonly turn_detection?: TurnDetection | null
}

export interface AudioOutput {
  readonly format?: AudioFormat
  readonly speed?: number
  readonly voice?: VoiceName | { readonly id: string }
}

export interface FunctionTool {
  readonly type?: 'function'
  readonly name?: string
  readonly description?: string
  readonly parameters?: unknown
}

/** The tools of an MCP server, by name, or by what they do. */
export interface McpToolFilter {
  readonly tool_names?: readonly string[]
  readonly read_only?: boolean
}

/** The tools of a server that the far end itself calls. It is named by one of `server_url`, `connector_id`, `tunnel_id`. */
export interface McpTool {
  readonly type: 'mcp'
  readonly server_label: string
  readonly server_url?: string
  readonly server_description?: string
  readonly connector_id?:
    | 'connector_dropbox'
    | 'connector_gmail'
    | 'connector_googlecalendar'
    | 'connector_googledrive'
    | 'connector_microsoftteams'
    | 'connector_outlookcalendar'
    | 'connector_outlookemail'
    | 'connector_sharepoint'
  readonly tunnel_id?: string
  readonly authorization?: string
  readonly headers?: { readonly [name: string]: string } | null
  readonly allowed_tools?: readonly string[] | McpToolFilter | null
  readonly allowed_callers?: readonly ('direct' | 'programmatic')[] | null
  readonly require_approval?:
    | 'always'
    | 'never'
    | { readonly always?: McpToolFilter; readonly never?: McpToolFilter }
    | null
  readonly defer_loading?: boolean
}

export type Tool = FunctionTool | McpTool

export type ToolChoice =
  | 'none'
  | 'auto'
  | 'required'
  | { readonly type: 'function'; readonly name: string }
  | { readonly type: 'mcp'; readonly server_label: string; readonly name?: string | null }

export type Truncation =
  | 'auto'
  | 'disabled'
  | {
      readonly type: 'retention_ratio'
      readonly retention_ratio: number
      readonly token_limits?: { readonly post_instructions?: number }
    }

export type Tracing =
  | 'auto'
  | { readonly workflow_name?: string; readonly group_id?: string; readonly metadata?: unknown }

/** A prompt that is kept at the provider, and what stands for its variables. */
export interface Prompt {
  readonly id: string
  readonly version?: string | null
  readonly variables?: { readonly [name: string]: string | PromptInput } | null
}
export type PromptInput = { readonly prompt_cache_breakpoint?: { readonly mode: 'explicit' } } & (
  | { readonly type: 'input_text'; readonly text: string }
  | {
      readonly type: 'input_image'
      readonly detail: 'low' | 'high' | 'auto' | 'original'
      readonly file_id?: string | null
      readonly image_url?: string | null
    }
  | {
      readonly type: 'input_file'
      readonly detail?: 'low' | 'high' | 'auto'
      readonly file_data?: string
      readonly file_id?: string | null
      readonly file_url?: string
      readonly filename?: string
    }
)

/** A conversation with a model. Every `session.update` names its `type`, even a partial one. */
export interface SessionConfig {
  readonly type: 'realtime'
  readonly model?: string
  readonly instructions?: string
  readonly output_modalities?: readonly ('text' | 'audio')[]
  readonly audio?: { readonly input?: AudioInput; readonly output?: AudioOutput }
  readonly tools?: readonly Tool[]
  readonly tool_choice?: ToolChoice
  readonly parallel_tool_calls?: boolean
  readonly reasoning?: { readonly effort?: 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' }
  readonly max_output_tokens?: number | 'inf'
  readonly truncation?: Truncation
  readonly tracing?: Tracing | null
  readonly include?: readonly 'item.input_audio_transcription.logprobs'[] | null
  readonly prompt?: Prompt | null
}

/** Speech to text alone. */
export interface TranscriptionSessionConfig {
  readonly type: 'transcription'
  readonly audio?: { readonly input?: AudioInput }
  readonly include?: readonly 'item.input_audio_transcription.logprobs'[] | null
}
