/** Where a session begins: with what was said before. A page that restores nothing does not load this. */
import { newId as idOf } from '../protocol/ids.ts'
import { mulberry32 } from '../protocol/random.ts'
import type { RealtimeItemInput } from './history.ts'
import { restore } from './saved.ts'
import { checkSeed, type Revived, revive } from './seed.ts'

export interface StartingPoint extends Revived {
  /** What the app has decided once for all. */
  readonly approvals?: unknown
}

/**
 * What `session.save()` gave, parsed from JSON: the conversation goes on from there. Calls that were not answered are
 * made again, or wait for their approval again.
 *
 * @throws UserError when it is something else, and says what is wrong with it.
 */
export function restored(saved: unknown): StartingPoint {
  const { history, approvals } = restore(saved)
  return { ...revive(history, ids(), 'restored'), ...(approvals === undefined ? {} : { approvals }) }
}

/**
 * A history that the app tells: each item in an encoding that every model takes, such that the next answer is spoken.
 *
 * @throws UserError when an item cannot be told to a far end, and says which and why; nothing is told then.
 */
export function seeded(history: readonly RealtimeItemInput[]): StartingPoint {
  const wrong = checkSeed(history)
  if (wrong) throw wrong
  return revive(history, ids(), 'seeded')
}

function ids(): (prefix: string) => string {
  const random = mulberry32(Math.floor(Math.random() * 2 ** 32))
  return (prefix) => idOf(prefix, random)
}
