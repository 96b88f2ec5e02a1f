/** Turns by voice over WebRTC, and what they measured. Runs in the page. */
import { OpenAIRealtimeWebRTC, RealtimeAgent, RealtimeSession, type TurnMetrics } from 'parley-voice'
import { mouth, until } from '../../test/browser/hearing.page.ts'

export async function turns(
  url: string,
  wav: string,
  count: number,
): Promise<{ readonly connectedMs: number; readonly turns: readonly TurnMetrics[] }> {
  const { stream, say } = mouth()
  const transport = new OpenAIRealtimeWebRTC({ mediaStream: stream })
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Clerk' }), { transport })
  const turns: TurnMetrics[] = []
  session.on('metrics', (turn) => turns.push(turn))
  const began = performance.now()
  await session.connect({ url })
  const connectedMs = performance.now() - began
  for (let n = 1; n <= count; n++) {
    await say(wav)
    await until('the turn is over', () => turns.length >= n, 30_000)
  }
  session.close()
  return { connectedMs, turns }
}
