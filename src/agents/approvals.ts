import type { Clock } from '../protocol/clock.ts'
import { UserError } from '../protocol/errors.ts'
import { noApproval } from './misuse.ts'

/** A call that the app has to approve, bound to its id and to the arguments that the model gave. */
export interface ApprovalItem {
  readonly type: 'function_approval' | 'mcp_approval_request'
  /** The call's id; an MCP request's own. */
  readonly callId: string
  readonly itemId: string
  readonly name: string
  readonly arguments: string
  /** Who made the call: the agent's name, or the MCP server's label. */
  readonly owner: string
}

export interface Verdict {
  readonly approved: boolean
  /** What the model is told of a rejection. */
  readonly message?: string
}

/** What survives a restart: what the app decided once for all. What waits is asked for again. */
export interface SavedApprovals {
  readonly always: readonly { readonly owner: string; readonly name: string; readonly verdict: Verdict }[]
}

export interface Approvals {
  /** Asks the app, unless it has decided for all such calls; settles with its verdict, or with a denial when time is up. */
  ask(item: ApprovalItem, requested?: () => void, signal?: AbortSignal): Promise<Verdict>
  /** @throws UserError when the item waits for no approval, or its arguments are others than those that wait. */
  decide(item: Pick<ApprovalItem, 'callId'> & Partial<ApprovalItem>, verdict: Verdict, always: boolean): void
  /** What was decided on a call; undefined where nothing was, or long ago. */
  verdictOf(callId: string): Verdict | undefined
  /** What waits for the app, oldest first; the same list while nothing has changed. */
  readonly waiting: readonly ApprovalItem[]
  /** The session ended: nobody waits any more. `message`: why. */
  closed(message: string): void
  save(): SavedApprovals
}

/** Verdicts that are remembered. */
const mostRemembered = 200

const cancelled: Verdict = { approved: false, message: 'It was cancelled.' }

interface Waiting {
  readonly item: ApprovalItem
  readonly settle: (verdict: Verdict) => void
}

export interface ApprovalsOptions {
  readonly clock: Clock
  /** ms after which a call that nobody decided is denied. */
  readonly timeoutMs: number
  /** Tells the app. */
  readonly requested: (item: ApprovalItem) => void
  /** What waits is another list now. */
  readonly changed?: () => unknown
  readonly saved?: SavedApprovals | undefined
}

export function approvals({ clock, timeoutMs, requested, changed, saved }: ApprovalsOptions): Approvals {
  const waiting = new Map<string, Waiting>()
  let list: readonly ApprovalItem[] = []
  const always = new Map<string, SavedApprovals['always'][number]>()
  const verdicts = new Map<string, Verdict>()
  for (const one of saved?.always ?? []) always.set(keyOf(one), one)

  function listed(): void {
    list = [...waiting.values()].map(({ item }) => item)
    changed?.()
  }

  function noted({ callId }: ApprovalItem, verdict: Verdict): Verdict {
    verdicts.set(callId, verdict)
    if (verdicts.size > mostRemembered) verdicts.delete(verdicts.keys().next().value!)
    return verdict
  }

  return {
    ask(item, tell = () => requested(item), signal) {
      const decided = always.get(keyOf(item))
      if (decided) return Promise.resolve(noted(item, decided.verdict))
      // What was cancelled while it was asked whether to ask, waits for nobody.
      if (signal?.aborted) return Promise.resolve(noted(item, cancelled))
      return new Promise((resolve) => {
        const message = `Nobody approved this within ${timeoutMs / 1000} seconds.`
        const cancel = clock.at(clock.now() + timeoutMs, () => settle({ approved: false, message }))
        const settle = (verdict: Verdict) => {
          cancel()
          if (waiting.delete(item.callId)) listed()
          resolve(noted(item, verdict))
        }
        waiting.set(item.callId, { item, settle })
        listed()
        signal?.addEventListener('abort', () => settle(cancelled))
        tell()
      })
    },
    decide(asked, verdict, isForAll) {
      const one = waiting.get(asked.callId)
      if (!one) throw noApproval(asked.callId)
      if (asked.arguments !== undefined && asked.arguments !== one.item.arguments) {
        throw new UserError(`The call '${asked.callId}' was made with other arguments than those that were decided on.`)
      }
      const { owner, name } = one.item
      if (isForAll) always.set(keyOf(one.item), { owner, name, verdict })
      one.settle(verdict)
    },
    verdictOf: (callId) => verdicts.get(callId),
    get waiting() {
      return list
    },
    closed(message) {
      const all = [...waiting.values()]
      waiting.clear()
      if (all.length) listed()
      for (const { settle } of all) settle({ approved: false, message })
    },
    save: () => ({ always: [...always.values()] }),
  }
}

function keyOf({ owner, name }: { readonly owner: string; readonly name: string }): string {
  return JSON.stringify([owner, name])
}
