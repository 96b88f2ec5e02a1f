/** When an answer is heard over WebRTC: by the metrics, and by the sound of the track itself. */
import { OpenAIRealtimeWebRTC, RealtimeAgent, RealtimeSession, type TurnMetrics } from 'parley-voice'
import { until } from './hearing.page.ts'
import { uncounted } from './leftovers.page.ts'

/** Times are ms of `performance.now()`. */
export interface Heard {
  /** The far end's word that it began to say it. */
  readonly started: number
  /** How often the line told that it sounds, and when last. */
  readonly told: number
  readonly toldAt: number
  readonly firstAudible: number | null
  /** When an analyser of the received track heard it. */
  readonly measured: number
}

interface Listening {
  readonly session: RealtimeSession
  connect(url: string): Promise<void>
  /** The next answer, from when it is asked for until it was heard. */
  answer(): Promise<Heard>
}

function listening(fetch?: typeof globalThis.fetch): Listening {
  const samples = new Float32Array(256)
  let analyser: AnalyserNode | undefined
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Clerk' }), {
    transport: new OpenAIRealtimeWebRTC({
      ...(fetch ? { fetch } : {}),
      changePeerConnection(peer) {
        peer.addEventListener('track', ({ track }) => {
          const context = new uncounted.AudioContext({ latencyHint: 'interactive' })
          analyser = new AnalyserNode(context, { fftSize: 256 })
          context.createMediaStreamSource(new MediaStream([track])).connect(analyser)
        })
        return peer
      },
    }),
  })
  const turns: TurnMetrics[] = []
  session.on('metrics', (turn) => turns.push(turn))
  let [started, told, toldAt] = [0, 0, 0]
  session.observe((entry) => {
    if (entry.direction === 'out') return
    const { at, input } = entry
    if (input.type === 'received' && input.event.type === 'output_audio_buffer.started') started = at
    if (input.type === 'sounded') {
      told += 1
      toldAt = at
    }
  })
  return {
    session,
    connect: (url) => session.connect({ url, apiKey: 'ek_anything', model: 'gpt-realtime-2.1' }),
    async answer() {
      started = told = toldAt = 0
      const before = turns.length
      let measured = 0
      const listen = setInterval(() => {
        analyser?.getFloatTimeDomainData(samples)
        if (samples.some((sample) => Math.abs(sample) > 0.003)) measured ||= performance.now()
      }, 2)
      session.generateReply('Say it.')
      await until('the answer was heard', () => turns.length > before, 30_000)
      clearInterval(listen)
      return { started, told, toldAt, firstAudible: turns.at(-1)!.firstAudible, measured }
    },
  }
}

/** Some answers of the local server. */
export async function answers(url: string, count: number): Promise<readonly Heard[]> {
  const { session, connect, answer } = listening()
  await connect(url)
  const heard: Heard[] = []
  while (heard.length < count) heard.push(await answer())
  session.close()
  return heard
}

/**
 * A far end that sends silence while it says nothing, says that it begins, and begins a while later. Gives when its sound
 * began besides. `withSources`: the platform tells what it plays out.
 */
export async function lateSound(withSources: boolean): Promise<Heard & { readonly began: number }> {
  if (!withSources) delete (RTCRtpReceiver.prototype as Partial<RTCRtpReceiver>).getSynchronizationSources
  const far = farEnd()
  const { session, connect, answer } = listening(far.fetch)
  await connect('http://far.end/calls')
  const heard = await answer()
  session.close()
  far.close()
  return { ...heard, began: far.began() }
}

/** The call is over before the answer sounds. */
export async function closedEarly(): Promise<void> {
  const far = farEnd()
  const { session, connect } = listening(far.fetch)
  await connect('http://far.end/calls')
  const began = new Promise<void>((resolve) => {
    session.on('transport_event', ({ type }) => type === 'output_audio_buffer.started' && resolve())
  })
  session.generateReply('Say it.')
  await began
  session.close()
  await until('the far end has said it', far.hasSaid)
  far.close()
}

function farEnd(): { readonly fetch: typeof fetch; began(): number; hasSaid(): boolean; close(): void } {
  const context = new uncounted.AudioContext()
  const destination = context.createMediaStreamDestination()
  const tone = new OscillatorNode(context, { frequency: 440 })
  const peer = new RTCPeerConnection()
  peer.addTrack(destination.stream.getAudioTracks()[0]!, destination.stream)
  let began = 0
  let hasSaid = false
  peer.addEventListener('datachannel', ({ channel }) => {
    const say = (type: string, event: object = {}) => {
      if (channel.readyState === 'open') channel.send(JSON.stringify({ type, event_id: 'e', ...event }))
    }
    channel.addEventListener('message', ({ data }) => {
      const { type } = JSON.parse(data)
      if (type === 'session.update') say('session.updated', { session: { type: 'realtime' } })
      if (type === 'response.create') void answer(say)
    })
  })

  async function answer(say: (type: string, event?: object) => void): Promise<void> {
    const response = { id: 'r', object: 'realtime.response', conversation_id: 'c', status: 'in_progress', output: [] }
    const item = { id: 'i', type: 'message', role: 'assistant', status: 'in_progress', content: [] }
    say('response.created', { response })
    say('response.output_item.added', { response_id: 'r', output_index: 0, item })
    say('conversation.item.added', { previous_item_id: null, item })
    say('output_audio_buffer.started', { response_id: 'r' })
    await passed(300)
    tone.connect(destination)
    began = performance.now()
    tone.start()
    await passed(300)
    tone.stop()
    hasSaid = true
    say('response.output_item.done', { response_id: 'r', output_index: 0, item: { ...item, status: 'completed' } })
    say('response.done', { response: { ...response, status: 'completed', output: [item] } })
    say('output_audio_buffer.stopped', { response_id: 'r' })
  }

  /** ms of its sound. */
  async function passed(ms: number): Promise<void> {
    const end = context.currentTime + ms / 1_000
    await until('the sound goes on', () => context.currentTime >= end)
  }

  return {
    async fetch(_url, init) {
      await peer.setRemoteDescription({ type: 'offer', sdp: String(init?.body) })
      await peer.setLocalDescription(await peer.createAnswer())
      await until('the addresses are known', () => peer.iceGatheringState === 'complete')
      return new Response(peer.localDescription!.sdp, { status: 201 })
    },
    began: () => began,
    hasSaid: () => hasSaid,
    close() {
      peer.close()
      void context.close()
    },
  }
}
