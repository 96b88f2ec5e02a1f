/** A session over a real WebSocket, and a far end that does its worst at every stage of a call; the next one is well-behaved. */
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RealtimeAgent } from '../src/agents/agent.ts'
import { RealtimeSession } from '../src/agents/session.ts'
import { tool } from '../src/agents/tool.ts'
import { type Conversation, empty, evolve, itemsOf, textOf } from '../src/conversation/conversation.ts'
import { retell } from '../src/conversation/retell.ts'
import type { Item, KnownServerEvent } from '../src/protocol/events.ts'
import { mulberry32 } from '../src/protocol/random.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import { converse } from '../src/server/converse.ts'
import { realClock } from '../src/session/clock.ts'
import type { Reconnect } from '../src/session/state.ts'
import { scriptedEars, toneVoice } from '../src/testing/senses.ts'
import { type FarLine, type FarSocket, farSocket, notices, type Said } from './far-socket.ts'

const nothing = (): void => {}
/** What would have ended the process. */
const deadly: unknown[] = []
const closing: (() => unknown)[] = []
let die: (error: unknown) => void
let death: Promise<never>
const note = (error: unknown) => {
  deadly.push(error)
  die(error)
}
beforeEach(() => {
  death = new Promise((_, reject) => {
    die = reject
  })
  death.catch(nothing)
  process.on('uncaughtException', note)
  process.on('unhandledRejection', note)
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  process.off('uncaughtException', note)
  process.off('unhandledRejection', note)
  deadly.length = 0
})

/** The local server's own rules, on a socket. Gives what it holds of the conversation. */
function behave(line: FarLine): () => Conversation {
  let conversation = empty
  const call = converse({
    clock: realClock,
    random: mulberry32(1),
    ears: scriptedEars([]),
    brain: scripted(() => [{ type: 'say', text: 'All is well.' }]),
    voice: toneVoice({ msPerLetter: 1 }),
    pace: Number.POSITIVE_INFINITY,
    emit(event) {
      conversation = evolve(conversation, event)
      line.say(event)
    },
    hangUp: (code, reason) => line.socket.close(code, reason),
  })
  line.socket.on('message', (data) => call.hear(JSON.parse(String(data))))
  line.socket.on('close', () => call.ended())
  return () => conversation
}

// ── the worst that a far end does ───────────────────────────────────────────────────────────────────────────────────

const audio = Buffer.alloc(4_800, 7).toString('base64')
const inPart = { event_id: 'e', response_id: 'resp_1', item_id: 'item_1', output_index: 0, content_index: 0 }
const part = { type: 'audio', transcript: 'Hel' }
const message = {
  id: 'item_1',
  object: 'realtime.item',
  type: 'message',
  status: 'in_progress',
  role: 'assistant',
  content: [{ type: 'output_audio', transcript: 'Hel' }],
}
const call = { id: 'item_2', type: 'function_call', status: 'completed', call_id: 'c', name: 'sky', arguments: '{}' }
const tokens = { text_tokens: 1, audio_tokens: 2, cached_tokens: 3 }
const usage = {
  total_tokens: 3,
  input_tokens: 1,
  output_tokens: 2,
  input_token_details: tokens,
  output_token_details: tokens,
}
const response = {
  id: 'resp_1',
  object: 'realtime.response',
  status: 'failed',
  status_details: { type: 'failed', reason: 'r', error: { type: 't', code: 'c', message: 'm' } },
  output: [message, call],
  conversation_id: 'conv_1',
  usage,
  metadata: { a: 'b' },
}
const item = { event_id: 'e', item_id: 'item_1' }
const mcp = { event_id: 'e', item_id: 'item_3', output_index: 0 }
const session = { type: 'realtime', model: 'm', audio: { output: { format: { type: 'audio/pcm', rate: 24_000 } } } }

