/**
 * What goes wrong in the OpenAI Agents SDK's realtime part, as its user meets it, and that it cannot here. The numbers
 * are those of a list of its defects; those of WebRTC and of telephones alone are not here.
 */
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  hostedMcpTool,
  type Link,
  OpenAIRealtimeWebSocket,
  RealtimeAgent,
  type RealtimeItem,
  RealtimeSession,
  type RealtimeSessionEvents,
  type RealtimeSessionOptions,
  tool,
} from '../src/index.ts'
import type { ClientEvent, SessionConfig } from '../src/protocol/events.ts'
import { merge } from '../src/protocol/merge.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import { farEnd, world } from '../src/testing/index.ts'
import { farSocket } from './far-socket.ts'
import { assistant, began, calling, ended, itemBegan, type Loose, puppet, sound, usual } from './puppet.ts'
import { socketTalk } from './socket-talk.ts'
import { oneTurn, speak, tone } from './speaking.ts'
import { callTool, lastWords, type Script, say, talk } from './talk.ts'

const agentOf = (options: Partial<ConstructorParameters<typeof RealtimeAgent>[0]> = {}) =>
  new RealtimeAgent({ name: 'A', instructions: 'You help.', ...options })
const userItem = (id: string, fields: object) => ({ id, type: 'message', role: 'user', status: 'completed', ...fields })
const typesOf = (events: readonly { readonly type: string }[]) => events.map(({ type }) => type)
const lastConfig = (told: readonly ClientEvent[]) =>
  (told.findLast(({ type }) => type === 'session.update') as { session: SessionConfig }).session
const outputsIn = (told: readonly ClientEvent[]) =>
  told.flatMap((event) =>
    event.type === 'conversation.item.create' && event.item.type === 'function_call_output' ? [event.item.output] : [],
  )
const asksIn = (told: readonly ClientEvent[]) => told.filter(({ type }) => type === 'response.create')
const textOf = (item: RealtimeItem | undefined) =>
  item?.type === 'message'
    ? item.content.map((part) => ('text' in part ? part.text : 'transcript' in part ? part.transcript : 'image')).join()
    : undefined

describe('W1: what the process was killed by does nothing to the call', () => {
  test.each<[string, Loose]>([
    [
      'spoken words without a transcript',
      { type: 'conversation.item.added', item: userItem('u', { content: [{ type: 'input_audio' }] }) },
    ],
    [
      'an MCP call without an output',
      { type: 'conversation.item.done', item: { id: 'm', type: 'mcp_call', name: 'x' } },
    ],
    [
      'MCP arguments that are no JSON',
      { type: 'response.mcp_call_arguments.done', item_id: 'm', output_index: 0, arguments: '{"a"' },
    ],
    [
      'a list of MCP tools without the tools',
      { type: 'conversation.item.done', item: { id: 'l', type: 'mcp_list_tools' } },
    ],
    ['an item that is none', { type: 'conversation.item.added', item: null }],
    ['a response that is none', { type: 'response.done', response: 7 }],
  ])('%s', async (_, event) => {
    const { ask, far } = await socketTalk(agentOf())
    far.lines[0]!.say(event)
    expect(await ask('Are you there?')).toBe('All is well.')
    expect(far.lines).toHaveLength(1)
  })

  test.each(['audio', 'transport_event', 'history_updated', 'agent_end'] as const)(
    'a listener of %s that throws',
    async (name) => {
      const errors: unknown[] = []
      const { ask, session, until } = await socketTalk(agentOf())
      session.on('error', ({ error }) => errors.push(error))
      session.on(name, () => {
        throw new Error('The app is broken.')
      })
      expect(await ask('Are you there?')).toBe('All is well.')
      await until(() => errors[0])
      expect(errors[0]).toMatchObject({
        message: `A listener of '${name}' failed.`,
        cause: { message: 'The app is broken.' },
      })
    },
  )
})

