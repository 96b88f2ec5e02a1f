/** Which events of a call are shown. */
import type { Direction, Entry } from './events.ts'
import type { Log } from './log.ts'

export interface Filter {
  readonly text: string
  readonly directions: Readonly<Record<Direction, boolean>>
  /** Audio and deltas are left out. */
  readonly isBrief: boolean
}

export const everything: Filter = { text: '', directions: { in: true, out: true, local: true }, isBrief: false }

export interface Rows {
  readonly length: number
  /** The row's event. */
  at(row: number): Entry | undefined
  /** The row of the event at this place in the call, or of the last one before it; -1 where there is none. */
  rowOf(n: number): number
}

/** Reads on from where it was: an event is looked at once. */
export interface Sieve {
  rows(log: Log, filter: Filter): Rows
}

export function sieve(): Sieve {
  let kept: number[] = []
  let seen = 0
  let by: Filter | null = null
  let of: Log | null = null

  return {
    rows(log, filter) {
      if (filter !== by || log !== of) {
        kept = []
        seen = log.left
        by = filter
        of = log
      }
      const { entries, left } = log
      seen = Math.max(seen, left)
      const text = filter.text.trim().toLowerCase()
      for (; seen < left + entries.length; seen++) if (isShown(entries[seen - left]!, filter, text)) kept.push(seen)
      if (kept.length && kept[0]! < left) kept = kept.filter((n) => n >= left)
      const mine = kept
      const { length } = mine
      return {
        length,
        at: (row) => entries[mine[row]! - left],
        rowOf: (n) => lastUpTo(mine, length, n),
      }
    },
  }
}

function isShown(entry: Entry, { directions, isBrief }: Filter, text: string): boolean {
  if (!directions[entry.direction] || (isBrief && entry.isPiece)) return false
  if (text === '') return true
  if (entry.type.toLowerCase().includes(text) || entry.gist.toLowerCase().includes(text)) return true
  return JSON.stringify(entry.event).toLowerCase().includes(text)
}

function lastUpTo(sorted: readonly number[], length: number, n: number): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! <= n) low = middle + 1
    else high = middle
  }
  return low - 1
}
