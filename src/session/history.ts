/** The conversation as apps know it: messages and calls, an item that did not change being the same object as before. */
import type { Conversation } from '../conversation/conversation.ts'
import { find, sameUntil } from '../conversation/order.ts'
import type { Cuts } from '../conversation/retell.ts'
import type { Item, ItemStatus, McpError } from '../protocol/events.ts'
import { type Around, answered, isShown, show } from './show.ts'

export type RealtimeContent =
  | { readonly type: 'input_text' | 'output_text'; readonly text: string }
  | {
      readonly type: 'input_audio' | 'output_audio'
      readonly transcript: string | null
      /** With `historyStoreAudio`: the sound, base64 in the session's format; null while it is not whole, or was too long. */
      readonly audio?: string | null
    }
  | { readonly type: 'input_image'; readonly image: string }

/**
 * What became of the words of audio. `pending`: they are still coming. `final`: they are all here. `failed`: they will
 * not come. `off`: nobody was asked to put what the user says into words.
 */
export type TranscriptStatus = 'pending' | 'final' | 'failed' | 'off'

/** Where an item came from: this conversation, what the app told at its start, or a conversation that was saved. */
export type Origin = 'live' | 'seeded' | 'restored'

interface Shown {
  readonly itemId: string
  /** The item before it in this history; null: it is the first. */
  readonly previousItemId: string | null
  readonly origin: Origin
}

export interface RealtimeMessageItem extends Shown {
  readonly type: 'message'
  readonly role: 'user' | 'assistant' | 'system'
  readonly status: ItemStatus
  /** What was said: of an answer that was cut off, all that was generated. */
  readonly content: readonly RealtimeContent[]
  /** Of a message with audio. */
  readonly transcriptStatus?: TranscriptStatus
  /** The answer was cut off while it was heard. */
  readonly interrupted?: true
  /** Of an answer that was cut off: how much of it was heard, in ms. */
  readonly heardMs?: number
  /** Of an answer that was cut off: the words that were heard, to a word or two. */
  readonly heardText?: string
}

export interface RealtimeToolCallItem extends Shown {
  readonly type: 'function_call'
  readonly status: ItemStatus
  readonly callId: string
  readonly name: string
  readonly arguments: string
  /** What the tool answered; null while it runs. */
  readonly output: string | null
}

/** A call of a tool that the far end runs by itself. */
export interface RealtimeMcpCallItem extends Shown {
  readonly type: 'mcp_call'
  readonly status: ItemStatus | 'failed'
  readonly serverLabel: string
  readonly name: string
  readonly arguments: string
  /** What the tool answered; null while it runs, and where it failed. */
  readonly output: string | null
  readonly error: McpError | null
}

/** The far end asks whether it may call a tool. */
export interface RealtimeMcpApprovalRequestItem extends Shown {
  readonly type: 'mcp_approval_request'
  /** `in_progress` until it is decided. */
  readonly status: ItemStatus
  readonly serverLabel: string
  readonly name: string
  readonly arguments: string
  /** What was decided; null before. */
  readonly approved: boolean | null
}

export type RealtimeItem =
  | RealtimeMessageItem
  | RealtimeToolCallItem
  | RealtimeMcpCallItem
  | RealtimeMcpApprovalRequestItem

/** An item as an app writes it: what it leaves out is made up for. */
export type RealtimeItemInput = Loose<RealtimeItem>
type Loose<Shape> = Shape extends unknown
  ? Omit<Shape, Left> & { readonly [Key in Left & keyof Shape]?: Shape[Key] }
  : never
type Left = keyof Shown | 'status' | 'callId' | 'output' | 'error' | 'approved'

/** Sound by item, then by the place of the part: base64. What is new is a new map. */
export type Sounds = ReadonlyMap<string, readonly (string | null)[]>

/** What the history is made of. */
export interface Sources {
  readonly conversation: Conversation
  /** What was said and is not acknowledged yet. */
  readonly pending: readonly { readonly item: Item }[]
  /** Where answers were cut off, by item. */
  readonly cuts: Cuts
  /** Items that are not from this conversation. */
  readonly origins: ReadonlyMap<string, Origin>
  /** Whether what the user says is put into words. An item is shown by what held when it was first seen. */
  readonly isTranscribed: boolean
  /** The sound of items' parts, where it is kept. */
  readonly sounds?: Sounds | undefined
}

/** Makes the history of one session; each call costs as much as has changed since the last. */
export function historian(): (sources: Sources) => readonly RealtimeItem[] {
  let seen: readonly Item[] = []
  let settled: readonly RealtimeItem[] = []
  let history: readonly RealtimeItem[] = []
  let last: Sources | null = null
  const growing = new Map<Item, RealtimeItem>()
  const off = new Map<string, boolean>()

  return (sources) => {
    const { conversation, pending, cuts, origins, isTranscribed, sounds } = sources
    const { wordless } = conversation
    if (last && isSame(last, sources)) return history
    const items = pending.length ? [...conversation.items, ...pending.map(({ item }) => item)] : conversation.items
    const marked = marksBetween(last, sources)
    const around: Around = { cuts, origins, isTranscribed, off, wordless, sounds }
    const same = last && !marked.size ? sameUntil(last.conversation.items, conversation.items) : 0
    if (items !== seen || marked.size) settled = follow({ items: seen, history: settled }, items, same, marked, around)
    if (marked.size) growing.clear()
    if (last && conversation.items.length < last.conversation.items.length) forget(off, conversation)
    history = conversation.open.length ? withOpen(settled, conversation.open, growing, around) : settled
    seen = items
    last = sources
    return history
  }
}

