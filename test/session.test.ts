/** A session and the app around it: listeners and speakers that do what they like, the order of events, transports that are told. */
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import {
  OpenAIRealtimeWebSocket,
  type OpenAIRealtimeWebSocketEvents,
  type OutputGuardrail,
  RealtimeAgent,
  RealtimeSession,
  type RealtimeSessionOptions,
  type Speaker,
  tool,
} from '../src/index.ts'
import type { SocketLike } from '../src/transports/websocket.ts'
import { notices } from './far-socket.ts'
import { certificate } from './line.ts'
import { calling, puppet } from './puppet.ts'
import { socketTalk } from './socket-talk.ts'
import { oneTurn, speak, tone } from './speaking.ts'
import { callTool, lastWords, type Script, say, talk } from './talk.ts'

const agentOf = (options: Partial<ConstructorParameters<typeof RealtimeAgent>[0]> = {}) =>
  new RealtimeAgent({ name: 'A', ...options })
const echo: Script = (thought) => [say(`You said ${lastWords(thought)}.`)]

describe('a listener', () => {
  test.each([
    'agent_end',
    'transport_event',
    'history_updated',
    'connection_change',
    'audio',
    'agent_tool_start',
  ] as const)('of %s may close the session and connect it again: the conversation goes on', async (name) => {
    const sky = tool({ name: 'sky', description: 'Sky.', execute: () => 'sunny' })
    const script: Script = (thought) =>
      thought.items.at(-1)?.type === 'message' && lastWords(thought) === 'one' ? [callTool('sky')] : [say('Well.')]
    const it = await talk(agentOf({ tools: [sky] }), script)
    const outcomes: string[] = []
    let isDone = false
    it.session.on(name, () => {
      if (isDone) return
      isDone = true
      it.session.close()
      it.session.connect().then(
        () => outcomes.push('connected'),
        (error: Error) => outcomes.push(error.message),
      )
    })
    if (name === 'connection_change') it.session.renew()
    await it.say('one')
    await it.say('two')
    expect(outcomes).toEqual(['connected'])
    expect(it.words.slice(-2)).toEqual(['user: two', 'assistant: Well.'])
    const calls = it.words.filter((words) => words === 'call sky').length
    expect(it.words.filter((words) => words.startsWith('output'))).toHaveLength(calls)
  })

  test('that closes the session while it connects has connect() reject, and the next one works', async () => {
    const it = await talk(agentOf(), echo)
    it.session.close()
    const closer = () => it.session.close()
    it.session.on('connection_change', closer)
    const refused = it.session.connect().catch((error: Error) => error.message)
    await it.run(1_000)
    expect(await refused).toMatch(/closed/)
    it.session.off('connection_change', closer)
    const again = it.session.connect()
    await it.run(1_000)
    await again
    await it.say('hello')
    expect(it.words.at(-1)).toBe('assistant: You said hello.')
  })

  test('may keep the bytes of the audio for itself: what was heard is known all the same', async () => {
    const it = await talk(agentOf(), () => [say('This is an answer of some length.')])
    it.session.on('audio', ({ data }) => structuredClone(data, { transfer: [data] }))
    let startedAt = 0
    it.session.on('audio_start', () => {
      startedAt = it.world.now()
    })
    await it.say('hello', 900)
    const heardMs = it.world.now() - startedAt
    it.session.interrupt()
    await it.run(100)
    expect(it.told.findLast(({ type }) => type === 'conversation.item.truncate')).toMatchObject({
      audio_end_ms: heardMs,
    })
    expect(it.errors).toEqual([])
  })
})

test('connect() that comes twice is refused, and takes nothing from the first', async () => {
  let signal: AbortSignal | undefined
  const wait = tool({
    name: 'wait',
    description: 'Waits.',
    execute: (_args, _context, details) => {
      signal = details.signal
      return new Promise(() => {})
    },
  })
  const it = await talk(agentOf({ tools: [wait] }), () => [callTool('wait')])
  await it.say('wait', 500)
  await expect(it.session.connect()).rejects.toThrow('This is connected already')
  expect([it.session.state.link.at, signal?.aborted]).toEqual(['live', false])
  it.session.close()
  expect(signal?.aborted).toBe(true)
})

describe('a speaker that throws', () => {
  const broken = () => {
    throw new Error('There is no device.')
  }
  const fine: Speaker = { play() {}, hush: () => [] }
  test.each<[string, () => Speaker, number]>([
    ['when it is made', broken, 1],
    ['when it is to play', () => ({ ...fine, play: broken }), 1],
    ['when it is to fall silent', () => ({ ...fine, hush: broken }), 1],
  ])('%s is told, and the conversation goes on', async (_, speaker, least) => {
    const it = await talk(agentOf(), echo, { speaker })
    await it.say('one', 500)
    it.session.interrupt()
    await it.run()
    await it.say('two')
    expect(it.errors.length).toBeGreaterThanOrEqual(least)
    expect(JSON.stringify(it.errors.map((error) => String((error as Error).cause ?? error)))).toContain(
      'There is no device.',
    )
    expect(it.words.slice(-2)).toEqual(['user: two', 'assistant: You said two.'])
  })
})

