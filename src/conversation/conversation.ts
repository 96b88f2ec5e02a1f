/**
 * The conversation: what has been said, in the server's order, and the responses being given.
 *
 * It is folded from server events and from nothing else, so it does not know which end it is on. The client folds
 * the events it receives; the local server folds the events it sends; after the same events both hold the same value.
 */
import type { FunctionCall, Item, Response, ServerEvent } from '../protocol/events.ts'
import { empty } from './empty.ts'
import { argue, asIncomplete, awaitsWords, isGrowing, keepWords, speak, withoutAudio } from './item.ts'
import { find, insert, remove, replace } from './order.ts'

export { contentOf, textOf } from './item.ts'
export { empty }

export interface Conversation {
  /** Every item, in order. One that is still being told stands here as it was first announced. */
  readonly items: readonly Item[]
  /** The items still being told, as far as they are: kept apart, so that a delta touches these few only. */
  readonly open: readonly Item[]
  /** Calls that have been made in full and not yet answered, oldest first. */
  readonly calls: readonly FunctionCall[]
  /** The responses being given: at most one to the conversation, any number beside it. */
  readonly responses: readonly Response[]
  /** Spoken items whose words will not be told any more: they could not be made out, or the line was lost before. */
  readonly wordless: ReadonlySet<string>
  /** What was transcribed of items that are not here yet, oldest first. */
  readonly early: readonly Transcription[]
  /**
   * Items of the responses being given that do not stand here: as they were announced, until a word of them comes, for not
   * every far end mirrors them in `conversation.item.added`; null where they were deleted.
   */
  readonly absent: ReadonlyMap<string, Item | null>
}

type Transcription = Extract<
  ServerEvent,
  { readonly type: `conversation.item.input_audio_transcription.${'delta' | 'completed' | 'failed'}` }
>

/** Words for an item that never comes are let go. */
const mostEarly = 64

/** Returns the conversation after `event`. An event that says nothing about it returns it unchanged. */
export function evolve(conversation: Conversation, event: ServerEvent): Conversation {
  switch (event.type) {
    case 'conversation.item.created':
    case 'conversation.item.added':
      return place(conversation, event.item, event.previous_item_id)
    case 'conversation.item.done':
      return settle(place(conversation, event.item, event.previous_item_id), event.item)
    case 'response.output_item.added':
      return announce(conversation, event.item, event.response_id)
    case 'response.output_item.done':
      return settle(stand(conversation, event.item, event.response_id), event.item)
    case 'conversation.item.deleted':
      return drop(conversation, event.item_id)
    case 'conversation.item.input_audio_transcription.delta':
    case 'conversation.item.input_audio_transcription.completed':
    case 'conversation.item.input_audio_transcription.failed':
      return transcribed(conversation, event)
    case 'response.created':
      return { ...conversation, responses: [...conversation.responses, event.response] }
    case 'response.done':
      return finish(conversation, event.response)
    case 'response.content_part.added':
      return grown(conversation, event.item_id, (item) =>
        speak(item, event, event.part.type === 'audio' ? 'output_audio' : 'output_text', ''),
      )
    case 'response.output_text.delta':
    case 'response.output_audio_transcript.delta':
      return grown(conversation, event.item_id, (item) => speak(item, event, 'output_text', event.delta))
    case 'response.output_text.done':
      return grown(conversation, event.item_id, (item) => speak(item, event, 'output_text', event.text, true))
    case 'response.output_audio_transcript.done':
      return grown(conversation, event.item_id, (item) => speak(item, event, 'output_text', event.transcript, true))
    case 'response.function_call_arguments.delta':
    case 'response.mcp_call_arguments.delta':
      return grown(conversation, event.item_id, (item) => argue(item, (before) => before + event.delta))
    case 'response.function_call_arguments.done':
    case 'response.mcp_call_arguments.done':
      return grown(conversation, event.item_id, (item) => argue(item, () => event.arguments))
    case 'response.mcp_call.failed':
      return retold(conversation, event.item_id, 'told', (item) => item)
    default:
      return conversation
  }
}

/** Says that the line was lost: what was being told stays as far as it got, and transcripts that were awaited never come. */
export function interrupt(conversation: Conversation): Conversation {
  const { items, open } = conversation
  const awaited = items.filter(awaitsWords).map(({ id }) => id)
  const cut = open.reduce<Conversation>(
    (after, item) => retold(after, item.id, 'told', () => asIncomplete(item)),
    conversation,
  )
  return { ...withWordless(cut, awaited), responses: [], absent: empty.absent }
}

