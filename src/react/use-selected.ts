import { useRef, useSyncExternalStore } from 'react'
import { useStore } from './provider.ts'
import type { Store } from './store.ts'

/** A slice of what the session knows: who reads it renders again when it is another. `initial`: on a server, and when hydrating. */
export function useSelected<Slice>(read: (store: Store) => Slice, initial: () => Slice): Slice {
  const store = useStore()
  const last = useRef<{ readonly slice: Slice } | null>(null)
  const kept = (slice: Slice) => {
    if (!last.current || !isSame(last.current.slice, slice)) last.current = { slice }
    return last.current.slice
  }
  return useSyncExternalStore(
    store.subscribe,
    () => kept(read(store)),
    () => kept(initial()),
  )
}

/** Lists are the same when what they list is. */
function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
  return a.every((one, n) => Object.is(one, b[n]))
}
