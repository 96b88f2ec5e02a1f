/** The browser's microphones. */
import { devicesOf, microphoneProblem, microphoneWishes, type Sound, trackOf } from '../session/devices.ts'

export interface Source {
  readonly track: MediaStreamTrack
  /** Whether we asked for it, and so have to stop it. */
  readonly ours: boolean
}

export function mediaDevices(): MediaDevices {
  return devicesOf(globalThis.navigator?.mediaDevices as MediaDevices | undefined)
}

/** Rejects with a `MediaError`. */
export async function sourceOf(sound: Sound, constraints?: MediaTrackConstraints): Promise<Source> {
  if (sound !== undefined && typeof sound !== 'string') return { track: trackOf(sound), ours: false }
  try {
    const stream = await mediaDevices().getUserMedia(microphoneWishes(sound, constraints))
    return { track: trackOf(stream), ours: true }
  } catch (error) {
    throw microphoneProblem(error)
  }
}
