/** Where a history is kept beyond the session. */
import type { RealtimeItem } from '../session/history.ts'

/** Keeps one history. Items are known by their `itemId`: to append one again replaces it where it stands. */
export interface HistoryStore {
  load(): Promise<readonly RealtimeItem[]>
  append(items: readonly RealtimeItem[]): Promise<void>
  /** Keeps exactly these from now on. */
  replace(items: readonly RealtimeItem[]): Promise<void>
}

/** A store that lasts as long as the process. */
export function memoryStore(items: readonly RealtimeItem[] = []): HistoryStore {
  let kept = items
  return {
    load: async () => kept,
    async append(more) {
      kept = appended(kept, more)
    },
    async replace(all) {
      kept = [...all]
    },
  }
}

/** The items with more of them, each once: what is known is replaced where it stands. */
export function appended(items: readonly RealtimeItem[], more: readonly RealtimeItem[]): readonly RealtimeItem[] {
  return [...new Map([...items, ...more].map((item) => [item.itemId, item])).values()]
}

export interface KeepOptions {
  /** Told of what the store throws or rejects with. The next change is another try. */
  readonly failed: (error: unknown) => void
  /** What the store holds already, as it was loaded. Default: nothing. */
  readonly stored?: readonly RealtimeItem[]
}

export interface Keeper {
  /** Takes a new history, such as `history_updated` gives. */
  (history: readonly RealtimeItem[]): void
  /** Writes what is not written yet, also words of an item that is still being told; resolves when that was tried. */
  flush(): Promise<void>
}

/**
 * Keeps a history in a store as it grows: only what changed is written, one write at a time, and what changes meanwhile
 * is written after it, together. An item is written when it comes and when it is told to its end, not at each word.
 */
export function keep(store: HistoryStore, { failed, stored = [] }: KeepOptions): Keeper {
  let written = stored
  /** Whether the store holds what was written: after a failure nobody knows. */
  let isSure = true
  let latest = stored
  let isWhole = false
  let asked = 0
  let tried = 0
  let writing: Promise<void> | null = null

  async function write(): Promise<void> {
    await null // What changes in one go is written together.
    while (tried !== asked) {
      tried = asked
      const { more, now } = changeBetween(written, latest, { isWhole, isSure })
      isWhole = false
      try {
        if (!more) await store.replace(now)
        else if (more.length) await store.append(more)
        written = now
        isSure = true
      } catch (error) {
        written = appended(written, now)
        isSure = false
        failed(error)
      }
    }
    writing = null
  }

  function ask(): Promise<void> {
    asked++
    writing ??= write()
    return writing
  }

  return Object.assign(
    (history: readonly RealtimeItem[]) => {
      latest = history
      void ask()
    },
    {
      flush() {
        isWhole = true
        return ask()
      },
    },
  )
}

interface Change {
  /** What is to be appended; null where something left, or came in between, and all is to be replaced. */
  readonly more: readonly RealtimeItem[] | null
  /** What the store then holds. */
  readonly now: readonly RealtimeItem[]
}

function changeBetween(
  written: readonly RealtimeItem[],
  latest: readonly RealtimeItem[],
  { isWhole, isSure }: { readonly isWhole: boolean; readonly isSure: boolean },
): Change {
  if (written.some(({ itemId }, n) => latest[n]?.itemId !== itemId)) return { more: null, now: latest }
  const more: RealtimeItem[] = []
  const now = latest.map((item, n) => {
    const known = written[n]
    if (isSure && known && (item === known || isEqual(item, known))) return item
    if (isSure && known && !isWhole && isGrowing(item)) return known
    more.push(item)
    return item
  })
  return { more, now }
}

/** Where an item came from is no change of it: what was restored is kept already. */
function isEqual(item: RealtimeItem, known: RealtimeItem): boolean {
  return JSON.stringify({ ...known, origin: item.origin }) === JSON.stringify(item)
}

function isGrowing(item: RealtimeItem): boolean {
  return item.status === 'in_progress' || (item.type === 'message' && item.transcriptStatus === 'pending')
}
