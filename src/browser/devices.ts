/** Asking the browser for a microphone, and saying in our words why there is none. */
import { MediaError } from '../session/media.ts'

/** A device's id, or sound of the app's own; `undefined`: the browser's choice. */
export type Sound = string | MediaStream | MediaStreamTrack | undefined

export interface Source {
  readonly track: MediaStreamTrack
  /** Whether we asked for it, and so have to stop it. */
  readonly ours: boolean
}

export function mediaDevices(): MediaDevices {
  const devices = globalThis.navigator?.mediaDevices
  if (devices) return devices
  throw new MediaError('This page gets no microphone: it must come over https (or from localhost).', 'missing')
}

/** Rejects with a `MediaError`. */
export async function trackOf(sound: Sound, constraints: MediaTrackConstraints = {}): Promise<Source> {
  if (sound !== undefined && typeof sound !== 'string') return { track: first(sound), ours: false }
  const device = sound === undefined ? {} : { deviceId: { exact: sound } }
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...constraints, ...device }
  try {
    return { track: first(await mediaDevices().getUserMedia({ audio })), ours: true }
  } catch (error) {
    throw error instanceof MediaError ? error : problemOf(error as Error)
  }
}

function first(sound: MediaStream | MediaStreamTrack): MediaStreamTrack {
  const track = 'getAudioTracks' in sound ? sound.getAudioTracks()[0] : sound
  if (track?.kind === 'audio' && track.readyState === 'live') return track
  throw new MediaError('The stream that was given has no live audio track. Give one that has.', 'missing')
}

function problemOf({ name, message }: Error): MediaError {
  if (name === 'NotAllowedError' || name === 'SecurityError') {
    return new MediaError('The microphone may not be used. Allow it for this page, and try again.', 'denied')
  }
  if (name === 'NotReadableError' || name === 'AbortError') {
    return new MediaError(
      'The microphone cannot be used: another program may have it. Close that, or choose another.',
      'missing',
    )
  }
  return new MediaError(`There is no such microphone (${message || name}). Plug one in, or choose another.`, 'missing')
}
