/** Which way a session takes by its name, and the microphone and speaker that it brings to lines that carry no audio. */
import { afterEach, describe, expect, test } from 'vitest'
import { type MediaState, RealtimeAgent, RealtimeSession, type SessionAudio } from '../src/index.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import { type Server, serve } from '../src/server/listen.ts'
import { MediaError } from '../src/session/media.ts'
import { scriptedEars, toneVoice } from '../src/testing/senses.ts'
import { notices } from './far-socket.ts'
import { lastWords } from './talk.ts'
import { type Platform, platform } from './werift-platform.ts'

const closing: (() => unknown)[] = []
const beyond = globalThis as { RTCPeerConnection?: unknown }
afterEach(async () => {
  delete beyond.RTCPeerConnection
  Object.defineProperty(globalThis, 'navigator', { value: undefined, configurable: true, writable: true })
  for (const close of closing.splice(0).reverse()) await close()
})

const agent = new RealtimeAgent({ name: 'A' })

async function server(): Promise<Server> {
  const made = await serve({
    port: 0,
    ears: scriptedEars(['hello']),
    voice: toneVoice({ msPerLetter: 5 }),
    brain: scripted((thought) => [{ type: 'say', text: `You said: ${lastWords(thought)}.` }]),
  })
  closing.push(() => made.close())
  return made
}

/** The platform has WebRTC, and a microphone. */
function withWebRTC(here: Platform = platform()): Platform {
  beyond.RTCPeerConnection = function Peer() {
    return here.peerConnection()
  }
  const { mediaDevices } = here
  Object.defineProperty(globalThis, 'navigator', { value: { mediaDevices }, configurable: true, writable: true })
  return here
}

interface Audio extends SessionAudio {
  readonly log: string[]
  say(audio: Uint8Array): void
}

/** A microphone and a speaker that note what becomes of them. */
function audio(fails?: MediaError): Audio {
  const log: string[] = []
  let send = (_: Uint8Array) => {}
  const state: MediaState = {
    microphone: 'off',
    muted: false,
    speaker: 'off',
    inputDevice: null,
    outputDevice: null,
    problem: null,
  }
  return {
    log,
    state,
    say: (bytes) => send(bytes),
    speaker: () => {
      log.push('speaker')
      return { play() {}, hush: () => [] }
    },
    async start(to, rate) {
      log.push(`start ${rate}`)
      if (fails) throw fails
      send = to
    },
    stop: () => log.push('stop'),
    mute: (muted) => log.push(`mute ${muted}`),
    subscribe: () => () => {},
    devices: async () => [],
    useMicrophone: async (sound) => void log.push(`microphone ${sound}`),
    useSpeaker: async (id) => void log.push(`speaker ${id}`),
    resumeAudio: async () => {},
    levels: () => ({ input: 0, output: 0 }),
  }
}

async function answered(session: RealtimeSession, words: string): Promise<string> {
  const news = notices()
  session.on('agent_end', news.tell)
  let said: string | undefined
  session.on('agent_end', (_context, _agent, text) => {
    said = text
    news.tell()
  })
  session.sendMessage(words)
  return news.until(() => said)
}

describe.each(['webrtc', 'auto', undefined] as const)('transport: %s, where the platform has WebRTC', (transport) => {
  test('the call goes over it, and the line has the microphone and the speaker', async () => {
    const { url } = await server()
    const here = withWebRTC()
    const own = audio()
    const session = new RealtimeSession(agent, { ...(transport ? { transport } : {}), audio: own, apiKey: 'sk-any' })
    session.mute(true)
    await session.connect({ url })
    expect(await answered(session, 'one')).toBe('You said: one.')
    expect([here.left(), here.tracks[0]?.enabled]).toEqual([{ tracks: 1, peers: 1 }, false])
    expect(session.media).not.toBe(own)
    expect(session.media?.state).toMatchObject({ microphone: 'on', muted: true })
    session.close()
    expect([here.left(), own.log]).toEqual([{ tracks: 0, peers: 0 }, ['mute true']])
  })
})

describe.each(['websocket', 'auto', undefined] as const)('transport: %s, where it has not', (transport) => {
  test('the call goes over a WebSocket, with the microphone and the speaker of the session', async () => {
    const { callsUrl } = await server()
    const own = audio()
    const session = new RealtimeSession(agent, { ...(transport ? { transport } : {}), audio: own, apiKey: 'sk-any' })
    await session.connect({ url: callsUrl })
    expect(await answered(session, 'one')).toBe('You said: one.')
    expect(session.media).toBe(own)
    own.say(new Uint8Array(960))
    session.close()
    expect(own.log).toEqual(['start 24000', 'speaker', 'stop'])
  })
})

