/** What the transports that are made by name have in common with a session's own: alone and under a session. */
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  OpenAIRealtimeWebRTC,
  OpenAIRealtimeWebSocket,
  RealtimeAgent,
  type RealtimeItem,
  RealtimeSession,
} from '../src/index.ts'
import { farRtc } from './far-rtc.ts'
import { farSocket, notices, type Said } from './far-socket.ts'
import { platform } from './werift-platform.ts'

const ways = ['WebSocket', 'WebRTC'] as const
const places = ['alone', 'under a session'] as const
type Way = (typeof ways)[number]
type Place = (typeof places)[number]

interface Line {
  readonly heard: readonly Said[]
  hears(is: (event: Said) => boolean): Promise<Said>
  say(event: object): void
}

async function made(way: Way, place: Place) {
  const accept = (line: Line) =>
    void line
      .hears(({ type }) => type === 'session.update')
      .then(() => line.say({ type: 'session.updated', event_id: 'e', session: { type: 'realtime' } }))
  const far = way === 'WebRTC' ? await farRtc({ line: accept }) : await farSocket({ line: accept })
  onTestFinished(far.close)
  // What is tried here, both have.
  const transport =
    way === 'WebRTC'
      ? (new OpenAIRealtimeWebRTC({ ...platform(), baseUrl: far.url, apiKey: 'k' } as never) as never)
      : new OpenAIRealtimeWebSocket({ url: far.url, apiKey: 'k' })
  const session =
    place === 'alone'
      ? null
      : new RealtimeSession(new RealtimeAgent({ name: 'A' }), { transport, apiKey: 'k', seed: 1 })
  onTestFinished(() => (session ?? transport).close())
  return {
    transport,
    session,
    async connect(): Promise<Line> {
      await (session ? session.connect({ url: far.url }) : transport.connect())
      return far.lines[0]!
    },
  }
}

const scenes = ways.flatMap((way) => places.map((place) => [way, place] as const))
const added = (item: object, previous_item_id: string | null) => ({
  type: 'conversation.item.added',
  event_id: 'e',
  item,
  previous_item_id,
})
const hello = { id: 'u', type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello.' }] }
const call = { id: 'c', type: 'function_call', call_id: 'k', name: 'sky', arguments: '{}', status: 'completed' }
const output = { id: 'o', type: 'function_call_output', call_id: 'k', output: 'sunny', status: 'completed' }
const spoken = { id: 's', type: 'message', role: 'user', content: [{ type: 'input_audio', transcript: null }] }

describe.each(scenes)('%s, %s', (way, place) => {
  test('item_update gives items as the history has them, and the answer of a tool with its call', async () => {
    const { transport, session, connect } = await made(way, place)
    const told: RealtimeItem[] = []
    const news = notices()
    transport.on('item_update', (item: RealtimeItem) => {
      told.push(item)
      news.tell()
    })
    const line = await connect()
    line.say(added(hello, null))
    line.say(added(call, 'u'))
    line.say(added(output, 'c'))
    line.say(added(spoken, 'o'))
    line.say({
      type: 'conversation.item.input_audio_transcription.completed',
      event_id: 'e',
      item_id: 's',
      content_index: 0,
      transcript: 'And now?',
    })
    await news.until(() => (told.length >= 5 ? true : undefined))
    const shown = { origin: 'live', status: 'completed' }
    const first = { ...shown, itemId: 'u', previousItemId: null, type: 'message', role: 'user', content: hello.content }
    const sky = { ...shown, itemId: 'c', previousItemId: 'u', type: 'function_call', callId: 'k', name: 'sky' }
    const voice = { ...shown, itemId: 's', previousItemId: 'c', type: 'message', role: 'user' }
    const words = (transcript: string | null) => [{ type: 'input_audio', transcript }]
    expect(told).toEqual([
      first,
      { ...sky, arguments: '{}', output: null },
      { ...sky, arguments: '{}', output: 'sunny' },
      { ...voice, content: words(null), transcriptStatus: expect.any(String) },
      { ...voice, content: words('And now?'), transcriptStatus: 'final' },
    ])
    if (session)
      expect([told[0], told[2], told[4]].map((item, n) => item === session.history[n])).toEqual([true, true, true])
  })

  test('sendMessage() takes text, and what a session takes', async () => {
    const { transport, connect } = await made(way, place)
    const quietly = { triggerResponse: false }
    const image = 'data:image/png;base64,AAAA'
    transport.sendMessage(
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'one' }] },
      {},
      quietly,
    )
    const line = await connect()
    const content = [
      { type: 'input_text', text: 'two' },
      { type: 'input_image', image },
    ] as const
    transport.sendMessage({ content }, {}, quietly)
    transport.sendMessage('three', {}, quietly)
    const said = ({ type, item }: Said) => (type === 'conversation.item.create' ? (item as Said)['content'] : undefined)
    await line.hears((event) => JSON.stringify(said(event))?.includes('three') ?? false)
    expect(line.heard.map(said).filter(Boolean)).toEqual([
      [{ type: 'input_text', text: 'one' }],
      [
        { type: 'input_text', text: 'two' },
        { type: 'input_image', image_url: image },
      ],
      [{ type: 'input_text', text: 'three' }],
    ])
  })

  test('once() hears the next one only, and off() takes it back', async () => {
    const { transport, connect } = await made(way, place)
    const told: string[] = []
    const never = () => told.push('never')
    expect(transport.once('connection_change', (status) => told.push(status))).toBe(transport)
    transport.once('connection_change', never)
    transport.off('connection_change', never)
    await connect()
    transport.close()
    expect([told, transport.status]).toEqual([['connecting'], 'disconnected'])
  })
})

test('the transport that a session has by itself has the same', async () => {
  const accept = (line: Line) =>
    void line
      .hears(({ type }) => type === 'session.update')
      .then(() => line.say({ type: 'session.updated', event_id: 'e', session: { type: 'realtime' } }))
  const far = await farSocket({ line: accept })
  onTestFinished(far.close)
  const session = new RealtimeSession(new RealtimeAgent({ name: 'A' }), {
    transport: 'websocket',
    apiKey: 'k',
    seed: 1,
  })
  onTestFinished(() => session.close())
  const { transport } = session
  const told: string[] = []
  transport.once('connection_change', (status) => told.push(status))
  const updated = new Promise<RealtimeItem>((resolve) => {
    transport.once('item_update', resolve)
  })
  transport.sendMessage({ content: [{ type: 'input_text', text: 'one' }] }, {}, { triggerResponse: false })
  await session.connect({ url: far.url })
  const line = far.lines[0]!
  const { item } = await line.hears(({ type }) => type === 'conversation.item.create')
  expect(item).toMatchObject({ content: [{ type: 'input_text', text: 'one' }] })
  line.say(added(item as object, null))
  expect(await updated).toBe(session.history[0])
  expect(told).toEqual(['connecting'])
})
