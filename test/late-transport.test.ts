/** In a page, what a transport needs for a call is loaded when it is connected: the same scenes, and what is asked before. */
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { OpenAIRealtimeWebRTC, OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession } from '../src/index.ts'
import { farRtc } from './far-rtc.ts'
import { type FarSocket, farSocket, type Said } from './far-socket.ts'
import { platform } from './werift-platform.ts'

vi.mock('#core', () => import('../src/transports/core.web.ts'))
vi.mock('#backstage', () => import('../src/agents/backstage.web.ts'))

await import('./webrtc.test.ts')
await import('./webrtc-microphone.test.ts')
await import('./session.test.ts')
await import('./session-face.test.ts')
await import('./transport-members.test.ts')

const accept = { type: 'session.updated', event_id: 'e', session: { type: 'realtime' } }
const isUpdate = ({ type }: Said) => type === 'session.update'
const early = { type: 'conversation.item.delete', item_id: 'early' } as const

/** A far end that accepts every session config. */
async function listening(): Promise<FarSocket> {
  const far = await farSocket({ line: (line) => void line.hears(isUpdate).then(() => line.say(accept)) })
  onTestFinished(far.close)
  return far
}

async function alone(): Promise<{ far: FarSocket; transport: OpenAIRealtimeWebSocket; errors: unknown[] }> {
  const far = await listening()
  const transport = new OpenAIRealtimeWebSocket({ url: far.url, apiKey: 'k' })
  const errors: unknown[] = []
  transport.on('error', ({ error }) => errors.push(error))
  onTestFinished(() => transport.close())
  return { far, transport, errors }
}

describe('alone, before it is connected', () => {
  test('what is sent, said, answered and spoken is sent in order when it is', async () => {
    const { far, transport, errors } = await alone()
    const audio = new Uint8Array(4_800).fill(1)
    transport.sendEvent(early)
    transport.sendMessage('Hello.', {}, { triggerResponse: false })
    transport.sendFunctionCallOutput({ callId: 'nobody asked' }, 'nothing', false)
    expect(transport.sendAudio(audio.subarray(0, 2_400), { commit: true })).toBe(true)
    audio.fill(2)
    transport.interrupt()
    expect([transport.status, transport.connectionState.websocket]).toEqual(['disconnected', undefined])
    const told: string[] = []
    transport.on('connection_change', (status) => told.push(status))
    await transport.connect()
    const line = far.lines[0]!
    await line.hears(({ type }) => type === 'input_audio_buffer.commit')
    const heard = line.heard.map(({ type, item_id, item }) => item_id ?? (item as Said | undefined)?.type ?? type)
    const bytes = Buffer.from(String(line.heard.find(({ audio }) => audio)?.['audio']), 'base64')
    expect(heard.toSorted()).toEqual(
      ['early', 'input_audio_buffer.append', 'input_audio_buffer.commit', 'message', 'session.update'].toSorted(),
    )
    expect(bytes).toEqual(Buffer.alloc(2_400, 1))
    expect([told, errors]).toEqual([['connecting', 'connected'], []])
  })

  test('fifteen seconds of audio wait, and more is refused', async () => {
    const { far, transport } = await alone()
    const second = new Uint8Array(48_000)
    const taken = Array.from({ length: 20 }, () => transport.sendAudio(second))
    expect(taken.indexOf(false)).toBe(16)
    expect(taken.lastIndexOf(true)).toBe(15)
    await transport.connect()
    expect(transport.sendAudio(second, { commit: true })).toBe(true)
    await far.lines[0]!.hears(({ type }) => type === 'input_audio_buffer.commit')
  })

  test('close() gives up a connect() whose parts are still being loaded; another may follow', async () => {
    const { far, transport } = await alone()
    const connecting = transport.connect()
    transport.close()
    await expect(connecting).rejects.toThrow('It was closed while it was connecting.')
    expect([transport.status, far.asked()]).toEqual(['disconnected', 0])
    await transport.connect()
    expect([transport.status, far.asked()]).toEqual(['connected', 1])
  })

  test('closed at any moment, it settles, and connects again', async () => {
    for (let turns = 0; turns < 12; turns++) {
      const { far, transport } = await alone()
      const connecting = transport.connect().then(
        () => 'connected',
        (error: Error) => error.message,
      )
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      transport.close()
      expect(await connecting, `after ${turns} turns`).toMatch(/closed/)
      await transport.connect()
      expect([transport.status, far.lines.length]).toEqual(['connected', 1])
    }
  })

  test('it is connected once: a second connect() is refused, and takes nothing from the first', async () => {
    const { far, transport } = await alone()
    const connecting = transport.connect()
    await expect(transport.connect()).rejects.toThrow('connected already')
    await connecting
    expect([transport.status, far.asked()]).toEqual(['connected', 1])
  })

  test('a call that stands already is joined over a WebSocket only', async () => {
    const transport = new OpenAIRealtimeWebRTC({ ...platform(), apiKey: 'k' } as never)
    await expect(transport.connect({ callId: 'rtc_1' })).rejects.toThrow('joined over a WebSocket')
  })

  test('the microphone and the speaker are the same, before and after', async () => {
    const far = await farRtc({ line: (line) => void line.hears(isUpdate).then(() => line.say(accept)) })
    const here = platform()
    onTestFinished(far.close)
    const transport = new OpenAIRealtimeWebRTC({ ...here, baseUrl: far.url, apiKey: 'k' } as never)
    onTestFinished(() => transport.close())
    const { media } = transport
    transport.mute(true)
    await media.useMicrophone('second')
    expect([transport.muted, here.asked]).toEqual([true, []])
    await transport.connect()
    expect(transport.media).toBe(media)
    expect([transport.muted, media.state.microphone]).toEqual([true, 'on'])
    expect(JSON.stringify(here.asked)).toContain('second')
  })
})

