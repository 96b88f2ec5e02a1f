import type { Item, McpApprovalRequest } from '../protocol/events.ts'
import type { Door } from '../session/door.ts'
import { plain } from '../session/state.ts'
import type { Approvals } from './approvals.ts'

/** Asks the app about a call that the far end wants to make of an MCP server, once, and tells the far end. */
export function mcpApprovals(door: Door, approvals: Approvals): (request: McpApprovalRequest) => Promise<void> {
  const known = new Set<string>()
  return async ({ id, server_label, name, arguments: args }) => {
    const isAnswer = (item: Item) => item.type === 'mcp_approval_response' && item.approval_request_id === id
    if (known.has(id) || door.state.conversation.items.some(isAnswer)) return
    known.add(id)
    const call = { callId: id, itemId: id, name, arguments: args, owner: server_label }
    const { approved, message } = await approvals.ask({ type: 'mcp_approval_request', ...call })
    const verdict = {
      approval_request_id: id,
      approve: approved,
      ...(message === undefined ? {} : { reason: message }),
    }
    door.feed({ type: 'said', item: { type: 'mcp_approval_response', id: door.newId('item_'), ...verdict } })
    door.feed({ type: 'asked', ask: { ...plain, when: 'batch' } })
  }
}
