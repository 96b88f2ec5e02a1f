import { toBytes, toSamples } from './pcm.ts'

export interface Wav {
  /** Hz. */
  readonly rate: number
  /** 1 is mono; 2 is stereo, its samples interleaved: left, right, left, … */
  readonly channels: number
  readonly samples: Int16Array
}

const headerBytes = 44

/**
 * Reads a RIFF WAVE file of PCM16. Chunks of other kinds are skipped; a file that was cut short, or was written by a program that did
 * not know its length, gives the samples that are there. The samples may be a view on `bytes`.
 *
 * Throws an `Error` that says what is wrong when the bytes are not a wav file, or not PCM16.
 */
export function readWav(bytes: Uint8Array): Wav {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const name = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4))
  if (name(0) !== 'RIFF' || name(8) !== 'WAVE')
    throw new Error('This is not a wav file: it does not begin with RIFF … WAVE.')

  let format: Omit<Wav, 'samples'> | undefined
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true)
    const body = bytes.subarray(at + 8, at + 8 + length)
    if (name(at) === 'fmt ') format = formatOf(body)
    if (name(at) === 'data') {
      if (!format) throw new Error('This wav file tells no format before its samples.')
      const whole = body.length - (body.length % (2 * format.channels))
      return { ...format, samples: toSamples(body.subarray(0, whole)) }
    }
    at += 8 + length + (length % 2)
  }
  throw new Error('This wav file has no samples: it has no data chunk.')
}

/** Writes a wav file of PCM16. Throws a `RangeError` when the samples do not fill their channels evenly. */
export function writeWav({
  rate,
  channels = 1,
  samples,
}: Omit<Wav, 'channels'> & { readonly channels?: number }): Uint8Array {
  if (samples.length % channels !== 0) {
    throw new RangeError(`${samples.length} samples cannot be shared evenly by ${channels} channels.`)
  }
  const out = new Uint8Array(headerBytes + samples.byteLength)
  const view = new DataView(out.buffer)
  const name = (at: number, text: string) => {
    for (let n = 0; n < 4; n++) out[at + n] = text.charCodeAt(n)
  }
  name(0, 'RIFF')
  view.setUint32(4, out.length - 8, true)
  name(8, 'WAVE')
  name(12, 'fmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, channels, true)
  view.setUint32(24, rate, true)
  view.setUint32(28, rate * channels * 2, true)
  view.setUint16(32, channels * 2, true)
  view.setUint16(34, 16, true)
  name(36, 'data')
  view.setUint32(40, samples.byteLength, true)
  out.set(toBytes(samples), headerBytes)
  return out
}

/** One channel of a recording; the whole of a mono one. */
export function channelOf({ channels, samples }: Wav, channel = 0): Int16Array {
  if (channels === 1) return samples
  return Int16Array.from({ length: samples.length / channels }, (_, n) => samples[n * channels + channel]!)
}

function formatOf(chunk: Uint8Array): Omit<Wav, 'samples'> {
  if (chunk.length < 16) throw new Error('This wav file is cut short: its format is incomplete.')
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  const extensible = view.getUint16(0, true) === 0xfffe && chunk.length >= 26
  const kind = view.getUint16(extensible ? 24 : 0, true)
  const channels = view.getUint16(2, true)
  const rate = view.getUint32(4, true)
  const bits = view.getUint16(14, true)
  if (kind !== 1 || bits !== 16) {
    throw new Error(`This wav file holds ${bits}-bit samples of kind ${kind}; only 16-bit PCM (kind 1) can be read.`)
  }
  if (channels === 0 || rate === 0) throw new Error(`This wav file tells of ${channels} channels at ${rate} Hz.`)
  return { rate, channels }
}
