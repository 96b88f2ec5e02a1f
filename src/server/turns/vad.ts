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

const rate = 16_000
const frame = 320
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
 */
export function energyVad(): Vad {
  let floor = -60
  let sinceVoiceMs = Number.POSITIVE_INFINITY
  let recent = new Float32Array(2 * frame)
  return {
    rate,
    frame,
    likelihood(samples) {
      const level = levelOf(samples)
      const over = level - Math.max(floor, softest - above)
      floor = level < floor ? Math.max(level, -90) : floor + Math.min(0.05, level - floor)
      recent = shifted(recent, samples)
      const likely = 1 / (1 + Math.exp(-(over - above) / 2))
      sinceVoiceMs = likely > 0.1 && periodicity(recent) >= voicedFrom ? 0 : sinceVoiceMs + (frame / rate) * 1_000
      return sinceVoiceMs <= unvoicedMs ? likely : Math.min(likely, 0.1)
    },
  }
}

function levelOf(samples: Int16Array): number {
  let sum = 0
  for (const sample of samples) sum += sample * sample
  return sum === 0 ? -100 : 10 * Math.log10(sum / samples.length / 32_768 ** 2)
}

function shifted(before: Float32Array, samples: Int16Array): Float32Array<ArrayBuffer> {
  const after = new Float32Array(before.length)
  after.set(before.subarray(samples.length))
  after.set(samples, before.length - samples.length)
  return after
}

/**
 * How alike the sound is to itself one period later, for the best period of a voice (70 to 400 Hz): 1 for a tone, about
 * 0.3 for noise. Normalised autocorrelation of the sound with its slope flattened, at half the rate.
 */
function periodicity(samples: Float32Array): number {
  const flat = new Float32Array(samples.length / 2 - 1)
  for (let n = 0; n < flat.length; n++) {
    flat[n] = samples[2 * n + 2]! + samples[2 * n + 1]! - 0.9 * (samples[2 * n + 1]! + samples[2 * n]!)
  }
  let best = 0
  for (let lag = 20; lag <= 114; lag++) {
    let product = 0
    let first = 1
    let second = 1
    for (let n = 0; n + lag < flat.length; n++) {
      const a = flat[n]!
      const b = flat[n + lag]!
      product += a * b
      first += a * a
      second += b * b
    }
    best = Math.max(best, product / Math.sqrt(first * second))
  }
  return best
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
  let rest = new Int16Array(0)
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

  const decideAll = (likelihoods: readonly number[]) => likelihoods.map(decide).filter((heard) => heard !== null)

  /** Whole frames; what is left over waits for the next samples. */
  function framesOf(samples: Int16Array): readonly Int16Array[] {
    const all = new Int16Array(rest.length + samples.length)
    all.set(rest)
    all.set(samples, rest.length)
    const whole = all.length - (all.length % vad.frame)
    rest = all.slice(whole)
    return Array.from({ length: whole / vad.frame }, (_, n) => all.subarray(n * vad.frame, (n + 1) * vad.frame))
  }

  return {
    hear(samples) {
      const likelihoods = framesOf(samples).map((one) => vad.likelihood(one))
      return likelihoods.every((one) => typeof one === 'number')
        ? decideAll(likelihoods)
        : Promise.all(likelihoods).then(decideAll)
    },
    reset() {
      speaking = false
      loudMs = 0
      quietMs = 0
    },
  }
}
