/** Loaded when an app uses MCP servers: a page that does not never loads it. */
import type { FollowedMcpTools, FollowMcpToolsOptions, McpServerLike, McpToolsOptions } from './mcp.ts'
import type { FunctionTool } from './tool.ts'

type Module = typeof import('./mcp.ts')

/** The tools of an MCP server, as tools of an agent. See `McpToolsOptions` for names, approvals and limits of time. */
export async function mcpTools<Context = unknown>(
  server: McpServerLike,
  options?: McpToolsOptions<Context>,
): Promise<readonly FunctionTool<Context>[]> {
  const { mcpTools: make }: Module = await import('./mcp.ts')
  return make<Context>(server, options)
}

/** The same, told again whenever the server's tools change. */
export async function followMcpTools<Context = unknown>(
  server: McpServerLike,
  options: FollowMcpToolsOptions<Context>,
): Promise<FollowedMcpTools<Context>> {
  const { followMcpTools: follow }: Module = await import('./mcp.ts')
  return follow<Context>(server, options)
}
