/**
 * PCM16 between bytes (little-endian, as on the wire and in files) and samples. Both ways give a view on the same memory where
 * they can; copy before you keep or change what you were given.
 *
 * Bytes come from a stream in any lengths. A half sample at the end is left out; the caller carries it to the next piece:
 *
 * ```ts
 * const bytes = concat(carried, piece)
 * const samples = toSamples(bytes)
 * carried = bytes.subarray(2 * samples.length)
 * ```
 */

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** Bytes to samples: `floor(bytes.length / 2)` of them. A view when the bytes begin at an even offset of their buffer, else a copy. */
export function toSamples(bytes: Uint8Array): Int16Array {
  const length = bytes.length >> 1
  if (!littleEndian) return Int16Array.from({ length }, (_, n) => (bytes[2 * n]! | (bytes[2 * n + 1]! << 8)) as number)
  if (bytes.byteOffset % 2 === 0) return new Int16Array(bytes.buffer, bytes.byteOffset, length)
  return new Int16Array(bytes.slice(0, 2 * length).buffer)
}

/** Samples to bytes, two a sample: a view. */
export function toBytes(samples: Int16Array): Uint8Array {
  if (littleEndian) return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
  return Uint8Array.from({ length: 2 * samples.length }, (_, n) => samples[n >> 1]! >> (8 * (n & 1)))
}

/** The root mean square of the samples in dBFS: 0 is a full-scale square wave, -3 a full-scale sine, `-Infinity` digital silence. */
export function level(samples: Int16Array): number {
  let sum = 0
  for (let n = 0; n < samples.length; n++) sum += samples[n]! ** 2
  return sum === 0 ? Number.NEGATIVE_INFINITY : 10 * Math.log10(sum / samples.length / 32_768 ** 2)
}
