/**
 * The conversation: what has been said, in the server's order, and the responses being given.
 *
 * It is folded from server events and from nothing else, so it does not know which end it is on. The client folds
 * the events it receives; the local server folds the events it sends; after the same events both hold the same value.
 */
import type { Content, Item, Message, Response, ServerEvent } from '../protocol/events.ts'
import { append, find, insert, remove, replace } from './order.ts'

export interface Conversation {
  /** Every item, in order. One that is still being told stands here as it was first announced. */
  readonly items: readonly Item[]
  /** The items still being told, as far as they are: kept apart, so that a delta touches these few only. */
  readonly open: readonly Item[]
  /** The responses being given: at most one to the conversation, any number beside it. */
  readonly responses: readonly Response[]
}

export const empty: Conversation = { items: [], open: [], responses: [] }

/** Returns the conversation after `event`. An event that says nothing about it returns it unchanged. */
export function evolve(conversation: Conversation, event: ServerEvent): Conversation {
  switch (event.type) {
    case 'conversation.item.created':
    case 'conversation.item.added':
      return place(conversation, withoutAudio(event.item), event.previous_item_id)
    case 'conversation.item.done':
      return settle(place(conversation, withoutAudio(event.item), event.previous_item_id), withoutAudio(event.item))
    case 'response.output_item.done':
      return settle(conversation, withoutAudio(event.item))
    case 'conversation.item.deleted':
      return drop(conversation, event.item_id)
    case 'conversation.item.input_audio_transcription.delta':
      return grow(conversation, event.item_id, (item) => transcribe(item, event, event.delta ?? ''))
    case 'conversation.item.input_audio_transcription.completed':
      return close(conversation, event.item_id, (item) => transcribe(item, event, event.transcript, true))
    case 'conversation.item.input_audio_transcription.failed':
      return close(conversation, event.item_id, (item) => item)
    case 'response.created':
      return { ...conversation, responses: [...conversation.responses, event.response] }
    case 'response.done':
      return finish(conversation, event.response)
    case 'response.content_part.added':
      return tell(conversation, event.item_id, (item) => setPart(item, event.content_index, startOf(event.part)))
    case 'response.output_text.delta':
    case 'response.output_audio_transcript.delta':
      return tell(conversation, event.item_id, (item) => say(item, event, event.delta))
    case 'response.output_text.done':
      return tell(conversation, event.item_id, (item) => say(item, event, event.text, true))
    case 'response.output_audio_transcript.done':
      return tell(conversation, event.item_id, (item) => say(item, event, event.transcript, true))
    case 'response.function_call_arguments.delta':
    case 'response.mcp_call_arguments.delta':
      return tell(conversation, event.item_id, (item) =>
        'arguments' in item ? { ...item, arguments: item.arguments + event.delta } : item,
      )
    case 'response.function_call_arguments.done':
    case 'response.mcp_call_arguments.done':
      return tell(conversation, event.item_id, (item) =>
        'arguments' in item ? { ...item, arguments: event.arguments } : item,
      )
    default:
      return conversation
  }
}

/** Says that the line was lost: what was being told stays as far as it got. */
export function interrupt(conversation: Conversation): Conversation {
  const cut = conversation.open.reduce<Conversation>((after, item) => settle(after, asIncomplete(item)), conversation)
  return { ...cut, open: [], responses: [] }
}

/** All items in order, those still being told in their latest form. */
export function itemsOf(conversation: Conversation): readonly Item[] {
  if (conversation.open.length === 0) return conversation.items
  return conversation.open.reduce((items, item) => replace(items, find(items, item.id), item), conversation.items)
}

/** The response that is being given to the conversation, if there is one. Out-of-band responses are none. */
export function activeResponse(conversation: Conversation): Response | undefined {
  return conversation.responses.find((response) => response.conversation_id !== null)
}

/** Calls that have been made in full and not yet answered, oldest first. */
export function openCalls(conversation: Conversation): readonly Extract<Item, { type: 'function_call' }>[] {
  const calls: Extract<Item, { type: 'function_call' }>[] = []
  const answered = new Set<string>()
  for (const item of conversation.items) {
    if (item.type === 'function_call_output') answered.add(item.call_id)
    if (item.type === 'function_call' && item.status === 'completed') calls.push(item)
  }
  return calls.filter((call) => !answered.has(call.call_id))
}

/** What an item says in words: a message's text and transcripts, a call's output. */
export function textOf(item: Item): string {
  if (item.type === 'function_call_output') return item.output
  if (item.type !== 'message') return ''
  return contentOf(item)
    .map((part) => ('text' in part ? part.text : 'transcript' in part ? part.transcript : '') ?? '')
    .join('')
}

/** An item is placed once and stays; hearing of it again changes nothing here (`done` settles what it says). */
function place(conversation: Conversation, item: Item, previous: string | null | undefined): Conversation {
  if (find(conversation.items, item.id) >= 0) return conversation
  const items =
    previous === 'root'
      ? insert(conversation.items, 0, item)
      : previous && find(conversation.items, previous) >= 0
        ? insert(conversation.items, find(conversation.items, previous) + 1, item)
        : append(conversation.items, item)
  const open = isGrowing(item) ? [...conversation.open, item] : conversation.open
  return { ...conversation, items, open }
}