test('the events of a spoken turn with a tool come in this order', async () => {
  const sky = tool({ name: 'sky', description: 'Sky.', execute: () => 'sunny' })
  const script: Script = ({ items }) => (items.at(-1)?.type === 'message' ? [callTool('sky')] : [say('It is sunny.')])
  const it = await talk(agentOf({ tools: [sky] }), script, { ears: ['how is the sky?'] })
  const log: string[] = []
  const names = [
    'agent_start',
    'agent_end',
    'agent_tool_start',
    'agent_tool_end',
    'audio_start',
    'audio',
    'audio_stopped',
  ] as const
  for (const name of names) it.session.on(name, () => log.at(-1) !== name && log.push(name))
  it.session.on('history_added', (item) => log.push(`added ${'role' in item ? item.role : item.type}`))
  it.session.on('transport_event', ({ type }) => type === 'response.done' && log.push('response.done'))
  await speak(it, oneTurn)
  await it.run()
  expect(log).toEqual([
    'added user',
    'agent_start',
    'added function_call',
    'agent_tool_start',
    'agent_tool_end',
    'response.done',
    'agent_end',
    'agent_start',
    'added assistant',
    'audio_start',
    'audio',
    'response.done',
    'agent_end',
    'audio_stopped',
  ])
})

test('in holdback no listener of audio gets a sample that was not checked', async () => {
  const noSecrets: OutputGuardrail = {
    name: 'no secrets',
    execute: ({ agentOutput }: { agentOutput: string }) => ({ tripwireTriggered: agentOutput.includes('secret') }),
  }
  const answers = ['It is a secret.', 'I cannot say.']
  const it = await talk(agentOf(), () => [say(answers.shift()!)], {
    outputGuardrails: [noSecrets],
    outputGuardrailSettings: { mode: 'holdback', debounceTextLength: -1 },
  })
  const heardMs = new Map<string, number>()
  it.session.on('audio', ({ data, itemId }) => heardMs.set(itemId, (heardMs.get(itemId) ?? 0) + data.byteLength / 48))
  await it.say('tell me')
  const [cut, answer] = it.session.history.filter((item) => item.type === 'message' && item.role === 'assistant')
  expect(heardMs.get(answer!.itemId)).toBeCloseTo('I cannot say.'.length * 60, -1)
  expect(heardMs.get(cut!.itemId)).toBeUndefined()
})

test('a model that does not keep to the policy is asked again twice, and no more; the app is told', async () => {
  const never: OutputGuardrail = { name: 'never', execute: () => ({ tripwireTriggered: true }) }
  const it = await talk(agentOf(), () => [say('No.')], { outputGuardrails: [never] })
  const tripped: unknown[] = []
  it.session.on('guardrail_tripped', (_context, _agent, error) => tripped.push(error))
  await it.say('tell me')
  expect(tripped).toHaveLength(3)
  expect(it.errors).toMatchObject([{ message: 'Guardrails stopped 3 answers in a row: no other is asked for.' }])
  await it.say('tell me again')
  expect(tripped).toHaveLength(6)
})

describe('a transport under a session', () => {
  test('tells its own events, and sends for the session', async () => {
    const transport = new OpenAIRealtimeWebSocket()
    const heard = new Map<string, readonly unknown[]>()
    const names: readonly (keyof OpenAIRealtimeWebSocketEvents)[] = [
      '*',
      'connection_change',
      'audio',
      'audio_done',
      'audio_transcript_delta',
      'item_update',
      'turn_started',
      'turn_done',
      'usage_update',
    ]
    for (const name of names) transport.on(name, (...args: readonly unknown[]) => heard.set(name, args))
    const { session, ask, until } = await socketTalk(agentOf(), { transport })
    expect(session.transport).toBe(transport)
    expect([transport.status, transport.connectionState.status]).toEqual(['connected', 'connected'])
    expect(await ask('hello')).toBe('All is well.')
    await until(() => (heard.size === names.length && session.usage.totalTokens > 0 ? true : undefined))
    expect([...heard.keys()].toSorted()).toEqual(names.toSorted())
    expect(heard.get('usage_update')).toEqual([session.usage])
    transport.sendMessage('and now?')
    await until(() => (session.history.filter(({ type }) => type === 'message').length > 3 ? true : undefined))
    transport.close()
    expect(session.state.link).toMatchObject({ at: 'closed', cause: { initiator: 'us' } })
    expect(heard.get('connection_change')).toEqual(['disconnected'])
  })

  test('leaves calls and errors to the session', async () => {
    const transport = new OpenAIRealtimeWebSocket()
    const calls: unknown[] = []
    transport.on('function_call', (call) => calls.push(call))
    const sky = tool({ name: 'sky', description: 'Sky.', execute: () => 'sunny' })
    const script: Script = ({ items }) => (items.at(-1)?.type === 'message' ? [callTool('sky')] : [say('It is sunny.')])
    const { ask, session } = await socketTalk(agentOf({ tools: [sky] }), { transport, script })
    expect(await ask('hello')).toBe('It is sunny.')
    expect(session.history.filter(({ type }) => type === 'function_call')).toMatchObject([{ output: 'sunny' }])
    expect(calls).toEqual([])
  })
})

