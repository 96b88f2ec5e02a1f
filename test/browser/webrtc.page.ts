/** Calls over WebRTC, with the page's own microphone and speaker. */
import { OpenAIRealtimeWebRTC, RealtimeAgent, RealtimeSession, tool } from 'parley-voice'
import { mouth, type Recorded, type Recording, record, until } from './hearing.page.ts'
import { leftovers } from './leftovers.page.ts'

export interface Heard {
  /** Who, and what. */
  readonly words: readonly string[]
  /** What the far end's track carried. */
  readonly agent: Recorded
  readonly told: readonly string[]
  readonly errors: readonly string[]
  readonly heardMs: number | null
  readonly levels: { readonly input: number; readonly output: number }
  readonly speaker: string
}

interface Line {
  readonly transport: OpenAIRealtimeWebRTC
  readonly recording: () => Promise<Recording>
}

// What Chromium does to a voice without a room around it costs the recogniser words.
const microphone = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }

/** A line whose far end is recorded from its first sample on. */
function line(): Line {
  let recording: Promise<Recording>
  const transport = new OpenAIRealtimeWebRTC({
    microphone,
    changePeerConnection(peer) {
      peer.addEventListener('track', ({ track }) => {
        recording = record(new MediaStream([track]))
      })
      return peer
    },
  })
  return { transport, recording: () => recording }
}

function watched(session: RealtimeSession): { readonly told: string[]; readonly errors: string[] } {
  const told: string[] = []
  const errors: string[] = []
  session.on('error', ({ error }) => errors.push(error instanceof Error ? error.message : JSON.stringify(error)))
  for (const name of ['audio_start', 'audio_stopped', 'audio_interrupted'] as const)
    session.on(name, () => told.push(name))
  session.on('agent_tool_end', (_context, agent, { name }, result) => told.push(`${agent.name} ${name}: ${result}`))
  session.on('agent_handoff', (_context, from, to) => told.push(`${from.name} to ${to.name}`))
  return { told, errors }
}

function wordsOf({ history }: RealtimeSession): readonly string[] {
  return history.flatMap((item) =>
    item.type === 'message'
      ? [`${item.role}: ${item.content.map((part) => ('transcript' in part ? part.transcript : '')).join(' ')}`]
      : [],
  )
}

async function over(
  session: RealtimeSession,
  { transport, recording }: Line,
  { told, errors }: ReturnType<typeof watched>,
  levels = { input: 0, output: 0 },
): Promise<Heard> {
  const words = wordsOf(session)
  const cut = session.history.find((item) => 'heardMs' in item)
  const agent = await (await recording()).stop()
  const { speaker } = transport.media.state
  session.close()
  await until('nothing is left', () => Object.values({ ...leftovers(), timers: 0 }).every((count) => count === 0))
  return { words, agent, told, errors, heardMs: (cut as { heardMs?: number })?.heardMs ?? null, levels, speaker }
}

/** One turn: the browser's microphone asks, and the answer is heard to its end. */
export async function turn(url: string): Promise<Heard> {
  const way = line()
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Clerk' }), { transport: way.transport })
  const watch = watched(session)
  await session.connect({ url, apiKey: 'ek_anything', model: 'gpt-realtime-2.1' })
  const loudest = { input: 0, output: 0 }
  await until(
    'the answer has been heard',
    () => {
      const { input, output } = way.transport.media.levels()
      loudest.input = Math.max(loudest.input, input)
      loudest.output = Math.max(loudest.output, output)
      return watch.told.includes('audio_stopped')
    },
    30_000,
  )
  return over(session, way, watch, loudest)
}

/** A whole call: a tool that has to be approved, an answer that is spoken into, and another agent. */
export async function call(url: string, wavs: { readonly order: string; readonly barge: string }): Promise<Heard> {
  const said = mouth()
  const way = line()
  const billing = new RealtimeAgent({ name: 'Billing' })
  const find = tool({
    name: 'find_order',
    description: 'Finds an order.',
    needsApproval: true,
    execute: async () => 'on its way',
  })
  const clerk = new RealtimeAgent({ name: 'Clerk', tools: [find], handoffs: [billing] })
  const session = new RealtimeSession(clerk, {
    transport: way.transport,
    // A caller who takes a breath has not ended.
    config: { audio: { input: { turnDetection: { type: 'server_vad', silence_duration_ms: 900 } } } },
  })
  const watch = watched(session)
  session.on('tool_approval_requested', (_context, _agent, { approvalItem }) => session.approve(approvalItem))
  await session.connect({ url, apiKey: 'ek_anything', model: 'gpt-realtime-2.1' })
  await said.say(wavs.order)
  await until('the agent answers', () => watch.told.includes('audio_start'), 15_000)
  await said.say(wavs.barge)
  await until('the agent is interrupted', () => watch.told.includes('audio_interrupted'), 15_000)
  await until(
    'another agent has spoken',
    () => watch.told.filter((what) => what === 'audio_stopped').length > 1,
    30_000,
  )
  return over(session, way, watch)
}

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
