import { useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import { UserError } from '../protocol/errors.ts'
import { type Media, type MediaState, mediaOff } from '../session/media.ts'
import { useStore } from './provider.ts'
import { useSelected } from './use-selected.ts'

export interface MicrophoneFace {
  readonly state: MediaState['microphone']
  /** Why the microphone is not `on`, in one sentence, where something went wrong. */
  readonly problem: string | null
  readonly muted: boolean
  /** Muted, the far end hears silence. */
  mute(muted: boolean): void
  /** Microphones and speakers; their labels are empty before the user has allowed the microphone. */
  readonly devices: readonly MediaDeviceInfo[]
  /** The id of the microphone in use; null while there is none, or where the browser does not tell. */
  readonly device: string | null
  /** Speaks through another microphone from now on: an id of `devices`, or a stream or track of the app's own. */
  selectDevice(microphone: string | MediaStream | MediaStreamTrack): Promise<void>
  /** `blocked`: nothing sounds before the user has clicked; call `resumeAudio()` in answer to that. */
  readonly speaker: MediaState['speaker']
  /** The id of the output in use. */
  readonly speakerDevice: string | null
  /** Is heard through another output from now on. */
  selectSpeaker(deviceId: string): Promise<void>
  resumeAudio(): Promise<void>
}

/**
 * The microphone and the speaker of the call: over WebRTC, or over a WebSocket with `audio: browserAudio()`. Without
 * either the microphone is `off`, and to choose a device rejects with a `UserError`.
 */
export function useMicrophone(): MicrophoneFace {
  const store = useStore()
  const media = useSelected<Media | null>(
    ({ session }) => session.media,
    () => null,
  )
  const subscribe = useCallback((listener: () => void) => media?.subscribe(listener) ?? nothing, [media])
  const now = useSyncExternalStore(
    subscribe,
    () => media?.state ?? mediaOff,
    () => mediaOff,
  )
  const muted = useSelected(
    ({ session }) => session.muted,
    () => false,
  )
  const devices = useDevices(media, now.microphone)
  const required = async () => {
    if (media) return media
    throw new UserError(
      'This session has no microphone: connect over WebRTC, or pass the option `audio: browserAudio()`.',
    )
  }
  return {
    state: now.microphone,
    problem: now.problem,
    muted,
    mute: (muted) => store.session.mute(muted),
    devices,
    device: now.inputDevice,
    // biome-ignore lint/correctness/useHookAtTopLevel: it is no hook
    selectDevice: async (microphone) => (await required()).useMicrophone(microphone),
    speaker: now.speaker,
    speakerDevice: now.outputDevice,
    // biome-ignore lint/correctness/useHookAtTopLevel: it is no hook
    selectSpeaker: async (deviceId) => (await required()).useSpeaker(deviceId),
    resumeAudio: async () => media?.resumeAudio(),
  }
}

/** They are asked for again when one comes or goes, and when the user has allowed the microphone: then they have labels. */
function useDevices(media: Media | null, microphone: MediaState['microphone']): readonly MediaDeviceInfo[] {
  const [devices, setDevices] = useState(none)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a microphone that is allowed gives the devices labels
  useEffect(() => {
    if (!media) return setDevices(none)
    let isLatest = true
    const found = (devices: readonly MediaDeviceInfo[]) => isLatest && setDevices(devices)
    const look = () => void media.devices().then(found, () => found(none))
    look()
    const all = navigator.mediaDevices as MediaDevices | undefined
    all?.addEventListener?.('devicechange', look)
    return () => {
      isLatest = false
      all?.removeEventListener?.('devicechange', look)
    }
  }, [media, microphone])
  return devices
}

const none: readonly MediaDeviceInfo[] = []
const nothing = () => {}
