/**
 * Items in order, with their places known: finding one costs the same among two thousand as among ten.
 *
 * The places are a cache beside the value, handed on from list to list and checked at each use; the lists themselves
 * are plain immutable arrays.
 */
import type { Item } from '../protocol/events.ts'

type Items = readonly Item[]

/** Knows at least every id of the lists that share it; a place it names may belong to another of them. */
const places = new WeakMap<Items, Map<string, number>>()

/** The place of an item, or -1. */
export function find(items: Items, id: string): number {
  const at = placesOf(items).get(id)
  if (at === undefined) return -1
  return items[at]?.id === id ? at : items.findIndex((item) => item.id === id)
}

export function append(items: Items, item: Item): Items {
  const known = placesOf(items)
  known.set(item.id, items.length)
  return share(items.toSpliced(items.length, 0, item), known)
}

export function replace(items: Items, at: number, item: Item): Items {
  return items[at] === item ? items : share(items.with(at, item), placesOf(items))
}

export function insert(items: Items, at: number, item: Item): Items {
  return at === items.length ? append(items, item) : items.toSpliced(at, 0, item)
}

export function remove(items: Items, at: number): Items {
  return items.toSpliced(at, 1)
}

function placesOf(items: Items): Map<string, number> {
  const known = places.get(items)
  if (known) return known
  const made = new Map(items.map((item, at) => [item.id, at]))
  // The empty list is everybody's: conversations that begin with it have nothing else in common.
  if (items.length) places.set(items, made)
  return made
}

function share(items: Items, known: Map<string, number>): Items {
  places.set(items, known)
  return items
}
