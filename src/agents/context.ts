import type { SessionUsage } from '../session/usage.ts'
import type { RealtimeItem } from './history.ts'

/** What tools and instructions are run with. */
export interface RunContext<Context = unknown> {
  /** The app's own value, kept by identity. */
  readonly context: Context
  /** The conversation so far: a snapshot that cannot be changed. */
  readonly history: readonly RealtimeItem[]
  readonly usage: SessionUsage
}

/** What apps are handed of the history cannot be changed by them. */
export function frozen(history: readonly RealtimeItem[]): readonly RealtimeItem[] {
  if (Object.isFrozen(history)) return history
  for (const item of history) {
    if (Object.isFrozen(item)) continue
    if ('content' in item) Object.freeze(item.content.map((part) => Object.freeze(part)) && item.content)
    Object.freeze(item)
  }
  return Object.freeze(history)
}