/** One of each, whole. */
const known: Readonly<Record<KnownServerEvent['type'], object>> = {
  'session.created': { session },
  'session.updated': { session },
  'conversation.created': { conversation: { id: 'conv_1' } },
  'rate_limits.updated': { rate_limits: [{ name: 'tokens', limit: 1, remaining: 1, reset_seconds: 1 }] },
  error: { error: { type: 't', code: 'c', message: 'm', param: null, event_id: 'say_1' } },
  'conversation.item.created': { previous_item_id: null, item: message },
  'conversation.item.added': { previous_item_id: 'item_0', item: message },
  'conversation.item.done': { previous_item_id: 'item_0', item: { ...message, status: 'completed' } },
  'conversation.item.retrieved': { item: message },
  'conversation.item.deleted': item,
  'conversation.item.truncated': { ...item, content_index: 0, audio_end_ms: 10 },
  'conversation.item.input_audio_transcription.delta': { ...item, content_index: 0, delta: 'd', logprobs: null },
  'conversation.item.input_audio_transcription.completed': { ...item, content_index: 0, transcript: 't', usage },
  'conversation.item.input_audio_transcription.failed': {
    ...item,
    content_index: 0,
    error: { code: 'c', message: 'm' },
  },
  'conversation.item.input_audio_transcription.segment': {
    ...item,
    id: 's',
    text: 't',
    speaker: 's',
    start: 0,
    end: 1,
  },
  'input_audio_buffer.speech_started': { ...item, audio_start_ms: 10 },
  'input_audio_buffer.speech_stopped': { ...item, audio_end_ms: 10 },
  'input_audio_buffer.committed': { ...item, previous_item_id: null },
  'input_audio_buffer.cleared': { event_id: 'e' },
  'input_audio_buffer.timeout_triggered': { ...item, audio_start_ms: 0, audio_end_ms: 10 },
  'input_audio_buffer.dtmf_event_received': { event: '1', received_at: 1 },
  'output_audio_buffer.started': { response_id: 'resp_1' },
  'output_audio_buffer.stopped': { response_id: 'resp_1' },
  'output_audio_buffer.cleared': { response_id: 'resp_1' },
  'response.created': { response },
  'response.done': { response },
  'response.output_item.added': { ...inPart, item: message },
  'response.output_item.done': { ...inPart, item: call },
  'response.content_part.added': { ...inPart, part },
  'response.content_part.done': { ...inPart, part },
  'response.output_text.delta': { ...inPart, delta: 'd' },
  'response.output_text.done': { ...inPart, text: 't' },
  'response.output_audio_transcript.delta': { ...inPart, delta: 'd' },
  'response.output_audio_transcript.done': { ...inPart, transcript: 't' },
  'response.output_audio.delta': { ...inPart, delta: audio },
  'response.output_audio.done': inPart,
  'response.function_call_arguments.delta': { ...inPart, item_id: 'item_2', call_id: 'c', delta: '{' },
  'response.function_call_arguments.done': { ...inPart, item_id: 'item_2', call_id: 'c', name: 'sky', arguments: '{}' },
  'mcp_list_tools.in_progress': mcp,
  'mcp_list_tools.completed': mcp,
  'mcp_list_tools.failed': mcp,
  'response.mcp_call_arguments.delta': { ...mcp, delta: '{' },
  'response.mcp_call_arguments.done': { ...mcp, arguments: '{}' },
  'response.mcp_call.in_progress': mcp,
  'response.mcp_call.completed': mcp,
  'response.mcp_call.failed': mcp,
}
const wrong = [
  undefined,
  null,
  0,
  -1,
  1e308,
  true,
  '',
  'x',
  '__proto__',
  [],
  [null],
  [{}],
  {},
  { id: 'x', type: 'message' },
]

/** `value` with each of its fields, at any depth, left out and in every wrong type. */
function* mutants(value: unknown): Generator<unknown> {
  if (typeof value !== 'object' || value === null) return
  for (const [name, field] of Object.entries(value)) {
    const put = (other: unknown) =>
      Array.isArray(value) ? value.map((old, at) => (String(at) === name ? other : old)) : { ...value, [name]: other }
    for (const other of wrong) yield put(other)
    for (const other of mutants(field)) yield put(other)
  }
  if (!Array.isArray(value)) for (const other of wrong) yield { ...value, audio: other, constructor: other }
}

