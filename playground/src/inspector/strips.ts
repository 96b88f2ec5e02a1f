/** How loud both sides were, over time. */
import type { TraceAudio } from 'parley-voice/trace'

export type Side = 'input' | 'output'

/** From `at` on, for `ms`: 0 to 1. */
export interface Loudness {
  readonly at: number
  readonly ms: number
  readonly level: number
}

export interface Strips {
  readonly input: readonly Loudness[]
  readonly output: readonly Loudness[]
  /** When the last of it ends. */
  readonly until: number
}

/** What is kept of a call that goes on: older than this is not shown. */
export const windowMs = 30_000

interface OpenStrips extends Strips {
  add(side: Side, at: number, ms: number, level: number): void
  /** Audio as it came: what comes faster than it sounds waits for what came before. */
  sounded(side: Side, at: number, audio: TraceAudio): void
  /** Nothing of the output sounds any more. */
  cut(at: number): void
  keep(now: number): void
}

export function strips(): OpenStrips {
  const sides: Record<Side, Loudness[]> = { input: [], output: [] }
  const endOf = (side: Side) => {
    const last = sides[side].at(-1)
    return last ? last.at + last.ms : Number.NEGATIVE_INFINITY
  }
  const add = (side: Side, at: number, ms: number, level: number) => void sides[side].push({ at, ms, level })
  return {
    get input() {
      return sides.input
    },
    get output() {
      return sides.output
    },
    get until() {
      return Math.max(endOf('input'), endOf('output'))
    },
    add,
    sounded: (side, at, { ms, peak }) => add(side, side === 'output' ? Math.max(at, endOf(side)) : at, ms, peak),
    cut(at) {
      sides.output = sides.output
        .filter((one) => one.at < at)
        .map((one) => (one.at + one.ms > at ? { ...one, ms: at - one.at } : one))
    },
    keep(now) {
      for (const side of ['input', 'output'] as const) {
        if (sides[side].length < 2_000) continue
        sides[side] = sides[side].filter(({ at }) => at > now - windowMs)
      }
    },
  }
}

/** The loudest of each of `count` equal parts of the time from `begin` to `end`. */
export function loudest(strip: readonly Loudness[], begin: number, end: number, count: number): readonly number[] {
  const parts = new Array<number>(count).fill(0)
  const width = (end - begin) / count
  if (!(width > 0)) return parts
  for (const { at, ms, level } of strip) {
    const from = Math.max(0, Math.floor((at - begin) / width))
    const to = Math.min(count - 1, Math.floor((at + ms - begin) / width))
    for (let n = from; n <= to; n++) parts[n] = Math.max(parts[n]!, level)
  }
  return parts
}
