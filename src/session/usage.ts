/** What was used so far: the sum of what the far end reported, in tokens unless the name says seconds. */
export interface SessionUsage {
  /** Responses that reported what they used. */
  readonly responses: number
  readonly totalTokens: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly inputTextTokens: number
  readonly inputAudioTokens: number
  readonly inputImageTokens: number
  /** Part of the input tokens, as are the next three; those are part of these. */
  readonly cachedTokens: number
  readonly cachedTextTokens: number
  readonly cachedAudioTokens: number
  readonly cachedImageTokens: number
  readonly outputTextTokens: number
  readonly outputAudioTokens: number
  /** Not part of `totalTokens`: another model's. */
  readonly transcriptionTokens: number
  readonly transcriptionSeconds: number
  /** The same by the model that transcribed: `unknown` where the session's config does not name one. */
  readonly transcription: { readonly [model: string]: TranscriptionUse }
  /** What was counted last. */
  readonly [counted]?: readonly string[]
}

/** What was transcribed by one model. It reports either tokens or seconds of audio. */
export interface TranscriptionUse {
  readonly totalTokens: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly inputTextTokens: number
  readonly inputAudioTokens: number
  readonly seconds: number
}

/** A symbol: it is copied along, and stays out of JSON. */
export const counted: unique symbol = Symbol('counted')
export const noUsage: SessionUsage = {
  responses: 0,
  totalTokens: 0,
  inputTokens: 0,
  outputTokens: 0,
  inputTextTokens: 0,
  inputAudioTokens: 0,
  inputImageTokens: 0,
  cachedTokens: 0,
  cachedTextTokens: 0,
  cachedAudioTokens: 0,
  cachedImageTokens: 0,
  outputTextTokens: 0,
  outputAudioTokens: 0,
  transcriptionTokens: 0,
  transcriptionSeconds: 0,
  transcription: {},
}
