/** Counts what the far end reports. */
import type { ServerEvent } from '../protocol/events.ts'
import { counted, type SessionUsage, type TranscriptionUse } from './usage.ts'

/** How many are kept: a repeat comes soon or never, and the cost does not grow with the conversation. */
const keptCounted = 16

const noTranscription: TranscriptionUse = {
  totalTokens: 0,
  inputTokens: 0,
  outputTokens: 0,
  inputTextTokens: 0,
  inputAudioTokens: 0,
  seconds: 0,
}

/**
 * Adds what an event reports. One that reports nothing, or nonsense, or was counted before, leaves the sum as it is.
 * The wire does not say who transcribed: `transcriber` is the model that the session asked for.
 */
export function addUsage(sum: SessionUsage, event: ServerEvent, transcriber = 'unknown'): SessionUsage {
  if (event.type === 'response.done' && event.response.usage) {
    const { input_token_details: input, output_token_details: output, ...all } = event.response.usage
    const cached = input?.cached_tokens_details
    const used = counts({
      totalTokens: all.total_tokens,
      inputTokens: all.input_tokens,
      outputTokens: all.output_tokens,
      inputTextTokens: input?.text_tokens,
      inputAudioTokens: input?.audio_tokens,
      inputImageTokens: input?.image_tokens,
      cachedTokens: input?.cached_tokens,
      cachedTextTokens: cached?.text_tokens,
      cachedAudioTokens: cached?.audio_tokens,
      cachedImageTokens: cached?.image_tokens,
      outputTextTokens: output?.text_tokens,
      outputAudioTokens: output?.audio_tokens,
    })
    return used ? once(sum, event.response.id, plus(sum, { ...used, responses: 1 })) : sum
  }
  if (event.type === 'conversation.item.input_audio_transcription.completed' && event.usage) {
    const { usage, item_id, content_index } = event
    const used = counts(usage.type === 'duration' ? { seconds: usage.seconds } : tokensOf(usage))
    if (!used) return sum
    const { transcription } = sum
    const before = Object.hasOwn(transcription, transcriber) ? transcription[transcriber]! : noTranscription
    const total = plus(sum, { transcriptionTokens: used.totalTokens, transcriptionSeconds: used.seconds })
    const after = { ...total, transcription: { ...transcription, [transcriber]: plus(before, used) } }
    return once(sum, `${item_id}/${content_index}`, after)
  }
  return sum
}

type Tokens = Extract<Extract<ServerEvent, { usage: object }>['usage'], { type: 'tokens' }>

function tokensOf({ input_token_details: input, ...all }: Tokens): Told<TranscriptionUse> {
  return {
    totalTokens: all.total_tokens,
    inputTokens: all.input_tokens,
    outputTokens: all.output_tokens,
    inputTextTokens: input?.text_tokens,
    inputAudioTokens: input?.audio_tokens,
  }
}

type Told<Sum> = { readonly [Name in keyof Sum]?: number | undefined }

/** What of it is a number that can be counted; null when nothing is. */
function counts<Use extends Told<SessionUsage & TranscriptionUse>>(told: Use): Use | null {
  const used = Object.entries(told).filter(([, count]) => isCount(count))
  return used.length ? (Object.fromEntries(used) as Use) : null
}

function isCount(value: unknown): boolean {
  return Number.isFinite(value) && (value as number) >= 0 && (value as number) <= Number.MAX_SAFE_INTEGER
}

function plus<Sum extends object>(sum: Sum, used: Told<Sum>): Sum {
  const added = { ...sum } as Record<string, number>
  for (const [name, count] of Object.entries(used)) added[name] = (added[name] ?? 0) + ((count as number) ?? 0)
  return added as Sum
}

/** The sum after, unless what it adds was counted: a response or a transcript that is told twice was given once. */
function once(before: SessionUsage, id: string, after: SessionUsage): SessionUsage {
  const last = before[counted] ?? []
  return last.includes(id) ? before : { ...after, [counted]: [...last, id].slice(-keptCounted) }
}