const each =
  <Value>(values: readonly Value[], send: (line: FarLine, value: Value) => void) =>
  (line: FarLine): void => {
    for (const value of values) send(line, value)
  }
const text = JSON.stringify({ type: 'response.output_audio.delta', ...known['response.output_audio.delta'] })
const whole = Object.entries(known).map(([type, fields]) => ({ ...fields, type }))
/** What is sent, as frames; the line stays. */
const noises: readonly (readonly [string, (line: FarLine) => void])[] = [
  ['garbage', each(['', 'x', '{', 'null', '[]', '{}', '1', '"', '\0', '{"type":7}'], (line, s) => line.socket.send(s))],
  ['half frames', each([1, 20, 600, text.length - 1], (line, end) => line.socket.send(text.slice(0, end)))],
  [
    'a frame in pieces',
    each([...[...text].entries()], ({ socket }, [n, s]) => socket.send(s, { fin: n === text.length - 1 })),
  ],
  ['unknown events', each(['x', 'response.cancelled', 'constructor', ''], (line, type) => line.say({ type, x: [1] }))],
  [
    'unknown fields',
    each(
      whole.filter(({ type }) => type !== 'session.updated'),
      (line, event) => line.say({ ...event, audio: 1 }),
    ),
  ],
  [
    'huge frames',
    each(['x', 'response.output_audio.delta'], (line, type) =>
      line.say({ ...inPart, type, delta: 'A'.repeat(2 ** 21) }),
    ),
  ],
  ['a deep frame', ({ socket }) => socket.send(`{"type":"x","x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`)],
  [
    'binary frames',
    each([Buffer.from(text), Buffer.alloc(0), Buffer.alloc(100_000)], (line, b) => line.socket.send(b)),
  ],
  ['text that is no UTF-8', ({ socket }) => socket.send(Buffer.from([0xc3, 0x28]), { binary: false })],
  [
    'events of other lines',
    each(
      whole.filter(({ type }) => type !== 'session.updated'),
      (line, event) => line.say(event),
    ),
  ],
  [
    'a call again and again',
    each([1, 2, 3], (line) => line.say({ ...inPart, type: 'response.output_item.done', item: call })),
  ],
]
/** What ends the line. */
const ends: readonly (readonly [string, boolean, (line: FarLine) => void])[] = [
  ...[1000, 1001, 1011, 1012, 1013, 4999].map(
    (code) => [`close ${code}`, false, (line: FarLine) => line.socket.close(code, 'Their words')] as const,
  ),
  ...[1008, 3000, 4000].map(
    (code) => [`close ${code}`, true, (line: FarLine) => line.socket.close(code, 'Their words')] as const,
  ),
  ['a close without a code', false, ({ socket }) => socket.close()],
  ['a destroyed socket', false, ({ raw }) => raw.destroy()],
  ['a reset socket', false, ({ raw }) => raw.resetAndDestroy()],
  ['an end without a close', false, ({ raw }) => raw.end()],
  ['bytes that are no frame', false, ({ raw }) => raw.write(Buffer.alloc(64, 0xff))],
  ['a frame in half', false, ({ raw }) => raw.end(Buffer.from([0x81, 0x7e, 0x10, 0x00, 0x7b, 0x22]))],
]

// ── the stages of a call ────────────────────────────────────────────────────────────────────────────────────────────

