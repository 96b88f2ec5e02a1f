/** Where a session begins: with what was said before. A page that restores nothing does not load this. */
import { newId as idOf } from '../protocol/ids.ts'
import { mulberry32 } from '../protocol/random.ts'
import { historian, type RealtimeItem, type RealtimeItemInput } from '../session/history.ts'
import { restore } from './saved.ts'
import { checkSeed, type Revived, revive } from './seed.ts'

export interface StartingPoint extends Revived {
  /** What the session's history is until more is said. */
  readonly history: readonly RealtimeItem[]
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
  return { ...shown(revive(history, ids(), 'restored')), ...(approvals === undefined ? {} : { approvals }) }
}

/**
 * A history that the app tells: each item in an encoding that every model takes, such that the next answer is spoken.
 *
 * @throws UserError when an item cannot be told to a far end, and says which and why; nothing is told then.
 */
export function seeded(history: readonly RealtimeItemInput[]): StartingPoint {
  const wrong = checkSeed(history)
  if (wrong) throw wrong
  return shown(revive(history, ids(), 'seeded'))
}

function shown(begin: Revived): Revived & Pick<StartingPoint, 'history'> {
  return { ...begin, history: historian()({ ...begin, pending: [], isTranscribed: true }) }
}

function ids(): (prefix: string) => string {
  const random = mulberry32(Math.floor(Math.random() * 2 ** 32))
  return (prefix) => idOf(prefix, random)
}
