/** A session over a real WebSocket, and the local server's rules at the other end. */
import { onTestFinished } from 'vitest'
import type { ConnectOptions } from '../src/index.ts'
import { type RealtimeAgent, RealtimeSession, type RealtimeSessionOptions } from '../src/index.ts'
import { mulberry32 } from '../src/protocol/random.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import { converse } from '../src/server/converse.ts'
import { realClock } from '../src/session/clock.ts'
import { scriptedEars, toneVoice } from '../src/testing/senses.ts'
import { type FarLine, type FarSocket, farSocket, notices } from './far-socket.ts'
import { type Script, say } from './talk.ts'

export interface SocketTalk {
  readonly session: RealtimeSession
  readonly far: FarSocket
  /** Resolves when `look` finds something, now or after some change of the session. */
  until<Found>(look: () => Found | undefined): Promise<Found>
  /** Says something, and waits for the whole answer to it. */
  ask(words: string): Promise<string>
}

export interface SocketTalkOptions extends Partial<RealtimeSessionOptions<unknown>> {
  readonly script?: Script
  readonly connect?: ConnectOptions
  /** Does what the far end does on a line. Default: it follows the rules. */
  readonly line?: (line: FarLine, nth: number, follow: () => void) => void
  /** Called before the session connects. */
  readonly before?: (session: RealtimeSession) => void
}

export async function socketTalk(
  agent: RealtimeAgent,
  {
    script = () => [say('All is well.')],
    connect,
    line = (_line, _nth, follow) => follow(),
    before,
    ...options
  }: SocketTalkOptions = {},
): Promise<SocketTalk> {
  const far = await farSocket({ line: (one, nth) => line(one, nth, () => follow(one, script)) })
  const session = new RealtimeSession(agent, { apiKey: 'k', seed: 1, ...options })
  onTestFinished(async () => {
    session.close()
    await far.close()
  })
  const news = notices()
  session.subscribe(news.tell)
  before?.(session)
  await session.connect({ url: far.url, ...connect })
  return {
    session,
    far,
    until: news.until,
    async ask(words) {
      const known = new Set(session.history.map(({ itemId }) => itemId))
      session.sendMessage(words)
      return news.until(() => {
        const answer = session.history.find(
          (item) => item.type === 'message' && item.role === 'assistant' && !known.has(item.itemId),
        )
        if (answer?.type !== 'message' || answer.status !== 'completed') return undefined
        const [part] = answer.content
        return part && 'transcript' in part ? (part.transcript ?? '') : ''
      })
    },
  }
}

/** The local server's rules, on a socket. */
export function follow(line: FarLine, script: Script): void {
  const call = converse({
    clock: realClock,
    random: mulberry32(1),
    ears: scriptedEars(['hello']),
    brain: scripted(script),
    voice: toneVoice({ msPerLetter: 1 }),
    pace: Number.POSITIVE_INFINITY,
    emit: (event) => line.say(event),
    hangUp: (code, reason) => line.socket.close(code, reason),
  })
  line.socket.on('message', (data) => call.hear(JSON.parse(String(data))))
  line.socket.on('close', () => call.ended())
}
