/** What the server knows of a conversation: its items as the wire has them, and beside them what was heard and spoken. */
import { type Conversation, contentOf, evolve, itemsOf, textOf } from '../../conversation/conversation.ts'
import { empty } from '../../conversation/empty.ts'
import { charsPerMs, learned, type Rate, usualRate } from '../../conversation/rate.ts'
import { type Cut, heardPart } from '../../conversation/retell.ts'
import type { Item, Message, ResponseCreateParams, ServerEvent, Usage } from '../../protocol/events.ts'
import type { AnySession } from '../rules/session-config.ts'
import type { Piece } from '../turns/sound.ts'
import { recordings, withoutWords } from './recordings.ts'

export interface Known {
  readonly conversation: Conversation
  /** How much of each answer was put into sound, in ms. */
  readonly spoken: ReadonlyMap<string, number>
  /** The last item of the conversation. */
  last(): string | null
  /** Whether an item is in the conversation. */
  stands(item_id: string): boolean
  /** An event is told. */
  evolve(event: ServerEvent): void
  /** The user said this, in sound; `words` are those that are known without it. */
  heard(item_id: string, said: { readonly audio: readonly Piece[]; readonly ms: number; readonly words: string }): void
  /** What the user said is understood. */
  understood(item_id: string, words: string, ms: number): void
  /** More of an answer was put into sound. */
  spoke(item_id: string, piece: Piece): void
  /** An answer was cut off: it was heard so far, and no more of its sound counts. */
  truncated(item_id: string, heardMs: number): void
  isCut(item_id: string): boolean
  /** The items that a response is asked to answer; spoken ones with the words that were heard. */
  contextOf(params: ResponseCreateParams): readonly Item[]
  withAudio(item: Item): Item
  inputUsage(items: readonly Item[], session: AnySession): NonNullable<Usage['input_token_details']>
}

/** Bytes of audio that a call keeps for `conversation.item.retrieve`: five minutes and a half of PCM16. */
const recordingLimit = 16 * 1024 * 1024

export function knowing(newId: (prefix: string) => string): Known {
  let conversation: Conversation = empty
  const spoken = new Map<string, number>()
  /** The words that the brain knows and the wire may not say: of the user's turns, and of answers that were cut off. */
  const heard = new Map<string, { words: string; ms: number }>()
  /** Answers that were cut off, as they were before: their words are gone. */
  const cut = new Map<string, { readonly words: string; readonly of: Omit<Cut, 'heardMs'> }>()
  const recorded = recordings(recordingLimit)
  let rate: Rate = usualRate

  function evolved(event: ServerEvent): void {
    conversation = evolve(conversation, event)
    if (event.type !== 'response.output_item.done') return
    const { item } = event
    if (cut.has(item.id)) forgetWords(item.id)
    else if (isWhole(item)) rate = learned(rate, textOf(item).length, spoken.get(item.id) ?? 0)
  }

  function truncated(item_id: string, heardMs: number): void {
    const item = itemsOf(conversation).find(({ id }) => id === item_id)
    const pace = item && isWhole(item) ? {} : { charsPerMs: charsPerMs(rate) }
    const of = { receivedMs: spoken.get(item_id) ?? 0, ...pace }
    const whole = cut.get(item_id) ?? { words: item ? textOf(item) : '', of }
    cut.set(item_id, whole)
    heard.set(item_id, { words: heardPart(whole.words, { heardMs, ...whole.of }), ms: 0 })
    spoken.set(item_id, heardMs)
    recorded.truncate(item_id, heardMs)
    forgetWords(item_id)
  }

  function forgetWords(item_id: string): void {
    const item = withoutWords(conversation, item_id)
    if (item) conversation = evolve(conversation, { type: 'conversation.item.done', event_id: '', item })
  }

  function stands(item_id: string): boolean {
    return conversation.items.some(({ id }) => id === item_id)
  }

  function contextOf({ input }: ResponseCreateParams): readonly Item[] {
    const items = itemsOf(conversation).map(inWords)
    if (!input) return items
    return input.flatMap((item) => {
      if (item.type !== 'item_reference') return [{ ...item, id: item.id ?? newId('item_') } as Item]
      return items.filter(({ id }) => id === item.id)
    })
  }

  function inWords(item: Item): Item {
    const known = heard.get(item.id)
    if (!known || item.type !== 'message') return item
    const content = contentOf(item).map((part) =>
      part.type === 'input_audio' || part.type === 'output_audio' ? { ...part, transcript: known.words } : part,
    )
    return { ...item, content } as Message
  }

  return {
    get conversation() {
      return conversation
    },
    spoken,
    last: () => conversation.items.at(-1)?.id ?? null,
    stands,
    evolve: evolved,
    heard(item_id, { audio, ms, words }) {
      for (const piece of audio) recorded.add(item_id, piece)
      heard.set(item_id, { words, ms })
    },
    understood: (item_id, words, ms) => void heard.set(item_id, { words, ms }),
    spoke(item_id, piece) {
      spoken.set(item_id, (spoken.get(item_id) ?? 0) + piece.ms)
      if (stands(item_id)) recorded.add(item_id, piece)
    },
    truncated,
    isCut: (item_id) => cut.has(item_id),
    contextOf,
    withAudio: recorded.withAudio,
    inputUsage(items, session) {
      const config = session.type === 'realtime' ? `${session.instructions}${JSON.stringify(session.tools ?? [])}` : ''
      const text = items.reduce((sum, item) => sum + (heard.has(item.id) ? 0 : textOf(item).length), config.length)
      const audio = items.reduce((sum, { id }) => sum + (heard.get(id)?.ms ?? 0) / 100 + (spoken.get(id) ?? 0) / 50, 0)
      return { text_tokens: Math.ceil(text / 4), audio_tokens: Math.ceil(audio), image_tokens: 0, cached_tokens: 0 }
    },
  }
}

/** All of its words were put into sound. */
function isWhole(item: Item): boolean {
  return item.type === 'message' && item.status === 'completed'
}
