/** Calls by voice, over WebRTC and over a WebSocket: what is said, and what the page hears. */
import { OpenAIRealtimeWebRTC, RealtimeAgent, RealtimeSession, tool } from 'parley-voice'
import { browserAudio } from 'parley-voice/browser'
import { listenIn, mouth, type Recorded, type Recording, record, until } from './hearing.page.ts'
import { leftovers, uncounted } from './leftovers.page.ts'

export type Way = 'webrtc' | 'websocket'

export interface Called {
  /** Who, and what. */
  readonly words: readonly string[]
  /** What the page played. */
  readonly agent: Recorded
  readonly told: readonly string[]
  readonly errors: readonly string[]
  /** Of the answer that was cut, by the session. */
  readonly heardMs: number | null
  readonly loudest: { readonly input: number; readonly output: number }
  readonly speaker: string | undefined
}

// What a browser does to a voice without a room around it costs the recogniser words: its gain clips a loud one.
const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }

interface Line {
  readonly options: object
  /** What the agent says is recorded from now on. */
  listening(): Promise<unknown>
  recording(): Recording | undefined
}

function overWebRTC(mediaStream: MediaStream | undefined): Line {
  let listening: Promise<void> | undefined
  let recording: Recording | undefined
  const transport = new OpenAIRealtimeWebRTC({
    microphone: plain,
    ...(mediaStream ? { mediaStream } : {}),
    changePeerConnection(peer) {
      peer.addEventListener('track', ({ track }) => {
        listening = record(new MediaStream([track])).then((made) => {
          recording = made
        })
      })
      return peer
    },
  })
  return { options: { transport }, listening: async () => listening, recording: () => recording }
}

function overWebSocket(): Line {
  const overheard = listenIn()
  return {
    options: { transport: 'websocket', audio: browserAudio({ constraints: plain }) },
    listening: async () => undefined,
    recording: () => overheard()[0],
  }
}

interface Call {
  readonly session: RealtimeSession
  readonly told: readonly string[]
  /** The agent has been heard for so long. */
  sounds(ms: number): Promise<void>
  /** What it said has died away. */
  isSilent(): Promise<void>
  end(): Promise<Called>
}

async function begun(url: string, agent: RealtimeAgent, line: Line): Promise<Call> {
  const session: RealtimeSession = new RealtimeSession(agent, {
    ...line.options,
    // A caller who takes a breath has not ended.
    config: { audio: { input: { turnDetection: { type: 'server_vad', silence_duration_ms: 900 } } } },
  })
  const told: string[] = []
  const errors: string[] = []
  session.on('error', ({ error }) => errors.push(error instanceof Error ? error.message : JSON.stringify(error)))
  for (const name of ['audio_start', 'audio_stopped', 'audio_interrupted'] as const)
    session.on(name, () => told.push(name))
  session.on('agent_tool_end', (_context, { name: who }, { name }, result) => told.push(`${who} ${name}: ${result}`))
  session.on('agent_handoff', (_context, from, to) => told.push(`${from.name} to ${to.name}`))
  session.on('tool_approval_requested', (_context, _agent, { approvalItem }) => session.approve(approvalItem))
  await session.connect({ url, apiKey: 'ek_anything', model: 'gpt-realtime-2.1' })
  await until('the microphone is on', () => session.media?.state.microphone === 'on')
  await line.listening()
  const loudest = { input: 0, output: 0 }
  let isOver = false
  const look = () => {
    const { input, output } = session.media!.levels()
    loudest.input = Math.max(loudest.input, input)
    loudest.output = Math.max(loudest.output, output)
    if (!isOver) requestAnimationFrame(look)
  }
  look()
  return {
    session,
    told,
    sounds: (ms) => until('the agent is heard', () => (line.recording()?.sinceFirstMs() ?? 0) > ms, 20_000),
    isSilent: () => until('the agent is silent', () => (line.recording()?.sinceLastMs() ?? 0) > 300, 20_000),
    async end() {
      isOver = true
      const words = session.history.flatMap((item) =>
        item.type === 'message'
          ? [`${item.role}: ${item.content.map((part) => ('transcript' in part ? part.transcript : '')).join(' ')}`]
          : [],
      )
      const cut = session.history.find((item) => 'heardMs' in item) as { heardMs?: number } | undefined
      const agent = await line.recording()!.stop()
      const speaker = session.media?.state.speaker
      session.close()
      await until('nothing is left', () => Object.values({ ...leftovers(), timers: 0 }).every((count) => count === 0))
      return { words, agent, told, errors, heardMs: cut?.heardMs ?? null, loudest, speaker }
    },
  }
}

/**
 * One turn: says `wav` (base64; without it, what the browser's own microphone hears), and listens until the answer has been
 * heard, or for `interruptAfterMs` of it.
 */
export async function turn(
  url: string,
  way: Way,
  { wav, interruptAfterMs }: { readonly wav?: string; readonly interruptAfterMs?: number } = {},
): Promise<Called> {
  const said = wav === undefined ? null : mouth()
  // The browser's microphone speaks from the moment that it is opened: over WebRTC, only then may it be that the line stands.
  const before = !said && way === 'webrtc' ? silence() : undefined
  const line = way === 'webrtc' ? overWebRTC(before) : overWebSocket()
  const call = await begun(url, new RealtimeAgent({ name: 'Clerk', voice: 'ash' }), line)
  if (before) await call.session.media!.useMicrophone(await firstMicrophone())
  if (said && wav !== undefined) await said.say(wav)
  if (interruptAfterMs !== undefined) {
    await call.sounds(interruptAfterMs)
    call.session.interrupt()
    await until('it is noted', () => call.session.history.some((item) => 'heardMs' in item))
    await call.isSilent()
  } else {
    await until('the answer has been heard', () => call.told.includes('audio_stopped'), 30_000)
  }
  return call.end()
}

/** A stream of the app's own in which nothing is said: the browser's microphone stays closed. */
function silence(): MediaStream {
  return new MediaStreamAudioDestinationNode(new uncounted.AudioContext()).stream
}

async function firstMicrophone(): Promise<string> {
  const devices = await navigator.mediaDevices.enumerateDevices()
  return devices.find(({ kind }) => kind === 'audioinput')!.deviceId
}

/** A whole call: a tool that has to be approved, an answer that is spoken into, and another agent. */
export async function call(
  url: string,
  way: Way,
  wavs: { readonly order: string; readonly barge: string },
): Promise<Called> {
  const said = mouth()
  const billing = new RealtimeAgent({ name: 'Billing' })
  const find = tool({
    name: 'find_order',
    description: 'Finds an order.',
    needsApproval: true,
    execute: async () => 'on its way',
  })
  const clerk = new RealtimeAgent({ name: 'Clerk', tools: [find], handoffs: [billing] })
  const one = await begun(url, clerk, way === 'webrtc' ? overWebRTC(undefined) : overWebSocket())
  const times = (name: string) => one.told.filter((what) => what === name).length
  await said.say(wavs.order)
  await one.sounds(500)
  await said.say(wavs.barge)
  await until('the agent is interrupted', () => times('audio_interrupted'), 20_000)
  const ofBilling = () => one.told.slice(one.told.indexOf('Clerk to Billing'))
  await until(
    'another agent has spoken',
    () => /Billing,.*audio_start,.*audio_stopped$/.test(ofBilling().join()),
    30_000,
  )
  return one.end()
}
