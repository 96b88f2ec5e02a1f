import { toBase64 } from '../protocol/base64.ts'
import type { Clock } from '../protocol/clock.ts'
import { messageOf } from '../protocol/errors.ts'
import type { AudioDelta, ClientEvent, RealtimeError, ServerEvent } from '../protocol/events.ts'
import { closedByUs } from '../session/closed.ts'
import type { Cause, Dial } from '../session/transport.ts'
import { closed } from './causes.ts'
import { decoded } from './frame.ts'

/** `cut`: the line breaks at this message, which is lost. `lose`: the line looks alive and carries nothing any more. */
export type Fault = 'pass' | 'cut' | 'lose'

/** The far end's side of one connection. */
export interface FarWire {
  send(event: ServerEvent): void
  close(code: number, reason: string): void
}

export interface MemoryOptions {
  readonly clock: Clock
  /** Begins a far end for a connection. */
  accept(wire: FarWire): { received(event: ClientEvent): void; closed(): void }
  /** ms that a message takes; asked for each. Messages of one direction never overtake each other. */
  latency?(): number
  /** What befalls a message. */
  fault?(direction: 'up' | 'down'): Fault
}

/** A way to a far end in the same process, in the time of a clock. */
export function memory({ clock, accept, latency = () => 0, fault = () => 'pass' }: MemoryOptions): Dial {
  return (listener) => {
    let up = true
    let isOver = false
    let dead = false
    let lastError: RealtimeError | null = null
    const arrivals = { up: 0, down: 0 }

    /** A far end that cannot begin is one that closed. */
    const begin = (wire: FarWire) => {
      try {
        return accept(wire)
      } catch (error) {
        wire.close(1011, messageOf(error))
        return { received() {}, closed() {} }
      }
    }
    const end = (cause: Cause) => {
      if (!up) return
      up = false
      clock.at(clock.now() + latency(), () => {
        isOver = true
        listener.dropped(cause)
      })
      clock.at(clock.now() + latency(), () => far.closed())
    }
    /** In order, each way, after the latency. */
    const deliver = (direction: 'up' | 'down', run: () => void) => {
      if (!up) return
      const what = dead ? 'lose' : fault(direction)
      if (what === 'lose') dead = true
      if (what === 'cut') end(closed(1006, 'cut', lastError))
      if (what !== 'pass') return
      const at = Math.max(clock.now() + latency(), arrivals[direction])
      arrivals[direction] = at
      clock.at(at, () => up && run())
    }

    const hear = (event: ServerEvent) => {
      if (event.type === 'error') lastError = event.error
      listener.received(decoded(event) as ServerEvent | AudioDelta)
    }
    const far = begin({
      send: (event) => deliver('down', () => hear(event)),
      close: (code, reason) => deliver('down', () => end(closed(code, reason, lastError))),
    })
    clock.at(clock.now() + latency(), () => up && listener.opened())

    return {
      send: (event) => deliver('up', () => far.received(event)),
      append(audio) {
        const event = { type: 'input_audio_buffer.append', audio: toBase64(audio) } as const
        deliver('up', () => far.received(event))
        // As with a socket: until its end is told, a line looks as if it took everything.
        return !isOver
      },
      close: () => end(closedByUs),
    }
  }
}
