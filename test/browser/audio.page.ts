/** The parts of `parley-voice/browser`, played and recorded sample by sample. */
import { type BrowserAudioOptions, browserAudio, type MediaError, openMicrophone } from 'parley-voice/browser'
import type { MediaState, MicrophoneState } from '../../src/session/media.ts'
import type { Heard } from '../../src/session/speaker.ts'
import { listenIn, type Recorded, type Recording, until } from './hearing.page.ts'
import { leftovers, uncounted } from './leftovers.page.ts'

const overheard = listenIn()

export interface Spoken extends Recorded {
  readonly level: number
  readonly state: MediaState
}

/** Speaks for `ms` through the microphone of `browserAudio`. */
export async function speak(rate: number, ms: number, options: BrowserAudioOptions = {}): Promise<Spoken> {
  const audio = browserAudio({ constraints: plain, ...options })
  const pieces: Uint8Array[] = []
  const bytes = () => pieces.reduce((sum, { length }) => sum + length, 0)
  let level = 0
  await audio.start((piece) => {
    pieces.push(piece)
    level = Math.max(level, audio.levels().input)
  }, rate)
  await until('enough is said', () => bytes() >= (ms / 1000) * rate * 2)
  const { state } = audio
  audio.stop()
  await until('nothing is left', () => leftovers().contexts === 0)
  return { rate, pcm: btoa(pieces.map((piece) => String.fromCharCode(...piece)).join('')), frame: 0, level, state }
}

/** A sample-exact microphone: what the page makes itself, at a context's rate, through `openMicrophone`. */
export async function speakTone(frequency: number, deviceRate: number, rate: number): Promise<Recorded> {
  const context = new AudioContext({ sampleRate: deviceRate })
  const tone = new OscillatorNode(context, { frequency })
  const gain = new GainNode(context, { gain: 0.8 })
  const to = new MediaStreamAudioDestinationNode(context, { channelCount: 1 })
  tone.connect(gain).connect(to)
  tone.start()
  const pieces: Uint8Array[] = []
  const opened = await openMicrophone({ context, rate, microphone: to.stream, send: (piece) => pieces.push(piece) })
  await until('enough is said', () => pieces.reduce((sum, { length }) => sum + length, 0) >= rate * 2)
  opened.close()
  const own = to.stream.getAudioTracks()[0]?.readyState
  if (own !== 'live') throw new Error('the stream of the app was stopped')
  for (const track of to.stream.getTracks()) track.stop()
  await context.close()
  return { rate, pcm: btoa(pieces.map((piece) => String.fromCharCode(...piece)).join('')), frame: 0 }
}

/** No processing, so that a tone stays what it is. */
const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }

/** One step of a playback script; the times are those of the recording: how much has sounded. */
export type Step =
  | { readonly play: string; readonly item: string; readonly format?: 'audio/pcm' | 'audio/pcmu' | 'audio/pcma' }
  /** Until this much has been recorded since the first sound, in ms. */
  | { readonly until: number }
  | { readonly dry: true }
  | { readonly hush: true }
  | { readonly pause: true }
  | { readonly resume: true }

export interface Played extends Recorded {
  /** For each hush: what the ledger said, and how many frames of the context had been recorded then. */
  readonly hushes: readonly { readonly cut: readonly Heard[]; readonly frame: number; readonly latencyMs: number }[]
  readonly drained: number
  readonly sounded: readonly string[]
  readonly level: number
  readonly state: MediaState
}