test('W2: an error of the far end that nobody listens for is written down, and nothing else', async () => {
  const { ask, far, session } = await socketTalk(agentOf())
  const written: unknown[][] = []
  const write = console.error
  console.error = (...words) => written.push(words)
  try {
    far.lines[0]!.say({ type: 'error', event_id: 'e', error: { type: 'server_error', code: 'x', message: 'Oh dear.' } })
    expect(await ask('Are you there?')).toBe('All is well.')
  } finally {
    console.error = write
  }
  expect(JSON.stringify(written)).toContain('Oh dear.')
  expect(session.state.link.at).toBe('live')
})

test('W3: a lost line is told and dialed again; the history, the agent and the tool that runs go on', async () => {
  let finish = (_output: string) => {}
  const slow = tool({
    name: 'slow',
    description: 'Slow.',
    execute: () => new Promise<string>((resolve) => (finish = resolve)),
  })
  const second = new RealtimeAgent({ name: 'Second', tools: [slow] })
  const script: Script = ({ items, tools }) => {
    const last = items.at(-1)
    if (last?.type === 'message') return [callTool(tools[0]!.name!)]
    return last?.type === 'function_call_output' && last.output === 'done' ? [say('It is done.')] : [say('Here I am.')]
  }
  let isCut = false
  const it = await talk(agentOf({ handoffs: [second] }), script, { fault: () => (isCut ? 'cut' : 'pass') })
  const links: string[] = []
  it.session.on('connection_change', ({ at }) => links.push(at))
  await it.say('the second one, please')
  it.session.sendMessage('do the slow thing')
  await it.run(2_000)
  isCut = true
  it.session.sendAudio(new Uint8Array(4_800))
  await it.run(1)
  isCut = false
  await it.run(100)
  finish('done')
  await it.run()
  expect(links).toEqual(['waiting', 'dialing', 'joining', 'live'])
  expect(it.session.currentAgent).toBe(second)
  expect(it.words).toEqual([
    'user: the second one, please',
    'call transfer_to_Second',
    'output {"assistant":"Second"}',
    'assistant: Here I am.',
    'user: do the slow thing',
    'call slow',
    'output done',
    'assistant: It is done.',
  ])
  expect(it.session.context.history).toEqual(it.session.history)
  expect(it.errors).toEqual([])
})

describe('W4: the end of a line', () => {
  test('is told with its code and its reason', async () => {
    const { session, far, until } = await socketTalk(agentOf(), { reconnect: false })
    const links: Link[] = []
    session.on('connection_change', (link) => links.push(link))
    far.lines[0]!.socket.close(4_321, 'Their words')
    await until(() => (session.state.link.at === 'closed' ? true : undefined))
    expect(links).toMatchObject([{ at: 'closed', cause: { code: 4_321, initiator: 'far end' } }])
    expect(JSON.stringify(links)).toContain('Their words')
  })

  test('that nobody told is noticed: a line that looks alive and carries nothing is left for another', async () => {
    let isDead = false
    const it = await talk(agentOf(), () => [say('Yes.')], { fault: () => (isDead ? 'lose' : 'pass') })
    isDead = true
    it.session.sendMessage('Are you there?')
    await it.run(100)
    isDead = false
    await it.run()
    expect(it.far.lines).toHaveLength(2)
    expect(it.words).toEqual(['user: Are you there?', 'assistant: Yes.'])
  })

  test('that comes after an hour is no end of the call', async () => {
    const it = await talk(agentOf(), ({ items }) => [say(`I know ${items.length} items.`)])
    await it.say('first')
    await it.run(61 * 60_000)
    expect([it.far.lines.length, it.session.state.link.at]).toEqual([2, 'live'])
    await it.say('second')
    expect(it.words.at(-1)).toBe('assistant: I know 3 items.')
    expect(it.errors).toMatchObject([{ code: 'session_expired' }])
  })
})