test('auto: a platform whose WebRTC leads nowhere goes on over a WebSocket, with all that was said', async () => {
  const { url } = await server()
  const here = withWebRTC()
  const own = audio()
  const session = new RealtimeSession(agent, { transport: 'auto', audio: own, apiKey: 'sk-any' })
  await session.connect({ url })
  expect(await answered(session, 'one')).toBe('You said: one.')
  const live = notices()
  session.on('connection_change', live.tell)
  here.lose('failed')
  await live.until(() => (session.state.link.at === 'live' && !session.state.playback.isFar) || undefined)
  expect(await answered(session, 'two')).toBe('You said: two.')
  expect(session.history.map((item) => item.type === 'message' && item.role)).toEqual([
    'user',
    'assistant',
    'user',
    'assistant',
  ])
  expect([session.media?.state, here.left()]).toEqual([own.state, { tracks: 0, peers: 0 }])
  expect(own.log).toEqual(['start 24000', 'speaker'])
  session.close()
  expect(own.log.at(-1)).toBe('stop')
})

test('a microphone of the session that cannot be had is why there is no connection', async () => {
  const { url } = await server()
  const own = audio(new MediaError('Allow it.', 'denied'))
  const session = new RealtimeSession(agent, { transport: 'websocket', audio: own, apiKey: 'sk-any' })
  const cause = { reason: 'Allow it.', code: 'microphone_denied', fatal: true, initiator: 'us' }
  await expect(session.connect({ url })).rejects.toMatchObject({ name: 'ConnectionError', cause })
  expect([own.log, session.state.link.at]).toEqual([['start 24000', 'stop'], 'closed'])
})

test('a microphone of the session speaks PCM16: another format is refused', async () => {
  const { url } = await server()
  const config = { audio: { input: { format: { type: 'audio/pcmu' } } } } as const
  const session = new RealtimeSession(agent, { transport: 'websocket', audio: audio(), apiKey: 'sk-any', config })
  await expect(session.connect({ url })).rejects.toThrow('speaks PCM16')
})

test('a way that nobody knows is refused', () => {
  expect(() => new RealtimeSession(agent, { transport: 'pigeon' as never })).toThrow(
    "There is no transport 'pigeon': pass 'webrtc', 'websocket', 'auto', or a transport.",
  )
})

test('push-to-talk over WebRTC: a turn is as long as it was held', async () => {
  const { url } = await server()
  withWebRTC()
  const session = new RealtimeSession(agent, { transport: 'webrtc', turns: 'pushToTalk', apiKey: 'sk-any' })
  await session.connect({ url })
  session.beginTurn()
  expect(session.endTurn(), 'a key that was touched is no turn').toBe(false)
  session.close()
})

describe('before the first connect()', () => {
  test.each(['webrtc', 'auto', undefined] as const)(
    'the microphone that is chosen, and mute, are those of the call (transport: %s)',
    async (transport) => {
      const { url } = await server()
      const here = withWebRTC()
      const session = new RealtimeSession(agent, { ...(transport ? { transport } : {}), apiKey: 'sk-any' })
      const media = session.media!
      const told: string[] = []
      media.subscribe(() => {
        const now = `${media.state.microphone}${media.state.muted ? ', muted' : ''}`
        if (now !== told.at(-1)) told.push(now)
      })
      session.mute(true)
      expect([session.muted, media.state]).toEqual([true, { ...media.state, microphone: 'off', muted: true }])
      await media.useMicrophone('the one on the desk')
      expect([await media.devices(), media.levels(), here.asked]).toEqual([[], { input: 0, output: 0 }, []])
      await session.connect({ url })
      expect(here.asked).toMatchObject([{ audio: { deviceId: { exact: 'the one on the desk' } } }])
      expect([here.tracks.length, here.tracks[0]?.enabled, session.muted]).toEqual([1, false, true])
      expect(session.media, 'it is the same to the end').toBe(media)
      session.close()
      expect(told).toEqual(['off, muted', 'asking, muted', 'on, muted', 'off, muted'])
      expect([here.left(), media.state.microphone]).toEqual([{ tracks: 0, peers: 0 }, 'off'])
    },
  )

  test('auto: what was chosen for a call over WebRTC holds where that turns to a WebSocket', async () => {
    const { url } = await server()
    const here = withWebRTC()
    const own = audio()
    const session = new RealtimeSession(agent, { transport: 'auto', audio: own, apiKey: 'sk-any' })
    const media = session.media!
    await media.useMicrophone('the one on the desk')
    await session.connect({ url })
    expect(here.asked).toMatchObject([{ audio: { deviceId: { exact: 'the one on the desk' } } }])
    const live = notices()
    session.on('connection_change', live.tell)
    here.lose('failed')
    await live.until(() => (session.state.link.at === 'live' && !session.state.playback.isFar) || undefined)
    expect(own.log).toEqual(['microphone the one on the desk', 'start 24000'])
    await media.useMicrophone('another')
    await media.useSpeaker('loud')
    expect(own.log.slice(2)).toEqual(['microphone another', 'speaker loud'])
    session.close()
  })

  test('a speaker that cannot be chosen, and a platform without microphones, say so', async () => {
    withWebRTC()
    const { media } = new RealtimeSession(agent, { transport: 'webrtc' })
    await expect(media!.useSpeaker('loud')).rejects.toThrow('cannot choose its speaker')
    Object.defineProperty(globalThis, 'navigator', { value: undefined, configurable: true, writable: true })
    await expect(media!.devices()).rejects.toThrow(MediaError)
    await media!.resumeAudio()
  })
})
