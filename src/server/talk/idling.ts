/** Nobody says anything after an answer was heard out: with `idle_timeout_ms`, the silence is a turn of its own. */
import type { Clock } from '../../protocol/clock.ts'
import type { AnySession } from '../rules/session-config.ts'
import { detectionOf, type HeardTurn, type Hearing } from '../turns/hearing.ts'

export interface IdlingOptions {
  readonly clock: Clock
  readonly session: () => AnySession
  readonly microphone: Pick<Hearing, 'isSpeaking' | 'writtenMs' | 'take'>
  /** It was silent for long enough: where in all audio ever written, in ms, and the turn that it is. */
  readonly timedOut: (audio_start_ms: number, audio_end_ms: number, silence: HeardTurn) => void
}

export interface Idling {
  /** An answer will have been heard out in so many ms. */
  begin(restMs: number): void
  /** Somebody speaks. */
  stop(): void
  /** The session is another now. */
  configured(): void
}

export function idling({ clock, session, microphone, timedOut }: IdlingOptions): Idling {
  let cancel: (() => void) | null = null

  function rest(ms: number, then: () => void): void {
    cancel = clock.at(clock.now() + ms, then)
  }

  function stop(): void {
    cancel?.()
    cancel = null
  }

  return {
    begin(restMs) {
      stop()
      const idleMs = idleOf(session())
      if (!idleMs || microphone.isSpeaking) return
      rest(restMs, () => {
        const audio_start_ms = Math.round(microphone.writtenMs)
        rest(idleMs, () => {
          cancel = null
          const silence = microphone.take()
          timedOut(audio_start_ms, Math.round(microphone.writtenMs), silence)
        })
      })
    },
    stop,
    configured() {
      if (!idleOf(session())) stop()
    },
  }
}

function idleOf(session: AnySession): number | null | undefined {
  const how = detectionOf(session)
  return how?.type === 'server_vad' ? how.idle_timeout_ms : null
}