test('W7: muted means muted, before the line is there, and on the next one', async () => {
  const w = world(1)
  const heard: string[] = []
  let isCut = false
  const far = farEnd(w, {
    brain: scripted(() => [say('Yes.')]),
    sent: ({ type }) => heard.push(String(type)),
    fault: () => (isCut ? 'cut' : 'pass'),
  })
  const session = new RealtimeSession(agentOf(), { clock: w.clock, seed: 7, transport: { dialer: () => far.dial } })
  const turns = () => heard.filter((type) => type === 'input_audio_buffer.speech_started').length
  session.mute(true)
  const connecting = session.connect()
  await w.settle(1_000)
  await connecting
  await speak({ world: w, session }, oneTurn)
  isCut = true
  session.sendAudio(tone)
  await w.settle(w.now() + 1)
  isCut = false
  await w.settle(w.now() + 2_000)
  await speak({ world: w, session }, oneTurn)
  expect([session.muted, far.lines.length, turns()]).toEqual([true, 2, 0])
  session.mute(false)
  await speak({ world: w, session }, oneTurn)
  expect(turns()).toBe(1)
})

describe('W8: what is still heard when all was generated', () => {
  const answer = 'This is an answer of some length.'
  async function stillHeard(options: Partial<RealtimeSessionOptions<unknown>> = {}) {
    const it = await talk(agentOf(), () => [say(answer)], { ears: ['Wait.'], ...options })
    const log: string[] = []
    const starts: number[] = []
    it.session.on('audio_start', () => starts.push(it.world.now()))
    it.session.on('audio_interrupted', () => log.push(`cut at ${it.world.now() - starts[0]!}`))
    await it.say('hello', 800)
    expect(it.heard.some(({ type }) => type === 'response.done')).toBe(true)
    const truncates = () =>
      it.told.flatMap((event) => (event.type === 'conversation.item.truncate' ? [`cut at ${event.audio_end_ms}`] : []))
    return { it, log, truncates }
  }

  test('is cut off by interrupt(), at the milliseconds heard', async () => {
    const { it, log, truncates } = await stillHeard()
    it.session.interrupt()
    await it.run(100)
    expect(log).toHaveLength(1)
    expect(truncates()).toEqual(log)
    expect(typesOf(it.told)).not.toContain('response.cancel')
    expect(it.errors).toEqual([])
  })

  test('is cut off by who speaks', async () => {
    const { it, log, truncates } = await stillHeard()
    await speak(it, 'tttttt')
    expect(log).toHaveLength(1)
    expect(truncates()).toEqual(log)
    expect(it.errors).toEqual([])
  })

  test('is cut off by a guardrail that trips at its end', async () => {
    const noLength = {
      name: 'no length',
      execute: ({ agentOutput }: { agentOutput: string }) => ({ tripwireTriggered: agentOutput === answer }),
    }
    const { log, truncates } = await stillHeard({
      outputGuardrails: [noLength],
      outputGuardrailSettings: { debounceTextLength: -1 },
    })
    expect(log).toHaveLength(1)
    expect(truncates()).toEqual(log)
  })
})

test('W9: of two items that are queued, the first is cut where it was heard, the second before it began', async () => {
  const it = await puppet(agentOf())
  await it.say(
    began('r'),
    ...itemBegan('r', 'a'),
    sound('r', 'a', 1_000),
    ...itemBegan('r', 'b', 'a'),
    sound('r', 'b', 800),
  )
  await it.run(380)
  it.session.interrupt()
  await it.run()
  expect(it.toldOf('conversation.item.truncate')).toMatchObject([
    { item_id: 'a', audio_end_ms: 420 },
    { item_id: 'b', audio_end_ms: 1 },
  ])
})

