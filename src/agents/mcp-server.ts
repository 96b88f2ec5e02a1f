/** An MCP server as the app holds it: which shapes are taken, and how each is asked and called. */
import type { RunContext } from './context.ts'
import type { FunctionTool, NamedAgent, ToolInputGuardrail, ToolOutputGuardrail } from './tool.ts'

/** A tool as its server lists it. */
export interface McpListedTool {
  readonly name: string
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly inputSchema?: unknown
  /** What the server says of the tool. It may not be true. */
  readonly annotations?:
    | {
        readonly title?: string | undefined
        readonly readOnlyHint?: boolean | undefined
        readonly destructiveHint?: boolean | undefined
        readonly idempotentHint?: boolean | undefined
        readonly openWorldHint?: boolean | undefined
      }
    | undefined
}

type Arguments = Record<string, unknown>
interface Page {
  readonly tools: readonly McpListedTool[]
  readonly nextCursor?: string | undefined
}
interface CallLimits {
  readonly signal?: AbortSignal
  readonly timeout?: number
}
interface Notification {
  method: string
}

/** A connected `Client` of `@modelcontextprotocol/sdk`, or of its successor `@modelcontextprotocol/client`. */
export interface McpClientLike {
  listTools(params?: { cursor?: string }): Promise<Page>
  callTool(params: { name: string; arguments?: Arguments }, schema?: undefined, limits?: CallLimits): Promise<unknown>
  getServerCapabilities?(): { readonly tools?: unknown } | undefined
  fallbackNotificationHandler?: ((notification: Notification) => Promise<void>) | undefined
}

/** A connected server of `@openai/agents` (`MCPServerStdio` and its like), its filter and guardrails with it. */
export interface NamedMcpServerLike {
  readonly name: string
  listTools(): Promise<readonly McpListedTool[]>
  callTool(name: string, args: Arguments, meta?: Arguments | null, limits?: CallLimits): Promise<unknown>
  callToolResult?(name: string, args: Arguments, meta?: Arguments | null, limits?: CallLimits): Promise<unknown>
  invalidateToolsCache?(): Promise<void>
  toolFilter?: Filter | undefined
  toolMetaResolver?: ((asked: never) => Meta | Promise<Meta>) | undefined
  toolInputGuardrails?: readonly { readonly name: string }[] | undefined
  toolOutputGuardrails?: readonly { readonly name: string }[] | undefined
  useStructuredContent?: boolean | undefined
  errorFunction?: ((failure: never) => string | Promise<string>) | null | undefined
}
type Filter =
  | ((asked: never, tool: never) => boolean | Promise<boolean>)
  | { readonly allowedToolNames?: readonly string[]; readonly blockedToolNames?: readonly string[] }
type Meta = Arguments | null | undefined

export type McpServerLike = McpClientLike | NamedMcpServerLike

export interface CallDetails<Context> {
  readonly context: RunContext<Context>
  readonly signal: AbortSignal
  readonly timeoutMs: number | undefined
}

/** A server that was asked for its tools. */
export interface Listing<Context> {
  readonly tools: readonly McpListedTool[]
  /** Gives the result as the server gave it. */
  call(name: string, args: Arguments, details: CallDetails<Context>): Promise<unknown>
  /** Whether a result that has a structure is told as that, text or not. */
  readonly prefersStructure: boolean
  /** What the server's holder wants of each tool. */
  manners(tool: McpListedTool): Partial<FunctionTool<Context>>
  /** What the model is told of a failure, where the holder says so. */
  readonly errorFunction:
    | ((failure: { context: RunContext<Context>; error: unknown }) => string | Promise<string>)
    | null
}

/** A server that pages for ever is stopped. No model reads the tools of that many pages. */
const mostPages = 100

/** Which of the two shapes it has shows in what it answers: a page, or a list. */
export async function listing<Context>(server: McpServerLike): Promise<Listing<Context>> {
  const capabilities = 'getServerCapabilities' in server ? server.getServerCapabilities?.() : undefined
  if (capabilities && !capabilities.tools) return ofClient(server as McpClientLike, [])
  const first = await server.listTools()
  if (!('tools' in first)) return ofNamed(server as NamedMcpServerLike, first)
  const client = server as McpClientLike
  const tools = [...first.tools]
  let cursor = first.nextCursor
  for (let page = 1; cursor; page++) {
    if (page === mostPages) throw new Error(`It lists its tools on more than ${mostPages} pages.`)
    const next = await client.listTools({ cursor })
    tools.push(...next.tools)
    cursor = next.nextCursor
  }
  return ofClient(client, tools)
}

/** The session's own limit comes first, and tells the model what happened. */
const graceMs = 1_000

function ofClient<Context>(client: McpClientLike, tools: readonly McpListedTool[]): Listing<Context> {
  return {
    tools,
    call(name, args, { signal, timeoutMs }) {
      const params = { name, arguments: args }
      const limits = timeoutMs === undefined ? { signal } : { signal, timeout: timeoutMs + graceMs }
      return isSuccessor(client) ? client.callTool(params, limits) : client.callTool(params, undefined, limits)
    },
    prefersStructure: false,
    manners: () => ({}),
    errorFunction: null,
  }
}

interface SuccessorLike {
  callTool(params: { name: string; arguments?: Arguments }, limits: CallLimits): Promise<unknown>
}
/** The SDK's second version takes no schema of the result. It is known by a question that the first does not answer. */
function isSuccessor(client: object): client is SuccessorLike {
  return 'getProtocolEra' in client
}

function ofNamed<Context>(server: NamedMcpServerLike, tools: readonly McpListedTool[]): Listing<Context> {
  const { name: serverName, toolFilter: filter, toolInputGuardrails, toolOutputGuardrails } = server
  const isListed = ({ name }: McpListedTool) =>
    !filter ||
    typeof filter === 'function' ||
    ((filter.allowedToolNames?.includes(name) ?? true) && !filter.blockedToolNames?.includes(name))
  const resolveMeta = server.toolMetaResolver as ((asked: object) => Meta | Promise<Meta>) | undefined
  return {
    tools: tools.filter(isListed),
    async call(name, args, { context, signal }) {
      const meta = await resolveMeta?.({ runContext: context, serverName, toolName: name, arguments: args })
      return server.callToolResult
        ? server.callToolResult(name, args, meta, { signal })
        : server.callTool(name, args, meta, { signal })
    },
    prefersStructure: server.useStructuredContent === true,
    manners: (tool) => ({
      ...(typeof filter === 'function' ? { isEnabled: asked(filter, serverName, tool) } : {}),
      ...(toolInputGuardrails
        ? { inputGuardrails: toolInputGuardrails as readonly ToolInputGuardrail<Context>[] }
        : {}),
      ...(toolOutputGuardrails
        ? { outputGuardrails: toolOutputGuardrails as readonly ToolOutputGuardrail<Context>[] }
        : {}),
    }),
    errorFunction: (server.errorFunction ?? null) as Listing<Context>['errorFunction'],
  }
}

function asked<Context>(
  filter: Extract<Filter, (...args: never[]) => unknown>,
  serverName: string,
  tool: McpListedTool,
) {
  const isLetThrough = filter as (asked: object, tool: McpListedTool) => boolean | Promise<boolean>
  return (context: RunContext<Context>, agent: NamedAgent) =>
    isLetThrough({ runContext: context, agent, serverName }, tool)
}