export async function playback(steps: readonly Step[], options: BrowserAudioOptions = {}): Promise<Played> {
  const before = overheard().length
  let format: { type: 'audio/pcm' | 'audio/pcmu' | 'audio/pcma' } = { type: 'audio/pcm' }
  const audio = browserAudio({ microphone: false, outputFormat: () => format as never, ...options })
  let drained = 0
  let level = 0
  const sounded: string[] = []
  const speaker = audio.speaker({
    drained: () => {
      drained += 1
    },
    sounded: ({ item_id }) => sounded.push(item_id),
  })
  const hushes: { cut: readonly Heard[]; frame: number; latencyMs: number }[] = []
  let recording: Recording | undefined
  for (const step of steps) {
    level = Math.max(level, audio.levels().output)
    if ('play' in step) {
      format = { type: step.format ?? 'audio/pcm' }
      const bytes = Uint8Array.from(atob(step.play), (letter) => letter.charCodeAt(0))
      const delta = { item_id: step.item, response_id: `r_${step.item}`, output_index: 0, content_index: 0 }
      speaker.play({ type: 'response.output_audio.delta', event_id: 'e', ...delta, audio: bytes } as never)
      if (!recording) {
        // What comes before the line is made waits for it.
        await audio.start(() => undefined, 24_000)
        recording = overheard()[before]!
      }
    }
    if ('until' in step) await until(`${step.until} ms sound`, () => recording!.sinceFirstMs() >= step.until)
    if ('dry' in step) await until('it drains', () => drained > 0)
    if ('pause' in step) speaker.pause?.()
    if ('resume' in step) speaker.resume?.()
    if ('hush' in step) {
      const frame = recording!.now()
      const latencyMs = 1000 * (recording!.context.outputLatency || 0)
      hushes.push({ cut: speaker.hush(), frame, latencyMs })
    }
  }
  const { state } = audio
  const recorded = await recording!.stop()
  audio.stop()
  await until('nothing is left', () => leftovers().contexts === 0)
  return { ...recorded, hushes, drained, sounded, level, state }
}

/** Stops `n` turns of the event loop (or microtasks) after its microphone was in this state, and says in which it was then. */
export async function stopAfter(from: MicrophoneState, n: number, kind: 'micro' | 'macro'): Promise<string> {
  const audio = browserAudio()
  const speaker = audio.speaker({ drained: () => undefined })
  const begun = new Promise<void>((reached) => {
    if (from === 'off') reached()
    audio.subscribe(() => audio.state.microphone === from && reached())
  })
  const started = audio.start(() => undefined, 24_000)
  speaker.play({ item_id: 'i', response_id: 'r', content_index: 0, audio: new Uint8Array(4_800) } as never)
  if (from !== 'off') await begun
  for (let turn = 0; turn < n; turn++) await (kind === 'micro' ? null : new Promise((next) => uncountedTimer(next)))
  const reached = audio.state.microphone
  audio.stop()
  await started
  await until(`nothing is left ${n} ${kind} after ${from}`, () => {
    const { contexts, tracks, timers } = leftovers()
    return contexts === 0 && tracks === 0 && timers <= 1
  })
  if (audio.state.microphone !== 'off' || audio.state.speaker !== 'off') throw new Error(JSON.stringify(audio.state))
  return reached
}

function uncountedTimer(next: (value: unknown) => void): void {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = next
  port2.postMessage(0)
}

/** What becomes of a start, and of the state, step by step. */
export async function startsWith(
  options: BrowserAudioOptions,
): Promise<{ readonly states: readonly MediaState[]; readonly error: string | null; readonly kind: string | null }> {
  const audio = browserAudio(options)
  const states: MediaState[] = []
  audio.subscribe(() => states.push(audio.state))
  let error: MediaError | null = null
  await audio
    .start(() => undefined, 24_000)
    .catch((reason: MediaError) => {
      error = reason
    })
  if (!error && options.microphone === false) await until('the speaker is settled', () => audio.state.speaker !== 'off')
  kept = audio
  const failed = error as MediaError | null
  return { states, error: failed?.message ?? null, kind: failed?.state ?? null }
}

let kept: ReturnType<typeof browserAudio> | null = null

export async function resumeKept(): Promise<string> {
  await kept!.resumeAudio()
  return kept!.state.speaker
}

/** For a click: what `resumeKept` says is awaited by `resumed`. */
export function resumeOnClick(): void {
  document.addEventListener('click', () => {
    resumed = resumeKept()
  })
}
let resumed: Promise<string> | null = null
export async function afterClick(): Promise<string> {
  await until('the click', () => resumed)
  return resumed!
}

export function stopKept(): MediaState {
  kept!.stop()
  return kept!.state
}

