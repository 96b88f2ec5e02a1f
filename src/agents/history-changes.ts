/** From one history to another with as few deletions and creations as can be. Pure. */
import { type CreateItem, createItem } from '../conversation/retell.ts'
import type { Item } from '../protocol/events.ts'
import type { RealtimeContent, RealtimeItem, RealtimeItemInput } from '../session/history.ts'
import { wrongIn } from './saved.ts'
import { firstWrong, type NewId, outputOf, toWire, whyUntold, wordsOf } from './seed.ts'

export interface Changes {
  /** Items to delete, first. */
  readonly removed: readonly string[]
  /** Items to create then, in order: each after one that is there. */
  readonly created: readonly CreateItem[]
}

export interface Wire {
  /** The items that `before` is the history of: the far end's, then those that it has not acknowledged. */
  readonly items: readonly Item[]
  readonly newId: NewId
}

/**
 * What is to be deleted and created. An item stays where its id, its words and its order among those that stay are the
 * same; where a call only got another output, the call stays. What is created has an id that the far end has never seen.
 * What a snapshot did not know yet (words still coming, an output) is not taken back.
 *
 * @throws UserError when an item that would have to be created cannot be told to a far end.
 */
export function changesBetween(
  before: readonly RealtimeItem[],
  after: readonly RealtimeItemInput[],
  { items, newId }: Wire,
): Changes {
  const malformed = firstWrong(after, (item) => wrongIn(item, false))
  if (malformed) throw malformed
  const answers = answersIn(items)
  const stays = staying(before, after, answers)
  const wrong = firstWrong(after, (item, n) => (stays.has(n) ? null : whyUntold(item)))
  if (wrong) throw wrong

  const removed = leaving(before, after, stays, answers)
  const ends = endsIn(items, removed)
  const taken = new Set([...before.map(({ itemId }) => itemId), ...items.map(({ id }) => id)])
  const created: CreateItem[] = []
  let previous = 'root'
  const place = (item: Item) => {
    created.push(createItem(item, { previous_item_id: previous }))
    previous = item.id
  }
  for (const [n, item] of after.entries()) {
    const known = stays.get(n)
    if (!known) {
      const itemId = item.itemId === undefined || taken.has(item.itemId) ? newId('item_') : item.itemId
      taken.add(itemId)
      toWire({ ...item, itemId }, newId).forEach(place)
      continue
    }
    const answer = otherAnswer(known, item)
    previous = answer ? known.itemId : (ends.get(known.itemId) ?? known.itemId)
    if (answer) place(outputOf(answer.callId, answer.output, newId))
  }
  return { removed: [...removed], created }
}

type Answers = ReadonlyMap<string, readonly string[]>

/** The wire items that answer a shown one, and are shown with it, by what they name. */
function answersIn(items: readonly Item[]): Answers {
  const answers = new Map<string, string[]>()
  for (const item of items) {
    const to = answersTo(item)
    if (to !== null) answers.set(to, [...(answers.get(to) ?? []), item.id])
  }
  return answers
}

function answersTo(item: Item): string | null {
  if (item.type === 'function_call_output') return `call ${item.call_id}`
  return item.type === 'mcp_approval_response' ? `request ${item.approval_request_id}` : null
}

function answersOf(item: RealtimeItem, answers: Answers): readonly string[] {
  const name = item.type === 'function_call' ? `call ${item.callId}` : `request ${item.itemId}`
  return answers.get(name) ?? []
}

/** Everything that is to be deleted. */
function leaving(
  before: readonly RealtimeItem[],
  after: readonly RealtimeItemInput[],
  stays: ReadonlyMap<number, RealtimeItem>,
  answers: Answers,
): ReadonlySet<string> {
  const left = new Set(before)
  const removed = new Set<string>()
  for (const [n, known] of stays) {
    left.delete(known)
    if (otherAnswer(known, after[n]!)) for (const id of answersOf(known, answers)) removed.add(id)
  }
  for (const item of left) for (const id of [item.itemId, ...answersOf(item, answers)]) removed.add(id)
  return removed
}

/** What is put after an item comes after the answers that stand behind it: a call is not torn from its output. */
function endsIn(items: readonly Item[], removed: ReadonlySet<string>): ReadonlyMap<string, string> {
  const ends = new Map<string, string>()
  let shown: string | null = null
  for (const item of items) {
    if (answersTo(item) === null) shown = item.id
    else if (shown !== null && !removed.has(item.id)) ends.set(shown, item.id)
  }
  return ends
}

