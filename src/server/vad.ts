/** Voice activity on the samples: where speech begins and ends. Pure; another detector can be handed to `serve()`. */

/** One stream's detector: is there speech in this frame? */
export interface Vad {
  /** Hz of the samples it takes. */
  readonly rate: number
  /** Samples a frame. */
  readonly frame: number
  /** How likely it is that this frame is speech, 0 to 1. */
  likelihood(samples: Int16Array): number
}

const rate = 16_000
const frame = 320
/** dBFS; what is softer is never speech, however still the room. */
const softest = -50
/** dB above the floor at which a frame is as likely speech as not. */
const above = 12

/**
 * Speech by its energy above the noise, with a floor that follows the room: at once down, slowly up. Good for clear
 * lines; a room full of noise wants a better one (Silero).
 */
export function energyVad(): Vad {
  let floor = -60
  return {
    rate,
    frame,
    likelihood(samples) {
      const level = levelOf(samples)
      const over = level - Math.max(floor, softest - above)
      floor = level < floor ? Math.max(level, -90) : floor + Math.min(0.05, level - floor)
      return 1 / (1 + Math.exp(-(over - above) / 2))
    },
  }
}

function levelOf(samples: Int16Array): number {
  let sum = 0
  for (const sample of samples) sum += sample * sample
  return sum === 0 ? -100 : 10 * Math.log10(sum / samples.length / 32_768 ** 2)
}

export interface TurnSettings {
  readonly threshold: number
  readonly prefixMs: number
  readonly silenceMs: number
}

/** What the samples say, at ms of audio written to the buffer since the call began. */
export type Heard =
  | { readonly type: 'started'; readonly at: number }
  | { readonly type: 'stopped'; readonly at: number }

export interface TurnDetector {
  /** Samples at the detector's rate. */
  hear(samples: Int16Array): readonly Heard[]
  /** The turn was ended by someone else. */
  reset(): void
}

/** Speech shorter than this is a click. */
const leastSpeechMs = 60

/** Turns from likelihoods: speech begins after 60 ms of it, and ends after `silenceMs` without. `begin`: ms so far. */
export function turnDetector(vad: Vad, settings: () => TurnSettings, begin = 0): TurnDetector {
  const frameMs = (vad.frame / vad.rate) * 1000
  let rest = new Int16Array(0)
  let now = begin
  let speaking = false
  let loudMs = 0
  let quietMs = 0

  function hearFrame(samples: Int16Array): Heard | null {
    const { threshold, prefixMs, silenceMs } = settings()
    now += frameMs
    const loud = vad.likelihood(samples) >= threshold
    loudMs = loud ? loudMs + frameMs : 0
    quietMs = loud ? 0 : quietMs + frameMs
    if (!speaking && loudMs >= leastSpeechMs) {
      speaking = true
      return { type: 'started', at: Math.max(0, Math.round(now - loudMs - prefixMs)) }
    }
    if (speaking && quietMs >= silenceMs) {
      speaking = false
      return { type: 'stopped', at: Math.round(now) }
    }
    return null
  }

  return {
    hear(samples) {
      const all = new Int16Array(rest.length + samples.length)
      all.set(rest)
      all.set(samples, rest.length)
      const heard: Heard[] = []
      let at = 0
      for (; at + vad.frame <= all.length; at += vad.frame) {
        const what = hearFrame(all.subarray(at, at + vad.frame))
        if (what) heard.push(what)
      }
      rest = all.slice(at)
      return heard
    },
    reset() {
      speaking = false
      loudMs = 0
      quietMs = 0
    },
  }
}
