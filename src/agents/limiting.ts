/** Limits in a session: a warning, then a goodbye that is heard out, then the end. Loaded when a session has limits. */
import type { Clock } from '../protocol/clock.ts'
import type { Door } from '../session/door.ts'
import type { State } from '../session/state.ts'
import { type LimitReached, type Limits, type LimitsWatch, limits } from './limits.ts'
import type { Reply } from './replies.ts'

/** ms that a goodbye may take. */
const goodbyeMs = 20_000

export function limiting(parts: {
  readonly clock: Clock
  readonly door: Door
  readonly limits: Limits
  readonly model: string
  /** How many tools are running. */
  readonly running: () => number
  readonly reply: (instructions: string) => Reply
  readonly drained: () => Promise<void>
  readonly reached: (limit: LimitReached) => void
}): { changed(before: State, after: State): void; readonly active: LimitsWatch['active'] } {
  const { clock, door, reached } = parts
  const watch = limits({
    limits: parts.limits,
    clock,
    model: parts.model,
    ...(parts.limits.prices ? { prices: parts.limits.prices } : {}),
    usage: () => door.state.usage,
    warn: reached,
    end: (limit) => {
      reached(limit)
      end()
    },
  })

  function end(): void {
    const close = () => door.feed({ type: 'ended' })
    const { goodbye } = parts.limits
    if (goodbye === undefined) return close()
    const cancel = clock.at(clock.now() + goodbyeMs, close)
    const over = () => {
      cancel()
      close()
    }
    parts.reply(goodbye).done.then(() => parts.drained().then(over), over)
  }

  return {
    active: watch.active,
    changed(before, after) {
      if (before.link.at !== 'live' && after.link.at === 'live') watch.started()
      if (before.link.at !== 'closed' && after.link.at === 'closed') watch.stopped()
      if (before.usage !== after.usage) watch.used(after.usage)
      if (before.pending !== after.pending || before.turn.hearing !== after.turn.hearing) watch.active()
      watch.busy(after.playback.item !== null || after.turn.hearing || parts.running() > 0)
    },
  }
}
