/** Audio as it was appended: pieces, each with the format that it came in, and their samples at the rate of a listener. */
import { decodeAlaw, decodeUlaw } from '../../audio/g711.ts'
import { toSamples } from '../../audio/pcm.ts'
import { type Resampler, resampler } from '../../audio/resample.ts'
import { bytesOf, msOf, rateOf } from '../../protocol/audio.ts'
import type { AudioFormat } from '../../protocol/events.ts'

export interface Piece {
  readonly bytes: Uint8Array
  /** The format may change while pieces are waiting: each is read in its own. */
  readonly format: AudioFormat
  readonly ms: number
}

/** ms that are looked at together: a client may append a whole recording at once. */
export const pieceMs = 100

/** Whole samples, cut small. What is cut is copied: a piece that is kept must not keep all that it came with. */
export function piecesOf(bytes: Uint8Array, format: AudioFormat): readonly Piece[] {
  const size = bytesOf(pieceMs, format)
  if (bytes.length && bytes.length <= size && bytes.length === bytes.buffer.byteLength)
    return [{ bytes, format, ms: msOf(bytes.length, format) }]
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => {
    const piece = bytes.slice(n * size, (n + 1) * size)
    return { bytes: piece, format, ms: msOf(piece.length, format) }
  })
}

export interface Tape {
  /** How long it sounds. */
  readonly ms: number
  readonly pieces: readonly Piece[]
  push(piece: Piece): void
  shift(): Piece | undefined
  takeAll(): readonly Piece[]
}

export function tape(): Tape {
  let pieces: Piece[] = []
  let ms = 0
  return {
    get ms() {
      return ms
    },
    get pieces() {
      return pieces
    },
    push(piece) {
      pieces.push(piece)
      ms += piece.ms
    },
    shift() {
      const first = pieces.shift()
      ms = pieces.length && first ? ms - first.ms : 0
      return first
    },
    takeAll() {
      const all = pieces
      pieces = []
      ms = 0
      return all
    },
  }
}

export interface Listener {
  samples(piece: Piece): Int16Array
  /** What is left. */
  flush(): Int16Array
}

/** Samples at `rate`, whatever the pieces' formats are. */
export function listener(rate: number, make: (from: number, to: number) => Resampler = resampler): Listener {
  let from = rate
  let resampling = make(from, rate)
  return {
    samples({ bytes, format }) {
      const samples = decode(bytes, format)
      if (rateOf(format) === from) return resampling.push(samples)
      const rest = resampling.flush()
      from = rateOf(format)
      resampling = make(from, rate)
      return joined(rest, resampling.push(samples))
    },
    flush: () => resampling.flush(),
  }
}

/**
 * A telephone's samples are held for ears twice as wide, not smoothed: the mirror image above 4 kHz stands for what the
 * line cut off. A recogniser that was taught on wide speech understands that, and hardly a word of smooth narrow sound.
 */
export function wider(from: number, to: number): Resampler {
  if (to !== 2 * from) return resampler(from, to)
  return {
    push: (samples) => Int16Array.from({ length: 2 * samples.length }, (_, n) => samples[n >> 1]!),
    rest: () => new Int16Array(0),
    flush: () => new Int16Array(0),
  }
}

function joined(first: Int16Array, second: Int16Array): Int16Array {
  if (!first.length) return second
  const both = new Int16Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}

function decode(bytes: Uint8Array, { type }: AudioFormat): Int16Array {
  if (type === 'audio/pcmu') return decodeUlaw(bytes)
  return type === 'audio/pcma' ? decodeAlaw(bytes) : toSamples(bytes)
}
