/** One timer for all calls: audio goes out and silence comes in by its beat. It stands still while nobody listens. */
import type { Clock } from '../../protocol/clock.ts'

export interface Player {
  /** Sends one frame of what is due at `now`. True when more of it is. */
  send(now: number): boolean
  /** A beat, after all have sent. */
  beat?(now: number): void
}

export interface Metronome {
  /** Calls the player every 20 ms from now on. Returns a function that ends it. */
  join(player: Player): () => void
  /**
   * What is due is sent before more is done. A timer waits until all is read that came from all callers, and on a busy
   * machine that is longer than what a client's buffer covers.
   */
  hurry(): void
}

/** ms of one Opus frame. */
export const beatMs = 20

/**
 * Beats fall on a grid, so that a late one does not delay those after it; beats that were missed are one. After a late one
 * the oldest frame of every player goes out before the next of any, and in between what was sent can leave: Node holds a
 * datagram back until the work that sent it ends.
 */
export function metronome(clock: Clock): Metronome {
  const players = new Set<Player>()
  let due = 0
  /** When sound is due next. */
  let sendDue = 0
  let stopBeat: (() => void) | null = null
  let stopCatchingUp: (() => void) | null = null

  function beat(): void {
    const now = clock.now()
    due = Math.max(due + beatMs, now)
    stopBeat = clock.at(due, beat)
    send(now)
    for (const player of players) player.beat?.(now)
  }

  function send(now: number): void {
    // Before they send: who hurries inside a round begins no other.
    sendDue += Math.max(0, Math.floor((now - sendDue) / beatMs) + 1) * beatMs
    let isOwing = false
    for (const player of players) isOwing = player.send(now) || isOwing
    stopCatchingUp?.()
    stopCatchingUp = null
    // The last may have left inside.
    if (!isOwing || !stopBeat) return
    sendDue = now
    stopCatchingUp = clock.at(now, hurry)
  }

  function hurry(): void {
    if (!stopBeat) return
    const now = clock.now()
    if (now >= sendDue) send(now)
  }

  function rest(): void {
    stopBeat?.()
    stopBeat = null
    stopCatchingUp?.()
    stopCatchingUp = null
  }

  return {
    join(player) {
      players.add(player)
      if (!stopBeat) {
        due = sendDue = clock.now() + beatMs
        stopBeat = clock.at(due, beat)
      }
      return () => {
        players.delete(player)
        if (!players.size) rest()
      }
    },
    hurry,
  }
}