/** An item that can stay, by its places. */
interface Pair {
  readonly before: number
  readonly after: number
  /** How many deletions and creations it saves that it stays. */
  readonly saves: number
}

/** What stays, by its place in `after`. */
function staying(
  before: readonly RealtimeItem[],
  after: readonly RealtimeItemInput[],
  answers: Answers,
): ReadonlyMap<number, RealtimeItem> {
  const places = new Map(before.map(({ itemId }, n) => [itemId, n]))
  const pairs = after.flatMap((item, n): readonly Pair[] => {
    const at = places.get(item.itemId ?? '') ?? -1
    const known = before[at]
    if (!known || !isSame(known, item)) return []
    return [{ before: at, after: n, saves: savedBy(known, item, answers) }]
  })
  return new Map(heaviest(pairs).map((pair) => [pair.after, before[pair.before]!]))
}

/** What a far end cannot be told again stays, and the others move around it. */
function savedBy(known: RealtimeItem, item: RealtimeItemInput, answers: Answers): number {
  if (whyUntold(item) !== null) return 1_000_000
  if (known.type !== 'function_call') return 2
  const count = answersOf(known, answers).length
  return otherAnswer(known, item) ? 2 : 3 + count
}

/** The pairs that save the most, of those in which none overtakes another. */
function heaviest(pairs: readonly Pair[]): readonly Pair[] {
  const best: { readonly saves: number; readonly previous: number }[] = []
  let end = -1
  for (const [n, pair] of pairs.entries()) {
    let previous = -1
    for (let m = 0; m < n; m++) {
      if (pairs[m]!.before < pair.before && best[m]!.saves > (best[previous]?.saves ?? 0)) previous = m
    }
    best.push({ saves: pair.saves + (best[previous]?.saves ?? 0), previous })
    if (best[n]!.saves > (best[end]?.saves ?? 0)) end = n
  }
  const kept: Pair[] = []
  for (let n = end; n >= 0; n = best[n]!.previous) kept.push(pairs[n]!)
  return kept
}

function isSame(known: RealtimeItem, item: RealtimeItemInput): boolean {
  const isSnapshot = isUnsettled(item)
  if (known.type === 'message' || item.type === 'message') {
    if (known.type !== 'message' || item.type !== 'message' || known.role !== item.role) return false
    return isSameContent(known.content, item.content, isSnapshot)
  }
  if (known.type !== item.type || known.name !== item.name) return false
  if (!isSameWords(known.arguments, item.arguments, isSnapshot)) return false
  const fields = ['callId', 'serverLabel', ...(item.type === 'function_call' ? [] : ['output', 'error', 'approved'])]
  const [was, is] = [known, item] as unknown as readonly Readonly<Record<string, unknown>>[]
  return fields.every((key) => (is![key] ?? null) === null || JSON.stringify(is![key]) === JSON.stringify(was![key]))
}

/** It was taken from a history when there was more to come: what came since is no change of the app's. */
function isUnsettled(item: RealtimeItemInput): boolean {
  if (item.status === 'in_progress') return true
  return item.type === 'message' && (item.transcriptStatus ?? 'final') !== 'final'
}

function isSameContent(
  known: readonly RealtimeContent[],
  content: readonly RealtimeContent[],
  isSnapshot: boolean,
): boolean {
  if (content.length > known.length || (content.length < known.length && !isSnapshot)) return false
  return content.every((part, n) => {
    const was = known[n]!
    if (part.type !== was.type) return false
    return part.type === 'input_image'
      ? part.image === imageOf(was)
      : isSameWords(wordsOf(was), wordsOf(part), isSnapshot)
  })
}

function imageOf(part: RealtimeContent): string | null {
  return part.type === 'input_image' ? part.image : null
}

function isSameWords(known: string, words: string, isSnapshot: boolean): boolean {
  return known === words || (isSnapshot && known.startsWith(words))
}

/** What a call is to be answered with instead. An output that is null says nothing. */
function otherAnswer(
  known: RealtimeItem,
  item: RealtimeItemInput,
): { readonly callId: string; readonly output: string } | null {
  if (known.type !== 'function_call' || item.type !== 'function_call') return null
  const { output = null } = item
  return output === null || output === known.output ? null : { callId: known.callId, output }
}
