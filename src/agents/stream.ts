/** What is told piece by piece, to any number of readers, each at its own pace. */
export interface Stream<T> {
  readonly pieces: AsyncIterable<T>
  push(piece: T): void
  /** No more comes: readers end, or throw the error, when they have read what came. Only the first time counts. */
  end(error?: Error): void
}

type Link<T> = { readonly piece: T; readonly next: Promise<Link<T>> } | null

/**
 * `kept`: every reader gets all from the beginning. Else what came waits for the first reader only, and is let go as it
 * is read; one that begins after that gets what comes from then on.
 */
export function stream<T>(kept: boolean): Stream<T> {
  let end = open<T>()
  let first: Promise<Link<T>> | null = end.next
  let isOver = false

  return {
    pieces: {
      [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
        let at = first ?? end.next
        return {
          next() {
            if (!kept) first = null
            const mine = at
            at = mine.then((link) => link?.next ?? null)
            at.catch(() => {})
            return mine.then((link) => (link ? { value: link.piece } : over))
          },
          async return() {
            at = Promise.resolve(null)
            return over
          },
        }
      },
    },
    push(piece) {
      if (isOver) return
      const { tell } = end
      end = open()
      tell({ piece, next: end.next })
    },
    end(error) {
      isOver = true
      if (error) end.fail(error)
      else end.tell(null)
    },
  }
}

const over = { done: true, value: undefined } as const

/** What comes next, and is not known yet. That nobody waits for it is no unhandled rejection. */
function open<T>(): { next: Promise<Link<T>>; tell(link: Link<T>): void; fail(error: Error): void } {
  let tell!: (link: Link<T>) => void
  let fail!: (error: Error) => void
  const next = new Promise<Link<T>>((resolve, reject) => {
    tell = resolve
    fail = reject
  })
  next.catch(() => {})
  return { next, tell, fail }
}
