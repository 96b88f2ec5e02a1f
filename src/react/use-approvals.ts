import type { ApprovalItem } from '../agents/approvals.ts'
import { useStore } from './provider.ts'
import { useSelected } from './use-selected.ts'

export interface Approving {
  /** Calls that wait for a decision, oldest first. */
  readonly pending: readonly ApprovalItem[]
  /** Lets the call run; `alwaysApprove`: and all further calls of that tool by that agent. What waits no more stays as it is. */
  approve(item: ApprovalItem, options?: { readonly alwaysApprove?: boolean }): void
  /** Tells the model that the call may not run; `message` is what it is told. */
  reject(item: ApprovalItem, options?: { readonly alwaysReject?: boolean; readonly message?: string }): void
}

/** The tool calls that wait for the user. */
export function useToolApprovals(): Approving {
  const store = useStore()
  const pending = useSelected(({ session }) => session.pendingApprovals, none)
  /** A click that comes late runs nothing, and is no error of the app's. */
  const waits = ({ callId }: ApprovalItem) => store.session.pendingApprovals.some((item) => item.callId === callId)
  return {
    pending,
    approve: (item, options) => waits(item) && store.session.approve(item, options),
    reject: (item, options) => waits(item) && store.session.reject(item, options),
  }
}

const nothing: readonly ApprovalItem[] = []
const none = () => nothing
