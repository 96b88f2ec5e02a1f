/**
 * The microphone and the speaker of a call, as apps choose, mute and show them: the same over WebRTC (where the
 * connection carries the audio) and over a WebSocket (where `browserAudio()` of `parley-voice/browser` does).
 */
export interface Media {
  /** An immutable snapshot; what did not change keeps its identity. */
  readonly state: MediaState
  /** Calls `listener` after each change of `state`. Returns a function that ends it. */
  subscribe(listener: () => void): () => void
  /** The devices that the browser tells of; without permission their labels are empty. */
  devices(): Promise<readonly MediaDeviceInfo[]>
  /**
   * Speaks through another microphone from now on, without reconnecting: a device's id, or a stream or track of the app's
   * own, which is never stopped by us. Rejects with a `MediaError`, and then the earlier one goes on.
   */
  useMicrophone(microphone: string | MediaStream | MediaStreamTrack): Promise<void>
  /** Is heard through another output from now on. Rejects with a `MediaError`; some browsers cannot choose. */
  useSpeaker(deviceId: string): Promise<void>
  /** Lets blocked audio play: call it in answer to a click or a key. */
  resumeAudio(): Promise<void>
  /** How loud it is now, as the root mean square of the last few ms: 0 to 1. Made to be asked for at each frame. */
  levels(): { readonly input: number; readonly output: number }
}

export interface MediaState {
  readonly microphone: MicrophoneState
  readonly muted: boolean
  /** `blocked`: the browser lets nothing sound before the user has done something; see `resumeAudio()`. */
  readonly speaker: 'off' | 'on' | 'blocked'
  /** The ids of the devices in use; null while there is none, or where the browser does not tell. */
  readonly inputDevice: string | null
  readonly outputDevice: string | null
  /** Why the microphone is not `on`, in one sentence, where something went wrong; it stays when a call has ended for it. */
  readonly problem: string | null
}

/** Before there is a call. */
export const mediaOff: MediaState = {
  microphone: 'off',
  muted: false,
  speaker: 'off',
  inputDevice: null,
  outputDevice: null,
  problem: null,
}

/**
 * `denied`: by the user or the page's policy. `missing`: there is none, or not the one asked for. `busy`: the system does not
 * give it, mostly because another program has it. `insecure`: the page did not come over https, nor from localhost. `lost`:
 * it was unplugged.
 */
export type MicrophoneState = 'off' | 'asking' | 'on' | 'denied' | 'missing' | 'busy' | 'insecure' | 'lost'

/** A device could not be had: what happened, and what to do. */
export class MediaError extends Error {
  override readonly name = 'MediaError'
  readonly state: MicrophoneState

  constructor(message: string, state: MicrophoneState) {
    super(message)
    this.state = state
  }
}

/**
 * Audio that the session brings to its line itself, where the line does not: a microphone that speaks from `connect()` to
 * `close()`, and a speaker. Given as the option `audio` of a session.
 */
export interface SessionAudio extends Media {
  readonly speaker: import('./speaker.ts').MakeSpeaker
  /**
   * The line is being made: microphone audio goes to `send`, as PCM16 mono little-endian at `rate` Hz. `config` is
   * what the far end is asked to be: where it answers in writing alone, nobody is asked for a microphone, unless the app
   * wants one.
   */
  start(
    send: (audio: Uint8Array) => void,
    rate: number,
    config?: Partial<import('../protocol/events.ts').SessionConfig>,
  ): Promise<void>
  /** The session has ended: devices that it opened are let go. */
  stop(): void
  mute(muted: boolean): void
}
