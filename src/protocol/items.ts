/** The items of a conversation, as the wire has them. */

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete'

export type Content =
  | { readonly type: 'input_text'; readonly text?: string }
  | { readonly type: 'input_audio'; readonly audio?: string; readonly transcript?: string | null }
  | { readonly type: 'input_image'; readonly image_url?: string; readonly detail?: 'auto' | 'low' | 'high' }
  | { readonly type: 'output_text'; readonly text?: string }
  | { readonly type: 'output_audio'; readonly audio?: string; readonly transcript?: string | null }

interface MessageOf<Role, Part> {
  readonly id: string
  readonly object?: 'realtime.item'
  readonly type: 'message'
  readonly role: Role
  readonly status?: ItemStatus
  readonly content: readonly Part[]
}
type Part<Type> = Extract<Content, { type: Type }>

export type Message =
  | MessageOf<'system', Part<'input_text'>>
  | MessageOf<'user', Part<'input_text' | 'input_audio' | 'input_image'>>
  | MessageOf<'assistant', Part<'output_text' | 'output_audio'>>

export interface FunctionCall {
  readonly id: string
  readonly object?: 'realtime.item'
  readonly type: 'function_call'
  readonly status?: ItemStatus
  readonly call_id: string
  readonly name: string
  readonly arguments: string
}

export interface FunctionCallOutput {
  readonly id: string
  readonly object?: 'realtime.item'
  readonly type: 'function_call_output'
  readonly status?: ItemStatus
  readonly call_id: string
  readonly output: string
}

export interface McpListTools {
  readonly id: string
  readonly type: 'mcp_list_tools'
  readonly server_label: string
  readonly tools: readonly {
    readonly name: string
    readonly input_schema: unknown
    readonly description?: string | null
    readonly annotations?: unknown
  }[]
}

export type McpError =
  | { readonly type: 'protocol_error'; readonly code: number; readonly message: string }
  | { readonly type: 'tool_execution_error'; readonly message: string }
  | { readonly type: 'http_error'; readonly code: number; readonly message: string }

export interface McpCall {
  readonly id: string
  readonly type: 'mcp_call'
  readonly server_label: string
  readonly name: string
  readonly arguments: string
  readonly approval_request_id?: string | null
  readonly output?: string | null
  readonly error?: McpError | null
}

export interface McpApprovalRequest {
  readonly id: string
  readonly type: 'mcp_approval_request'
  readonly server_label: string
  readonly name: string
  readonly arguments: string
}

export interface McpApprovalResponse {
  readonly id: string
  readonly type: 'mcp_approval_response'
  readonly approval_request_id: string
  readonly approve: boolean
  readonly reason?: string | null
}

export type Item =
  | Message
  | FunctionCall
  | FunctionCallOutput
  | McpListTools
  | McpCall
  | McpApprovalRequest
  | McpApprovalResponse

/** An item as a client makes it: the far end names it, and its call, where the client does not. */
export type ItemToCreate =
  | Unnamed<MessageToCreate, 'id'>
  | Unnamed<FunctionCall, 'id' | 'call_id'>
  | Unnamed<FunctionCallOutput, 'id'>
  | Unnamed<McpListTools, 'id'>
  | McpCall
  | McpApprovalRequest
  | McpApprovalResponse

type MessageToCreate<Each = Message> =
  Each extends MessageOf<infer Role, infer Part> ? MessageOf<Role, Transcribed<Part>> : never
/** `transcript` is null only where the far end has yet to hear. */
type Transcribed<Part> = Part extends { readonly transcript?: string | null }
  ? Omit<Part, 'transcript'> & { readonly transcript?: string }
  : Part
type Unnamed<T, Key extends PropertyKey> = T extends unknown
  ? Omit<T, Key> & { readonly [Name in Key & keyof T]?: T[Name] }
  : never
