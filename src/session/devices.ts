/** How a microphone is asked for, and what an app is told when a device cannot be had: the same words on every line. */
import type { SessionConfig } from '../protocol/events.ts'
import { MediaError, type MediaState, type MicrophoneState } from './media.ts'
import type { Cause } from './transport.ts'

/** A device's id, or sound of the app's own; `undefined`: the browser's choice. */
export type Sound = string | MediaStream | MediaStreamTrack | undefined

export const microphoneLost = 'The microphone is gone: it was unplugged, or may not be used any more. Choose another.'

/** Nothing hinders the microphone, and nobody wants it. */
export const quiet = { microphone: 'off', problem: null } as const

/** What a call leaves: why there was no microphone is told until one is wanted again. */
export function afterCall({ microphone, problem }: MediaState): Partial<MediaState> {
  const isRefused = problem !== null && microphone !== 'lost'
  return { speaker: 'off', inputDevice: null, ...(isRefused ? {} : quiet) }
}

/** Who writes, and is answered in writing alone, needs no microphone; what the app says of it goes before. */
export function speaks(microphone: unknown, { output_modalities }: Partial<SessionConfig>): boolean {
  if (microphone !== undefined) return microphone !== false
  return !output_modalities?.every((modality) => modality === 'text')
}

/** What `getUserMedia` is asked for: what takes out the agent's own voice, and then what the app wishes. */
export function microphoneWishes(
  device: string | undefined,
  wishes: MediaTrackConstraints = {},
): { readonly audio: MediaTrackConstraints } {
  const chosen = device === undefined ? {} : { deviceId: { exact: device } }
  return { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...wishes, ...chosen } }
}

/** The track of a stream that was given. Throws a `MediaError`. */
export function trackOf(sound: MediaStream | MediaStreamTrack): MediaStreamTrack {
  const track = 'getAudioTracks' in sound ? sound.getAudioTracks()[0] : sound
  if (track && track.kind !== 'video' && track.readyState !== 'ended') return track
  throw new MediaError('The stream that was given has no live audio track. Give one that has.', 'missing')
}

/** The platform's own, or those in their place. Throws a `MediaError` where there are none. */
export function devicesOf<Devices>(devices: Devices | undefined): Devices {
  if (devices) return devices
  const { isSecureContext } = globalThis as { readonly isSecureContext?: boolean }
  if (isSecureContext === false) {
    throw new MediaError('This page may not use a microphone: it must come over https (or from localhost).', 'insecure')
  }
  throw new MediaError(
    'This platform gives no microphone. Pass mediaDevices, a stream of your own, or microphone: false.',
    'missing',
  )
}

/** Why `getUserMedia` gave none. */
export function microphoneProblem(error: unknown): MediaError {
  if (error instanceof MediaError) return error
  const { name, message } = error as Error
  if (name === 'NotAllowedError' || name === 'SecurityError') {
    return new MediaError('The microphone may not be used. Allow it for this page, and try again.', 'denied')
  }
  if (name === 'NotReadableError' || name === 'AbortError') {
    return new MediaError(
      'The microphone cannot be used: another program may have it. Close that, or choose another.',
      'busy',
    )
  }
  return new MediaError(`There is no such microphone (${message || name}). Plug one in, or choose another.`, 'missing')
}

/** Why there is no connection, where there is no microphone for it. */
export function unheard({ state, message: reason }: MediaError): Cause {
  return { reason, code: `microphone_${state}`, fatal: true, initiator: 'us' }
}

/** Why an output was not taken; without an error, why none can be chosen. */
export function speakerProblem(microphone: MicrophoneState, error?: Error): MediaError {
  return new MediaError(
    error
      ? `This speaker cannot be used: ${error.message}. Choose another.`
      : 'This browser cannot choose its speaker. Choose in the system.',
    microphone,
  )
}