describe('ten seconds of audio that were said before there was a line', () => {
  const frames = 100
  test.each<[string, (cert: string) => RealtimeSessionOptions<unknown>]>([
    ['over the socket of Node', () => ({})],
    [
      'over a socket of the app',
      (ca) => ({
        transport: new OpenAIRealtimeWebSocket({
          createWebSocket: ({ url }) => new WebSocket(url, { ca }) as unknown as SocketLike,
        }),
      }),
    ],
  ])('come whole and in order over TLS, %s', async (_, options) => {
    const tls = certificate()
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    const http = createServer(tls)
    const heard: number[] = []
    const news = notices()
    new WebSocketServer({ server: http }).on('connection', (socket) =>
      socket.on('message', (data) => {
        const event = JSON.parse(String(data))
        if (event.type === 'session.update') {
          socket.send(JSON.stringify({ type: 'session.updated', event_id: 'e', session: event.session }))
        }
        if (event.type !== 'input_audio_buffer.append') return
        const audio = Buffer.from(event.audio, 'base64')
        for (let at = 0; at < audio.length; at += 4_800) heard.push(audio[at]!)
        news.tell()
      }),
    )
    await new Promise<void>((resolve) => {
      http.listen(0, '127.0.0.1', resolve)
    })
    const session = new RealtimeSession(agentOf(), { apiKey: 'k', seed: 1, ...options(tls.cert) })
    onTestFinished(() => {
      session.close()
      http.closeAllConnections()
      http.close()
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
    })
    const wanted = Array.from({ length: frames }, (_, n) => n)
    for (const n of wanted) expect(session.sendAudio(new Uint8Array(4_800).fill(n))).toBe(true)
    await session.connect({ url: `wss://127.0.0.1:${(http.address() as AddressInfo).port}/` })
    await news.until(() => (heard.length >= frames ? true : undefined))
    expect(heard).toEqual(wanted)
  })
})

test('a turn that was committed as the line broke is said and committed on the next', async () => {
  let isCut = false
  const it = await talk(agentOf(), echo, {
    ears: ['over to you'],
    config: { audio: { input: { turnDetection: null } } },
    fault: () => (isCut ? 'cut' : 'pass'),
  })
  it.session.sendAudio(tone)
  it.session.sendAudio(tone)
  isCut = true
  it.session.sendEvent({ type: 'input_audio_buffer.commit' })
  await it.run(1)
  isCut = false
  it.session.generateReply()
  await it.run()
  expect(it.words).toEqual(['user: over to you', 'assistant: You said over to you.'])
})

test('a key that cannot be had at a reconnect is asked for again', async () => {
  let asked = 0
  const apiKey = async () => {
    asked++
    if (asked === 2) throw new TypeError('Failed to fetch')
    return 'k'
  }
  const { session, far, ask, until } = await socketTalk(agentOf(), { apiKey })
  const links: string[] = []
  session.on('connection_change', ({ at }) => links.push(at))
  far.lines[0]!.raw.destroy()
  await until(() => (links.includes('live') ? true : undefined))
  expect(asked).toBe(3)
  expect(await ask('hello')).toBe('All is well.')
})

test('a server that counts its call ids from nought in each response has each call answered', async () => {
  const it = await puppet(agentOf({ tools: [tool({ name: 'n', description: 'N.', execute: ({ n }) => `${n}` })] }))
  for (const n of [1, 2]) {
    const [first, ...rest] = calling(`r${n}`, 'n', `{"n":${n}}`, 'call_0').map((event) =>
      JSON.parse(JSON.stringify(event).replaceAll('item_call_0', `item_${n}`)),
    )
    await it.say(first, ...rest)
  }
  const outputs = it.toldOf('conversation.item.create').map(({ item }) => 'output' in item && item.output)
  expect(outputs).toEqual(['1', '2'])
})
