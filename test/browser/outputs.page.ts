/** Another output is chosen, and vanishes: of a WebRTC line, of `browserAudio()`, and through the hook. */
import { RealtimeAgent, RealtimeSession } from 'parley-voice'
import { browserAudio } from 'parley-voice/browser'
import type { Media } from '../../src/session/media.ts'
import { until } from './hearing.page.ts'
import { allow, unplug } from './unplug.page.ts'

/** What the page sounds through. */
interface Sink {
  readonly sinkId: string
}

const sinks: Sink[] = []
for (const name of ['Audio', 'AudioContext'] as const) {
  Object.assign(globalThis, {
    [name]: new Proxy(globalThis[name], {
      construct(target, args, newTarget) {
        const made = Reflect.construct(target, args, newTarget) as Sink
        sinks.push(made)
        return made
      },
    }),
  })
}

export interface Chosen {
  /** What the state says, and what the page really sounds through. */
  readonly outputs: readonly (readonly [said: string | null, real: string])[]
  readonly refused: string
  readonly speaker: string
  /** The same, when the one that was chosen last has gone. */
  readonly unplugged: readonly [said: string | null, real: string]
  /** Another one that went. */
  readonly other: readonly [said: string | null, real: string]
}

/** Through each output that there is, the first of them before the call; then the last one is unplugged. */
async function choose(media: Media, begin: () => Promise<void>): Promise<Chosen> {
  await allow()
  const ids = (await media.devices()).filter(({ kind }) => kind === 'audiooutput').map(({ deviceId }) => deviceId)
  const now = () => [media.state.outputDevice, sinks.at(-1)!.sinkId] as const
  const outputs: (readonly [string | null, string])[] = []
  const [first, ...others] = ids.toReversed()
  await media.useSpeaker(first!)
  await begin()
  await until('it sounds', () => media.state.speaker === 'on')
  outputs.push(now())
  for (const id of others.toReversed()) {
    await media.useSpeaker(id)
    outputs.push(now())
  }
  const refused = await media.useSpeaker('nowhere').then(
    () => 'taken',
    ({ name, message }: Error) => `${name}: ${message}`,
  )
  const { speaker } = media.state
  unplug(first!)
  await media.devices()
  const other = now()
  unplug(now()[1])
  await until('it is noticed', () => media.state.outputDevice === null)
  await until('another is taken', () => sinks.at(-1)!.sinkId === '')
  return { outputs, refused, speaker, unplugged: now(), other }
}

export async function overWebRTC(url: string): Promise<Chosen> {
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Clerk' }), { transport: 'webrtc' })
  const begin = () => session.connect({ url, apiKey: 'ek_anything', model: 'gpt-realtime-2.1' })
  const chosen = await choose(session.media!, begin)
  session.close()
  return chosen
}

export async function ofBrowserAudio(): Promise<Chosen> {
  const audio = browserAudio()
  const chosen = await choose(audio, () => audio.start(() => undefined, 24_000))
  audio.stop()
  return chosen
}
