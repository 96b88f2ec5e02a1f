/** Tools that the far end calls itself, at MCP servers that it reaches. */
import { UserError } from '../protocol/errors.ts'
import type { McpTool } from '../protocol/events.ts'
import { toWire } from '../protocol/spelling.ts'
import type { ApprovalItem } from './approvals.ts'
import type { RunContext } from './context.ts'

/** The tools of a server, by name, or by what they do. */
export interface HostedMcpToolFilter {
  readonly toolNames?: readonly string[]
  /** Those that the server calls `readOnlyHint`. */
  readonly readOnly?: boolean
}

/** The server is named by one of `serverUrl`, `connectorId`, `tunnelId`. */
export type HostedMcpToolOptions = {
  /** The name of the server, in the calls that are made of it. */
  readonly serverLabel: string
  /** Tells the model what the server is for. */
  readonly serverDescription?: string | undefined
  /** An OAuth access token, for the server or the connector. */
  readonly authorization?: string | undefined
  /** HTTP headers that the far end sends to the server. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Default: all that the server has. */
  readonly allowedTools?: readonly string[] | HostedMcpToolFilter | undefined
  readonly allowedCallers?: McpTool['allowed_callers'] | undefined
  /** Which calls the app has to approve. Default: none. */
  readonly requireApproval?:
    | 'always'
    | 'never'
    | { readonly always?: HostedMcpToolFilter; readonly never?: HostedMcpToolFilter }
    | undefined
  /** Decides on such a call in the app's place, at once. */
  readonly onApproval?: McpDecision | undefined
  /** The tools are not told to the model before it searches for them. */
  readonly deferLoading?: boolean | undefined
} & (
  | { readonly serverUrl: string; readonly connectorId?: never; readonly tunnelId?: never }
  | {
      readonly serverUrl?: never
      readonly connectorId: NonNullable<McpTool['connector_id']>
      readonly tunnelId?: never
    }
  | { readonly serverUrl?: never; readonly connectorId?: never; readonly tunnelId: string }
)

/** A tool that the far end runs, as other SDKs hold it (`hostedMcpTool()` of `@openai/agents`). */
export interface HostedToolLike {
  readonly type: 'hosted_tool'
  readonly name: string
  readonly providerData?: Readonly<Record<string, unknown>>
}

/** Kept here, and not told to the far end. */
type Deciding = { readonly on_approval?: McpDecision | CallableFunction }

export type HostedTool = (McpTool & Deciding) | HostedToolLike

/** Whether a call may be made; `reason` is what the model is told. */
export type McpDecision = (context: RunContext<never>, item: McpApproval) => McpVerdict | Promise<McpVerdict>
export interface McpVerdict {
  readonly approve: boolean
  readonly reason?: string
}
/** The call, as the app's approvals have it; `rawItem`: as other SDKs do. */
export interface McpApproval extends ApprovalItem {
  readonly rawItem: object
}

/**
 * Gives the model the tools of an MCP server that the far end reaches and calls by itself.
 *
 * @throws UserError when the server has no label, or is not named by exactly one of `serverUrl`, `connectorId` and
 * `tunnelId`.
 */
export function hostedMcpTool({ onApproval, ...options }: HostedMcpToolOptions): McpTool & Deciding {
  const tool = requireServer({ type: 'mcp', require_approval: 'never', ...known(toWire(options) as object) })
  return onApproval ? { ...tool, on_approval: onApproval } : tool
}

/** Who decides on the calls of this server. */
export function decisionOf(tools: readonly object[], label: string): McpDecision | undefined {
  for (const tool of tools as readonly (HostedTool | { readonly type: 'function' })[]) {
    const data: Readonly<Record<string, unknown>> | undefined =
      tool.type === 'hosted_tool' ? tool.providerData : { ...tool }
    if (data?.['server_label'] === label && data['on_approval']) return data['on_approval'] as McpDecision
  }
  return undefined
}

/** @throws UserError when it is no tool that the Realtime API has. */
export function toWireTool(tool: HostedTool): McpTool {
  if (tool.type === 'mcp') {
    if (!('on_approval' in tool)) return tool
    const { on_approval: _, ...told } = tool
    return told as McpTool
  }
  const { on_approval: _, ...data } = tool.providerData ?? {}
  if (data['type'] === 'mcp') return requireServer(known(data))
  throw new UserError(
    `'${tool.name}' cannot be used here: of hosted tools, the Realtime API has those of MCP servers only.`,
  )
}

function known(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function requireServer(fields: object): McpTool {
  const tool = fields as McpTool
  const { server_label, server_url, connector_id, tunnel_id } = tool
  if (!server_label) throw new UserError('A hosted MCP tool needs a serverLabel.')
  const names = [server_url, connector_id, tunnel_id].filter(Boolean)
  if (names.length === 1) return tool
  const which = 'serverUrl, connectorId or tunnelId'
  throw new UserError(`The hosted MCP tool '${server_label}' has ${names.length} of ${which}. Give one of them.`)
}
