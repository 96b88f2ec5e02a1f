/** Arithmetic of audio: bytes and milliseconds, by the session's format. */
import type { AudioDelta, AudioFormat, ServerEvent } from './events.ts'

/** Samples a second, in Hz: 24 000 for PCM16 (unless it says otherwise), 8 000 for G.711. */
export function rateOf(format: AudioFormat): number {
  return isG711(format) ? 8_000 : ('rate' in format && format.rate) || 24_000
}

export function bytesPerSample(format: AudioFormat): 1 | 2 {
  return isG711(format) ? 1 : 2
}

export function bytesPerMs(format: AudioFormat): number {
  return (rateOf(format) * bytesPerSample(format)) / 1_000
}

/** How long `bytes` bytes sound, in ms; a fraction where they are no whole number of ms. */
export function msOf(bytes: number, format: AudioFormat): number {
  return bytes / bytesPerMs(format)
}

/** The bytes of `ms`, down to a whole sample. */
export function bytesOf(ms: number, format: AudioFormat): number {
  return Math.floor((ms * rateOf(format)) / 1_000) * bytesPerSample(format)
}

export function isG711(format: AudioFormat): boolean {
  return format.type === 'audio/pcmu' || format.type === 'audio/pcma'
}

/** Audio is decoded at the door: inside, an event of this type has bytes. */
export function isAudio(event: ServerEvent | AudioDelta): event is AudioDelta {
  return event.type === 'response.output_audio.delta'
}

interface Formats {
  readonly audio?: { readonly [side in 'input' | 'output']?: { readonly format?: AudioFormat } }
}

/** The format of a config's side; PCM16 at 24 kHz where it says nothing. */
export function formatOf(config: Formats, side: 'input' | 'output'): AudioFormat {
  return config.audio?.[side]?.format ?? { type: 'audio/pcm', rate: 24_000 }
}