describe('W11: a part of the config is changed, and all else stays', () => {
  const config = {
    audio: { input: { turnDetection: { type: 'server_vad', threshold: 0.7 }, format: { type: 'audio/pcmu' } } },
  } as const

  test('by the session, also through a handoff', async () => {
    const second = new RealtimeAgent({ name: 'Second' })
    const it = await talk(agentOf(), () => [say('Yes.')], { config })
    const before = lastConfig(it.told)
    const changed = it.session.updateConfig({ audio: { output: { speed: 1.25 } } })
    await it.run(100)
    await changed
    const after: Partial<SessionConfig> = merge(before, { audio: { output: { speed: 1.25 } } })
    expect(lastConfig(it.told)).toEqual(after)
    const switched = it.session.updateAgent(second)
    await it.run(100)
    await switched
    expect(lastConfig(it.told).audio).toEqual(after.audio)
    expect(it.errors).toEqual([])
  })

  test('by the transport under the session', async () => {
    const transport = new OpenAIRealtimeWebSocket()
    const { far, session } = await socketTalk(agentOf(), { transport, config })
    const line = far.lines[0]!
    transport.updateSessionConfig({ audio: { output: { speed: 1.25 } } })
    const updates = () => line.heard.filter(({ type }) => type === 'session.update')
    await line.hears(() => updates().length > 1)
    const [before, after] = updates() as unknown as { session: { audio: { input: object; output: object } } }[]
    expect(after!.session.audio.input).toEqual(before!.session.audio.input)
    expect(after!.session.audio.output).toEqual({ ...before!.session.audio.output, speed: 1.25 })
    expect(session.state.config.audio?.output?.speed).toBe(1.25)
  })
})

test('W12: the model that connect() is given is the one that is called', async () => {
  const { far } = await socketTalk(agentOf(), { model: 'one', connect: { model: 'another' } })
  expect(new URL(far.lines[0]!.request.url!, 'ws://x').searchParams.get('model')).toBe('another')
})

test('W13: images stand in the history, with the words that they came with', async () => {
  const image = 'data:image/png;base64,AAAA'
  const it = await talk(agentOf(), () => [say('Nice.')])
  it.session.sendMessage({
    content: [
      { type: 'input_text', text: 'Look:' },
      { type: 'input_image', image },
    ],
  })
  await it.run()
  it.session.addImage(image, { triggerResponse: false })
  await it.run()
  expect(it.session.history).toMatchObject([
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'Look:' },
        { type: 'input_image', image },
      ],
    },
    { role: 'assistant' },
    { role: 'user', content: [{ type: 'input_image', image }] },
  ])
  expect(it.errors).toEqual([])
})

test('W14: what a hosted MCP tool is given comes to the far end', async () => {
  const calendar = hostedMcpTool({
    serverLabel: 'calendar',
    connectorId: 'connector_googlecalendar',
    authorization: 'token',
    serverDescription: 'Meetings.',
  })
  const it = await puppet(agentOf({ tools: [calendar] }))
  expect(lastConfig(it.told).tools).toEqual([
    {
      type: 'mcp',
      server_label: 'calendar',
      connector_id: 'connector_googlecalendar',
      authorization: 'token',
      server_description: 'Meetings.',
      require_approval: 'never',
    },
  ])
})

describe('W15: a call that fails is answered, and the model speaks of it', () => {
  const broken = tool({
    name: 'broken',
    description: 'Broken.',
    timeoutMs: 500,
    parameters: { type: 'object', properties: { how: { type: 'string' } } },
    execute: ({ how }) => {
      if (how === 'late') return new Promise(() => {})
      throw new Error('No such order.')
    },
  })
  test.each([
    ['arguments that are no JSON', '{"how":', 'The arguments are not JSON'],
    ['a tool that throws', '{}', 'No such order.'],
    ['a tool that takes too long', '{"how":"late"}', 'longer than 500 ms'],
  ])('%s', async (_, args, words) => {
    const it = await puppet(agentOf({ tools: [broken] }))
    const log: string[] = []
    it.session.on('agent_tool_start', (_context, _agent, { name }) => log.push(`start ${name}`))
    it.session.on('agent_tool_end', (_context, _agent, { name }) => log.push(`end ${name}`))
    await it.say(...calling('r', 'broken', args))
    await it.run(1_000)
    expect(outputsIn(it.told)).toHaveLength(1)
    expect(outputsIn(it.told)[0]).toContain(words)
    expect(asksIn(it.told)).toHaveLength(1)
    expect(log).toEqual(['start broken', 'end broken'])
    expect(it.errors).toHaveLength(1)
  })
})

