/**
 * G.711, the two codecs of the telephone (ITU-T G.711): one byte a sample, at 8000 Hz by custom. `audio/pcmu` is mu-law,
 * `audio/pcma` is A-law. Samples are PCM16, mono.
 */

interface Law {
  /** The byte for each sample, at `sample & 0xffff`. */
  readonly bytes: Uint8Array
  /** The sample for each byte. */
  readonly samples: Int16Array
}

const ulaw = once(() => law(ulawByte, ulawSample))
const alaw = once(() => law(alawByte, alawSample))

/** PCM16 samples to mu-law bytes. */
export function encodeUlaw(samples: Int16Array): Uint8Array {
  return encode(samples, ulaw())
}

/** Mu-law bytes to PCM16 samples. */
export function decodeUlaw(bytes: Uint8Array): Int16Array {
  return decode(bytes, ulaw())
}

/** PCM16 samples to A-law bytes. */
export function encodeAlaw(samples: Int16Array): Uint8Array {
  return encode(samples, alaw())
}

/** A-law bytes to PCM16 samples. */
export function decodeAlaw(bytes: Uint8Array): Int16Array {
  return decode(bytes, alaw())
}

function encode(samples: Int16Array, { bytes }: Law): Uint8Array {
  const out = new Uint8Array(samples.length)
  for (let n = 0; n < samples.length; n++) out[n] = bytes[samples[n]! & 0xffff]!
  return out
}

function decode(bytes: Uint8Array, { samples }: Law): Int16Array {
  const out = new Int16Array(bytes.length)
  for (let n = 0; n < bytes.length; n++) out[n] = samples[bytes[n]!]!
  return out
}

/** A biased magnitude: its highest bit is the segment, the four bits below it the step. The wire inverts every bit. */
function ulawByte(sample: number): number {
  const magnitude = Math.min(Math.abs(sample), 32_635) + 132
  const segment = 24 - Math.clz32(magnitude)
  const step = (magnitude >> (segment + 3)) & 0xf
  return ~((sample < 0 ? 0x80 : 0) | (segment << 4) | step) & 0xff
}

function ulawSample(byte: number): number {
  const code = ~byte
  const magnitude = ((((code & 0xf) << 3) + 132) << ((code >> 4) & 7)) - 132
  return code & 0x80 ? -magnitude : magnitude
}

/** Thirteen bits, the lowest two segments linear. The wire inverts every other bit, and the sign bit is set for plus. */
function alawByte(sample: number): number {
  const magnitude = (sample < 0 ? ~sample : sample) >> 4
  const segment = Math.max(0, 28 - Math.clz32(magnitude))
  const step = segment < 2 ? magnitude & 0xf : (magnitude >> (segment - 1)) & 0xf
  return ((sample < 0 ? 0 : 0x80) | (segment << 4) | step) ^ 0x55
}

function alawSample(byte: number): number {
  const code = byte ^ 0x55
  const segment = (code >> 4) & 7
  const middle = ((code & 0xf) << 4) + 8
  const magnitude = segment === 0 ? middle : (middle + 256) << (segment - 1)
  return code & 0x80 ? magnitude : -magnitude
}

function law(byteOf: (sample: number) => number, sampleOf: (byte: number) => number): Law {
  return {
    bytes: Uint8Array.from({ length: 65_536 }, (_, n) => byteOf((n << 16) >> 16)),
    samples: Int16Array.from({ length: 256 }, (_, byte) => sampleOf(byte)),
  }
}

/** The tables are made when they are first used: importing the module costs nothing. */
function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}
