/** Those who watch a session: what happens to it as it happens, and what it sends. */
import type { Clock } from '../protocol/clock.ts'
import type { ClientEvent } from '../protocol/events.ts'
import type { Input } from './state.ts'
import type { Connection, Dial } from './transport.ts'

/** What came over the line, or happened here (`local`); or what was sent. `at`: ms of the session's clock. */
export type TraceEntry =
  | { readonly at: number; readonly direction: 'in' | 'local'; readonly input: Input }
  | { readonly at: number; readonly direction: 'out'; readonly event: ClientEvent | MicrophoneAudio }

/** Microphone audio on its way, in the session's input format: bytes, never base64. Copy what you keep. */
export interface MicrophoneAudio {
  readonly type: 'input_audio_buffer.append'
  readonly audio: Uint8Array
}

export interface Observing {
  observe(listener: (entry: TraceEntry) => void): () => void
  happened(input: Input, at: number): void
  /** The same way to the far end, overheard. */
  overheard(dial: Dial): Dial
}

/** What a listener throws is told to `failed`, and hurts nobody else. */
export function observing(clock: Clock, failed: (error: unknown) => void): Observing {
  const listeners = new Set<(entry: TraceEntry) => void>()

  function tell(entry: TraceEntry): void {
    for (const listener of listeners) {
      try {
        listener(entry)
      } catch (error) {
        failed(error)
      }
    }
  }

  function sent(event: ClientEvent | MicrophoneAudio): void {
    if (listeners.size) tell({ at: clock.now(), direction: 'out', event })
  }

  return {
    observe(listener) {
      const own = (entry: TraceEntry) => listener(entry)
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    happened(input, at) {
      if (listeners.size) tell({ at, direction: isOfLine(input) ? 'in' : 'local', input })
    },
    overheard: (dial) => (listener, config) => {
      const line: Connection = dial(listener, config)
      return {
        send(event) {
          sent(event)
          line.send(event)
        },
        append(audio, wasHeld) {
          const isSent = line.append(audio, wasHeld)
          if (isSent) sent({ type: 'input_audio_buffer.append', audio })
          return isSent
        },
        close: () => line.close(),
      }
    },
  }
}

/** It came over the line. */
export function isOfLine({ type }: Input): boolean {
  return type === 'received' || type === 'opened' || type === 'dropped'
}