describe('W16: a response that did not complete is told, with its details', () => {
  test.each([
    [
      'failed',
      { type: 'failed', error: { type: 'invalid_request_error', code: 'bad', message: 'Bad input.' } },
      /failed: Bad input\./,
    ],
    ['incomplete', { type: 'incomplete', reason: 'max_output_tokens' }, /incomplete: max_output_tokens/],
    ['cancelled', { type: 'cancelled', reason: 'turn_detected' }, null],
  ])('%s', async (status, status_details, message) => {
    const it = await puppet(agentOf())
    const unfinished: RealtimeSessionEvents<unknown>['response_unfinished'][] = []
    it.session.on('response_unfinished', (...told) => unfinished.push(told))
    await it.say(began('r'), ended('r', { status, status_details }))
    expect(unfinished).toHaveLength(1)
    expect(unfinished[0]![2]).toMatchObject({ responseId: 'r', why: status, response: { status_details } })
    if (message) expect((it.errors[0] as Error).message).toMatch(message)
    expect(it.errors).toHaveLength(message ? 1 : 0)
  })
})

/** A far end whose own response comes first, and who refuses the one that is asked for. */
const refusal = (event: ClientEvent, fields: object = {}): Loose => ({
  type: 'error',
  error: {
    type: 'invalid_request_error',
    code: 'conversation_already_has_active_response',
    message: 'There is one already.',
    event_id: event.event_id,
    ...fields,
  },
})

test('W17: what a tool has told is spoken of, though another response came first', async () => {
  let isBusy = true
  const it = await puppet(agentOf({ tools: [tool({ name: 'sky', description: 'Sky.', execute: () => 'sunny' })] }), {
    answer(event) {
      if (event.type === 'conversation.item.create') return [began('theirs'), ...usual(event)]
      return event.type === 'response.create' && isBusy ? [refusal(event)] : undefined
    },
  })
  await it.say(...calling('r', 'sky'))
  expect(asksIn(it.told)).toHaveLength(1)
  isBusy = false
  await it.say(ended('theirs', { output: [assistant('x', { status: 'completed' })] }))
  expect(outputsIn(it.told)).toEqual(['sunny'])
  expect(asksIn(it.told)).toHaveLength(2)
  expect(it.errors).toEqual([])
})

test('W18: an error that names no event holds up nothing: what is said next is answered', async () => {
  let asks = 0
  const it = await puppet(agentOf(), {
    answer(event) {
      if (event.type !== 'response.create') return undefined
      if (asks++ > 0) return [began('r')]
      return [refusal(event, { type: 'server_error', code: null, message: 'Something broke.', event_id: null })]
    },
  })
  it.session.sendMessage('one')
  await it.run(100)
  it.session.sendMessage('two')
  await it.run(100)
  expect(asks).toBe(2)
  expect(it.session.state.conversation.responses).toMatchObject([{ id: 'r' }])
  expect(it.errors).toMatchObject([{ message: 'Something broke.' }])
})

test('W19: two calls in one breath are spoken of once, when both have been answered', async () => {
  const after = (name: string, ms: number) =>
    tool({ name, description: name, execute: () => new Promise((done) => it.world.after(ms, () => done(name))) })
  const script: Script = ({ items }) => {
    const outputs = items.flatMap((item) => (item.type === 'function_call_output' ? [item.output] : []))
    return outputs.length ? [say(`I have ${outputs.join(' and ')}.`)] : [callTool('sky'), callTool('wind')]
  }
  const it = await talk(agentOf({ tools: [after('sky', 5), after('wind', 3_000)] }), script)
  await it.say('how is the weather?')
  expect(it.words.filter((words) => words.startsWith('assistant'))).toEqual(['assistant: I have sky and wind.'])
  expect(asksIn(it.told)).toHaveLength(2)
})

