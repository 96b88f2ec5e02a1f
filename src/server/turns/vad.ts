/** Voice activity on the samples: where speech begins and ends. Pure; another detector can be handed to `serve()`. */

/** One stream's detector: is there speech in this frame? */
export interface Vad {
  /** Hz of the samples it takes. */
  readonly rate: number
  /** Samples a frame. */
  readonly frame: number
  /** How likely it is that this frame is speech, 0 to 1. Frames come in order; a next one does not wait for an answer. */
  likelihood(samples: Int16Array): number | Promise<number>
}

/** ms of one frame. */
const frameMs = 20
/** dBFS; what is softer is never speech, however still the room. */
const softest = -50
/** dB above the floor at which a frame is as likely speech as not. */
const above = 12
/** How alike two periods of a voice are, at the least; noise is never so like itself. */
const voicedFrom = 0.5
/** ms for which the sounds around a voiced one (s, t, f) count as speech too. */
const unvoicedMs = 400

/**
 * Speech by its energy above the noise, with a floor that follows the room (at once down, slowly up), where a voice is
 * or was just heard in it: noise has no pitch. Good for clear lines; a room full of other voices or of music wants a
 * better one (`silero`).
 *
 * Takes samples at 24 000 Hz if the line has them so, else at 16 000.
 */
export function energyVad(lineRate = 16_000): Vad {
  const rate = lineRate === 24_000 ? 24_000 : 16_000
  const frame = (rate * frameMs) / 1_000
  let floor = -60
  let sinceVoiceMs = Number.POSITIVE_INFINITY
  const recent = new Float64Array(2 * frame)
  return {
    rate,
    frame,
    likelihood(samples) {
      const level = levelOf(samples)
      const over = level - Math.max(floor, softest - above)
      floor = level < floor ? Math.max(level, -90) : floor + Math.min(0.05, level - floor)
      recent.copyWithin(0, frame)
      recent.set(samples, frame)
      const likely = 1 / (1 + Math.exp(-(over - above) / 2))
      sinceVoiceMs = likely > 0.1 && isVoiced(recent, rate / pitchRate) ? 0 : sinceVoiceMs + frameMs
      return sinceVoiceMs <= unvoicedMs ? likely : Math.min(likely, 0.1)
    },
  }
}

function levelOf(samples: Int16Array): number {
  let sum = 0
  for (let n = 0; n < samples.length; n++) sum += samples[n]! * samples[n]!
  return sum === 0 ? -100 : 10 * Math.log10(sum / samples.length / 32_768 ** 2)
}

/** Hz at which a period is looked for. */
const pitchRate = 8_000
/** What `isVoiced` reckons with: the sound at that rate, and the energy of it before each of its samples. */
const flat = new Float64Array((2 * pitchRate * frameMs) / 1_000 - 1)
const energy = new Float64Array(flat.length + 1)

/**
 * Whether the sound is like itself one period later, for any period of a voice (70 to 400 Hz): by normalised
 * autocorrelation, which is 1 for a tone and about 0.3 for noise, of the sound with its slope flattened. Of `step` samples
 * one is looked at.
 */
function isVoiced(samples: Float64Array, step: number): boolean {
  for (let n = 0, at = 0; n < flat.length; n++, at += step) {
    let between = 0
    for (let next = 1; next < step; next++) between += samples[at + next]!
    flat[n] = samples[at + step]! - 0.9 * samples[at]! + 0.1 * between
    energy[n + 1] = energy[n]! + flat[n]! * flat[n]!
  }
  const whole = energy[flat.length]!
  for (let lag = 20; lag <= 114; lag++) {
    const product = correlation(flat, lag)
    const first = 1 + energy[flat.length - lag]!
    const second = 1 + whole - energy[lag]!
    if (product >= voicedFrom * Math.sqrt(first * second)) return true
  }
  return false
}

/** Two sums at a time, so that no addition waits for the one before it. */
function correlation(samples: Float64Array, lag: number): number {
  let even = 0
  let odd = 0
  const last = samples.length - 1
  let n = lag
  for (; n < last; n += 2) {
    even += samples[n]! * samples[n - lag]!
    odd += samples[n + 1]! * samples[n + 1 - lag]!
  }
  return n === last ? even + odd + samples[n]! * samples[n - lag]! : even + odd
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
  /** Samples at the detector's rate. Answers at once where the detector does. */
  hear(samples: Int16Array): readonly Heard[] | Promise<readonly Heard[]>
  /** The turn was ended by someone else. */
  reset(): void
}

/** Speech shorter than this is a click. */
const leastSpeechMs = 60

/** Where a detector begins: at this ms of audio, and maybe in the middle of a turn. */
export interface DetectorBegin {
  readonly at: number
  readonly speaking: boolean
}

/** Turns from likelihoods: speech begins after 60 ms of it, and ends after `silenceMs` without. */
export function turnDetector(
  vad: Vad,
  settings: () => TurnSettings,
  begin: DetectorBegin = { at: 0, speaking: false },
): TurnDetector {
  const frameMs = (vad.frame / vad.rate) * 1000
  /** The frame that comes next, as far as it came. */
  let next = new Int16Array(vad.frame)
  let filled = 0
  let now = begin.at
  let { speaking } = begin
  let loudMs = 0
  let quietMs = 0

  function decide(likelihood: number): Heard | null {
    const { threshold, prefixMs, silenceMs } = settings()
    now += frameMs
    const loud = likelihood >= threshold
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

  function decideAll(likelihoods: readonly number[]): readonly Heard[] {
    const all: Heard[] = []
    for (const likelihood of likelihoods) {
      const heard = decide(likelihood)
      if (heard) all.push(heard)
    }
    return all
  }

  /** Whole frames; what is left over waits for the next samples. */
  function likelihoodsOf(samples: Int16Array): readonly (number | Promise<number>)[] {
    const found: (number | Promise<number>)[] = []
    if (!filled && samples.length === vad.frame) return [vad.likelihood(samples)]
    for (let taken = 0; taken < samples.length; ) {
      const piece = samples.subarray(taken, taken + vad.frame - filled)
      next.set(piece, filled)
      taken += piece.length
      filled += piece.length
      if (filled < vad.frame) break
      found.push(vad.likelihood(next))
      next = new Int16Array(vad.frame)
      filled = 0
    }
    return found
  }

  return {
    hear(samples) {
      const likelihoods = likelihoodsOf(samples)
      return isKnown(likelihoods) ? decideAll(likelihoods) : Promise.all(likelihoods).then(decideAll)
    },
    reset() {
      speaking = false
      loudMs = 0
      quietMs = 0
    },
  }
}

function isKnown(likelihoods: readonly (number | Promise<number>)[]): likelihoods is readonly number[] {
  return likelihoods.every((one) => typeof one === 'number')
}
