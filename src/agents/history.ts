/** The conversation as apps know it: messages and calls, an item that did not change being the same object as before. */
import { type Conversation, contentOf } from '../conversation/conversation.ts'
import type { Item, ItemStatus, Message } from '../protocol/events.ts'

export type RealtimeContent =
  | { readonly type: 'input_text' | 'output_text'; readonly text: string }
  | { readonly type: 'input_audio' | 'output_audio'; readonly transcript: string | null }
  | { readonly type: 'input_image'; readonly image: string }

export interface RealtimeMessageItem {
  readonly type: 'message'
  readonly itemId: string
  readonly previousItemId: string | null
  readonly role: 'user' | 'assistant' | 'system'
  readonly status: ItemStatus
  readonly content: readonly RealtimeContent[]
}

export interface RealtimeToolCallItem {
  readonly type: 'function_call'
  readonly itemId: string
  readonly previousItemId: string | null
  readonly status: ItemStatus
  readonly callId: string
  readonly name: string
  readonly arguments: string
  /** What the tool answered; null while it runs. */
  readonly output: string | null
}

export type RealtimeItem = RealtimeMessageItem | RealtimeToolCallItem

/** What was said and is not acknowledged yet. */
type Pending = readonly { readonly item: Item }[]

/** Makes the history of one session; each call costs as much as has changed since the last. */
export function historian(): (conversation: Conversation, pending: Pending) => readonly RealtimeItem[] {
  let seen: readonly Item[] = []
  let settled: readonly RealtimeItem[] = []
  let last: { conversation: Conversation; pending: Pending; history: readonly RealtimeItem[] } | null = null
  const growing = new Map<Item, RealtimeItem>()

  return (conversation, pending) => {
    if (last?.conversation === conversation && last.pending === pending) return last.history
    const items = pending.length ? [...conversation.items, ...pending.map(({ item }) => item)] : conversation.items
    if (items !== seen) {
      settled = follow(seen, settled, items)
      seen = items
    }
    const history = conversation.open.length ? withOpen(settled, conversation.open, growing) : settled
    last = { conversation, pending, history }
    return history
  }
}

/** Brings the history from one list of items to the next: what stands before the first difference is kept. */
function follow(
  before: readonly Item[],
  history: readonly RealtimeItem[],
  items: readonly Item[],
): readonly RealtimeItem[] {
  let same = 0
  while (same < before.length && before[same] === items[same]) same++
  const next = history.slice(0, shownIn(before, history, same))
  for (const item of items.slice(same)) {
    if (item.type === 'function_call_output') answerCall(next, item)
    else {
      const shown = show(item, next.at(-1)?.itemId ?? null)
      if (shown) next.push(reuse(history, next.length, shown))
    }
  }
  return next
}

/** How many of the first `count` items are shown. */
function shownIn(items: readonly Item[], history: readonly RealtimeItem[], count: number): number {
  if (count === items.length) return history.length
  let shown = history.length
  for (let n = items.length - 1; n >= count; n--) if (isShown(items[n]!)) shown--
  return shown
}

function isShown(item: Item): boolean {
  return item.type === 'message' || item.type === 'function_call'
}

function reuse(history: readonly RealtimeItem[], at: number, shown: RealtimeItem): RealtimeItem {
  const known = history[at]
  return known?.itemId === shown.itemId && JSON.stringify(known) === JSON.stringify(shown) ? known : shown
}

function answerCall(history: RealtimeItem[], { call_id, output }: { call_id: string; output: string }): void {
  const at = history.findLastIndex((item) => item.type === 'function_call' && item.callId === call_id)
  const call = history[at]
  if (call?.type === 'function_call' && call.output !== output) history[at] = { ...call, output }
}

function withOpen(
  settled: readonly RealtimeItem[],
  open: readonly Item[],
  growing: Map<Item, RealtimeItem>,
): readonly RealtimeItem[] {
  const history = settled.slice()
  for (const item of growing.keys()) if (!open.includes(item)) growing.delete(item)
  for (const item of open) {
    const at = history.findLastIndex(({ itemId }) => itemId === item.id)
    if (at < 0) continue
    const shown = growing.get(item) ?? show(item, history[at]!.previousItemId)
    if (!shown) continue
    growing.set(item, shown)
    history[at] = shown
  }
  return history
}

function show(item: Item, previousItemId: string | null): RealtimeItem | null {
  if (item.type === 'message') return showMessage(item, previousItemId)
  if (item.type !== 'function_call') return null
  const { id: itemId, call_id: callId, name, status = 'completed' } = item
  return {
    type: 'function_call',
    itemId,
    previousItemId,
    status,
    callId,
    name,
    arguments: item.arguments,
    output: null,
  }
}

function showMessage(message: Message, previousItemId: string | null): RealtimeMessageItem {
  const { id: itemId, role, status = 'completed' } = message
  const content = contentOf(message).map((part): RealtimeContent => {
    switch (part.type) {
      case 'input_audio':
      case 'output_audio':
        return { type: part.type, transcript: part.transcript ?? null }
      case 'input_image':
        return { type: 'input_image', image: part.image_url ?? '' }
      default:
        return { type: part.type, text: part.text ?? '' }
    }
  })
  return { type: 'message', itemId, previousItemId, role, status, content }
}