/** Through one device and another, one that is not there, a stream of the app's own, and that one's end. */
export async function switching(): Promise<{
  readonly devices: readonly string[]
  readonly used: readonly (string | null)[]
  readonly refused: string
  readonly live: number
  readonly own: string
  readonly afterEnd: MediaState
  readonly kept: number
}> {
  const audio = browserAudio({ constraints: plain })
  let blocks = 0
  await audio.start(() => (blocks += 1) as never, 24_000)
  const used = [audio.state.inputDevice]
  const devices = (await audio.devices()).filter(({ kind }) => kind === 'audioinput').map(({ deviceId }) => deviceId)
  const goesOn = async () => {
    const before = blocks
    await until('it goes on', () => blocks > before + 3)
  }
  for (const device of devices) {
    await audio.useMicrophone(device)
    used.push(audio.state.inputDevice)
    await goesOn()
  }
  const refused = await audio.useMicrophone('nowhere').then(
    () => 'taken',
    (error: Error) => `${error.name}: ${error.message}`,
  )
  await goesOn()
  const live = leftovers().tracks
  const context = new uncounted.AudioContext()
  const { stream } = new MediaStreamAudioDestinationNode(context)
  const track = stream.getAudioTracks()[0]!
  await audio.useMicrophone(stream)
  await goesOn()
  audio.mute(true)
  const own = `${track.readyState} ${track.enabled} ${leftovers().tracks}`
  audio.mute(false)
  track.stop()
  // An app that stops its own track is not told by the browser: an unplugged device is.
  track.dispatchEvent(new Event('ended'))
  await goesOn()
  const afterEnd = audio.state
  audio.stop()
  await context.close()
  return { devices, used, refused, live, own, afterEnd, kept: leftovers().tracks }
}

/** The microphone that was asked for is not there; another is; then two are asked for at once. */
export async function secondTry(): Promise<{
  readonly first: string
  readonly states: readonly MediaState[]
  readonly tracks: readonly number[]
}> {
  const audio = browserAudio({ microphone: 'nowhere' })
  const note = () => {
    states.push(audio.state)
    tracks.push(leftovers().tracks)
  }
  const states: MediaState[] = []
  const tracks: number[] = []
  const first = await audio
    .start(() => undefined, 24_000)
    .then(
      () => 'taken',
      (error: Error) => error.message,
    )
  states.push(audio.state)
  const ids = (await audio.devices()).filter(({ kind }) => kind === 'audioinput').map(({ deviceId }) => deviceId)
  await audio.useMicrophone(ids[0]!)
  note()
  await Promise.all([audio.useMicrophone(ids[1]!), audio.useMicrophone(ids[0]!)])
  note()
  if (audio.state.inputDevice !== ids[0]) throw new Error('the last one was not meant')
  audio.stop()
  tracks.push(leftovers().tracks)
  return { first, states, tracks }
}

export async function otherOutput(): Promise<{
  readonly refused: string
  readonly gone: string | null
  readonly state: string
}> {
  const audio = browserAudio({ microphone: false, speaker: 'gone' })
  await audio.start(() => undefined, 24_000)
  const gone = audio.state.outputDevice
  await until('it is on', () => audio.state.speaker === 'on')
  const refused = await audio.useSpeaker('nowhere').then(
    () => 'taken',
    (error: Error) => `${error.name}: ${error.message}`,
  )
  const state = audio.state.speaker
  audio.stop()
  return { refused, gone, state }
}

/** A device of ours is unplugged: what the state says, to the end. */
export async function unplug(): Promise<readonly MediaState[]> {
  const audio = browserAudio()
  await audio.start(() => undefined, 24_000)
  const states: MediaState[] = []
  audio.subscribe(() => states.push(audio.state))
  const before = opened.at(-1)!
  before.stop()
  before.dispatchEvent(new Event('ended'))
  await until('it speaks again', () => audio.state.microphone === 'on')
  audio.stop()
  return states
}

const opened: MediaStreamTrack[] = []
const { getUserMedia } = navigator.mediaDevices
navigator.mediaDevices.getUserMedia = async (constraints) => {
  const stream = await getUserMedia.call(navigator.mediaDevices, constraints)
  opened.push(...stream.getAudioTracks())
  asked.push(constraints)
  return stream
}
const asked: unknown[] = []
export const wishes = (): readonly unknown[] => asked

/** What a muted microphone says. */
export async function muted(): Promise<{ readonly loud: boolean; readonly enabled: boolean; readonly blocks: number }> {
  const audio = browserAudio()
  audio.mute(true)
  const pieces: Uint8Array[] = []
  await audio.start((piece) => pieces.push(piece), 24_000)
  await until('a second is said', () => pieces.length >= 50)
  const loud = pieces.some((piece) => piece.some((byte) => byte !== 0))
  const enabled = opened.at(-1)!.enabled
  audio.stop()
  return { loud, enabled, blocks: pieces.length }
}