type Stage = (line: FarLine, sky: Sky) => Promise<unknown>
const joined: Stage = async (line) => {
  line.say({ type: 'session.created', ...known['session.created'] })
  await line.hears(({ type }) => type === 'session.update')
  line.say({ type: 'session.updated', ...known['session.updated'] })
}
const inResponse: Stage = async (line, sky) => {
  await joined(line, sky)
  await line.hears(({ type }) => type === 'response.create')
  line.say({ type: 'response.created', response: { ...response, status: 'in_progress', output: [], usage: null } })
  line.say({ type: 'response.output_item.added', ...inPart, item: { ...message, content: [] } })
  line.say({ type: 'conversation.item.added', item: { ...message, content: [] }, previous_item_id: null })
  line.say({ type: 'response.content_part.added', ...inPart, part: { type: 'audio', transcript: '' } })
}
const inAudio: Stage = async (line, sky) => {
  await inResponse(line, sky)
  line.say({ type: 'response.output_audio_transcript.delta', ...inPart, delta: 'Hel' })
  for (let n = 0; n < 3; n++) line.say({ type: 'response.output_audio.delta', ...inPart, delta: audio })
}
const making: Stage = async (line, sky) => {
  await inResponse(line, sky)
  const began = { ...call, status: 'in_progress', arguments: '' }
  line.say({ type: 'response.output_item.added', ...inPart, output_index: 1, item: began })
  line.say({ type: 'conversation.item.added', item: began, previous_item_id: 'item_1' })
  line.say({ type: 'response.function_call_arguments.done', ...known['response.function_call_arguments.done'] })
  line.say({ type: 'conversation.item.done', item: call, previous_item_id: 'item_1' })
  line.say({ type: 'response.output_item.done', ...inPart, output_index: 1, item: call })
}
const inCall: Stage = async (line, sky) => {
  sky.hold()
  await making(line, sky)
  await sky.running()
}
const answered: Stage = async (line, sky) => {
  await making(line, sky)
  const { item } = await line.hears(isOutput)
  line.say({ type: 'conversation.item.added', item, previous_item_id: call.id })
  line.say({ type: 'conversation.item.done', item, previous_item_id: call.id })
}
const isOutput = ({ item }: Said) => (item as Item | undefined)?.type === 'function_call_output'
const stages: readonly (readonly [string, Stage])[] = [
  ['when the line opens', async () => {}],
  ['when the session has joined', joined],
  ['in the middle of a response', inResponse],
  ['in the middle of audio', inAudio],
  ['while a tool runs', inCall],
  ['when a tool has answered', answered],
]
const stagesWithCall: readonly Stage[] = [inCall, answered]
const all = stages.map(([, stage]) => stage)
/** What of the noise makes a call where there was none, and when: one of a response that nobody gives is none. */
const noisesWithCall: Readonly<Record<string, readonly Stage[]>> = {
  'a call again and again': [inResponse, inAudio, ...stagesWithCall],
  'unknown fields': all,
  'events of other lines': all,
}

/** A tool that the far end calls. */
interface Sky {
  /** The calls that it was run for, in order. */
  readonly ran: readonly string[]
  /** It does not answer before it is released. */
  hold(): void
  release(): void
  /** Resolves when it runs. */
  running(): Promise<unknown>
}

function skyTool(): { readonly sky: Sky; readonly run: (call: string) => Promise<string> } {
  const ran: string[] = []
  const news = notices()
  let held: Promise<void> | null = null
  let release = nothing
  const sky: Sky = {
    ran,
    hold() {
      held = new Promise((resolve) => {
        release = resolve
      })
    },
    release: () => release(),
    running: () => news.until(() => ran.length || undefined),
  }
  async function run(call_id: string): Promise<string> {
    ran.push(call_id)
    news.tell()
    await held
    return 'sunny'
  }
  return { sky, run }
}

interface Scene {
  readonly session: RealtimeSession
  readonly far: FarSocket
  readonly sky: Sky
  /** What the line that behaves holds of the conversation. */
  held(): Conversation
  /** Resolves when `look` finds something in the session. */
  until<Found>(look: () => Found | undefined): Promise<Found>
}

