/** Limits in a session: a warning, then a goodbye that is heard out, then the end. Loaded when a session has limits. */
import type { Clock } from '../protocol/clock.ts'
import type { Door } from '../session/door.ts'
import type { Input, State } from '../session/state.ts'
import { type LimitReached, type Limits, type LimitsWatch, limits } from './limits.ts'
import type { Reply } from './replies.ts'

/** ms that a goodbye may take. */
const goodbyeMs = 20_000

export interface LimitingOptions {
  readonly clock: Clock
  readonly door: Door
  readonly limits: Limits
  readonly model: string
  /** How many tools are running. */
  readonly running: () => number
  /** The user holds the key of push-to-talk. */
  readonly speaking: () => boolean
  readonly reply: (instructions: string) => Reply
  readonly drained: () => Promise<void>
  readonly reached: (limit: LimitReached) => void
}

export interface Limiting {
  changed(before: State, after: State, input: Input): void
  readonly active: LimitsWatch['active']
}

export function limiting(parts: LimitingOptions): Limiting {
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

  /** Forgets the goodbye that is being said: it ends its own call, and none that is connected after it. */
  let forget = () => {}

  function end(): void {
    const { goodbye } = parts.limits
    const close = () => door.feed({ type: 'ended' })
    if (goodbye === undefined) return close()
    let isMeant = true
    const over = () => {
      if (isMeant) close()
    }
    const cancel = clock.at(clock.now() + goodbyeMs, over)
    forget = () => {
      isMeant = false
      cancel()
    }
    parts.reply(goodbye).done.then(() => parts.drained().then(over), over)
  }

  return {
    active: watch.active,
    changed(before, after, input) {
      if (before.link.at !== 'live' && after.link.at === 'live') watch.started()
      if (before.link.at !== 'closed' && after.link.at === 'closed') {
        watch.stopped()
        forget()
      }
      if (before.usage !== after.usage) watch.used(after.usage)
      const isSaid = before.pending !== after.pending || before.turn.hearing !== after.turn.hearing
      if (isSaid || isCommit(input)) watch.active()
      watch.busy(after.playback.item !== null || after.turn.hearing || parts.speaking() || parts.running() > 0)
    },
  }
}

/** A turn that the app ends by hand. */
function isCommit(input: Input): boolean {
  return input.type === 'sent' && input.event.type === 'input_audio_buffer.commit'
}
