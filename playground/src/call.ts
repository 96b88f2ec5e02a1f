/** One call: the session that the settings ask for. */
import { OpenAIRealtimeWebRTC, RealtimeSession, restored, type SavedSession } from 'parley-voice'
import { browserAudio } from 'parley-voice/browser'
import { exampleOf } from './agents/index.ts'
import { type Config, mint } from './server.ts'
import type { Settings } from './settings.ts'

/** `idle`: nobody has begun. `talk`: with the microphone. `write`: without it, and the agent answers aloud. */
export interface Call {
  readonly session: RealtimeSession
  readonly settings: Settings
  readonly mode: 'idle' | 'talk' | 'write'
  /** What is said first, in writing. */
  readonly first?: string
  /** The conversation that it goes on with. */
  readonly saved?: SavedSession
}

export function callOf(wish: Omit<Call, 'session'>, config: Config): Call {
  const { settings, mode, saved } = wish
  const isWritten = mode === 'write'
  const session: RealtimeSession = new RealtimeSession(exampleOf(settings.example).agent, {
    model: config.model,
    ...(config.needsSecret ? { apiKey: async () => mint(await session.getInitialSessionConfig()) } : {}),
    // Nobody is asked for the microphone to write a message: over WebRTC that takes no more than a line without one.
    transport:
      isWritten && settings.transport !== 'websocket'
        ? new OpenAIRealtimeWebRTC({ microphone: false })
        : settings.transport,
    ...(settings.transport === 'webrtc' ? {} : { audio: browserAudio(isWritten ? { microphone: false } : {}) }),
    config: { audio: { input: { transcription: { model: 'gpt-4o-mini-transcribe' } } } },
    ...(settings.turns === 'push-to-talk' && !isWritten ? { turns: 'pushToTalk' as const } : {}),
    ...(saved ? { start: restored(saved) } : {}),
    reconnect: { attempts: 6, timeoutMs: 10_000 },
  })
  return { ...wish, session }
}

export function urlOf({ url }: Config): string {
  return url ?? `${location.origin}/v1/realtime`
}