/** The first line is hostile; all further ones behave. */
async function scene(
  hostile: (line: FarLine, sky: Sky) => Promise<void>,
  upgrade?: (socket: Socket) => void,
  reconnect: Partial<Reconnect> = {},
): Promise<Scene> {
  const { sky, run } = skyTool()
  let held = () => empty
  const far = await farSocket({
    upgrade: (socket, nth) => {
      if (nth === 0 && upgrade) upgrade(socket)
      return nth === 0 && upgrade !== undefined
    },
    line(line, nth) {
      if (nth === 0 && !upgrade) void hostile(line, sky)
      else held = behave(line)
    },
  })
  closing.push(far.close)
  const look = tool({
    name: 'sky',
    description: 'The sky now.',
    execute: (_input, _context, details) => run(details?.toolCall?.callId ?? ''),
  })
  const session = new RealtimeSession(new RealtimeAgent({ name: 'A', tools: [look] }), {
    apiKey: 'k',
    seed: 1,
    reconnect,
  })
  closing.push(() => session.close())
  const news = notices()
  session.subscribe(news.tell)
  for (const name of ['error', 'audio', 'transport_event', 'history_updated', 'history_added'] as const)
    session.on(name, nothing)
  session.connect({ url: far.url }).catch(nothing)
  session.sendMessage('Hello?')
  return { session, far, sky, held: () => held(), until: (look) => Promise.race([news.until(look), death]) }
}

/** The session is on a line that behaves, and a question of ours is answered there. */
async function answers({ session, far, until }: Scene): Promise<void> {
  await until(() => (far.lines.length > 0 && session.state.link.at === 'live') || undefined)
  await until(() => (session.state.conversation.responses.length === 0 && !session.state.turn.asked) || undefined)
  session.sendMessage('Are you there?')
  await until(() => {
    const at = session.history.findLastIndex((item) => item.type === 'message' && item.role === 'user')
    const after = session.state.pending.length ? [] : session.history.slice(at + 1)
    return after.find((item) => item.status === 'completed' && JSON.stringify(item).includes('All is well.'))
  })
}

/** Both ends hold the same, word for word; each call was run once, and has one output. */
async function holds({ session, sky, held, until }: Scene): Promise<void> {
  await until(() => (isQuiet(session.state) && !session.state.pending.length) || undefined)
  // What was said before it has been done when it is accepted.
  await session.updateConfig({ toolChoice: 'auto' })
  const { conversation, playback } = session.state
  const ours = retell(conversation, playback.cuts).map(({ item }) => shortOf(item))
  expect(itemsOf(held()).map(shortOf)).toEqual(ours)
  expect(callsIn(conversation, 'function_call')).toEqual(sky.ran)
  expect(callsIn(held(), 'function_call')).toEqual(sky.ran)
  expect(callsIn(held(), 'function_call_output')).toEqual(sky.ran)
}

function isQuiet({ conversation, turn }: RealtimeSession['state']): boolean {
  return conversation.responses.length === 0 && !turn.asked && turn.owed.length === 0
}

function callsIn(conversation: Conversation, type: 'function_call' | 'function_call_output'): readonly string[] {
  return itemsOf(conversation).flatMap((item) => (item.type === type && 'call_id' in item ? [item.call_id] : []))
}

const shortOf = (item: Item) => `${item.id} ${item.type}: ${textOf(item)}`

/** Resolves when the line that was hostile is lost; with the cause, which is named. */
function lost({ session, far, until }: Scene): Promise<void> {
  return until(() => {
    const { link } = session.state
    if ('cause' in link && link.cause) expect(link.cause.reason).toMatch(/\w{3}/)
    return ('cause' in link && link.cause !== null) || far.lines.length > 1 || undefined
  }).then(nothing)
}

describe.each(stages)('%s', (_, stage) => {
  const outputsOn = ({ far }: Scene, nth: number) => far.lines[nth]!.heard.filter(isOutput).length
  const callsMade = stagesWithCall.includes(stage) ? ['c'] : []

  test.each(noises)('%s: the session lives on, and talks on the next line', async (name, noise) => {
    const played = await scene(async (line, sky) => {
      await stage(line, sky)
      noise(line)
      line.socket.close(1012, 'Maintenance')
    })
    await lost(played)
    if (callsMade.length) expect(outputsOn(played, 0)).toBe(stage === answered ? 1 : 0)
    played.sky.release()
    await answers(played)
    await holds(played)
    expect(played.sky.ran).toEqual(noisesWithCall[name]?.includes(stage) ? ['c'] : callsMade)
    expect(deadly).toEqual([])
  })

  test.each(ends)('%s (fatal: %s): the cause is named, and what can go on goes on', async (_, fatal, end) => {
    const played = await scene(async (line, sky) => {
      await stage(line, sky)
      end(line)
    })
    await lost(played)
    played.sky.release()
    expect(played.sky.ran).toEqual(callsMade)
    if (!fatal) {
      await answers(played)
      await holds(played)
      expect(played.sky.ran).toEqual(callsMade)
    } else {
      expect(played.session.state.link).toMatchObject({ at: 'closed', cause: { fatal: true } })
      expect(played.far.lines).toHaveLength(1)
    }
    expect(deadly).toEqual([])
  })
})

