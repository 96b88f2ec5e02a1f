import type { AudioFormat, SessionConfig } from '../protocol/events.ts'
import { afterCall, microphoneLost, quiet, type Sound, speakerProblem, speaks } from '../session/devices.ts'
import { MediaError, mediaOff, type SessionAudio } from '../session/media.ts'
import { mediaNews } from '../session/media-news.ts'
import { mediaDevices } from './devices.ts'
import { type OpenMicrophone, openMicrophone } from './microphone.ts'
import { outlet } from './speaker.ts'
import { loadWorklets } from './worklet.ts'

export interface BrowserAudioOptions {
  /**
   * A device's id, or a stream or track of the app's own, which is never stopped. `false`: none is asked for, and nothing is
   * said but in writing. `true`: the browser's choice, also where the agent answers in writing alone. Default: the browser's
   * choice, unless it does.
   */
  readonly microphone?: Sound | boolean
  /** What is asked of the browser's microphone, besides echo cancellation, noise suppression and automatic gain. */
  readonly constraints?: MediaTrackConstraints
  /** The output's device id. Default: the browser's choice. */
  readonly speaker?: string
  /** The format of the agent's audio. Default: PCM16 at 24 kHz. */
  readonly outputFormat?: AudioFormat | (() => AudioFormat)
  /** Where the page serves `workletSource`, if its content security policy allows no `blob:` scripts. */
  readonly workletUrl?: string
}

/** An AudioContext that may play is running after this long. */
const blockedAfterMs = 300

interface Call {
  readonly context: AudioContext
  readonly over: Promise<void>
  microphone: OpenMicrophone | null
  /** Speaks through another microphone, or opens the first. */
  use(sound: Sound): Promise<void>
  end(): void
}

/**
 * The browser's microphone and speaker for a session over a WebSocket: `new RealtimeSession(agent, { audio: browserAudio() })`.
 * Both run as AudioWorklets at the device's own rate, and are resampled to the session's.
 */
