import { decodeAlaw, decodeUlaw } from '../audio/g711.ts'
import { toSamples } from '../audio/pcm.ts'
import { isG711, msOf } from '../protocol/audio.ts'
import { toBase64 } from '../protocol/base64.ts'
import type { AudioFormat } from '../protocol/events.ts'
import type { TraceAudio } from './format.ts'

/** What a trace keeps of audio in this format; with `keep`, the audio too. */
export function traceOf(audio: Uint8Array, format: AudioFormat, keep: boolean): TraceAudio {
  const samples = isG711(format)
    ? (format.type === 'audio/pcmu' ? decodeUlaw : decodeAlaw)(audio)
    : toSamples(audio.subarray(0, audio.length & ~1))
  let loudest = 0
  for (const sample of samples) loudest = Math.max(loudest, Math.abs(sample))
  const peak = Math.round((loudest / 32_768) * 1_000) / 1_000
  const ms = Math.round(msOf(audio.length, format) * 1_000) / 1_000
  return { bytes: audio.length, ms, peak, ...(keep ? { base64: toBase64(audio) } : {}) }
}

/** Two pieces as one. */
export function joined(before: TraceAudio, more: TraceAudio): TraceAudio {
  return {
    bytes: before.bytes + more.bytes,
    ms: Math.round((before.ms + more.ms) * 1_000) / 1_000,
    peak: Math.max(before.peak, more.peak),
    pieces: (before.pieces ?? 1) + 1,
  }
}
