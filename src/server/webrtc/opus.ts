/** Opus at 24 kHz, straight from and to PCM16: libopus resamples by itself. Loaded at the first call. */
import type { DecoderOptions, EncoderOptions, OpusDecoderHandle, OpusEncoderHandle } from 'libopus-wasm'

export type Encoder = Pick<OpusEncoderHandle, 'encode' | 'free'>
export type Decoder = Pick<OpusDecoderHandle, 'decode' | 'decodePacketLoss' | 'free'>

export interface Codec {
  readonly encoder: Encoder
  readonly decoder: Decoder
  /** Gives the memory back; may be called twice. */
  free(): void
}

/** Samples a second on our side of the codec. */
export const rate = 24_000
/** Samples of one frame of 20 ms. */
export const frame = 480
/** RTP counts Opus at 48 kHz, whatever it carries (RFC 7587, section 4.1). */
export const ticksASample = 2

const decoding: DecoderOptions = { sampleRate: rate, channels: 1 }
/**
 * `RestrictedLowDelay`: libopus then has one way to encode (CELT), and not the one for voices at low rates (SILK). That is
 * a third of the work, nearer to what was said, and 4 ms sooner. From complexity 5 on it looks for the pitch of a voice,
 * which is as much work again as all the rest; a few bits more bring speech nearer than that does (22.9 dB at 64 kbit/s,
 * 20.9 dB with the pitch at 48).
 */
const encoding: EncoderOptions = {
  sampleRate: rate,
  channels: 1,
  frameSize: frame,
  application: 2051,
  bitrate: 64_000,
  complexity: 4,
}

export async function codec(): Promise<Codec> {
  const { createDecoder, createEncoder } = await import('libopus-wasm')
  const encoder = await createEncoder(encoding)
  const decoder = await createDecoder(decoding).catch((error: unknown) => {
    encoder.free()
    throw error
  })
  let isFree = false
  return {
    encoder,
    decoder,
    free() {
      if (isFree) return
      isFree = true
      encoder.free()
      decoder.free()
    },
  }
}