export function browserAudio(options: BrowserAudioOptions = {}): SessionAudio {
  const out = outlet({ format: options.outputFormat })
  const { microphone } = options
  let sound = microphone === true ? undefined : microphone
  let sink = options.speaker
  let call: Call | null = null
  const news = mediaNews({ ...mediaOff, outputDevice: sink ?? null })
  const { tell } = news

  async function start(
    send: (audio: Uint8Array) => void,
    rate: number,
    config: Partial<SessionConfig> = {},
  ): Promise<void> {
    stop()
    tell(quiet)
    const mine = begin(send, rate)
    call = mine
    try {
      await Promise.race([loadWorklets(mine.context, options.workletUrl), mine.over])
    } catch (error) {
      if (call !== mine) return
      stop()
      const { state, message } = error as MediaError
      tell({ microphone: state, problem: message })
      throw error
    }
    if (call !== mine) return
    out.attach(mine.context)
    if (sink) await Promise.race([setSink(mine.context, sink).catch(() => forgetSink(mine)), mine.over])
    // What was chosen since says which microphone, not whether.
    if (sound === false || !speaks(microphone || undefined, config)) return
    if (call === mine) await Promise.race([mine.use(sound), mine.over])
  }

  /** One call's context, its microphone and what watches them: `end` leaves nothing of it. */
  function begin(send: (audio: Uint8Array) => void, rate: number): Call {
    if (!('AudioContext' in globalThis)) {
      throw new MediaError('There is no Web Audio here: browserAudio() runs in a browser, in a page.', 'missing')
    }
    const context = new AudioContext({ latencyHint: 'interactive' })
    const devices = globalThis.navigator?.mediaDevices as MediaDevices | undefined
    let isSettled = false
    const look = () => {
      if (context.state === 'running') tell({ speaker: 'on' })
      else if (isSettled) tell({ speaker: 'blocked' })
    }
    const timer = setTimeout(() => {
      isSettled = true
      look()
    }, blockedAfterMs)
    let end = () => {}
    const over = new Promise<void>((ended) => {
      end = ended
    })
    const mine: Call = {
      context,
      over,
      microphone: null,
      use,
      end() {
        clearTimeout(timer)
        context.removeEventListener('statechange', look)
        devices?.removeEventListener('devicechange', changed)
        mine.microphone?.close()
        out.detach()
        context.close().catch(() => {})
        end()
      },
    }
    /** Of several that were asked for before the first was there, the last one is meant. */
    let last: Sound
    async function use(wanted: Sound): Promise<void> {
      last = wanted
      if (mine.microphone) await mine.microphone.use(wanted)
      else await open(wanted)
      if (call === mine && mine.microphone) {
        tell({ microphone: 'on', inputDevice: idOf(mine.microphone), problem: null })
      }
    }
    async function open(wanted: Sound): Promise<void> {
      tell({ microphone: 'asking', problem: null })
      const { constraints, workletUrl } = options
      const more = { constraints, workletUrl, muted: news.state.muted, lost: () => call === mine && unplugged(mine) }
      try {
        const opened = await openMicrophone({ context, send, rate, microphone: wanted, ...more })
        if (call !== mine || last !== wanted || mine.microphone) return opened.close()
        mine.microphone = opened
        opened.mute(news.state.muted)
      } catch (error) {
        if (call !== mine || last !== wanted) return
        tell({ microphone: (error as MediaError).state, problem: (error as MediaError).message })
        throw error
      }
    }
    const changed = () => void outputsChanged(mine)
    context.addEventListener('statechange', look)
    devices?.addEventListener('devicechange', changed)
    context.resume().catch(() => {})
    look()
    return mine
  }

  function stop(): void {
    const mine = call
    call = null
    mine?.end()
    tell(afterCall(news.state))
  }

  /** The call goes on, through the browser's choice where it was not a sound of the app's own that ended. */
  function unplugged(mine: Call): void {
    tell({ microphone: 'lost', inputDevice: null, problem: microphoneLost })
    if (sound !== undefined && typeof sound !== 'string') return
    const chosen = mine.microphone
    chosen?.use(undefined).then(
      () => call === mine && tell({ microphone: 'on', inputDevice: idOf(chosen), problem: null }),
      () => {},
    )
  }

  /** Plays through the browser's choice when the chosen output is no longer there. */
  async function outputsChanged(mine: Call): Promise<void> {
    const devices = await mediaDevices()
      .enumerateDevices()
      .catch(() => [])
    const isThere = devices.some(({ kind, deviceId }) => kind === 'audiooutput' && deviceId === sink)
    if (call !== mine || !sink || isThere) return
    forgetSink(mine)
    await setSink(mine.context, '').catch(() => {})
  }

  /** An output that was chosen and is not there is no reason for no call. */
  function forgetSink(mine: Call): void {
    if (call !== mine) return
    sink = undefined
    tell({ outputDevice: null })
  }

  async function setSink(context: AudioContext, deviceId: string): Promise<void> {
    const sinks = context as AudioContext & { setSinkId?(id: string): Promise<void> }
    if (!sinks.setSinkId) throw speakerProblem(news.state.microphone)
    try {
      await sinks.setSinkId(deviceId)
    } catch (error) {
      throw speakerProblem(news.state.microphone, error as Error)
    }
  }

  return {
    speaker: out.make,
    start,
    stop,
    get state() {
      return news.state
    },
    subscribe: news.subscribe,
    devices: async () => mediaDevices().enumerateDevices(),
    async useMicrophone(wanted) {
      if (call) await call.use(wanted)
      else tell(quiet)
      sound = wanted
    },
    async useSpeaker(deviceId) {
      if (call) await setSink(call.context, deviceId)
      sink = deviceId
      tell({ outputDevice: deviceId })
    },
    async resumeAudio() {
      const mine = call
      if (!mine) return
      let timer: ReturnType<typeof setTimeout> | undefined
      const late = new Promise<void>((ended) => {
        timer = setTimeout(ended, blockedAfterMs)
      })
      await Promise.race([mine.context.resume(), mine.over, late]).finally(() => clearTimeout(timer))
      if (call !== mine) return
      if (mine.context.state === 'running') return tell({ speaker: 'on' })
      tell({ speaker: 'blocked' })
      throw new MediaError(
        'The browser still lets nothing sound. Call resumeAudio() in a click or a key.',
        news.state.microphone,
      )
    },
    levels: () => ({ input: call?.microphone?.level() ?? 0, output: call ? out.level() : 0 }),
    mute(muted) {
      call?.microphone?.mute(muted)
      tell({ muted })
    },
  }
}

function idOf({ track }: OpenMicrophone): string | null {
  return track.getSettings().deviceId ?? null
}
