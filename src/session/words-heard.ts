/** What was made out so far of those who may be interrupting. */
import type { Conversation } from '../conversation/conversation.ts'
import { textOf } from '../conversation/item.ts'
import type { AudioDelta, ServerEvent } from '../protocol/events.ts'
import type { InterruptionOptions } from './interruption-options.ts'
import type { Input, State } from './state.ts'

/**
 * What a transcript says of a candidate: null where it says nothing. The last word of a transcript that grows is not
 * whole yet.
 */
export function wordsHeard(
  { interruption, conversation }: State,
  event: ServerEvent | AudioDelta,
  ignore: InterruptionOptions['ignore'] = () => false,
): Input | null {
  if (!interruption.candidates.length || !isTranscript(event)) return null
  const { item_id } = event
  if (!interruption.candidates.some((one) => one.item_id === item_id)) return null
  const isFinal = event.type !== 'conversation.item.input_audio_transcription.delta'
  const said = textSoFar(conversation, item_id)
  const text = isFinal ? said : said.replace(/\S*$/, '')
  const count = wordsIn(text)
  return { type: 'heardWords', item_id, count, isIgnored: count > 0 && ignore(text.trim()), isFinal }
}

type Transcript = Extract<
  ServerEvent,
  { readonly type: `conversation.item.input_audio_transcription.${'delta' | 'completed' | 'failed'}` }
>

function isTranscript(event: ServerEvent | AudioDelta): event is Transcript {
  return String(event.type).startsWith('conversation.item.input_audio_transcription.')
}

/** Words may come before their item. */
function textSoFar({ items, open, early }: Conversation, item_id: string): string {
  const item = [...open, ...items].find(({ id }) => id === item_id)
  if (item) return textOf(item)
  const told = early.filter((event) => event.item_id === item_id)
  const whole = told.find(({ type }) => type.endsWith('.completed'))
  if (whole && 'transcript' in whole) return whole.transcript
  return told.map((event) => ('delta' in event && event.delta) || '').join('')
}

/** Where words are written without a space between them, those that a dictionary knows. */
function wordsIn(text: string): number {
  const chunks = text.split(/\s+/).filter((chunk) => /[\p{L}\p{N}]/u.test(chunk))
  return chunks.reduce((sum, chunk) => sum + (unspaced.test(chunk) ? segments(chunk) : 1), 0)
}

const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u

function segments(text: string): number {
  return [...new Intl.Segmenter(undefined, { granularity: 'word' }).segment(text)].filter((one) => one.isWordLike)
    .length
}
