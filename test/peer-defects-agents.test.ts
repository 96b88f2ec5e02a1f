/**
 * What goes wrong in the OpenAI Agents SDK's realtime part, as its user meets it, and that it cannot here: agents, tools and the config.
 * The numbers are those of a list of its defects; those of WebRTC and of telephones alone are not here, and W31 is in
 * `attached.test.ts`.
 */
import { describe, expect, test } from 'vitest'
import { hostedMcpTool, OpenAIRealtimeWebSocket, RealtimeAgent, tool } from '../src/index.ts'
import type { SessionConfig } from '../src/protocol/events.ts'
import { merge } from '../src/protocol/merge.ts'
import { agentOf, asksIn, lastConfig, outputsIn, refusal } from './peer-scenes.ts'
import { calling, puppet } from './puppet.ts'
import { socketTalk } from './socket-talk.ts'
import { callTool, type Script, say, talk } from './talk.ts'

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
