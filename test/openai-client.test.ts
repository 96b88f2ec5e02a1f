/** The `openai` package's own realtime client holds a call with our server. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import OpenAI from 'openai'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import type { RealtimeClientEvent } from 'openai/resources/realtime/realtime'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { level, toBytes, toSamples } from '../src/audio/pcm.ts'
import { readWav } from '../src/audio/wav.ts'
import { textOf } from '../src/conversation/conversation.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import { type Server, serve } from '../src/server/listen.ts'
import type { Thought, Utterance } from '../src/server/senses.ts'
import { scriptedEars, toneVoice } from '../src/testing/senses.ts'
import { certificate, type Mailbox, mailbox, type Told, wrongSoFar } from './line.ts'

const question = 'Where is my order?'
const tls = certificate()
let server: Server
let realtime: OpenAIRealtimeWS
let told: Mailbox
let errors: string[]
let closed: Promise<readonly unknown[]>

beforeAll(async () => {
  server = await serve({
    ...tls,
    port: 0,
    apiKeys: ['test-key'],
    brain: scripted(clerk),
    ears: scriptedEars([question]),
    voice: toneVoice({ msPerLetter: 20 }),
    pace: Number.POSITIVE_INFINITY,
  })
})
afterAll(() => server.close())
afterEach(async () => {
  realtime.close()
  await closed
  expect(wrongSoFar(), 'what the official types do not have').toEqual([])
})

/** Asks the tool for an order, and tells what it said. */
function clerk({ items, tools }: Thought): readonly Utterance[] {
  const last = items.at(-1)!
  if (last.type === 'function_call_output') return [{ type: 'say', text: `It is ${last.output}.` }]
  if (tools.length) return [{ type: 'call', name: 'look_up_order', arguments: { order: 12345 } }]
  return [{ type: 'say', text: `You said: ${textOf(last)}` }]
}

/** Connects as the package's README does. */
function connect(apiKey = 'test-key'): void {
  const client = new OpenAI({ apiKey, baseURL: `https://127.0.0.1:${server.port}/v1` })
  realtime = new OpenAIRealtimeWS({ model: 'gpt-realtime-2.1', options: { ca: tls.cert } }, client)
  told = mailbox()
  errors = []
  closed = once(realtime.socket, 'close')
  closed.then(() => told.end())
  realtime.on('event', (event) => told.put(event as Told))
  realtime.on('error', ({ message }) => errors.push(message))
}

/** Connects, and says what it is: a call may begin. */
async function call(): Promise<void> {
  connect()
  await told.next('session.created')
}

function written(text: string): RealtimeClientEvent {
  return {
    type: 'conversation.item.create',
    item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
  }
}

test('it holds a text turn', async () => {
  await call()
  let streamed = ''
  realtime.on('response.output_text.delta', ({ delta }) => {
    streamed += delta
  })
  realtime.send({ type: 'session.update', session: { type: 'realtime', output_modalities: ['text'] } })
  realtime.send(written('good morning'))
  realtime.send({ type: 'response.create' })
  const { response } = await told.next('response.done')
  expect(response.status).toBe('completed')
  expect(response.output).toMatchObject([
    { role: 'assistant', content: [{ type: 'output_text', text: 'You said: good morning' }] },
  ])
  expect(streamed).toBe('You said: good morning')
  expect(errors).toEqual([])
})

test('it holds a tool turn', async () => {
  await call()
  const tool = { type: 'function', name: 'look_up_order', parameters: { type: 'object' } } as const
  realtime.send({ type: 'session.update', session: { type: 'realtime', output_modalities: ['text'], tools: [tool] } })
  realtime.send(written(question))
  realtime.send({ type: 'response.create' })
  const { call_id, name, arguments: args } = await told.next('response.function_call_arguments.done')
  expect([name, JSON.parse(args)]).toEqual(['look_up_order', { order: 12345 }])
  const asked = await told.next('response.done')
  expect(asked.response.output).toMatchObject([{ type: 'function_call', status: 'completed', call_id }])

  realtime.send({
    type: 'conversation.item.create',
    item: { type: 'function_call_output', call_id, output: 'on its way' },
  })
  realtime.send({ type: 'response.create' })
  const { response } = await told.next('response.done')
  expect(response.output).toMatchObject([{ content: [{ text: 'It is on its way.' }] }])
  expect(errors).toEqual([])
})

test('it holds an audio turn, whose end the server hears', async () => {
  await call()
  const audio: Buffer[] = []
  let transcript = ''
  realtime.on('response.output_audio.delta', ({ delta }) => audio.push(Buffer.from(delta, 'base64')))
  realtime.on('response.output_audio_transcript.delta', ({ delta }) => {
    transcript += delta
  })
  realtime.send({
    type: 'session.update',
    session: { type: 'realtime', audio: { input: { transcription: { model: 'gpt-transcribe' } } } },
  })
  const { samples, rate } = readWav(readFileSync('fixtures/caller/order.wav'))
  for (let at = 0; at < samples.length; at += rate / 10) {
    const frame = toBytes(samples.subarray(at, at + rate / 10))
    realtime.send({ type: 'input_audio_buffer.append', audio: Buffer.from(frame).toString('base64') })
  }
  const { response } = await told.next('response.done')
  await told.next('rate_limits.updated')

  const types = told.events.map(({ type }) => type).filter((type) => !type.endsWith('.delta'))
  expect(types).toEqual([
    'session.created',
    'session.updated',
    'input_audio_buffer.speech_started',
    'input_audio_buffer.speech_stopped',
    'input_audio_buffer.committed',
    'conversation.item.added',
    'conversation.item.done',
    'response.created',
    'conversation.item.input_audio_transcription.completed',
    'response.output_item.added',
    'conversation.item.added',
    'response.content_part.added',
    'response.output_audio.done',
    'response.output_audio_transcript.done',
    'response.content_part.done',
    'conversation.item.done',
    'response.output_item.done',
    'response.done',
    'rate_limits.updated',
  ])
  expect(response).toMatchObject({ status: 'completed', output: [{ content: [{ type: 'output_audio', transcript }] }] })
  expect(transcript).toBe(`You said: ${question}`)
  const heard = Buffer.concat(audio)
  expect(heard.length).toBe(transcript.length * 20 * 48)
  expect(level(toSamples(heard))).toBeGreaterThan(-20)
  expect(errors).toEqual([])
})

test('it tells of an error as the server words it, and the call goes on', async () => {
  await call()
  const refused = new Promise<object>((resolve) => realtime.on('error', resolve))
  realtime.send({ type: 'conversation.item.delete', item_id: 'item_none', event_id: 'mine_1' })
  expect(await refused).toMatchObject({
    error: {
      type: 'invalid_request_error',
      code: 'item_delete_invalid_item_id',
      message: "Error deleting item: the item with id 'item_none' does not exist.",
      param: 'item_id',
      event_id: 'mine_1',
    },
  })
  realtime.send({ type: 'session.update', session: { type: 'realtime', instructions: 'Be brief.' } })
  expect((await told.next('session.updated')).session).toMatchObject({ instructions: 'Be brief.' })
})

test('it tells of a key that is not let in', async () => {
  connect('another')
  const refused = new Promise<object>((resolve) => realtime.on('error', resolve))
  expect(await refused).toMatchObject({ error: { code: 'invalid_api_key' } })
  const [code] = await closed
  expect(code).toBe(3000)
})