describe('W20: a tool knows when it is not wanted any more', () => {
  const waiting = (onInterruption: 'continue' | 'cancel') => {
    const signals: AbortSignal[] = []
    const wait = tool({
      name: 'wait',
      description: 'Waits.',
      onInterruption,
      timeoutMs: 20_000,
      execute: (_args, _context, { signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      },
    })
    const script: Script = ({ items }) =>
      items.at(-1)?.type === 'message' ? [say('A long moment, please.'), callTool('wait')] : [say('So.')]
    return { signals, wait, script }
  }
  test.each([
    ['the user interrupts', 'cancel', 'interrupt'],
    ['the session is closed', 'continue', 'close'],
    ['its time is up', 'continue', null],
  ] as const)('%s', async (_, onInterruption, end) => {
    const { signals, wait, script } = waiting(onInterruption)
    const it = await talk(agentOf({ tools: [wait] }), script)
    await it.say('wait', 1_000)
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    if (end) it.session[end]()
    await it.run(end ? 100 : 20_000)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })
})

describe('W21: an agent takes over whole, or not at all', () => {
  test('one that the far end refuses has never been there', async () => {
    const second = new RealtimeAgent({ name: 'Second', instructions: 'You are second.' })
    const it = await puppet(agentOf(), {
      answer: (event) =>
        event.type === 'session.update' &&
        'instructions' in event.session &&
        event.session.instructions === 'You are second.'
          ? [refusal(event, { code: 'invalid_value', message: 'No such agent.' })]
          : undefined,
    })
    const handoffs: unknown[] = []
    it.session.on('agent_handoff', () => handoffs.push(1))
    const refused = it.session.updateAgent(second).catch((error: Error) => error.message)
    await it.run()
    expect(await refused).toContain('No such agent.')
    expect([it.session.currentAgent.name, handoffs, it.session.state.config.instructions]).toEqual([
      'A',
      [],
      'You help.',
    ])
  })

  test('one that is wanted while there is no line takes over when there is one', async () => {
    const second = new RealtimeAgent({ name: 'Second', instructions: 'You are second.' })
    const it = await puppet(agentOf())
    await it.hangUp()
    const switched = it.session.updateAgent(second)
    await it.run(5)
    expect(it.session.currentAgent.name).toBe('A')
    await it.run(1_000)
    await switched
    expect([it.session.currentAgent.name, it.lines()]).toEqual(['Second', 2])
    expect(lastConfig(it.told).instructions).toBe('You are second.')
  })
})

test('W22: the tools and the prompt of the agent before are gone when the next has none', async () => {
  const first = agentOf({
    tools: [tool({ name: 'sky', description: 'Sky.', execute: () => 'sunny' })],
    prompt: { id: 'p' },
  })
  const it = await puppet(first)
  expect(lastConfig(it.told)).toMatchObject({ tools: [{ name: 'sky' }], prompt: { id: 'p' } })
  const switched = it.session.updateAgent(new RealtimeAgent({ name: 'Second' }))
  await it.run()
  await switched
  expect(lastConfig(it.told)).toMatchObject({ tools: [], prompt: null })
})

test('W23: what is told while the session connects is in the history', async () => {
  const item = userItem('u', { content: [{ type: 'input_text', text: 'I was here before.' }] })
  const it = await puppet(agentOf(), {
    answer: (event) =>
      event.type === 'session.update'
        ? [
            { type: 'conversation.item.added', item, previous_item_id: null },
            { type: 'session.updated', session: event.session },
          ]
        : undefined,
  })
  expect(it.session.history.map(textOf)).toEqual(['I was here before.'])
})

test('W24: an item that is corrected, and one that is put between, stand where they belong', async () => {
  const it = await talk(agentOf(), (thought) => [say(`You said ${lastWords(thought)}.`)])
  await it.say('one')
  await it.say('two')
  const texts = () => it.session.history.map(textOf)
  expect(texts()).toEqual(['one', 'You said one.', 'two', 'You said two.'])
  it.session.updateHistory(([one, ...rest]) => [
    { ...(one as Extract<RealtimeItem, { type: 'message' }>), content: [{ type: 'input_text', text: 'uno' }] },
    ...rest,
  ])
  await it.run()
  expect(texts()).toEqual(['uno', 'You said one.', 'two', 'You said two.'])
  const told = it.told.length
  it.session.updateHistory((history) => [
    ...history.slice(0, 2),
    {
      ...(history[0] as Extract<RealtimeItem, { type: 'message' }>),
      itemId: 'between',
      content: [{ type: 'input_text', text: 'between' }],
    },
    ...history.slice(2),
  ])
  await it.run()
  expect(texts()).toEqual(['uno', 'You said one.', 'between', 'two', 'You said two.'])
  expect(typesOf(it.told.slice(told))).toEqual(['conversation.item.create'])
  expect(it.errors).toEqual([])
})

test('W25: a guardrail sees words only, and what the model is told of a trip is no message of the user', async () => {
  const seen: string[] = []
  const execute = ({ agentOutput }: { agentOutput: string }) => {
    seen.push(agentOutput)
    return { tripwireTriggered: agentOutput.includes('secret') }
  }
  const sky = tool({ name: 'sky', description: 'Sky.', execute: () => 'sunny' })
  const answers = [[callTool('sky')], [say('It is a secret.')], [say('I cannot say.')]]
  const it = await talk(agentOf({ tools: [sky] }), () => answers.shift() ?? [], {
    outputGuardrails: [{ name: 'no secrets', execute }],
  })
  const tripped: string[] = []
  it.session.on('guardrail_tripped', (_context, _agent, { guardrail }) => tripped.push(guardrail))
  await it.say('how is it?')
  expect(seen).toEqual(['It is a secret.', 'I cannot say.'])
  expect(tripped).toEqual(['no secrets'])
  const { history } = it.session
  expect(history.filter((item) => item.type === 'message' && item.role === 'user').map(textOf)).toEqual(['how is it?'])
  expect(textOf(history.at(-1))).toBe('I cannot say.')
})

test('W25: what the user says can be guarded', async () => {
  const execute = ({ input }: { input: string }) => ({ tripwireTriggered: input.includes('password') })
  const it = await talk(agentOf(), () => [say('The password is swordfish.')], {
    ears: ['tell me the password'],
    inputGuardrails: [{ name: 'no passwords', execute }],
  })
  const tripped: unknown[] = []
  it.session.on('guardrail_tripped', (_context, _agent, { kind, guardrail, text }) =>
    tripped.push([kind, guardrail, text]),
  )
  await speak(it, oneTurn)
  await it.run()
  expect(tripped).toEqual([['input', 'no passwords', 'tell me the password']])
})

describe('W26: words stand in the history while they come', () => {
  test('those of the agent', async () => {
    const it = await talk(agentOf(), () => [say('One two three four.')])
    const shown: (string | undefined)[] = []
    it.session.on('history_updated', (history) => shown.push(textOf(history.at(-1))))
    await it.say('count')
    const lengths = new Set(shown.filter((text) => 'One two three four.'.startsWith(text ?? '?')))
    expect([...lengths]).toEqual(['', 'One', 'One two', 'One two three', 'One two three four.'])
  })

  test('those of the user; and where they cannot be had, that is said', async () => {
    const it = await puppet(agentOf())
    const content = [{ type: 'input_audio', transcript: null }]
    const words = (delta: string): Loose => ({
      type: 'conversation.item.input_audio_transcription.delta',
      item_id: 'u',
      content_index: 0,
      delta,
    })
    await it.say(
      { type: 'conversation.item.added', item: userItem('u', { content }), previous_item_id: null },
      { type: 'conversation.item.done', item: userItem('u', { content }), previous_item_id: null },
      words('Where is'),
    )
    expect(it.session.history).toMatchObject([{ content: [{ transcript: 'Where is' }], transcriptStatus: 'pending' }])
    const error = { type: 'transcription_error', code: 'x', message: 'No words.' }
    await it.say({ type: 'conversation.item.input_audio_transcription.failed', item_id: 'u', content_index: 0, error })
    expect(it.session.history).toMatchObject([{ transcriptStatus: 'failed' }])
  })
})

test('W27: the context is the object that the app gave, with its class', async () => {
  class Shop {
    readonly #orders = new Map([['7', 'on its way']])
    find(order: string): string {
      return this.#orders.get(order) ?? 'unknown'
    }
  }
  const shop = new Shop()
  const seen: Shop[] = []
  const find = tool<Shop>({ name: 'find', description: 'Finds.', execute: (_args, { context }) => context.find('7') })
  const clerk = new RealtimeAgent<Shop>({
    name: 'Clerk',
    instructions: ({ context }) => {
      seen.push(context)
      return `Order 7 is ${context.find('7')}.`
    },
    tools: [find],
  })
  const script: Script = ({ items }) => (items.at(-1)?.type === 'message' ? [callTool('find')] : [say('So it is.')])
  const it = await talk(clerk, script, { context: shop })
  await it.say('where is it?')
  expect(it.words).toContain('output on its way')
  expect([seen[0], it.session.context.context]).toEqual([shop, shop])
  expect(seen[0]).toBe(shop)
})

test('W28: connect() resolves when the config is accepted, and what was said before that is heard', async () => {
  const far = await farSocket()
  const session = new RealtimeSession(agentOf(), { apiKey: 'k', seed: 1 })
  onTestFinished(() => session.close())
  onTestFinished(far.close)
  expect(session.sendAudio(tone)).toBe(true)
  session.sendEvent({ type: 'input_audio_buffer.commit' })
  const log: string[] = []
  const connecting = session.connect({ url: far.url }).then(() => log.push('connected'))
  const line = await far.line()
  await line.hears(({ type }) => type === 'session.update')
  log.push('the far end has the config')
  line.say({ type: 'session.updated', event_id: 'e', session: {} })
  await connecting
  expect(log).toEqual(['the far end has the config', 'connected'])
  await line.hears(({ type }) => type === 'input_audio_buffer.commit')
  expect(typesOf(line.heard)).toEqual(['session.update', 'input_audio_buffer.append', 'input_audio_buffer.commit'])
})

test('W30: short names, long ones and those of the wire are taken together', async () => {
  const it = await puppet(agentOf(), {
    config: {
      voice: 'marin',
      outputModalities: ['text'],
      tool_choice: 'required',
      audio: {
        input: { format: { type: 'audio/pcmu' }, turn_detection: { type: 'server_vad', silenceDurationMs: 300 } },
        output: { speed: 1.25 },
      },
    },
  })
  expect(lastConfig(it.told)).toMatchObject({
    output_modalities: ['text'],
    tool_choice: 'required',
    audio: {
      input: { format: { type: 'audio/pcmu' }, turn_detection: { type: 'server_vad', silence_duration_ms: 300 } },
      output: { voice: 'marin', speed: 1.25 },
    },
  })
})

test('W33: a session that was closed says so, and its next line is told of once', async () => {
  const it = await puppet(agentOf())
  const links: string[] = []
  const heard: string[] = []
  it.session.on('connection_change', ({ at }) => links.push(at))
  it.session.on('transport_event', ({ type }) => heard.push(String(type)))
  it.session.close()
  await it.say(began('late'))
  expect([links, heard]).toEqual([['closed'], []])
  const again = it.session.connect()
  await it.run(100)
  await again
  await it.say(began('r'))
  expect(links).toEqual(['closed', 'dialing', 'joining', 'live'])
  expect(heard).toEqual(['session.updated', 'response.created'])
})
