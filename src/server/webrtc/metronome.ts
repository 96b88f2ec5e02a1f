/** One timer for all calls: audio goes out and silence comes in by its beat. It stands still while nobody listens. */
import type { Clock } from '../../protocol/clock.ts'

export interface Metronome {
  /** Calls `beat` every 20 ms from now on, with the time. Returns a function that ends it. */
  join(beat: (now: number) => void): () => void
}

/** ms of one Opus frame. */
export const beatMs = 20

/** Beats fall on a grid, so that a late one does not delay those after it; beats that were missed are one. */
export function metronome(clock: Clock): Metronome {
  const players = new Set<(now: number) => void>()
  let due = 0
  let stop: (() => void) | null = null

  function beat(): void {
    const now = clock.now()
    due = Math.max(due + beatMs, now)
    stop = clock.at(due, beat)
    for (const play of players) play(now)
    if (!players.size) rest()
  }

  function rest(): void {
    stop?.()
    stop = null
  }

  return {
    join(play) {
      players.add(play)
      due = stop ? due : clock.now() + beatMs
      stop ??= clock.at(due, beat)
      return () => {
        players.delete(play)
        if (!players.size) rest()
      }
    },
  }
}
