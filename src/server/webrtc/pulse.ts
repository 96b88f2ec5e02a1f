/** Notices that a client is gone without a word: nothing at all came from it for too long. */

export interface PulseOptions {
  /** How many packets have come until now, of whatever kind. */
  readonly received: () => number
  /** Told once, with how long nothing came, in ms. */
  readonly gone: (silentMs: number) => void
}

/** ms until the first packet: a client that connects sends many a second, one that gave up sends none. */
export const mostUntilFirstMs = 8_000
/** ms without a packet: a client that says nothing still asks every 5 s whether it may (RFC 7675), and answers as often. */
export const mostSilentMs = 9_000
const lookMs = 500
/** While this process stands still, what comes waits in the socket: of a beat that came late, no more than this counts. */
const mostBetweenMs = 100

/** Returns the beat of the metronome. */
export function pulse({ received, gone }: PulseOptions): (now: number) => void {
  let beatAt: number | null = null
  let seen = 0
  let silentMs = 0
  let lookAt = lookMs
  let isGone = false

  return (now) => {
    silentMs += Math.min(now - (beatAt ?? now), mostBetweenMs)
    beatAt = now
    if (isGone || silentMs < lookAt) return
    const before = seen
    seen = received()
    if (seen !== before) silentMs = 0
    lookAt = silentMs + lookMs
    isGone = silentMs >= (seen ? mostSilentMs : mostUntilFirstMs)
    if (isGone) gone(silentMs)
  }
}
