/** Tools of MCP servers that the app is connected to, as tools of an agent. Nothing of an MCP SDK is imported. */
import { messageOf } from '../protocol/errors.ts'
import type { RunContext } from './context.ts'
import { outputOf } from './mcp-output.ts'
import { listing, type McpClientLike, type McpListedTool, type McpServerLike } from './mcp-server.ts'
import { type FunctionTool, parseArguments } from './tool.ts'

export type { McpClientLike, McpListedTool, McpServerLike, NamedMcpServerLike } from './mcp-server.ts'

export interface McpToolsOptions<Context = unknown> {
  /** What the model is told that a tool is called. Default: as the server calls it. */
  readonly names?: (name: string) => string
  /** Those tools that the model may use, as the server calls them. Default: all. */
  readonly allowed?: readonly string[]
  /** Whether the app has to approve a call before it is made. Default: no. */
  readonly needsApproval?:
    | boolean
    | ((tool: McpListedTool, context: RunContext<Context>, args: unknown) => boolean | Promise<boolean>)
  /** ms after which the model is told that a tool took too long. Default: as the client has it, 60 s in the SDK. */
  readonly timeoutMs?: number
}

/**
 * The tools of an MCP server, as tools of an agent. The server stays the app's: it is connected before, and closed by
 * the app after.
 *
 * A name that the protocol does not take is made to fit, in the same way each time. Two servers may have tools of one
 * name, which no agent takes: `names` gives them a prefix, as in `mcpTools(files, { names: (name) => 'files_' + name })`.
 *
 * @throws Error when the server cannot be asked.
 */
