/** Follows the far end's MCP tools from the moment that there are some: what that takes is loaded then. */
import type { ServerEvent } from '../protocol/events.ts'
import type { AvailableMcpTool, McpFollower, McpFollowerOptions } from './hosted-mcp.ts'

export interface McpFollowing {
  /** An agent has some. */
  begin(): Promise<void>
  /** A stored prompt may have some, or the app's own `session.update`: their first event begins it. */
  received(event: ServerEvent): void
  readonly availableMcpTools: readonly AvailableMcpTool[]
}

export function mcpFollowing(
  options: McpFollowerOptions & { readonly failed: (error: unknown) => void },
): McpFollowing {
  let follower: McpFollower | null = null
  /** Told while it was being loaded. */
  let early: ServerEvent[] | null = null

  async function begin(): Promise<void> {
    if (follower) return
    const { mcpFollower } = await import('./hosted-mcp.ts')
    follower ??= mcpFollower(options)
    for (const event of early ?? []) follower.received(event)
    early = null
  }

  return {
    begin,
    received(event) {
      if (follower) return follower.received(event)
      if (!early && isOfMcp(event)) {
        early = []
        begin().catch((error) => {
          early = null
          options.failed(error)
        })
      }
      early?.push(event)
    },
    get availableMcpTools() {
      return follower?.availableMcpTools ?? []
    },
  }
}

function isOfMcp(event: ServerEvent): boolean {
  if (/^(response\.)?mcp_/.test(String(event.type))) return true
  if ('item' in event) return /^mcp_/.test((event.item as { type?: string } | null)?.type ?? '')
  const { tools } = ('session' in event && (event.session as { tools?: unknown })) || {}
  return Array.isArray(tools) && tools.some((tool) => tool?.type === 'mcp')
}
