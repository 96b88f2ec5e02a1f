import type { Clock } from '../protocol/clock.ts'
import { closedByUs } from '../session/closed.ts'
import type { Cause, Connection, Dial, Listener } from '../session/transport.ts'
import { unopened } from './causes.ts'

/** ms in which the first way has to lead somewhere; while the user is asked for the microphone, they do not pass. */
const boundMs = 8_000
/** A line over the first way that is lost within so many ms is one that does not hold. */
const earlyMs = 10_000

export interface AutoOptions {
  readonly clock: Clock
  readonly first: Dial
  readonly second: () => Promise<Dial>
  /** The user is being asked for something. */
  readonly asking: () => boolean
  /** The first way is given up for good. */
  readonly fell: () => void
}

/** A way that turns to another one when the first leads nowhere, or does not hold. */
export function auto({ clock, first, second, asking, fell }: AutoOptions): Dial {
  let isFallen = false

  return (listener, config) => {
    let connection: Connection
    let isOver = false
    let openedAt: number | null = null
    let cancel = () => {}
    /** Of the first way, while it is the one that is heard. */
    let isHeard = !isFallen

    function fall(): void {
      cancel()
      isHeard = false
      isFallen = true
      connection.close()
      fell()
      connection = later(second, listener, config)
    }

    function bound(): void {
      cancel = clock.at(clock.now() + boundMs, () => (asking() ? bound() : fall()))
    }

    function dropped(cause: Cause): void {
      if (!isHeard) return
      cancel()
      if (isOver || isOfThem(cause)) return listener.dropped(cause)
      if (openedAt === null) return fall()
      if (clock.now() - openedAt >= earlyMs) return listener.dropped(cause)
      isFallen = true
      fell()
      listener.dropped({ ...cause, fatal: false })
    }

    if (isFallen) connection = later(second, listener, config)
    else {
      connection = first(
        {
          opened(carriesAudio) {
            if (!isHeard) return
            cancel()
            openedAt = clock.now()
            listener.opened(carriesAudio)
          },
          prompted: (isOpen) => isHeard && listener.prompted?.(isOpen),
          reached: (stage) => isHeard && listener.reached?.(stage),
          received: (event) => isHeard && listener.received(event),
          sounded: (response_id) => isHeard && listener.sounded?.(response_id),
          dropped,
        },
        config,
      )
      bound()
    }
    return {
      send: (event) => connection.send(event),
      append: (audio, wasHeld) => connection.append(audio, wasHeld),
      close() {
        isOver = true
        connection.close()
      },
    }
  }
}

/** Another way would lead to the same: what the user or the key does not allow. */
function isOfThem({ code, error }: Cause): boolean {
  return error !== undefined || code === 401 || code === 403 || String(code).startsWith('microphone_')
}

/** A way that has to be loaded first. */
function later(load: () => Promise<Dial>, listener: Listener, config: Parameters<Dial>[1]): Connection {
  let connection: Connection | null = null
  let isOver = false
  load().then(
    (dial) => {
      if (!isOver) connection = dial(listener, config)
    },
    (error: Error) => {
      if (isOver) return
      isOver = true
      listener.dropped(unopened(error.message, false))
    },
  )
  return {
    send: (event) => connection?.send(event),
    append: (audio, wasHeld) => connection?.append(audio, wasHeld) ?? false,
    close() {
      if (connection) connection.close()
      else if (!isOver) listener.dropped(closedByUs)
      isOver = true
    },
  }
}
