import type { ClientEvent, Content, Item, Message } from '../protocol/events.ts'
import { type Conversation, contentOf, itemsOf } from './conversation.ts'

/** Where an item was cut off: what was heard of it, of what was received, in ms. */
export interface Cut {
  readonly heardMs: number
  readonly receivedMs: number
  /** How fast it was spoken, where it was cut while it was still being given: its words had run ahead of its sound. */
  readonly charsPerMs?: number
}
export type CreateItem = Extract<ClientEvent, { readonly type: 'conversation.item.create' }> & { readonly item: Item }
export type Cuts = Readonly<Record<string, Cut>>

/**
 * Tells a far end that knows nothing everything that has been said so far.
 *
 * Speech is retold as text: the protocol takes assistant audio from the model only, and audio is not kept. Of an answer
 * that was cut off, only what was heard is told. A message with nothing in it and a call cut off before it was whole
 * are not told: the model will make them again.
 */
export function retell(conversation: Conversation, cuts: Cuts = {}): readonly CreateItem[] {
  return itemsOf(conversation)
    .map((item) => asTold(item, Object.hasOwn(cuts, item.id) ? cuts[item.id] : undefined))
    .filter((item) => item !== null)
    .map((item) => createItem(item))
}

/** The event that says an item. Its `event_id` names the item, so that a refusal finds its way back. */
export function createItem(item: Item, fields: object = {}): CreateItem {
  return { ...fields, type: 'conversation.item.create', event_id: `say_${item.id}`, item } as CreateItem
}

/** An item as a far end can be told it, or null. */
export function asTold(item: Item, cut: Cut | undefined): Item | null {
  switch (item.type) {
    case 'message': {
      const content = contentOf(item)
        .map((part) => asText(part, cut))
        .filter((part) => part !== null)
      return content.length ? ({ ...item, status: 'completed', content } as Message) : null
    }
    case 'function_call':
      return item.status === 'completed' ? item : null
    case 'function_call_output':
      return item
    default:
      return null
  }
}

function asText(part: Content, cut: Cut | undefined): Content | null {
  switch (part.type) {
    case 'output_audio': {
      const text = cut ? heardPart(part.transcript ?? '', cut) : (part.transcript ?? '')
      return text ? { type: 'output_text', text } : null
    }
    case 'input_audio':
      return part.transcript ? { type: 'input_text', text: part.transcript } : null
    case 'output_text':
    case 'input_text':
      return part.text ? part : null
    default:
      return part
  }
}

/**
 * The words that were heard: whole words, and a mark that there was more. Of an answer that came whole they are told by
 * their share of the sound; of one that was still being given, by the rate of speech, for it may have more words than sound.
 */
export function heardPart(transcript: string, { heardMs, receivedMs, charsPerMs }: Cut): string {
  if (heardMs <= 0) return ''
  const wholeMs = charsPerMs ? Math.max(receivedMs, transcript.length / charsPerMs) : receivedMs
  if (heardMs >= wholeMs) return transcript
  const heard = transcript.slice(0, Math.floor((transcript.length * heardMs) / wholeMs))
  const end = unspaced.test(heard) ? heard.length - 1 : heard.lastIndexOf(' ')
  return end > 0 ? `${heard.slice(0, end)}…` : ''
}

/** It ends in a script that puts no spaces between words. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]$/u