describe('before the line opens', () => {
  test.each<[string, (socket: Socket) => void]>([
    ['nothing, and the end', (socket) => socket.end()],
    ['a reset', (socket) => socket.resetAndDestroy()],
    ['garbage', (socket) => socket.end('\0\x01garbage\r\n\r\n')],
    ['half an answer', (socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: webs')],
    [
      'an upgrade to something else',
      (socket) => socket.end('HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    ],
    [
      'a wrong handshake',
      (socket) => socket.end('HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
    ],
    ['no upgrade', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')],
    ['a redirect to nowhere', (socket) => socket.end('HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\n\r\n')],
    ['a refusal cut in half', (socket) => socket.end('HTTP/1.1 503 X\r\nContent-Length: 100\r\n\r\n{"error":')],
    ['a failure', (socket) => socket.end('HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n')],
  ])('%s: the session dials again, and talks', async (_, upgrade) => {
    const played = await scene(async () => {}, upgrade)
    await answers(played)
    expect(deadly).toEqual([])
  })
})

/** What the app is handed is of the types that it was promised. */
function shaped({ session }: Scene): void {
  const { transcription, ...sums } = session.usage
  const counts = [...Object.values(sums), ...Object.values(transcription).flatMap((use) => Object.values(use))]
  expect(counts.filter((count) => !Number.isFinite(count))).toEqual([])
  for (const item of session.history) {
    const words =
      item.type === 'message' ? item.content.map((part) => Object.values(part).filter((x) => x !== null)) : []
    expect([...words.flat(), item.itemId].filter((word) => typeof word !== 'string')).toEqual([])
  }
}

describe('every field left out, and in every wrong type', () => {
  const mutated = ({ type, ...fields }: { readonly type: string }) =>
    [...mutants(fields)].map((mutant) => ({ ...(mutant as object), type }))

  test.each(whole.map((event) => [event.type, event] as const))('%s: the session talks on', async (_, event) => {
    const played = await scene(async (line, sky) => {
      await inAudio(line, sky)
      for (const said of [event, ...mutated(event)]) line.say(said)
      line.socket.close(1012, 'Maintenance')
    })
    await lost(played)
    shaped(played)
    await answers(played)
    expect(deadly).toEqual([])
  })

  test.each([1, 2, 3, 4, 5, 6])('2 000 of them in any order, seed %i: the session talks on', async (seed) => {
    const random = mulberry32(seed)
    const all = whole.flatMap((event) => [event, ...mutated(event)])
    const played = await scene(async (line, sky) => {
      await stages[seed % stages.length]![1](line, sky)
      for (let n = 0; n < 2_000; n++) line.say(all[Math.floor(random() * all.length)]!)
      line.socket.close(1012, 'Maintenance')
    })
    await lost(played)
    shaped(played)
    await answers(played)
    expect(deadly).toEqual([])
  })
})

describe('a far end that says nothing', () => {
  const reconnect = { timeoutMs: 200 }

  test('instead of answering the upgrade: the session dials again, and talks', async () => {
    const played = await scene(async () => {}, nothing, reconnect)
    await lost(played)
    expect(played.session.state.link).toMatchObject({ cause: { code: 'timeout', initiator: 'network' } })
    await answers(played)
    expect(deadly).toEqual([])
  })

  test('instead of accepting the config: the session dials again, and talks', async () => {
    const played = await scene(async () => {}, undefined, reconnect)
    await lost(played)
    expect(played.session.state.link).toMatchObject({ cause: { code: 'timeout', initiator: 'network' } })
    await answers(played)
    expect(deadly).toEqual([])
  })
})
