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
    const { total_tokens, input_tokens, output_tokens, input_token_details, output_token_details } =
      event.response.usage
    return {
      ...sum,
      responses: sum.responses + 1,
      totalTokens: sum.totalTokens + (total_tokens ?? 0),
      inputTokens: sum.inputTokens + (input_tokens ?? 0),
      outputTokens: sum.outputTokens + (output_tokens ?? 0),
      inputTextTokens: sum.inputTextTokens + (input_token_details?.text_tokens ?? 0),
      inputAudioTokens: sum.inputAudioTokens + (input_token_details?.audio_tokens ?? 0),
      inputImageTokens: sum.inputImageTokens + (input_token_details?.image_tokens ?? 0),
      cachedTokens: sum.cachedTokens + (input_token_details?.cached_tokens ?? 0),
      outputTextTokens: sum.outputTextTokens + (output_token_details?.text_tokens ?? 0),
      outputAudioTokens: sum.outputAudioTokens + (output_token_details?.audio_tokens ?? 0),
    }
  }
  if (event.type === 'conversation.item.input_audio_transcription.completed' && event.usage) {
    return event.usage.type === 'duration'
      ? { ...sum, transcriptionSeconds: sum.transcriptionSeconds + event.usage.seconds }
      : { ...sum, transcriptionTokens: sum.transcriptionTokens + event.usage.total_tokens }
  }
  return sum
}
