/** A line that leads nowhere, as a page has it. */
import { OpenAIRealtimeWebRTC, RealtimeAgent, RealtimeSession } from 'parley-voice'
import { browserAudio } from 'parley-voice/browser'

export interface Failure {
  readonly code: unknown
  readonly reason: string
  readonly microphone: unknown
  /** How far the attempt had come, in order. */
  readonly stages: readonly unknown[]
}

/** Offer and answer as a firewall leaves them: whoever goes to these addresses finds nobody. */
const blocked: typeof fetch = async (to, init) => {
  const closed = (sdp: string) => sdp.replace(/^(a=candidate:\S+ \d+ \w+ \d+ )\S+ \d+/gm, '$1127.0.0.1 9')
  const answer = await fetch(to, { ...init, body: closed(String(init?.body ?? '')) })
  return new Response(closed(await answer.text()), { status: answer.status, headers: answer.headers })
}

/** Connects once, and says why that failed. */
export async function fail(
  url: string,
  {
    isBlocked = false,
    ms = 10_000,
    way = 'webrtc',
  }: { readonly isBlocked?: boolean; readonly ms?: number; readonly way?: 'webrtc' | 'websocket' } = {},
): Promise<Failure> {
  const line = () => ({ transport: new OpenAIRealtimeWebRTC(isBlocked ? { fetch: blocked, microphone: false } : {}) })
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Clerk' }), {
    ...(way === 'webrtc' ? line() : { transport: way, audio: browserAudio() }),
    reconnect: { attempts: 0, timeoutMs: ms },
  })
  const stages: unknown[] = []
  const media = session.media!
  let microphone: unknown = 'off'
  media.subscribe(() => {
    const { state } = media
    if (state.problem) microphone = state.microphone
  })
  session.observe(({ direction, ...entry }) => {
    if (direction === 'local' && 'input' in entry && entry.input.type === 'reached') stages.push(entry.input.stage)
  })
  const error = await session.connect({ url, apiKey: 'ek_anything', model: 'gpt-realtime-2.1' }).then(
    () => null,
    (thrown: { cause?: { code: unknown }; message: string }) => thrown,
  )
  session.close()
  return { code: error?.cause?.code ?? null, reason: error?.message ?? 'It connected.', microphone, stages }
}
