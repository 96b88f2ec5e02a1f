/** The microphone and the speaker of lines that carry the audio themselves: kept from line to line, let go at the end. */
import {
  devicesOf,
  microphoneLost,
  microphoneProblem,
  microphoneWishes,
  type Sound,
  speakerProblem,
  trackOf,
} from '../session/devices.ts'
import { type Media, MediaError, type MediaState } from '../session/media.ts'
import { type Meters, meters } from './meters.ts'

export interface LineMediaOptions {
  /** The app's own microphone, or any other sound; it is never stopped by us. Default: the microphone is asked for. */
  readonly mediaStream?: MediaStream | undefined
  /** Where the agent is heard. Default: an element of our own, where there are elements. */
  readonly audioElement?: HTMLAudioElement | undefined
  /**
   * `false`: nothing is asked for, and nothing is said but in writing. Constraints: what the microphone should be like.
   * Default: it is asked for, with echo cancellation, unless the agent answers in text alone.
   */
  readonly microphone?: boolean | MediaTrackConstraints | undefined
  /** In the place of the platform's `navigator.mediaDevices`. */
  readonly mediaDevices?: Pick<MediaDevices, 'getUserMedia' | 'enumerateDevices'> | undefined
}

export interface LineMedia extends Media {
  /** The track that is said; asked for once, and kept. Rejects with a `MediaError`. */
  open(): Promise<MediaStreamTrack>
  /** The microphone goes through this sender from now on, also when it is another. */
  sendBy(sender: RTCRtpSender | null): void
  /** What the far end says. */
  hear(track: MediaStreamTrack, stream: MediaStream | undefined): void
  mute(muted: boolean): void
  /** The call is over: what we opened is let go. */
  close(): void
}

