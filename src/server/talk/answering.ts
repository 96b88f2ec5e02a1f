/** The answers: one in the conversation at a time, others beside it; what is on its way to the caller, and its cut. */
import type { Clock } from '../../protocol/clock.ts'
import type { ResponseCreateParams } from '../../protocol/events.ts'
import type { Answer } from '../rules/decide.ts'
import type { AnySession } from '../rules/session-config.ts'
import type { Brain, Voice } from '../senses.ts'
import { listener } from '../turns/sound.ts'
import type { Known } from './known.ts'
import { type Giving, give } from './respond.ts'

/** The sound that is on its way to the caller, as long as it is heard. */
export interface Outgoing {
  /** Something is being heard, or waits to be. */
  readonly isPlaying: boolean
  /** Takes the next sound of an item: PCM16 samples at 24 kHz. */
  play(response_id: string, item_id: string, samples: Int16Array): void
  /** No more sound comes of this response. */
  finish(response_id: string): void
  /** Forgets what was not sent: which response was being heard, and how much of each item that is not whole now. */
  clear(): {
    readonly response_id: string | null
    readonly cut: readonly { readonly item_id: string; readonly sentMs: number }[]
  }
}

export interface OutgoingEvents {
  /** The first packet of a response was sent. */
  readonly started: (response_id: string) => void
  /** All of it was sent, and heard. */
  readonly stopped: (response_id: string) => void
}

export interface AnsweringOptions {
  readonly clock: Clock
  readonly brain: Brain
  readonly voice: Voice
  /** How many times faster than it is heard audio is sent. */
  readonly pace: number
  readonly newId: (prefix: string) => string
  readonly conversationId: string
  readonly known: Known
  readonly session: () => AnySession
  /** Settles when all that was said is understood. */
  readonly understood: () => Promise<unknown>
  readonly emit: (event: Answer) => void
  /** For a line that carries the sound itself. */
  readonly outgoing: ((told: OutgoingEvents) => Outgoing) | undefined
  /** The conversation's answer was given, and will have been heard in so many ms. */
  readonly given: (restMs: number) => void
}

export interface Answering {
  /** The conversation's answer is being given. */
  readonly isGiving: boolean
  respond(params: ResponseCreateParams): void
  /** The client cancels this response, or the one of the conversation. */
  cancel(response_id: string | undefined): void
  /** Nothing more of what was said is heard. */
  hush(): void
  /** The caller speaks: nothing more is said, nor heard. */
  interrupt(): void
  /** The line is gone. */
  end(): void
}

export function answering(options: AnsweringOptions): Answering {
  const { known, emit, given } = options
  let giving: Giving | null = null
  const beside = new Map<string, Giving>()
  const toLine = listener(24_000)
  /** The response of which no more is played: its sound was cleared. */
  let hushed: string | null = null
  const outgoing = options.outgoing?.({
    started: (response_id) => emit({ type: 'output_audio_buffer.started', response_id }),
    stopped(response_id) {
      emit({ type: 'output_audio_buffer.stopped', response_id })
      if (!giving) given(0)
    },
  })

  function respond(params: ResponseCreateParams): void {
    const session = options.session()
    if (session.type !== 'realtime') return
    const { clock, brain, voice, pace, newId, conversationId } = options
    const inBand = params.conversation !== 'none'
    const response = give({
      ...{ clock, brain, voice, pace, newId, conversationId, session, params },
      emit(event) {
        if (inBand && event.type === 'response.done') giving = null
        emit(event)
        if (event.type !== 'response.done') return
        emit({ type: 'rate_limits.updated', rate_limits: rateLimits })
        outgoing?.finish(event.response.id!)
      },
      last: known.last,
      stands: known.stands,
      async context() {
        await options.understood()
        return known.contextOf(params)
      },
      carriesSound: outgoing !== undefined,
      spoke(response_id, item_id, piece) {
        if (known.isCut(item_id) || hushed === response_id) return
        outgoing?.play(response_id, item_id, toLine.samples(piece))
        known.spoke(item_id, piece)
      },
      inputUsage: (items) => known.inputUsage(items, options.session()),
    })
    if (inBand) giving = response
    else beside.set(response.id, response)
    response.over.then((audioMs) => {
      beside.delete(response.id)
      if (inBand && !giving && !outgoing?.isPlaying) given(outgoing ? 0 : audioMs * (1 - 1 / pace))
    })
  }

  /** What the caller has not heard is not said: the buffer is cleared, and what was on its way is cut at what was sent. */
  function hush(cancel: () => void = () => {}): void {
    if (!outgoing?.isPlaying) return cancel()
    hushed = giving?.id ?? null
    const { response_id, cut: items } = outgoing.clear()
    cancel()
    if (response_id) emit({ type: 'output_audio_buffer.cleared', response_id })
    for (const { item_id, sentMs: audio_end_ms } of items) {
      if (!known.stands(item_id)) continue
      emit({ type: 'conversation.item.truncated', item_id, content_index: 0, audio_end_ms })
      known.truncated(item_id, audio_end_ms)
    }
  }

  return {
    get isGiving() {
      return giving !== null
    },
    respond,
    cancel: (response_id) => (beside.get(response_id ?? '') ?? giving)?.cancel('client_cancelled'),
    hush: () => hush(),
    interrupt: () => hush(() => giving?.cancel('turn_detected')),
    end() {
      giving?.cancel('client_cancelled')
      for (const response of beside.values()) response.cancel('client_cancelled')
    },
  }
}

const rateLimits = [
  { name: 'requests', limit: 1_000_000, remaining: 1_000_000, reset_seconds: 0 },
  { name: 'tokens', limit: 1_000_000, remaining: 1_000_000, reset_seconds: 0 },
] as const
