import type { RealtimeItem, RealtimeMessageItem } from '../session/history.ts'

/** A message as it is shown. While it did not change, it is the same object: a component that gets it can be memoized. */
export interface TranscriptMessage {
  readonly itemId: string
  readonly role: 'user' | 'assistant' | 'system'
  /** What was said so far; of an answer that was cut off, all that was generated. */
  readonly text: string
  /** More words of it may come. */
  readonly growing: boolean
  /** The answer was cut off while it was heard. */
  readonly interrupted: boolean
  /** Of an answer that was cut off: the words that were heard, approximately. */
  readonly heardText: string | null
  /** The item of the history. */
  readonly item: RealtimeMessageItem
}

type History = readonly RealtimeItem[]

const messages = new WeakMap<RealtimeItem, TranscriptMessage>()
const indexes = new WeakMap<History, ReadonlyMap<string, RealtimeItem>>()

export function transcriptOf(history: History): readonly TranscriptMessage[] {
  return history.filter((item) => item.type === 'message').map(messageOf)
}

/** Many ask, each for its own: the history is looked through once. */
export function itemIn(history: History, itemId: string): TranscriptMessage | null {
  let index = indexes.get(history)
  if (!index) indexes.set(history, (index = new Map(history.map((item) => [item.itemId, item]))))
  const item = index.get(itemId)
  return item?.type === 'message' ? messageOf(item) : null
}

function messageOf(item: RealtimeMessageItem): TranscriptMessage {
  const known = messages.get(item)
  if (known) return known
  const { itemId, role, content, status, transcriptStatus, interrupted = false, heardText = null } = item
  const words = content.map((part) => ('text' in part ? part.text : 'transcript' in part ? part.transcript : '') ?? '')
  const growing = status === 'in_progress' || transcriptStatus === 'pending'
  const message = { itemId, role, text: words.join(''), growing, interrupted, heardText, item }
  messages.set(item, message)
  return message
}
