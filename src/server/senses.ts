/**
 * The three senses of the local server. Each is a small interface: replace one by handing your own to `serve()`.
 *
 * Audio is PCM16 as `Int16Array`, mono, at the rate that the interface names, in Hz.
 */
import type { FunctionTool, Item, ToolChoice } from '../protocol/events.ts'

/** Speech to text. */
export interface Ears {
  /** Hz. Audio is handed over at this rate. */
  readonly rate: number
  /** Begins to listen to one turn. */
  listen(turn: { readonly language?: string | undefined; readonly prompt?: string | undefined }): Listening
}
export interface Listening {
  hear(audio: Int16Array): void
  /** The turn is over. Resolves with the words; rejects with a sentence that says what is missing or went wrong. */
  finish(): Promise<string>
  /** The turn is of no interest any more. */
  cancel(): void
  /** Words so far, if the ears can tell: called with the text heard since the last call. */
  onPartial?: (delta: string) => void
}

/** What to answer. */
export interface Brain {
  /**
   * Thinks about one response. Yields what to say, as it comes, and the tools to call. Yielding nothing is a silent answer.
   * Rejecting fails the response with the error's message.
   */
  think(thought: Thought): AsyncIterable<Utterance> | Iterable<Utterance>
}
export interface Thought {
  readonly instructions: string
  readonly tools: readonly FunctionTool[]
  readonly toolChoice: ToolChoice
  /** The conversation so far, in order, words only (audio parts carry their transcripts). */
  readonly items: readonly Item[]
  readonly signal: AbortSignal
}
export type Utterance =
  | { readonly type: 'say'; readonly text: string }
  | { readonly type: 'call'; readonly name: string; readonly arguments: Readonly<Record<string, unknown>> }

/** Text to speech. */
export interface Voice {
  /** Hz of the audio it makes. */
  readonly rate: number
  /** Speaks one sentence. `name` is the session's voice (`marin`, `alloy`, …); `speed` 0.25 to 1.5. */
  speak(
    sentence: string,
    how: { readonly name: string; readonly speed: number; readonly signal: AbortSignal },
  ): AsyncIterable<Int16Array> | Iterable<Int16Array>
}
