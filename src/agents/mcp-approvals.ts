import type { Item, McpApprovalRequest } from '../protocol/events.ts'
import type { Door } from '../session/door.ts'
import { plain } from '../session/state.ts'
import type { RealtimeAgent } from './agent.ts'
import type { ApprovalItem, Approvals } from './approvals.ts'
import type { RunContext } from './context.ts'
import { decisionOf, type McpDecision } from './hosted-tool.ts'

export interface McpApprovalsOptions<Context> {
  readonly door: Door
  readonly approvals: Approvals
  readonly context: RunContext<Context>
  readonly agent: () => RealtimeAgent<Context>
  /** Tells the app. */
  readonly requested: (item: ApprovalItem) => void
  readonly failed: (error: unknown) => void
}

/** Asks the app about a call that the far end wants to make of an MCP server, once, and tells the far end. */
export function mcpApprovals<Context>(
  options: McpApprovalsOptions<Context>,
): (request: McpApprovalRequest) => Promise<void> {
  const { door, approvals, agent } = options
  /** Those that are being decided: the others are answered in the conversation. */
  const known = new Set<string>()

  /** One that fails at it leaves it to the app. */
  async function decide(decision: McpDecision, item: ApprovalItem, request: McpApprovalRequest): Promise<void> {
    const rawItem = { type: 'hosted_tool_call', id: request.id, name: request.name, arguments: request.arguments }
    const given = { ...item, rawItem: { ...rawItem, providerData: request }, agent: agent() }
    try {
      const { approve, reason } = await decision(options.context as RunContext<never>, given)
      const isWaiting = approvals.waiting.some(({ callId }) => callId === item.callId)
      const verdict = { approved: approve, ...(reason === undefined ? {} : { message: reason }) }
      if (isWaiting) approvals.decide(item, verdict, false)
    } catch (cause) {
      options.failed(new Error(`onApproval of '${item.owner}' failed: the app is asked.`, { cause }))
      options.requested(item)
    }
  }

  return async (request) => {
    const { id, server_label, name, arguments: args } = request
    const isAnswer = (item: Item) => item.type === 'mcp_approval_response' && item.approval_request_id === id
    const { conversation, pending } = door.state
    if (known.has(id) || conversation.items.some(isAnswer) || pending.some(({ item }) => isAnswer(item))) return
    known.add(id)
    const call = { callId: id, itemId: id, name, arguments: args, owner: server_label }
    const item = { type: 'mcp_approval_request', ...call } as const
    const decision = decisionOf(agent().tools, server_label)
    const asking = decision ? () => void decide(decision, item, request) : () => options.requested(item)
    const { approved, message } = await approvals.ask(item, asking)
    const verdict = {
      approval_request_id: id,
      approve: approved,
      ...(message === undefined ? {} : { reason: message }),
    }
    door.feed({ type: 'said', item: { type: 'mcp_approval_response', id: door.newId('item_'), ...verdict } })
    known.delete(id)
    door.feed({ type: 'asked', ask: { ...plain, when: 'batch' } })
  }
}
