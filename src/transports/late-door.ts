/** The core of a transport that is used alone: in a page it is loaded when it is connected. */
import { UserError } from '../protocol/errors.ts'
import { newSeed } from '../session/clock.ts'
import type { Door, DoorOptions } from '../session/door.ts'
import { start } from '../session/start.ts'
import { holding, late } from './late.ts'

/** What a transport asks of a core. */
export interface Line extends Pick<Door, 'state' | 'feed' | 'connect' | 'answer' | 'sendAudio' | 'shown'> {
  say(...said: Parameters<Door['say']>): unknown
  /** A session took the transport: what waits is the session's. */
  leftTo?(door: Door): void
}

export function lateDoor(options: DoorOptions): Line {
  const { seed = newSeed(), reconnect } = options
  const before = start({ reconnect, seed })
  const audioHeld = holding()
  const core = late(
    () => import('../session/door.ts'),
    ({ door }) => door({ ...options, seed }),
    (error) => options.tell({ type: 'failed', error }),
  )

  return {
    get state() {
      return core.here?.state ?? before
    },
    feed(input) {
      const isEnd = input.type === 'ended'
      if (isEnd) core.close()
      if (!isEnd || core.here || core.isAwaited) core.later((door) => door.feed(input))
    },
    connect(dialer, ...how) {
      // The line is loaded meanwhile.
      const made = core.here ? null : (async () => dialer())()
      made?.catch(() => {})
      return core.unlessClosed(
        core.load(),
        (door) => door.connect(() => made ?? dialer(), ...how),
        () => new UserError('It was closed while it was connecting.'),
      )
    },
    shown: (id) => core.here?.shown(id) ?? null,
    say: (...said) => core.later((door) => door.say(...said)),
    answer: (...answer) => core.later((door) => door.answer(...answer)),
    sendAudio(audio, commit) {
      if (core.here) return core.here.sendAudio(audio, commit)
      const copy = audioHeld.copy(audio)
      core.later((door) => door.sendAudio(copy ?? new Uint8Array(), commit))
      return copy !== null
    },
    // The session is being made, and knows nothing yet.
    leftTo: (door) => queueMicrotask(() => core.came(door)),
  }
}