export async function mcpTools<Context = unknown>(
  server: McpServerLike,
  options: McpToolsOptions<Context> = {},
): Promise<readonly FunctionTool<Context>[]> {
  const { allowed, needsApproval = false, timeoutMs } = options
  const source = await listing<Context>(server).catch((cause: unknown) => {
    const name = 'name' in server ? ` '${server.name}'` : ''
    throw new Error(`The tools of the MCP server${name} cannot be listed: ${messageOf(cause)}`, { cause })
  })
  const tools = source.tools.filter(({ name }) => allowed?.includes(name) ?? true)
  return named(tools, options.names).map(([name, tool]) => ({
    ...source.manners(tool),
    type: 'function',
    name,
    description: tool.description ?? tool.title ?? tool.annotations?.title ?? '',
    parameters: parametersOf(tool),
    ...(needsApproval === false ? {} : { needsApproval: asQuestion(needsApproval, tool) }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    async invoke(context, input, { signal }) {
      try {
        const result = await source.call(tool.name, argumentsOf(input), { context, signal, timeoutMs })
        return outputOf(result, source.prefersStructure)
      } catch (error) {
        if (!source.errorFunction) throw error
        return source.errorFunction({ context, error })
      }
    },
  }))
}

function asQuestion<Context>(
  needsApproval: NonNullable<McpToolsOptions<Context>['needsApproval']>,
  tool: McpListedTool,
): NonNullable<FunctionTool<Context>['needsApproval']> {
  return typeof needsApproval === 'function'
    ? (context, args) => needsApproval(tool, context, args)
    : () => needsApproval
}

function argumentsOf(input: string): Record<string, unknown> {
  const args = parseArguments(input) ?? {}
  if (typeof args === 'object' && !Array.isArray(args)) return args as Record<string, unknown>
  throw new Error('The arguments are not a JSON object. Correct them and call again.')
}

/** `properties` may be left out where MCP is spoken, but not where the Realtime API is. */
function parametersOf({ inputSchema }: McpListedTool): Record<string, unknown> {
  return { type: 'object', properties: {}, ...(inputSchema as object | undefined) }
}

/** A server that lists a name twice can be called by it once: the first is meant. */
function named(
  tools: readonly McpListedTool[],
  names: (name: string) => string = (name) => name,
): readonly (readonly [name: string, tool: McpListedTool])[] {
  const all = new Map<string, McpListedTool>()
  for (const tool of tools) if (!all.has(tool.name)) all.set(tool.name, tool)
  const taken = new Set([...all.keys()].map(names).filter(isFit))
  return [...all].map(([original, tool]) => {
    const wanted = names(original)
    if (isFit(wanted)) return [wanted, tool]
    const name = fitted(wanted, original, taken)
    taken.add(name)
    return [name, tool]
  })
}

function isFit(name: string): boolean {
  return /^[a-zA-Z0-9_-]{1,64}$/.test(name)
}

/** The end is made of the server's name alone, so that a tool keeps its name whatever else the server offers. */
function fitted(wanted: string, original: string, taken: ReadonlySet<string>): string {
  const start = wanted.replace(/[^a-zA-Z0-9_-]+/g, '_').slice(0, 55)
  for (let salt = original; ; salt += ' ') {
    const name = `${start}_${hash(salt)}`
    if (!taken.has(name)) return name
  }
}

/** FNV-1a, of 32 bits. */
function hash(text: string): string {
  let sum = 0x811c9dc5
  for (const letter of text) sum = Math.imul(sum ^ (letter.codePointAt(0) ?? 0), 0x01000193)
  return (sum >>> 0).toString(16).padStart(8, '0')
}

export interface FollowMcpToolsOptions<Context> extends McpToolsOptions<Context> {
  /** Told when what the server offers is not what it was. */
  readonly changed: (tools: readonly FunctionTool<Context>[]) => void
  /** Told when the server, having said that its tools changed, cannot be asked. The tools stay as they were. */
  readonly failed?: (error: unknown) => void
}

export interface FollowedMcpTools<Context> {
  readonly tools: readonly FunctionTool<Context>[]
  /** Asks the server anew. */
  refresh(): Promise<readonly FunctionTool<Context>[]>
  stop(): void
}

/**
 * The tools of an MCP server, kept as the server has them.
 *
 * What a client says of changes is heard through its `fallbackNotificationHandler`, behind the one that is there. It is
 * silent where the app has set a handler for `notifications/tools/list_changed` itself, and so are the MCP servers of
 * `@openai/agents`: call `refresh()` then.
 *
 * @throws Error when the server cannot be asked.
 */
export async function followMcpTools<Context = unknown>(
  server: McpServerLike,
  { changed, failed, ...options }: FollowMcpToolsOptions<Context>,
): Promise<FollowedMcpTools<Context>> {
  let tools: readonly FunctionTool<Context>[] | null = null
  let isStopped = false
  let last: Promise<unknown> = Promise.resolve()
  let next: Promise<readonly FunctionTool<Context>[]> | null = null

  /** One listing at a time; one that begins after this was called, since what is under way may have missed the change. */
  function refresh(): Promise<readonly FunctionTool<Context>[]> {
    next ??= last.then(() => {
      next = null
      const listing = look()
      last = listing.catch(() => {})
      return listing
    })
    return next
  }

  async function look(): Promise<readonly FunctionTool<Context>[]> {
    if ('invalidateToolsCache' in server) await server.invalidateToolsCache?.()
    const found = await mcpTools(server, options)
    if (tools && isSame(tools, found)) return tools
    const isNews = tools !== null && !isStopped
    tools = found
    if (isNews) changed(found)
    return found
  }

  const unhook = hook(server, () => void refresh().catch((error) => !isStopped && failed?.(error)))
  function stop(): void {
    isStopped = true
    unhook()
  }

  const first = await refresh().catch((error: unknown) => {
    stop()
    throw error
  })
  return {
    get tools() {
      return tools ?? first
    },
    refresh,
    stop,
  }
}

/** Others may hook in behind us: who is not the last any more stays in the chain, and only passes on. */
function hook(server: McpServerLike, changed: () => void): () => void {
  if (!('setNotificationHandler' in server)) return () => {}
  const client = server as McpClientLike
  const before = client.fallbackNotificationHandler
  let isHooked = true
  const hear = async (notification: { method: string }) => {
    if (isHooked && notification.method === 'notifications/tools/list_changed') changed()
    await before?.call(client, notification)
  }
  client.fallbackNotificationHandler = hear
  return () => {
    isHooked = false
    if (client.fallbackNotificationHandler === hear) client.fallbackNotificationHandler = before
  }
}

function isSame(before: readonly FunctionTool<never>[], after: readonly FunctionTool<never>[]): boolean {
  const told = (tools: readonly FunctionTool<never>[]) =>
    JSON.stringify(tools.map(({ name, description, parameters }) => [name, description, parameters]))
  return told(before) === told(after)
}
