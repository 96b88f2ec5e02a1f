/**
 * Items in order, with their places known: finding one costs the same among two thousand as among ten.
 *
 * The places are a cache beside the value, handed on from list to list and checked at each use; the lists themselves
 * are plain immutable arrays.
 */
import type { Item } from '../protocol/events.ts'

type Items = readonly Item[]

/** Lists that came of one another by appending and replacing: what they share, and where each differs from the one before. */
interface Line {
  /** Knows at least every id of the lists; a place it names may belong to another of them. */
  readonly places: Map<string, number>
  /** The first place that each list has other than the one before it. */
  readonly changes: number[]
}
interface Standing {
  readonly line: Line
  /** How many changes led to this list. */
  readonly after: number
}

const standings = new WeakMap<Items, Standing>()

/** The place of an item, or -1. */
export function find(items: Items, id: string): number {
  const at = standingOf(items).line.places.get(id)
  if (at === undefined) return -1
  return items[at]?.id === id ? at : items.findIndex((item) => item.id === id)
}

/** How many items both lists begin with, at the least; 0 where that is not known. */
export function sameUntil(before: Items, items: Items): number {
  if (before === items) return items.length
  const [was, is] = [standings.get(before), standings.get(items)]
  if (!was || !is || was.line !== is.line || was.after > is.after) return 0
  const changes = is.line.changes.slice(was.after, is.after)
  return Math.min(before.length, items.length, ...changes)
}

export function append(items: Items, item: Item): Items {
  const standing = standingOf(items)
  standing.line.places.set(item.id, items.length)
  return stand(items.toSpliced(items.length, 0, item), standing, items.length)
}

export function replace(items: Items, at: number, item: Item): Items {
  return items[at] === item ? items : stand(items.with(at, item), standingOf(items), at)
}

export function insert(items: Items, at: number, item: Item): Items {
  return at === items.length ? append(items, item) : items.toSpliced(at, 0, item)
}

export function remove(items: Items, at: number): Items {
  return items.toSpliced(at, 1)
}

function standingOf(items: Items): Standing {
  const known = standings.get(items)
  if (known) return known
  const made: Standing = { line: { places: new Map(items.map((item, at) => [item.id, at])), changes: [] }, after: 0 }
  // The empty list is everybody's: conversations that begin with it have nothing else in common.
  if (items.length) standings.set(items, made)
  return made
}

/** A list that another came of already, or one after many changes, begins a line of its own. */
function stand(items: Items, { line, after }: Standing, changedAt: number): Items {
  const { places, changes } = line
  const isLast = changes.length === after && after < mostChanges
  const next: Standing = isLast ? { line, after: after + 1 } : { line: { places, changes: [] }, after: 0 }
  if (isLast) changes.push(changedAt)
  standings.set(items, next)
  return items
}

/** What is remembered of a line: a call's changes are asked for soon, or not at all. */
const mostChanges = 4_096
