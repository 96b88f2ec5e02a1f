import type { Clock } from '../protocol/clock.ts'

/** The longest that a timer of the platform can wait, in ms. */
const longest = 2 ** 31 - 1

/** The time of this machine: monotonic, in ms. Never early: a timer of the platform may be, by a part of a ms. */
export const realClock: Clock = {
  now: () => performance.now(),
  at(time, run) {
    let timer: ReturnType<typeof setTimeout>
    const arm = () => {
      const wait = Math.ceil(time - performance.now())
      timer = setTimeout(ring, Math.min(Math.max(0, wait), longest))
    }
    const ring = () => (performance.now() < time ? arm() : run())
    arm()
    return () => clearTimeout(timer)
  },
}

/** A seed by chance. */
export function newSeed(): number {
  return Math.floor(Math.random() * 2 ** 32)
}