export function lineMedia(options: LineMediaOptions): LineMedia {
  const listeners = new Set<() => void>()
  let state: MediaState = {
    microphone: 'off',
    muted: false,
    speaker: 'off',
    inputDevice: null,
    outputDevice: null,
    problem: null,
  }
  let wanted: Sound = options.mediaStream
  let track: MediaStreamTrack | null = null
  let isOurs = false
  let opening: Promise<MediaStreamTrack> | null = null
  /** Of one call: what was asked for in an earlier one comes too late. */
  let call = Symbol()
  let sender: RTCRtpSender | null = null
  let heard: MediaStreamTrack | null = null
  let element = options.audioElement
  let meter: Meters | null = null

  function tell(change: Partial<MediaState>): void {
    const isNews = Object.entries(change).some(([key, value]) => state[key as keyof MediaState] !== value)
    if (!isNews) return
    state = { ...state, ...change }
    for (const listener of listeners) listener()
  }

  // ── the microphone ───────────────────────────────────────────────────────────────────────────────────────────────

  function open(): Promise<MediaStreamTrack> {
    // A track of the app's own that has ended is still the one: only the app can give another.
    if (track && (state.microphone === 'on' || !isOurs)) return Promise.resolve(track)
    if (opening) return opening
    const mine = begin(wanted)
    const over = () => {
      if (opening === mine) opening = null
    }
    opening = mine
    mine.then(over, over)
    return mine
  }

  async function begin(sound: Sound): Promise<MediaStreamTrack> {
    const mine = call
    if (!sound || typeof sound === 'string') tell({ microphone: 'asking', problem: null })
    try {
      return await use(sound)
    } catch (error) {
      if (mine === call) tell({ microphone: (error as MediaError).state, problem: (error as MediaError).message })
      throw error
    }
  }

  /** Speaks through another track. What fails leaves the earlier one as it is. */
  async function use(sound: Sound): Promise<MediaStreamTrack> {
    const mine = call
    const isAsked = !sound || typeof sound === 'string'
    const next = isAsked ? await ask(sound) : trackOf(sound)
    const drop = (error: MediaError) => {
      if (isAsked && next !== track) next.stop()
      return error
    }
    if (mine !== call) throw drop(new MediaError('The call ended before the microphone was there.', 'off'))
    next.enabled = !state.muted
    try {
      await sender?.replaceTrack(next)
    } catch (error) {
      throw drop(new MediaError(`The microphone cannot be changed: ${(error as Error).message}`, state.microphone))
    }
    if (mine !== call) throw drop(new MediaError('The call ended before the microphone was there.', 'off'))
    const before = track
    const wasOurs = isOurs
    track = next
    isOurs = isAsked
    if (wasOurs && before !== next) before?.stop()
    if (before !== next) next.addEventListener('ended', () => next === track && lost())
    tell({ microphone: 'on', inputDevice: next.getSettings?.().deviceId ?? null, problem: null })
    return next
  }

  async function ask(deviceId: string | undefined): Promise<MediaStreamTrack> {
    const wishes = typeof options.microphone === 'object' ? options.microphone : {}
    try {
      return trackOf(await platform().getUserMedia(microphoneWishes(deviceId, wishes)))
    } catch (error) {
      throw microphoneProblem(error)
    }
  }

  function platform(): NonNullable<LineMediaOptions['mediaDevices']> {
    return devicesOf(options.mediaDevices ?? (globalThis.navigator as Navigator | undefined)?.mediaDevices)
  }

  /** It was unplugged, or the permission was taken back: the call goes on, with the default microphone if there is one. */
  function lost(): void {
    tell({ microphone: 'lost', problem: microphoneLost })
    if (!isOurs) return
    const mine = call
    use(undefined).catch(({ state: what, message: problem }: MediaError) => {
      if (mine === call) tell({ microphone: what === 'denied' ? what : 'lost', problem })
    })
  }

  // ── the speaker ──────────────────────────────────────────────────────────────────────────────────────────────────

  function speaker(): HTMLAudioElement | undefined {
    if (!element && 'Audio' in globalThis) element = new Audio()
    return element
  }

  function hear(next: MediaStreamTrack, stream: MediaStream | undefined): void {
    heard = next
    const out = speaker()
    if (!out) return tell({ speaker: 'on' })
    out.autoplay = true
    out.srcObject = stream ?? ('MediaStream' in globalThis ? new MediaStream([next]) : null)
    play(out).catch(() => {})
  }

  async function play(out: HTMLAudioElement): Promise<void> {
    const mine = call
    try {
      await out.play()
      if (mine === call) tell({ speaker: 'on' })
    } catch (error) {
      if (mine === call && (error as Error).name === 'NotAllowedError') tell({ speaker: 'blocked' })
      throw new MediaError(`The audio cannot play: ${(error as Error).message}`, state.microphone)
    }
  }

  return {
    get state() {
      return state
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    async devices() {
      return platform().enumerateDevices()
    },
    async useMicrophone(sound) {
      if (track || opening) await use(sound)
      wanted = sound
    },
    async useSpeaker(deviceId) {
      const out = speaker()
      if (!out?.setSinkId) throw speakerProblem(state.microphone)
      await out.setSinkId(deviceId).catch((error: Error) => {
        throw speakerProblem(state.microphone, error)
      })
      tell({ outputDevice: deviceId })
    },
    async resumeAudio() {
      await Promise.all([element?.srcObject ? play(element) : null, meter?.resume()])
    },
    levels() {
      if (!track && !heard) return { input: 0, output: 0 }
      meter ??= meters()
      return { input: meter.level('input', track), output: meter.level('output', heard) }
    },
    open,
    sendBy(next) {
      sender = next
    },
    hear,
    mute(muted) {
      if (track) track.enabled = !muted
      tell({ muted })
    },
    close() {
      call = Symbol()
      opening = null
      sender = null
      const before = track
      track = heard = null
      if (isOurs) before?.stop()
      isOurs = false
      meter?.close()
      meter = null
      if (element) element.srcObject = null
      tell({ microphone: 'off', speaker: 'off', inputDevice: null, problem: null })
    },
  }
}
