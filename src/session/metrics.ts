/** How long each turn took, and where: from the user's last sound to the last of the answer. */
import type { Response } from '../protocol/events.ts'

/** One turn: what the user said, all that was answered to it, and the tools between. Times are ms of the session's clock. */
export interface TurnMetrics {
  /** Who began it: the user's voice or writing, or the app, which asked for a reply that nobody had spoken for. */
  readonly by: 'speech' | 'text' | 'app'
  /** When the user fell silent: `speechEnd` without the silence that the far end waited for, where that is known. */
  readonly userSilent: number | null
  /** When the far end said that the user's speech had ended, or the app committed it. */
  readonly speechEnd: number | null
  /** When the user's words were given in writing. */
  readonly said: number | null
  /** When the line was up that a turn waited for which began without one; else null. */
  readonly connected: number | null
  readonly committed: number | null
  /** The first `response.create` of ours; null where the far end answered by itself. */
  readonly asked: number | null
  readonly created: number | null
  /** The first sound that came. Null where the line carries the audio beside the events. */
  readonly firstByte: number | null
  /** The first words that came, spoken or written. */
  readonly firstWord: number | null
  /** When the answer began to sound here; where nobody can know that, when it was given to the speaker, or the far end began it. */
  readonly firstAudible: number | null
  /** When the last response was done. */
  readonly done: number | null
  /** When the last of it was heard, or was cut off. */
  readonly playbackEnd: number | null
  readonly responses: readonly ResponseMetrics[]
  readonly tools: readonly ToolSpan[]
  readonly interruption: InterruptionMetrics | null
  /** How many lines were lost meanwhile. */
  readonly linesLost: number
  readonly latency: TurnLatency
}

export interface ResponseMetrics
  extends Pick<TurnMetrics, 'asked' | 'firstByte' | 'firstWord' | 'firstAudible' | 'done'> {
  readonly responseId: string
  readonly created: number
  /** As the far end ended it; `lost`: with its line. */
  readonly status: Response['status'] | 'lost' | null
  /** As the far end reports it. */
  readonly usage: Response['usage'] | null
}

/** A call, from when it was handed to its tool to when it was answered. */
export interface ToolSpan {
  readonly name: string
  readonly callId: string
  readonly began: number
  /** When the app was asked whether it may run; null where nobody asks. */
  readonly approvalAsked: number | null
  readonly ended: number | null
  /** The model was told of an error. */
  readonly failed: boolean
}

export interface InterruptionMetrics {
  readonly by: 'user' | 'app'
  /** When somebody began to speak, or `interrupt()` was called. */
  readonly at: number
  /** When nothing sounded any more; null where nothing had. */
  readonly silent: number | null
}

/** ms; null where one of the two moments is not known. All but `endpointing` and `interruption` are from its beginning. */
export interface TurnLatency {
  /** From the user's last sound to the far end's word that the speech has ended. */
  readonly endpointing: number | null
  /** How much of all that follows was spent on connecting; null where the line was up. */
  readonly connected: number | null
  readonly committed: number | null
  readonly created: number | null
  readonly firstByte: number | null
  readonly firstWord: number | null
  readonly firstAudible: number | null
  /** From the beginning of an interruption to silence. */
  readonly interruption: number | null
}

type Open<T> = { -readonly [Name in keyof T]: T[Name] }

/** `playedAt`: when it was given to the speaker, or the far end began to play it. */
export type OpenResponse = Open<ResponseMetrics> & { playedAt: number | null }

/** A turn that is not over. */
export interface OpenTurn
  extends Open<
    Pick<TurnMetrics, 'by' | 'userSilent' | 'speechEnd' | 'said' | 'connected' | 'committed' | 'linesLost'>
  > {
  /** It began without a line. */
  readonly isEarly: boolean
  item_id: string | null
  playbackEnd: number | null
  interruption: Open<InterruptionMetrics> | null
  readonly responses: OpenResponse[]
  readonly tools: Open<ToolSpan>[]
}

/** What does not tell when something sounds is taken to sound at once. */
export function metricsOf(
  { item_id: _, isEarly: _early, responses: open, tools, ...turn }: OpenTurn,
  tells: boolean,
): TurnMetrics {
  const responses = open.map(({ playedAt, ...response }) => ({
    ...response,
    firstAudible: response.firstAudible ?? (tells ? null : playedAt),
  }))
  const standing = responses.filter(({ status }) => status !== 'lost')
  const counting = standing.length ? standing : responses
  const first = (mark: 'asked' | 'created' | 'firstByte' | 'firstWord' | 'firstAudible') =>
    counting.find((response) => response[mark] !== null)?.[mark] ?? null
  const marks = {
    committed: turn.committed,
    created: first('created'),
    firstByte: first('firstByte'),
    firstWord: first('firstWord'),
    firstAudible: first('firstAudible'),
  }
  const { userSilent, speechEnd, said, interruption } = turn
  const asked = first('asked')
  const begins = { speech: speechEnd ?? turn.committed, text: said, app: asked ?? marks.created }
  const begin = begins[turn.by]
  const since = (from: number | null, to: number | null) => (from === null || to === null ? null : to - from)
  return {
    ...turn,
    ...marks,
    asked,
    done: responses.findLast(({ done }) => done !== null)?.done ?? null,
    responses,
    tools,
    latency: {
      endpointing: since(userSilent, speechEnd),
      connected: since(begin, turn.connected),
      committed: since(begin, marks.committed),
      created: since(begin, marks.created),
      firstByte: since(begin, marks.firstByte),
      firstWord: since(begin, marks.firstWord),
      firstAudible: since(begin, marks.firstAudible),
      interruption: since(interruption?.at ?? null, interruption?.silent ?? null),
    },
  }
}