/** What is shown of an item of the wire: of an answer, the call that it answers. */
export function shownOf(id: string, history: readonly RealtimeItem[], { items }: Conversation): RealtimeItem | null {
  const item = items[find(items, id)]
  if (!item) return null
  if (item.type === 'function_call_output')
    return history.findLast((shown) => shown.type === 'function_call' && shown.callId === item.call_id) ?? null
  const wanted = item.type === 'mcp_approval_response' ? item.approval_request_id : id
  return history.findLast(({ itemId }) => itemId === wanted) ?? null
}

/** Items that were deleted need not be known any more. */
function forget(off: Map<string, boolean>, { items }: Conversation): void {
  for (const id of off.keys()) if (find(items, id) < 0) off.delete(id)
}

function isSame(a: Sources, b: Sources): boolean {
  const isSame = (name: keyof Sources) => a[name] === b[name]
  return (['conversation', 'pending', 'cuts', 'origins', 'sounds'] as const).every(isSame)
}

const none: ReadonlySet<string> = new Set()

/** The items that are to be shown anew, though what was told of them is the same. */
function marksBetween(before: Sources | null, { conversation, cuts, origins, sounds }: Sources): ReadonlySet<string> {
  const known = before?.conversation.wordless
  const isHeard = before?.sounds !== sounds
  if (before?.cuts === cuts && before.origins === origins && known === conversation.wordless && !isHeard) return none
  const marked = new Set<string>()
  if (before?.cuts !== cuts) {
    for (const id in { ...before?.cuts, ...cuts }) if (before?.cuts[id] !== cuts[id]) marked.add(id)
  }
  if (isHeard) for (const id of sounds?.keys() ?? []) if (before?.sounds?.get(id) !== sounds?.get(id)) marked.add(id)
  if (before?.origins !== origins) for (const id of origins.keys()) marked.add(id)
  if (known !== conversation.wordless) for (const id of conversation.wordless) if (!known?.has(id)) marked.add(id)
  return marked
}

interface Before {
  readonly items: readonly Item[]
  readonly history: readonly RealtimeItem[]
}

/** Brings the history from one list of items to the next: what stands before the first difference, not before `from`, is kept. */
function follow(
  before: Before,
  items: readonly Item[],
  from: number,
  marked: ReadonlySet<string>,
  around: Around,
): readonly RealtimeItem[] {
  const same = firstDifference(before.items, items, from, marked)
  const kept = shownIn(before, same)
  const history = before.history.slice(0, kept)
  for (const item of items.slice(same)) {
    const call = answered(history, item)
    if (call) history[call.at] = call.item
    const shown = show(item, history.at(-1)?.itemId ?? null, around)
    if (shown) history.push(shown)
  }
  const known = new Map(before.history.slice(kept).map((item) => [item.itemId, item]))
  for (let n = kept; n < history.length; n++) history[n] = reuse(known.get(history[n]!.itemId), history[n]!)
  return history
}

/** An answer is shown with its call: where it is not the same any more, the call is shown anew. */
function firstDifference(
  before: readonly Item[],
  items: readonly Item[],
  from: number,
  marked: ReadonlySet<string>,
): number {
  let same = from
  while (same < before.length && before[same] === items[same] && !marked.has(before[same]!.id)) same++
  let first = same
  for (const item of before.slice(same)) {
    if (item.type !== 'function_call_output' && item.type !== 'mcp_approval_response') continue
    const at = before.findIndex((other) =>
      item.type === 'function_call_output'
        ? other.type === 'function_call' && other.call_id === item.call_id
        : other.id === item.approval_request_id,
    )
    if (at >= 0 && at < first) first = at
  }
  return first
}

/** How many of the first `count` items are shown. */
function shownIn({ items, history }: Before, count: number): number {
  let shown = history.length
  for (let n = items.length - 1; n >= count; n--) if (isShown(items[n]!)) shown--
  return shown
}

function reuse(known: RealtimeItem | undefined, shown: RealtimeItem): RealtimeItem {
  return known && JSON.stringify(known) === JSON.stringify(shown) ? known : shown
}

function withOpen(
  settled: readonly RealtimeItem[],
  open: readonly Item[],
  growing: Map<Item, RealtimeItem>,
  around: Around,
): readonly RealtimeItem[] {
  const history = settled.slice()
  for (const item of growing.keys()) if (!open.includes(item)) growing.delete(item)
  for (const item of open) {
    const at = history.findLastIndex(({ itemId }) => itemId === item.id)
    if (at < 0) continue
    const { previousItemId } = history[at]!
    const known = growing.get(item)
    const shown = known?.previousItemId === previousItemId ? known : show(item, previousItemId, around, true)
    if (!shown) continue
    growing.set(item, shown)
    history[at] = shown
  }
  return history
}
