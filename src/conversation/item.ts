/** One item as a value: what it says, how it grows, and what of it stays when it is told again. */
import type { Content, Item, Message } from '../protocol/events.ts'

/** What an item says in words: a message's text and transcripts, a call's output. */
export function textOf(item: Item): string {
  if (item.type === 'function_call_output') return item.output
  if (item.type !== 'message') return ''
  return contentOf(item).map(wordsOf).join('')
}

function wordsOf(part: Content): string {
  return ('text' in part ? part.text : 'transcript' in part ? part.transcript : '') ?? ''
}

/** The parts of a message, whatever its role. */
export function contentOf(message: Message): readonly Content[] {
  return (message.content ?? []) as readonly Content[]
}

/** Adds words to a part of a message, or tells them whole. A part that was announced keeps its type. */
export function speak(
  item: Item,
  { content_index = 0 }: { readonly content_index?: number },
  type: 'output_text' | 'output_audio' | 'input_audio',
  words: string,
  whole = false,
): Item {
  if (item.type !== 'message') return item
  const content: Content[] = [...contentOf(item)]
  const at = Math.min(content_index, content.length)
  const part: Content = content[at] ?? { type }
  const said = whole ? words : wordsOf(part) + words
  content[at] =
    part.type === 'output_audio' || part.type === 'input_audio'
      ? ({ ...part, transcript: said } as Content)
      : ({ ...part, text: said } as Content)
  return withParts(item, content)
}

export function argue(item: Item, change: (before: string) => string): Item {
  return 'arguments' in item ? { ...item, arguments: change(item.arguments) } : item
}

/** It is still being told. */
export function isGrowing(item: Item): boolean {
  if (item.type === 'mcp_call') return (item.output ?? item.error ?? null) === null
  return 'status' in item && item.status === 'in_progress'
}

export function asIncomplete(item: Item): Item {
  return 'status' in item && item.status === 'in_progress' ? ({ ...item, status: 'incomplete' } as Item) : item
}

export function isSpoken(item: Item): boolean {
  return item.type === 'message' && item.role === 'user' && contentOf(item).some(({ type }) => type === 'input_audio')
}

/** It was spoken by the user, and not all of it was put into words yet. */
export function awaitsWords(item: Item): boolean {
  if (!isSpoken(item)) return false
  return contentOf(item as Message).some((part) => part.type === 'input_audio' && (part.transcript ?? null) === null)
}

/**
 * What of an item stays when it is told again: a user's transcript, which a server repeats without its words; and, where
 * an answer was cut off and its end is told without them, the words that were generated.
 */
export function keepWords(known: Item, told: Item): Item {
  if (known.type !== 'message' || told.type !== 'message') return told
  const [before, after] = [contentOf(known), contentOf(told)]
  if (told.role === 'user') {
    const isAwaited = (part: Content, n: number) =>
      part.type === 'input_audio' && !part.transcript && before[n]?.type === 'input_audio'
    return withParts(
      told,
      after.map((part, n) => (isAwaited(part, n) ? before[n]! : part)),
    )
  }
  if (told.status !== 'incomplete') return told
  return withParts(told, [...before.map((part, n) => keepSaid(part, after[n])), ...after.slice(before.length)])
}

function keepSaid(before: Content, part: Content | undefined): Content {
  if (!part) return before
  const [said, left] = [wordsOf(before), wordsOf(part)]
  if (!said.startsWith(left)) return part
  return { ...part, [part.type === 'output_audio' ? 'transcript' : 'text']: said } as Content
}

function withParts(message: Message, content: readonly Content[]): Message {
  return { ...message, content } as Message
}

/** Audio bytes never enter the state. */
export function withoutAudio(item: Item): Item {
  if (item.type !== 'message' || !contentOf(item).some((part) => 'audio' in part)) return item
  const content = contentOf(item).map((part) => {
    if (!('audio' in part)) return part
    const { audio, ...rest } = part
    return rest
  })
  return withParts(item, content)
}
