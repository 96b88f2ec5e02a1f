import type { ServerEvent } from '../protocol/events.ts'

/** Tokens used so far, by modality: the sum of what the far end reported. */
export interface SessionUsage {
  readonly responses: number
  readonly totalTokens: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly inputTextTokens: number
  readonly inputAudioTokens: number
  readonly inputImageTokens: number
  readonly cachedTokens: number
  readonly outputTextTokens: number
  readonly outputAudioTokens: number
  readonly transcriptionTokens: number
  readonly transcriptionSeconds: number
}

export const noUsage: SessionUsage = {
  responses: 0,
  totalTokens: 0,
  inputTokens: 0,
  outputTokens: 0,
  inputTextTokens: 0,
  inputAudioTokens: 0,
  inputImageTokens: 0,
  cachedTokens: 0,
  outputTextTokens: 0,
  outputAudioTokens: 0,
  transcriptionTokens: 0,
  transcriptionSeconds: 0,
}

/** Adds what an event reports; an event that reports nothing leaves the sum as it is. */
export function addUsage(sum: SessionUsage, event: ServerEvent): SessionUsage {
  if (event.type === 'response.done' && event.response.usage) {
    const { input_token_details: input, output_token_details: output, ...all } = event.response.usage
    return add(sum, {
      responses: 1,
      totalTokens: all.total_tokens,
      inputTokens: all.input_tokens,
      outputTokens: all.output_tokens,
      inputTextTokens: input?.text_tokens,
      inputAudioTokens: input?.audio_tokens,
      inputImageTokens: input?.image_tokens,
      cachedTokens: input?.cached_tokens,
      outputTextTokens: output?.text_tokens,
      outputAudioTokens: output?.audio_tokens,
    })
  }
  if (event.type === 'conversation.item.input_audio_transcription.completed' && event.usage) {
    const { usage } = event
    return add(
      sum,
      usage.type === 'duration' ? { transcriptionSeconds: usage.seconds } : { transcriptionTokens: usage.total_tokens },
    )
  }
  return sum
}

function add(sum: SessionUsage, more: { readonly [Name in keyof SessionUsage]?: number | undefined }): SessionUsage {
  const added = { ...sum }
  for (const name of Object.keys(more) as (keyof SessionUsage)[]) {
    ;(added as Record<keyof SessionUsage, number>)[name] += Number.isFinite(more[name]) ? more[name]! : 0
  }
  return added
}
