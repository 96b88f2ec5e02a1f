/** One turn by voice over a WebSocket, with the page's own microphone and speaker. */
import { RealtimeAgent, RealtimeSession } from 'parley-voice'
import { browserAudio } from 'parley-voice/browser'
import { listenIn, mouth, type Recorded, until } from './hearing.page.ts'
import { leftovers } from './leftovers.page.ts'

const overheard = listenIn()

export interface Turn {
  /** Who, and what. */
  readonly words: readonly string[]
  readonly agent: Recorded
  readonly errors: readonly string[]
  readonly heardMs: number | null
}

/**
 * Says `wav` (base64; without it, what the browser's microphone hears), and listens until the answer has been heard.
 * `interruptAfterMs`: the app silences the agent when this much has sounded.
 */
export async function turn(
  url: string,
  { wav, interruptAfterMs }: { readonly wav?: string; readonly interruptAfterMs?: number } = {},
): Promise<Turn> {
  const said = wav === undefined ? null : mouth()
  // What Chromium does to a voice without a room around it costs the recogniser words.
  const constraints = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }
  const audio = browserAudio({ constraints })
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Clerk', voice: 'ash' }), {
    transport: 'websocket',
    audio,
  })
  const errors: string[] = []
  session.on('error', ({ error }) => errors.push(error instanceof Error ? error.message : JSON.stringify(error)))
  let isAnswered = false
  session.on('audio_stopped', () => {
    isAnswered = true
  })
  await session.connect({ url, apiKey: 'ek_anything' })
  await until('the microphone speaks', () => audio.state.microphone === 'on')
  if (said && wav !== undefined) await said.say(wav)
  const recording = () => overheard()[0]!
  const sounding = () =>
    overheard()[0]
      ?.samples()
      .filter((sample) => Math.abs(sample) > 0.001).length ?? 0
  if (interruptAfterMs !== undefined) {
    await until('it sounds', () => sounding() > interruptAfterMs * 40, 30_000)
    session.interrupt()
    await until('it is noted', () => heardOf(session) !== null)
  } else {
    await until('the answer has been heard', () => isAnswered, 30_000)
  }
  const words = session.history.flatMap((item) =>
    item.type === 'message'
      ? [`${item.role}: ${item.content.map((part) => ('transcript' in part ? part.transcript : '')).join(' ')}`]
      : [],
  )
  const heardMs = heardOf(session)
  const agent = await recording().stop()
  session.close()
  await until('nothing is left', () => Object.values({ ...leftovers(), timers: 0 }).every((count) => count === 0))
  return { words, agent, errors, heardMs }
}

function heardOf({ history }: RealtimeSession): number | null {
  const item = history.findLast((one) => one.type === 'message' && one.role === 'assistant')
  return (item && 'heardMs' in item ? item.heardMs : null) ?? null
}