/** All items in order, those still being told in their latest form. */
export function itemsOf(conversation: Conversation): readonly Item[] {
  if (conversation.open.length === 0) return conversation.items
  return conversation.open.reduce((items, item) => replace(items, find(items, item.id), item), conversation.items)
}

/** An item in its latest form. */
export function itemOf({ items, open }: Conversation, id: string): Item | undefined {
  return open.find((item) => item.id === id) ?? items[find(items, id)]
}

/** The response that is being given to the conversation, if there is one. Out-of-band responses are none. */
export function activeResponse(conversation: Conversation): Response | undefined {
  return conversation.responses.find((response) => response.conversation_id !== null)
}

/** An item is placed once and stays; hearing of it again changes nothing here (`done` settles what it says). */
function place(conversation: Conversation, told: Item, previous: string | null | undefined): Conversation {
  const { items, open } = conversation
  if (find(items, told.id) >= 0) return conversation
  const item = withoutAudio(told)
  const before = previous ? find(items, previous) : -1
  const at = previous === 'root' ? 0 : before < 0 ? items.length : before + 1
  const placed = {
    ...conversation,
    items: insert(items, at, item),
    open: isGrowing(item) ? [...open, item] : open,
    calls: callsAfter(conversation, item, at),
    absent: without(conversation.absent, item.id),
  }
  return conversation.early.length ? caughtUp(placed, item.id) : placed
}

/** A response tells of an item. Where it stands is for `conversation.item.added` to say, which comes next, or never. */
function announce(conversation: Conversation, told: Item, response_id: string): Conversation {
  const { absent } = conversation
  if (!isOurs(conversation, response_id) || isKnown(conversation, told.id)) return conversation
  const item = { ...(isOfModel(told) ? { status: 'in_progress' } : {}), ...withoutAudio(told) } as Item
  return { ...conversation, absent: new Map([...absent, [item.id, item]]) }
}

/** What a response has made is in the conversation, mirrored or not; but for what was deleted meanwhile. */
function stand(conversation: Conversation, told: Item, response_id: string): Conversation {
  const announced = conversation.absent.get(told.id)
  if (announced === null || !isOurs(conversation, response_id)) return conversation
  return place(conversation, announced ?? told, undefined)
}

/** Of a response that is given to the conversation, not beside it. */
function isOurs({ responses }: Conversation, response_id: string): boolean {
  return responses.some(({ id, conversation_id }) => id === response_id && conversation_id !== null)
}

function isKnown({ items, absent }: Conversation, id: string): boolean {
  return absent.has(id) || find(items, id) >= 0
}

function isOfModel(item: Item): boolean {
  return item.type === 'function_call' || (item.type === 'message' && item.role === 'assistant')
}

function without(absent: Conversation['absent'], id: string): Conversation['absent'] {
  return absent.has(id) ? new Map([...absent].filter(([other]) => other !== id)) : absent
}

/** Words may come before their item: they wait for it. */
function transcribed(conversation: Conversation, event: Transcription): Conversation {
  const { item_id } = event
  if (find(conversation.items, item_id) < 0) {
    return { ...conversation, early: [...conversation.early, event].slice(-mostEarly) }
  }
  switch (event.type) {
    case 'conversation.item.input_audio_transcription.delta':
      return retold(conversation, item_id, 'open', (item) => speak(item, event, 'input_audio', event.delta ?? ''))
    case 'conversation.item.input_audio_transcription.completed':
      return withWords(
        retold(conversation, item_id, 'told', (item) => speak(item, event, 'input_audio', event.transcript, true)),
        item_id,
      )
    case 'conversation.item.input_audio_transcription.failed':
      return withWordless(
        retold(conversation, item_id, 'told', (item) => item),
        [item_id],
      )
  }
}

function caughtUp(conversation: Conversation, id: string): Conversation {
  const [mine, early] = [true, false].map((is) => conversation.early.filter(({ item_id }) => (item_id === id) === is))
  return mine!.length ? mine!.reduce<Conversation>(evolve, { ...conversation, early: early! }) : conversation
}

function withWordless(conversation: Conversation, ids: readonly string[]): Conversation {
  const { wordless } = conversation
  return ids.every((id) => wordless.has(id))
    ? conversation
    : { ...conversation, wordless: new Set([...wordless, ...ids]) }
}

