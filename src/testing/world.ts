import type { Clock } from '../protocol/clock.ts'
import { mulberry32 } from '../protocol/random.ts'

export interface World {
  readonly clock: Clock
  now(): number
  at(time: number, run: () => void): () => void
  after(ms: number, run: () => void): () => void
  /** A number from 0 to 1; the same seed gives the same numbers. */
  random(): number
  /** Runs everything that is due, in order, until nothing is, or until `until` (ms). Promises run between steps. */
  settle(until?: number): Promise<void>
}

/** A world where time moves only when asked, and the same seed gives the same chances. */
export function world(seed = 1): World {
  let now = 0
  let order = 0
  let due: { at: number; order: number; run: () => void }[] = []
  const random = mulberry32(seed)

  function at(time: number, run: () => void): () => void {
    const entry = { at: Math.max(time, now), order: order++, run }
    due.push(entry)
    return () => {
      due = due.filter((other) => other !== entry)
    }
  }

  async function settle(until = Number.POSITIVE_INFINITY): Promise<void> {
    for (let steps = 0; ; steps++) {
      if (steps > 200_000) throw new Error('The world did not settle: something wakes itself for ever.')
      await promises()
      const next = due.reduce<(typeof due)[number] | null>(
        (first, entry) => (first && isBefore(first, entry) ? first : entry),
        null,
      )
      if (!next || next.at > until) break
      due = due.filter((entry) => entry !== next)
      now = next.at
      next.run()
    }
    if (until !== Number.POSITIVE_INFINITY) now = Math.max(now, until)
  }

  return { clock: { now: () => now, at }, now: () => now, at, after: (ms, run) => at(now + ms, run), random, settle }
}

function isBefore(a: { at: number; order: number }, b: { at: number; order: number }): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

/** Lets every promise that can go on, go on. */
function promises(): Promise<void> {
  const { setImmediate: soon = (run: () => void) => setTimeout(run, 0) } = globalThis
  return new Promise((resolve) => soon(resolve))
}
