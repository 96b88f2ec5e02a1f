import type { Wav } from './wav.ts'

/** A recording of both sides of a call as they were heard: caller left, agent right. */
export interface Recorder {
  /** The caller's sound, which began at `at` ms. */
  caller(samples: Int16Array, at: number): void
  /** The agent's sound, which begins at `at` ms: later than now where more is queued before it. */
  agent(samples: Int16Array, at: number): void
  /** The agent fell silent at `at` ms: what was queued beyond it was never heard. */
  hushed(at: number): void
  wav(): Wav & { readonly channels: 2 }
}

/** Records from `begin` (ms of the caller's clock) on, at `rate` Hz. */
export function recorder(rate: number, begin: number): Recorder {
  type Piece = { readonly from: number; samples: Int16Array }
  const left: Piece[] = []
  let right: Piece[] = []
  const placeOf = (at: number) => Math.max(0, Math.round(((at - begin) * rate) / 1000))

  return {
    caller(samples, at) {
      left.push({ from: placeOf(at), samples })
    },
    agent(samples, at) {
      right.push({ from: placeOf(at), samples })
    },
    hushed(at) {
      const end = placeOf(at)
      right = right
        .filter(({ from }) => from < end)
        .map(({ from, samples }) => ({ from, samples: samples.subarray(0, end - from) }))
    },
    wav() {
      const frames = [...left, ...right].reduce((end, { from, samples }) => Math.max(end, from + samples.length), 0)
      const samples = new Int16Array(2 * frames)
      lay(samples, left, 0)
      lay(samples, right, 1)
      return { rate, channels: 2, samples }
    },
  }
}

function lay(into: Int16Array, pieces: readonly { from: number; samples: Int16Array }[], channel: 0 | 1): void {
  for (const { from, samples } of pieces) {
    for (let n = 0; n < samples.length; n++) into[2 * (from + n) + channel] = samples[n]!
  }
}