function withWords(conversation: Conversation, id: string): Conversation {
  const { wordless } = conversation
  if (!wordless.has(id)) return conversation
  return { ...conversation, wordless: new Set([...wordless].filter((other) => other !== id)) }
}

/**
 * The last word on an item. One of the model's that names no status is made in full when it is told to its end; a call of
 * the far end's own MCP tools has ended when it has an output or an error.
 */
function settle(conversation: Conversation, told: Item): Conversation {
  const item = withoutAudio(isOfModel(told) ? ({ status: 'completed', ...told } as Item) : told)
  const isRunning = item.type === 'mcp_call' && isGrowing(item) && isOpen(conversation, item.id)
  return retold(conversation, item.id, isRunning ? 'open' : 'told', (before) => {
    const after = keepWords(before, item)
    return JSON.stringify(before) === JSON.stringify({ ...before, ...after }) ? before : after
  })
}

function drop(conversation: Conversation, id: string): Conversation {
  const { items, responses, absent } = conversation
  const at = find(items, id)
  // What a response being given tells of it does not bring it back.
  const gone = isKnown(conversation, id) && responses.length ? new Map([...absent, [id, null]]) : absent
  if (at < 0) return gone === absent ? conversation : { ...conversation, absent: gone }
  return {
    ...withWords(conversation, id),
    absent: gone,
    items: remove(items, at),
    open: conversation.open.filter((item) => item.id !== id),
    calls: conversation.calls.filter((call) => call.id !== id),
  }
}

/**
 * A response that ended tells no more: what a careless server left open, or never told of, takes the words of
 * `response.output`.
 */
function finish(conversation: Conversation, response: Response): Conversation {
  const output = response.conversation_id === null ? [] : (response.output ?? [])
  const left = output.filter(({ id }) => isOpen(conversation, id) || find(conversation.items, id) < 0)
  const after = left.reduce((one, item) => settle(stand(one, item, response.id), item), conversation)
  const responses = after.responses.filter(({ id }) => id !== response.id)
  return { ...after, responses, absent: responses.length ? after.absent : empty.absent }
}

/** Changes an item, which is then `told`, or `open`: still being told. An item that is not here stays away. */
function retold(
  conversation: Conversation,
  id: string,
  then: 'told' | 'open',
  change: (item: Item) => Item,
): Conversation {
  const { items, open } = conversation
  const at = find(items, id)
  const nth = open.findIndex((item) => item.id === id)
  if (at < 0) return conversation
  const before = open[nth] ?? items[at]!
  const after = change(before)
  if (then === 'open') return { ...conversation, open: nth < 0 ? [...open, after] : open.with(nth, after) }
  if (nth < 0 && after === before) return conversation
  return {
    ...conversation,
    items: replace(items, at, after),
    open: nth < 0 ? open : open.toSpliced(nth, 1),
    calls: callsAfter(conversation, after, at),
  }
}

/** `at`: the item's place. A call that was answered, and is told again, is not open again. */
function callsAfter({ calls, items }: Conversation, item: Item, at: number): readonly FunctionCall[] {
  if (item.type === 'function_call_output') return calls.filter(({ call_id }) => call_id !== item.call_id)
  if (item.type !== 'function_call' || item.status !== 'completed') return calls
  const isOld = calls.some(({ id }) => id === item.id) || isAnswered(items, item.call_id, at)
  return isOld ? calls : [...calls, item]
}

function isAnswered(items: readonly Item[], call_id: string, from: number): boolean {
  for (let n = from; n < items.length; n++) {
    const item = items[n]!
    if (item.type === 'function_call_output' && item.call_id === call_id) return true
  }
  return false
}

/**
 * Changes an item that is being told. One that is not (out of band, or already told) is left as it is; one that was only
 * announced comes to stand here.
 */
function grown(conversation: Conversation, id: string, change: (item: Item) => Item): Conversation {
  const { open, absent } = conversation
  const nth = open.findIndex((item) => item.id === id)
  if (nth >= 0) return { ...conversation, open: open.with(nth, change(open[nth]!)) }
  const announced = absent.get(id)
  return announced ? grown(place(conversation, announced, undefined), id, change) : conversation
}

function isOpen({ open }: Conversation, id: string): boolean {
  return open.some((item) => item.id === id)
}
