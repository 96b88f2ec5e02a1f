/** What comes of tools that the far end calls itself. Loaded where an agent has some. */
import type { Item, McpCall, ServerEvent } from '../protocol/events.ts'

/** A tool that the far end found at an MCP server. */
export interface AvailableMcpTool {
  readonly name: string
  readonly description: string
  readonly inputSchema: unknown
  readonly serverLabel: string
}

export interface McpFollower {
  received(event: ServerEvent): void
  /** Of those servers that the far end's session has now. The same list until it changes. */
  readonly availableMcpTools: readonly AvailableMcpTool[]
}

export interface McpFollowerOptions {
  /** The list of available tools is another. */
  readonly changed: (tools: readonly AvailableMcpTool[]) => void
  /** Told once for each call that ended, well or not. */
  readonly completed: (call: McpCall) => void
}

/** Follows what the far end says of its MCP servers, and of the calls that it makes there. Nothing that it says throws. */
export function mcpFollower({ changed, completed }: McpFollowerOptions): McpFollower {
  const lists = toolLists()
  const calls = callsMade(completed)
  let available: readonly AvailableMcpTool[] = []

  return {
    received(event) {
      calls.received(event)
      if (!lists.received(event)) return
      const found = lists.available()
      if (JSON.stringify(found) === JSON.stringify(available)) return
      available = found
      changed(found)
    },
    get availableMcpTools() {
      return available
    },
  }
}

interface ToolList {
  readonly label: string
  /** Null until the server was asked. */
  readonly tools: readonly AvailableMcpTool[] | null
}

function toolLists() {
  const lists = new Map<string, ToolList>()
  let labels: ReadonlySet<string> | null = null

  /** Whether it may have changed what is available. */
  function received(event: ServerEvent): boolean {
    switch (event.type) {
      case 'session.updated':
        return told(event.session)
      case 'conversation.item.created':
      case 'conversation.item.added':
      case 'conversation.item.retrieved':
        return listed(event.item, false)
      case 'conversation.item.done':
        return listed(event.item, true)
      case 'mcp_list_tools.failed':
        return failed(event.item_id)
      case 'conversation.item.deleted':
        return lists.delete(event.item_id)
      default:
        return false
    }
  }

  /** The config that is in force says which servers there are. One that a session is created with is no agent's yet. */
  function told(session: unknown): boolean {
    const { tools, prompt } = (session ?? {}) as { readonly tools?: unknown; readonly prompt?: unknown }
    if (!Array.isArray(tools)) return false
    // A stored prompt may bring servers that stand in no list.
    labels = prompt
      ? null
      : new Set(tools.filter((tool) => tool?.type === 'mcp').map((tool) => text(tool.server_label)))
    return true
  }

  /** A list that is empty may be one that is still being made, until its item is done. */
  function listed(item: Item, isDone: boolean): boolean {
    if (item?.type !== 'mcp_list_tools') return false
    const label = text(item.server_label)
    const tools = toolsOf(item, label)
    lists.set(item.id, { label, tools: isDone || tools.length ? tools : (lists.get(item.id)?.tools ?? null) })
    return true
  }

  function failed(item_id: string): boolean {
    const list = lists.get(item_id)
    if (!list) return false
    lists.set(item_id, { ...list, tools: [] })
    return true
  }

  /** A server that was asked again has what it said last. */
  function available(): readonly AvailableMcpTool[] {
    const latest = new Map<string, readonly AvailableMcpTool[]>()
    for (const { label, tools } of lists.values()) if (tools) latest.set(label, tools)
    return [...latest].flatMap(([label, tools]) => (labels?.has(label) === false ? [] : tools))
  }

  return { received, available }
}

function toolsOf(item: { readonly tools?: unknown }, serverLabel: string): readonly AvailableMcpTool[] {
  if (!Array.isArray(item.tools)) return []
  return item.tools
    .filter((tool) => typeof tool?.name === 'string')
    .map(({ name, description, input_schema }) => ({
      name,
      description: text(description),
      inputSchema: input_schema ?? null,
      serverLabel,
    }))
}

interface CallMade {
  /** It was made in this session: the calls of an earlier conversation come back as items alone. */
  readonly isLive: boolean
  readonly isEnded: boolean
  readonly item: McpCall | null
}
const unheard: CallMade = { isLive: false, isEnded: false, item: null }

/** That a call ended, and the item with its output, come in either order, and some more than once. */
function callsMade(completed: (call: McpCall) => void) {
  const calls = new Map<string, CallMade | 'told'>()

  function received(event: ServerEvent): void {
    switch (event.type) {
      case 'response.mcp_call_arguments.delta':
      case 'response.mcp_call_arguments.done':
      case 'response.mcp_call.in_progress':
        return heard(event.item_id, { isLive: true })
      case 'response.mcp_call.completed':
      case 'response.mcp_call.failed':
        return heard(event.item_id, { isLive: true, isEnded: true })
      case 'response.output_item.added':
        return seen(event.item, { isLive: true })
      case 'response.output_item.done':
        return given(event.item, { isLive: true })
      case 'response.done':
        for (const item of event.response.output ?? []) given(item, { isLive: true })
        return
      case 'conversation.item.retrieved':
        return given(event.item, {})
      case 'conversation.item.done':
        return seen(event.item, { item: event.item as McpCall })
    }
  }

  /** What the model gave may be a call that is yet to be made. */
  function given(item: Item, news: Partial<CallMade>): void {
    if (item?.type !== 'mcp_call') return
    const call = calls.get(item.id)
    const isOver = hasResult(item) || (call !== 'told' && call?.isEnded)
    seen(item, isOver ? { ...news, item } : news)
  }

  function seen(item: Item, news: Partial<CallMade>): void {
    if (item?.type === 'mcp_call') heard(item.id, news)
  }

  function heard(id: string, news: Partial<CallMade>): void {
    const before = calls.get(id) ?? unheard
    if (before === 'told') return
    const call = { ...before, ...news }
    const { item, isLive, isEnded } = call
    const isOver = item !== null && isLive && (isEnded || hasResult(item))
    calls.set(id, isOver ? 'told' : call)
    if (isOver) completed(whole(item))
  }

  return { received }
}

function hasResult({ output, error }: McpCall): boolean {
  return (output ?? error ?? null) !== null
}

/** What a far end leaves out of a call is empty. */
function whole(item: McpCall): McpCall {
  const { server_label, name, arguments: args } = item
  return { ...item, server_label: text(server_label), name: text(name), arguments: text(args) }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