test('under a session that is not connected yet, it speaks for that session', async () => {
  const far = await listening()
  const transport = new OpenAIRealtimeWebSocket()
  const session = new RealtimeSession(new RealtimeAgent({ name: 'A', instructions: 'Be A.' }), {
    transport,
    apiKey: 'k',
  })
  onTestFinished(() => session.close())
  transport.sendEvent(early)
  transport.sendMessage('Early.', {}, { triggerResponse: false })
  transport.updateSessionConfig({ toolChoice: 'none' })
  await session.connect({ url: far.url })
  const line = far.lines[0]!
  await line.hears(({ item_id }) => item_id === 'early')
  expect(line.heard.map(({ item }) => JSON.stringify(item ?? '')).join()).toContain('Early.')
  expect(line.heard.find(isUpdate)?.['session']).toMatchObject({ instructions: 'Be A.', tool_choice: 'none' })
  expect([transport.status, session.transport]).toEqual(['connected', transport])
})

describe('what cannot be loaded', () => {
  const lost = {
    name: 'ConnectionError',
    cause: {
      reason: expect.stringContaining('A part of Parley could not be loaded'),
      fatal: false,
      initiator: 'network',
    },
  }
  const no = () => {
    throw new Error('No network.')
  }

  /** `work` is done where the module cannot be loaded; `again` where it can. */
  async function without(path: string, make: (parley: typeof import('../src/index.ts')) => () => Promise<void>) {
    vi.resetModules()
    vi.doMock(path, no)
    const connect = make(await import('../src/index.ts'))
    await expect(connect()).rejects.toMatchObject(lost)
    await expect(connect()).rejects.toMatchObject(lost)
    vi.doUnmock(path)
    vi.resetModules()
    await connect()
  }

  test.each([['../src/session/door.ts'], ['../src/transports/websocket.ts']])(
    'is said by connect() of a transport alone, and loaded when it is asked again: %s',
    async (path) => {
      const far = await listening()
      await without(path, ({ OpenAIRealtimeWebSocket }) => {
        const transport = new OpenAIRealtimeWebSocket({ url: far.url, apiKey: 'k' })
        onTestFinished(() => transport.close())
        transport.sendEvent(early)
        return () => transport.connect()
      })
      await far.lines[0]!.hears(({ item_id }) => item_id === 'early')
      expect(far.asked()).toBe(1)
    },
  )

  test.each([
    ['the app’s own', '../src/agents/backstage.ts', true],
    ['the app’s own', '../src/transports/websocket.ts', true],
    ["the session's", '../src/transports/websocket.ts', false],
  ])('is said by connect() of a session over a transport that is %s: %s', async (_, path, isGiven) => {
    const far = await listening()
    await without(path, ({ OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession }) => {
      const transport = isGiven ? new OpenAIRealtimeWebSocket() : 'websocket'
      const session = new RealtimeSession(new RealtimeAgent({ name: 'A' }), { transport, apiKey: 'k' })
      onTestFinished(() => session.close())
      return () => session.connect({ url: far.url })
    })
    expect(far.asked()).toBe(1)
  })
})
