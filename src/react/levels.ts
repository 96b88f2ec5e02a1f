/** How loud it is, at each frame of the page, outside of React's state: one loop for all who listen. */
export interface Level {
  readonly input: number
  readonly output: number
}

export interface Levels {
  /** The loop runs while somebody listens, and the browser shows the page. */
  listen(listener: (level: Level) => void): () => void
}

const quiet: Level = { input: 0, output: 0 }

export function levels(read: () => Level | undefined): Levels {
  const listeners = new Set<(level: Level) => void>()
  /** At sixty frames a second, one word about each is enough. */
  const reported = new WeakSet<(level: Level) => void>()
  let frame = 0

  function look(): void {
    frame = requestAnimationFrame(look)
    const level = read() ?? quiet
    for (const listener of listeners) {
      try {
        listener(level)
      } catch (cause) {
        if (!reported.has(listener)) console.error(new Error('A listener of useAudioLevel failed.', { cause }))
        reported.add(listener)
      }
    }
  }

  return {
    listen(listener) {
      listeners.add(listener)
      if (listeners.size === 1) frame = requestAnimationFrame(look)
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) cancelAnimationFrame(frame)
      }
    },
  }
}
