import type { Clock } from '../protocol/clock.ts'

/** The longest that a timer of the platform can wait, in ms. */
const longest = 2 ** 31 - 1

/** The time of this machine: monotonic, in ms. */
export const realClock: Clock = {
  now: () => performance.now(),
  at(time, run) {
    const wait = Math.min(Math.max(0, time - performance.now()), longest)
    const timer = setTimeout(run, wait)
    return () => clearTimeout(timer)
  },
}
