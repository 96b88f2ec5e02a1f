/** The devices of a WebRTC line. */
import { type MediaState, OpenAIRealtimeWebRTC, RealtimeAgent, RealtimeSession } from 'parley-voice'
import { browserAudio } from 'parley-voice/browser'
import { until } from './hearing.page.ts'

let standing: RealtimeSession | null = null
const causes: unknown[] = []

/** Connects, and says how the microphone and the speaker are; or why there is no connection. */
export async function connect(
  url: string,
  { microphone = true }: { readonly microphone?: boolean } = {},
): Promise<{ readonly state: unknown; readonly code: unknown }> {
  const clerk = new RealtimeAgent({ name: 'Clerk' })
  // Chromium lets a page sound that has a microphone.
  standing = new RealtimeSession(clerk, microphone ? {} : { transport: new OpenAIRealtimeWebRTC({ microphone }) })
  standing.on('connection_change', (link) => 'cause' in link && causes.push(link.cause?.code))
  const failed = await standing.connect({ url, apiKey: 'ek_anything', model: 'gpt-realtime-2.1' }).then(
    () => null,
    (error: { cause?: { code: unknown } }) => error,
  )
  if (!failed) await until('the speaker is known', () => standing!.media!.state.speaker !== 'off')
  return { state: standing.media?.state, code: failed?.cause?.code ?? null }
}

interface Refused {
  /** Each change of the microphone, until a device is chosen. */
  readonly states: readonly string[]
  /** With which code `connect()` rejected, twice. */
  readonly rejected: readonly unknown[]
  readonly afterwards: MediaState
  readonly closed: MediaState
  readonly again: MediaState
  readonly chosen: MediaState
  /** In a call in writing that follows a third refusal. */
  readonly written: MediaState
}

/** No microphone can be had: what is told of it. */
export async function refused(transport: 'webrtc' | 'websocket', url: string): Promise<Refused> {
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Clerk' }), {
    transport,
    ...(transport === 'websocket' ? { audio: browserAudio() } : {}),
  })
  const media = session.media!
  const states: string[] = [media.state.microphone]
  media.subscribe(() => {
    if (states.at(-1) !== media.state.microphone) states.push(media.state.microphone)
  })
  const connecting = () =>
    session.connect({ url, apiKey: 'ek_anything', model: 'gpt-realtime-2.1' }).then(
      () => 'connected',
      (error: { cause?: { code: unknown } }) => error.cause?.code ?? null,
    )
  const rejected = [await connecting()]
  const afterwards = media.state
  session.close()
  const closed = media.state
  rejected.push(await connecting())
  const again = media.state
  const until = [...states]
  await media.useMicrophone('another')
  const chosen = media.state
  await connecting()
  await session.updateConfig({ outputModalities: ['text'] })
  await connecting()
  const written = media.state
  session.close()
  return { states: until, rejected, afterwards, closed, again, chosen, written }
}

/**
 * A call that is answered in writing alone: how often the user was asked for a microphone, by the one that was given or in
 * the end by one that is chosen in the call, and how the microphone is then. `fallen`: `auto`, whose WebRTC leads nowhere.
 */
export async function written(
  way: 'webrtc' | 'websocket' | 'fallen',
  url: string,
  microphone?: true,
): Promise<{ readonly asked: readonly number[]; readonly states: readonly string[] }> {
  let count = 0
  const { mediaDevices } = navigator
  const getUserMedia = mediaDevices.getUserMedia.bind(mediaDevices)
  mediaDevices.getUserMedia = (wishes) => {
    count += 1
    return getUserMedia(wishes)
  }
  if (way === 'fallen') RTCPeerConnection.prototype.setRemoteDescription = () => Promise.reject(new Error('Not this.'))
  const options = microphone ? { microphone } : {}
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Clerk' }), {
    ...(way === 'webrtc'
      ? { transport: new OpenAIRealtimeWebRTC(options) }
      : { transport: way === 'fallen' ? 'auto' : way, audio: browserAudio(options) }),
    config: { outputModalities: ['text'] },
  })
  await session.connect({ url, apiKey: 'ek_anything', model: 'gpt-realtime-2.1' })
  const media = session.media!
  if (microphone) await until('the microphone is on', () => media.state.microphone === 'on')
  const [asked, state] = [count, media.state.microphone]
  const [first] = (await media.devices()).filter(({ kind }) => kind === 'audioinput')
  await media.useMicrophone(first!.deviceId)
  const states = [state, media.state.microphone]
  session.close()
  return { asked: [asked, count], states }
}

/** Changes both devices, and says how many lines that took. */
export async function change(): Promise<{ readonly state: unknown; readonly lines: number }> {
  const media = standing!.media!
  let lines = 1
  standing!.on('connection_change', ({ at }) => {
    if (at === 'live') lines++
  })
  const devices = await media.devices()
  const inputs = devices.filter(({ kind }) => kind === 'audioinput')
  const other = inputs.find(({ deviceId }) => deviceId !== media.state.inputDevice && deviceId !== 'default')
  await media.useMicrophone((other ?? inputs[0]!).deviceId)
  await media.useSpeaker('default')
  return { state: { ...media.state, isOther: media.state.inputDevice === other?.deviceId }, lines }
}

/** In answer to a click. */
export async function resume(): Promise<string> {
  await standing!.media!.resumeAudio()
  return standing!.media!.state.speaker
}

export function hangUp(): void {
  standing?.close()
}

/** Why the line ended. */
export async function lost(): Promise<unknown> {
  await until('the line is lost', () => causes.length, 5_000)
  return causes[0]
}
