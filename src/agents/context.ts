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
