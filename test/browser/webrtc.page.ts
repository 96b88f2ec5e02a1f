/** The devices of a WebRTC line. */
import { OpenAIRealtimeWebRTC, RealtimeAgent, RealtimeSession } from 'parley-voice'
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