/** The last word on an item. */
function settle(conversation: Conversation, item: Item): Conversation {
  const at = find(conversation.items, item.id)
  if (at < 0) return conversation
  const growing = conversation.open.find(({ id }) => id === item.id)
  if (!growing && sameWords(conversation.items[at]!, item)) return conversation
  const told = growing ? keepTranscripts(growing, item) : item
  return {
    ...conversation,
    items: replace(conversation.items, at, told),
    open: growing ? conversation.open.filter((other) => other !== growing) : conversation.open,
  }
}

function drop(conversation: Conversation, id: string): Conversation {
  const at = find(conversation.items, id)
  if (at < 0) return conversation
  return {
    ...conversation,
    items: remove(conversation.items, at),
    open: conversation.open.filter((item) => item.id !== id),
  }
}

/** A response that ended tells no more: what a careless server left open takes the words of `response.output`. */
function finish(conversation: Conversation, response: Response): Conversation {
  const responses = conversation.responses.filter(({ id }) => id !== response.id)
  const output = response.output ?? []
  return output.reduce<Conversation>(
    (after, item) => (after.open.some(({ id }) => id === item.id) ? settle(after, withoutAudio(item)) : after),
    { ...conversation, responses },
  )
}

/** Changes an item that is being told. One that is not (out of band, or already told) is left as it is. */
function tell(conversation: Conversation, id: string, change: (item: Item) => Item): Conversation {
  const at = conversation.open.findIndex((item) => item.id === id)
  if (at < 0) return conversation
  return { ...conversation, open: conversation.open.with(at, change(conversation.open[at]!)) }
}

/** As `tell`; but an item already told is opened again: a transcript grows after the audio was committed. */
function grow(conversation: Conversation, id: string, change: (item: Item) => Item): Conversation {
  if (conversation.open.some((item) => item.id === id)) return tell(conversation, id, change)
  const at = find(conversation.items, id)
  return at < 0 ? conversation : { ...conversation, open: [...conversation.open, change(conversation.items[at]!)] }
}

/** The end of what `grow` began. */
function close(conversation: Conversation, id: string, change: (item: Item) => Item): Conversation {
  const at = find(conversation.items, id)
  if (at < 0) return conversation
  const growing = conversation.open.find((item) => item.id === id)
  return {
    ...conversation,
    items: replace(conversation.items, at, change(growing ?? conversation.items[at]!)),
    open: growing ? conversation.open.filter((item) => item !== growing) : conversation.open,
  }
}

interface Place {
  readonly content_index?: number
}

function say(item: Item, { content_index = 0 }: Place, words: string, whole = false): Item {
  if (item.type !== 'message') return item
  const part = contentOf(item)[content_index]
  if (part?.type === 'output_audio') {
    return setPart(item, content_index, { ...part, transcript: whole ? words : (part.transcript ?? '') + words })
  }
  const text = part?.type === 'output_text' ? (part.text ?? '') : ''
  return setPart(item, content_index, { type: 'output_text', text: whole ? words : text + words })
}

function transcribe(item: Item, { content_index = 0 }: Place, words: string, whole = false): Item {
  if (item.type !== 'message') return item
  const part = contentOf(item)[content_index]
  const before = part?.type === 'input_audio' ? (part.transcript ?? '') : ''
  return setPart(item, content_index, { type: 'input_audio', transcript: whole ? words : before + words })
}

function setPart(item: Item, index: number, part: Content): Item {
  if (item.type !== 'message') return item
  const content: Content[] = [...contentOf(item)]
  content[Math.min(index, content.length)] = part
  return { ...item, content } as Message
}

/** The wire announces parts as `text` and `audio`; items hold them as `output_text` and `output_audio`. */
function startOf(part: { readonly type?: string; readonly text?: string; readonly transcript?: string }): Content {
  return part.type === 'audio' || part.type === 'output_audio'
    ? { type: 'output_audio', transcript: part.transcript ?? '' }
    : { type: 'output_text', text: part.text ?? '' }
}

function isGrowing(item: Item): boolean {
  return 'status' in item && item.status === 'in_progress'
}

function asIncomplete(item: Item): Item {
  return isGrowing(item) ? ({ ...item, status: 'incomplete' } as Item) : item
}

/** A user's transcript that is growing is not in the item that a server repeats; it stays. */
function keepTranscripts(growing: Item, told: Item): Item {
  if (growing.type !== 'message' || told.type !== 'message' || told.role !== 'user') return told
  const content = contentOf(told).map((part, n) => {
    const before = contentOf(growing)[n]
    return part.type === 'input_audio' && !part.transcript && before?.type === 'input_audio' ? before : part
  })
  return { ...told, content } as Message
}

function sameWords(known: Item, item: Item): boolean {
  return JSON.stringify(known) === JSON.stringify({ ...known, ...item })
}

/** Audio bytes never enter the state. */
function withoutAudio(item: Item): Item {
  if (item.type !== 'message' || !contentOf(item).some((part) => 'audio' in part)) return item
  const content = contentOf(item).map((part) => {
    if (!('audio' in part)) return part
    const { audio, ...rest } = part
    return rest
  })
  return { ...item, content } as Message
}

/** The parts of a message, whatever its role. */
export function contentOf(message: Message): readonly Content[] {
  return (message.content ?? []) as readonly Content[]
}
