/** The microphone and the speaker of lines that carry the audio themselves: kept from line to line, let go at the end. */
import {
  afterCall,
  devicesOf,
  microphoneLost,
  microphoneProblem,
  microphoneWishes,
  quiet,
  type Sound,
  speakerProblem,
  trackOf,
} from '../session/devices.ts'
import { type Media, MediaError } from '../session/media.ts'
import { mediaNews } from '../session/media-news.ts'
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
  /** Another call is wanted: what hindered the last one is over. */
  begin(): void
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
  const news = mediaNews()
  const { tell } = news
  let wanted: Sound = options.mediaStream
  let track: MediaStreamTrack | null = null
  let isOurs = false
  /** The tracks in our hands, each with what lets it go. */
  const held = new Map<MediaStreamTrack, () => void>()
  let asked = 0
  let taken = 0
  let opening: Promise<MediaStreamTrack> | null = null
  /** Of one call: what was asked for in an earlier one comes too late. */
  let call = Symbol()
  let sender: RTCRtpSender | null = null
  let heard: MediaStreamTrack | null = null
  let element = options.audioElement
  let meter: Meters | null = null
  let unwatch: (() => void) | null = null

  // ── the microphone ───────────────────────────────────────────────────────────────────────────────────────────────

  function open(): Promise<MediaStreamTrack> {
    // A track of the app's own that has ended is still the one: only the app can give another.
    if (track && (news.state.microphone === 'on' || !isOurs)) return Promise.resolve(track)
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
      if (mine !== call) throw error
      // Another was chosen meanwhile.
      if (track && news.state.microphone === 'on') return track
      tell({ microphone: (error as MediaError).state, problem: (error as MediaError).message })
      throw error
    }
  }

  /**
   * Speaks through another track. What fails leaves the earlier one as it is; of several that were asked for, the last one is
   * meant, whichever comes last.
   */
  async function use(sound: Sound): Promise<MediaStreamTrack> {
    const mine = call
    const nth = ++asked
    const isAsked = !sound || typeof sound === 'string'
    const next = isAsked ? await ask(sound) : trackOf(sound)
    take(next, isAsked)
    const drop = () => next !== track && letGo(next)
    const requireCall = () => {
      if (mine === call) return
      drop()
      throw new MediaError('The call ended before the microphone was there.', 'off')
    }
    requireCall()
    if (nth < taken && track) {
      drop()
      return track
    }
    taken = nth
    const by = sender
    await by?.replaceTrack(next).catch((error: Error) => {
      // A line that was left meanwhile carries nothing any more.
      if (by !== sender) return
      drop()
      throw new MediaError(`The microphone cannot be changed: ${error.message}`, news.state.microphone)
    })
    requireCall()
    if (track !== next) letGo(track)
    track = next
    isOurs = isAsked
    tell({ microphone: 'on', inputDevice: next.getSettings?.().deviceId ?? null, problem: null })
    agree()
    return next
  }

  /** A line that was made while the microphone was changed says the one in use. */
  function agree(): void {
    if (!track || news.state.microphone !== 'on' || !sender || sender.track === track) return
    sender.replaceTrack(track).catch(() => {})
  }

  function take(one: MediaStreamTrack, isOurs: boolean): void {
    if (held.has(one)) return
    const wasEnabled = one.enabled
    const ended = () => one === track && lost(one)
    one.addEventListener('ended', ended)
    if (news.state.muted) one.enabled = false
    held.set(one, () => {
      held.delete(one)
      one.removeEventListener('ended', ended)
      // What was given goes back as it came.
      if (isOurs) one.stop()
      else if (news.state.muted) one.enabled = wasEnabled
    })
  }

  function letGo(one: MediaStreamTrack | null): void {
    if (one) held.get(one)?.()
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
  function lost(gone: MediaStreamTrack): void {
    tell({ microphone: 'lost', inputDevice: null, problem: microphoneLost })
    if (!isOurs) return
    const mine = call
    use(undefined).catch(({ state: what, message: problem }: MediaError) => {
      if (mine === call && track === gone) tell({ microphone: what === 'denied' ? what : 'lost', problem })
    })
  }

  // ── the speaker ──────────────────────────────────────────────────────────────────────────────────────────────────

  function speaker(): HTMLAudioElement | undefined {
    if (!element && 'Audio' in globalThis) element = new Audio()
    return element
  }

  function hear(next: MediaStreamTrack, stream: MediaStream | undefined): void {
    heard = next
    unwatch ??= watch()
    const out = speaker()
    if (!out) return tell({ speaker: 'on' })
    out.autoplay = true
    out.srcObject = stream ?? ('MediaStream' in globalThis ? new MediaStream([next]) : null)
    play(out).catch(() => {})
  }

  function watch(): () => void {
    const devices = (options.mediaDevices ?? globalThis.navigator?.mediaDevices) as Partial<EventTarget> | undefined
    const look = () => void outputsChanged().catch(() => {})
    devices?.addEventListener?.('devicechange', look)
    return () => devices?.removeEventListener?.('devicechange', look)
  }

  /** The agent is heard through the browser's choice when the chosen output is no longer there. */
  async function outputsChanged(): Promise<void> {
    const mine = call
    const chosen = news.state.outputDevice
    const devices = await platform().enumerateDevices()
    const isThere = devices.some(({ kind, deviceId }) => kind === 'audiooutput' && deviceId === chosen)
    if (mine !== call || !chosen || isThere || news.state.outputDevice !== chosen) return
    tell({ outputDevice: null })
    await element?.setSinkId?.('')
  }

  async function play(out: HTMLAudioElement): Promise<void> {
    const mine = call
    try {
      await out.play()
      if (mine === call) tell({ speaker: 'on' })
    } catch (error) {
      if (mine === call && (error as Error).name === 'NotAllowedError') tell({ speaker: 'blocked' })
      throw new MediaError(`The audio cannot play: ${(error as Error).message}`, news.state.microphone)
    }
  }

  return {
    get state() {
      return news.state
    },
    subscribe: news.subscribe,
    async devices() {
      return platform().enumerateDevices()
    },
    async useMicrophone(sound) {
      if (track || opening || sender) await use(sound)
      else tell(quiet)
      wanted = sound
    },
    async useSpeaker(deviceId) {
      const out = speaker()
      if (!out?.setSinkId) throw speakerProblem(news.state.microphone)
      await out.setSinkId(deviceId).catch((error: Error) => {
        throw speakerProblem(news.state.microphone, error)
      })
      tell({ outputDevice: deviceId })
    },
    async resumeAudio() {
      // A meter that may not run yet is not waited for.
      meter?.resume()?.catch(() => {})
      if (element?.srcObject) await play(element)
    },
    levels() {
      if (!track && !heard) return { input: 0, output: 0 }
      meter ??= meters()
      return { input: meter.level('input', track), output: meter.level('output', heard) }
    },
    begin: () => tell(quiet),
    open,
    sendBy(next) {
      sender = next
      agree()
    },
    hear,
    mute(muted) {
      if (muted === news.state.muted) return
      for (const one of held.keys()) one.enabled = !muted
      tell({ muted })
    },
    close() {
      call = Symbol()
      opening = null
      sender = null
      track = heard = null
      for (const end of held.values()) end()
      isOurs = false
      unwatch?.()
      unwatch = null
      meter?.close()
      meter = null
      if (element) element.srcObject = null
      tell(afterCall(news.state))
    },
  }
}
