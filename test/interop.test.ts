/**
 * What was made with `@openai/agents-core` works here as it is: nothing is cast in this file, so that what compiles here
 * compiles in an app.
 */
import '../src/agents/mcp-output.ts'
import {
  Agent,
  handoff as coreHandoff,
  tool as coreTool,
  defineOutputGuardrail,
  defineToolInputGuardrail,
  defineToolOutputGuardrail,
  type HostedTool,
  hostedMcpTool,
  type InputGuardrail,
  type MCPServer,
  type RunContext,
  setTracingDisabled,
  type ToolErrorFormatter,
  type ToolOptions,
  ToolGuardrailFunctionOutputFactory as verdict,
} from '@openai/agents-core'
import { removeAllTools } from '@openai/agents-core/extensions'
import { assistantMessage, functionCall, ScriptedModel } from '@openai/agents-core/testing'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { toolsOf } from '../src/agents/agent-shapes.ts'
import { type FunctionTool, handoff, RealtimeAgent, UserError } from '../src/index.ts'
import { calling as calls } from './calling.ts'
import { calling as callOf, puppet } from './puppet.ts'
import { callTool, type Script, say, type Talk, talk } from './talk.ts'

setTracingDisabled(true)

type Args = Readonly<Record<string, unknown>>
type Strict = Extract<ToolOptions<typeof city>, { strict?: true }>
type Manners = 'execute' | 'errorFunction' | 'needsApproval' | 'isEnabled' | `timeout${string}` | `${string}Guardrails`
type Options = Partial<Pick<Strict, Extract<keyof Strict, Manners>>>
const city = z.object({ city: z.string() })

const weather = (options: Options = {}) =>
  coreTool({
    name: 'weather',
    description: 'Tells the weather.',
    parameters: city,
    execute: (args) => `Sunny in ${args.city}.`,
    ...options,
  })

const webSearch: HostedTool = { type: 'hosted_tool', name: 'web_search', providerData: { type: 'web_search' } }
const rome = ['weather', { city: 'Rome' }] as const

/** Calls one after the other, then says what came of the last. */
function calling(...calls: readonly (readonly [name: string, args?: Args])[]): Script {
  const left = [...calls]
  return ({ items, tools }) => {
    const next = left.shift()
    if (next) return [callTool(...next)]
    const last = items.at(-1)
    if (last?.type === 'function_call_output') return [say(`It says: ${last.output}`)]
    return [say(`I have ${tools.map(({ name }) => name).join(', ') || 'nothing'}.`)]
  }
}

const withTool = (...tools: ReturnType<typeof weather>[]) => new RealtimeAgent({ name: 'A', tools })
const outputs = (it: { readonly words: readonly string[] }) =>
  it.words.filter((words) => words.startsWith('output')).map((words) => words.slice('output '.length))
const lastUpdate = (it: Pick<Talk<unknown>, 'told'>) => {
  const update = it.told.findLast((event) => event.type === 'session.update')
  return update?.session as { instructions?: string; tools?: readonly Args[]; prompt?: unknown } | undefined
}

describe('a tool', () => {
  test('is told to the model as it is, and run with what the schema makes of its arguments', async () => {
    const upper = coreTool({
      name: 'weather',
      description: 'Tells the weather.',
      parameters: z.object({ city: z.string().toUpperCase() }),
      execute: (args) => `Sunny in ${args.city}.`,
    })
    const it = await talk(withTool(upper), calling(rome))
    expect(lastUpdate(it)?.tools).toEqual([
      { type: 'function', name: 'weather', description: 'Tells the weather.', parameters: upper.parameters },
    ])
    await it.say('go')
    expect(it.words.at(-1)).toBe('assistant: It says: Sunny in ROME.')
    expect(it.errors).toEqual([])
  })

  test('is run with the context of the session, and with its call and a signal', async () => {
    const given: unknown[] = []
    const context = { user: 'Mia' }
    const look = coreTool({
      name: 'look',
      description: 'Looks.',
      parameters: z.object({}),
      execute(_, run?: RunContext<{ user: string }>, details?) {
        const { toolCall, signal } = details ?? {}
        given.push(run?.context === context, run?.usage.requests, run?.usage.inputTokensDetails.length, signal?.aborted)
        given.push(toolCall?.type, toolCall?.name, toolCall?.arguments)
        given.push(run?.isToolApproved({ toolName: 'look', callId: toolCall!.callId }))
        return ''
      },
    })
    const it = await talk(new RealtimeAgent<typeof context>({ name: 'A', tools: [look] }), calling(['look']), {
      context,
    })
    await it.say('go')
    expect(given).toEqual([true, 0, 1, false, 'function_call', 'look', '{}', undefined])
  })

  test('of plain JSON Schema, not strict', async () => {
    const parameters = { type: 'object' as const, properties: {}, required: [], additionalProperties: true as const }
    const echo = coreTool({
      name: 'echo',
      description: 'Says it again.',
      strict: false,
      parameters,
      execute: (args) => args,
    })
    const it = await talk(new RealtimeAgent({ name: 'A', tools: [echo] }), calling(['echo', { a: [1] }]))
    await it.say('go')
    expect(lastUpdate(it)?.tools).toMatchObject([{ parameters }])
    expect(outputs(it)).toEqual(['{"a":[1]}'])
  })

  const usual = 'An error occurred while running the tool. Please try again.'
  const broken = () => {
    throw new Error('No sky.')
  }
  const inWords = (_: unknown, error: unknown) => `Sorry: ${error instanceof Error ? error.message : error}`
  test.each([
    ['wrong arguments, and its own words', { errorFunction: inWords }, { city: 5 }, /^Sorry: Invalid JSON input/],
    ['wrong arguments, and no words', {}, {}, usual],
    ['a tool that throws, and its own words', { execute: broken, errorFunction: inWords }, rome[1], 'Sorry: No sky.'],
    ['a tool that throws, and no words', { execute: broken }, rome[1], usual],
    [
      'a tool that throws, and wants it known',
      { execute: broken, errorFunction: null },
      rome[1],
      'The tool failed: No sky.',
    ],
  ] as const)('%s: the model is told as the tool would have it', async (_, options, args, told) => {
    const it = await talk(withTool(weather(options)), calling(['weather', args]))
    await it.say('go')
    expect(outputs(it)).toEqual([typeof told === 'string' ? told : expect.stringMatching(told)])
    expect(it.errors).toHaveLength('errorFunction' in options && options.errorFunction === null ? 1 : 0)
  })

  test.each([
    [true, 'Lima', 1],
    [false, 'Lima', 0],
    [async (_: unknown, { city }: { city: string }) => city === 'Lima', 'Lima', 1],
    [async (_: unknown, { city }: { city: string }) => city === 'Lima', 'Rome', 0],
  ] as const)('needsApproval: %s of %s: the app is asked %i times', async (needsApproval, city, times) => {
    const approved: unknown[] = []
    const tool = weather({
      needsApproval,
      execute(args, run?: RunContext, details?) {
        const { callId } = details!.toolCall!
        approved.push(run!.isToolApproved({ toolName: 'weather', callId }))
        return `Sunny in ${args.city}.`
      },
    })
    const it = await talk(withTool(tool), calling(['weather', { city }]))
    await it.say('go', 2_000)
    expect(it.session.pendingApprovals.map(({ name }) => name)).toEqual(times ? ['weather'] : [])
    expect(outputs(it)).toEqual(times ? [] : [`Sunny in ${city}.`])
    for (const item of it.session.pendingApprovals) it.session.approve(item)
    await it.run()
    expect(outputs(it)).toEqual([`Sunny in ${city}.`])
    expect(approved).toEqual([times ? true : undefined])
  })

  test('may be approved, or rejected, through the context that it is run with', async () => {
    const runs: RunContext[] = []
    const tool = weather({
      needsApproval: async (run) => {
        runs.push(run)
        return true
      },
    })
    const it = await talk(withTool(tool), calling(rome, rome, rome))
    await it.say('go', 2_000)
    const [first] = it.session.pendingApprovals
    const decide = (how: 'approveTool' | 'rejectTool', callId: string, options: object) =>
      Reflect.apply(runs[0]![how], runs[0], [{ rawItem: { callId } }, options])
    decide('rejectTool', first!.callId, { message: 'Not now.' })
    await it.run(2_000)
    expect(outputs(it)).toEqual(['Not now.'])
    expect(runs[0]!.getRejectionMessage('weather', first!.callId)).toBe('Not now.')
    const [second] = it.session.pendingApprovals
    decide('approveTool', second!.callId, { alwaysApprove: true })
    await it.run()
    expect(outputs(it)).toEqual(['Not now.', 'Sunny in Rome.', 'Sunny in Rome.'])
  })

  test.each([
    [false, 'nothing'],
    [true, 'weather'],
    [() => false, 'nothing'],
    [({ runContext }: { runContext: RunContext<unknown> }) => runContext.context === 'app', 'weather'],
    [async ({ agent }: { agent: { name: string } }) => agent.name === 'B', 'nothing'],
  ] as const)('isEnabled: %s: the model is told of %s', async (isEnabled, tools) => {
    const it = await talk(new RealtimeAgent<string>({ name: 'A', tools: [weather({ isEnabled })] }), calling(), {
      context: 'app',
    })
    await it.say('go')
    expect(it.words.at(-1)).toBe(`assistant: I have ${tools}.`)
  })

  test.each([
    ['by its own words', {}, 'Too late for Rome.'],
    ['as an error', { timeoutBehavior: 'raise_exception' }, /^The tool failed: .*weather.* timed out/],
  ] as const)('that takes too long is ended %s', async (_, options, told) => {
    const times: unknown[] = []
    let late = () => {}
    const ended = new Promise<void>((resolve) => {
      late = resolve
    })
    const slow = weather({
      timeoutMs: 1,
      execute: (_args, _run, details) =>
        new Promise(() => details?.signal?.addEventListener('abort', () => late(), { once: true })),
      timeoutErrorFunction: (_run, { timeoutMs }) => {
        times.push(timeoutMs)
        return 'Too late for Rome.'
      },
      ...options,
    })
    const it = await talk(withTool(slow), calling(rome))
    await it.say('go')
    await ended
    await it.run()
    expect(outputs(it)).toEqual([typeof told === 'string' ? told : expect.stringMatching(told)])
    expect(times).toEqual(typeof told === 'string' ? [1] : [])
  })

  test.each([
    [{ type: 'text', text: 'Sunny.' }, 'Sunny.'],
    [
      [
        { type: 'text', text: 'Look:' },
        { type: 'image', image: 'data:image/png;base64,AA==' },
      ],
      'Look:\n[An image was given, which cannot be shown here.]',
    ],
    [{ type: 'sky', text: 'Sunny.' }, '{"type":"sky","text":"Sunny."}'],
    [[], '[]'],
    [null, 'null'],
    [5, '5'],
  ])('that gives %j: the model is told "%s"', async (result, told) => {
    const it = await talk(withTool(weather({ execute: () => result })), calling(rome))
    await it.say('go')
    expect(outputs(it)).toEqual([told])
  })

  test.each([
    [undefined, 'An error occurred while running the tool. Please try again.'],
    [() => 'Say it in JSON.', 'Say it in JSON.'],
  ])(
    'refuses arguments that are no JSON in its own words, and nobody is asked to approve them',
    async (error, told) => {
      const asked: unknown[] = []
      const errorFunction = error ? { errorFunction: error } : {}
      const tools = toolsOf<FunctionTool>([weather({ needsApproval: true, ...errorFunction })])
      const it = calls(tools, {
        verdict: async (item) => {
          asked.push(item)
          return { approved: true }
        },
      })
      expect(await it.call('weather', '{"city":')).toMatchObject({ output: told })
      expect(asked).toEqual([])
    },
  )

  test('is cancelled when the session closes', async () => {
    const reasons: unknown[] = []
    const slow = weather({
      execute: (_args, _run, details) =>
        new Promise(() => details?.signal?.addEventListener('abort', () => reasons.push(details.signal?.reason))),
    })
    const it = await talk(withTool(slow), calling(rome))
    await it.say('go')
    it.session.close()
    await it.run()
    expect(reasons).toMatchObject([{ message: 'It was cancelled: the session was closed.' }])
  })

  test('that is another agent has a run of its own, with the context of the session', async () => {
    const seen: unknown[] = []
    const look = coreTool({
      name: 'look',
      description: 'Looks.',
      parameters: z.object({}),
      execute: (_, run?: RunContext) => {
        seen.push(run?.context)
        return 'looked'
      },
    })
    const model = new ScriptedModel([
      [functionCall('look', {}, { callId: 'call_1' })],
      [assistantMessage('All is well.')],
    ])
    const expert = new Agent({ name: 'Expert', model, tools: [look] })
    const asked = expert.asTool({ toolName: 'expert', toolDescription: 'Asks the expert.' })
    const context = { user: 'Mia' }
    const it = await talk(
      new RealtimeAgent<typeof context>({ name: 'A', tools: [asked] }),
      calling(['expert', { input: 'How are things?' }]),
      { context },
    )
    await it.say('go')
    expect(outputs(it)).toEqual(['All is well.'])
    expect(seen[0]).toBe(context)
  })
})

describe('a guardrail of a tool', () => {
  const before = (name: string, said: ReturnType<typeof verdict.allow>, seen: unknown[] = []) =>
    defineToolInputGuardrail({
      name,
      run: async ({ toolCall, agent, context }) => {
        seen.push([toolCall.name, toolCall.arguments, typeof toolCall.callId, agent.name, context.context])
        return said
      },
    })
  const after = (name: string, said: ReturnType<typeof verdict.allow>, seen: unknown[] = []) =>
    defineToolOutputGuardrail({
      name,
      run: async ({ output }) => {
        seen.push(output)
        return said
      },
    })

  test.each([
    ['input', verdict.allow(), 'Sunny in Rome.', 1],
    ['input', verdict.rejectContent('No weather today.'), 'No weather today.', 0],
    ['input', verdict.throwException(), "The tool failed: The guardrail 'watch' stopped the call.", 0],
    ['output', verdict.allow(), 'Sunny in Rome.', 1],
    ['output', verdict.rejectContent('It is a secret.'), 'It is a secret.', 1],
    ['output', verdict.throwException(), "The tool failed: The guardrail 'watch' stopped the call.", 1],
  ] as const)('%s, %j: the model is told "%s"', async (kind, said, told, runs) => {
    const seen: unknown[] = []
    let ran = 0
    const guarded = weather({
      execute: ({ city }) => {
        ran++
        return `Sunny in ${city}.`
      },
      ...(kind === 'input'
        ? { inputGuardrails: [before('watch', said, seen)] }
        : { outputGuardrails: [after('watch', said, seen)] }),
    })
    const it = await talk(new RealtimeAgent<string>({ name: 'A', tools: [guarded] }), calling(rome), { context: 'app' })
    await it.say('go')
    expect(outputs(it)).toEqual([told])
    expect(ran).toBe(runs)
    const call = ['weather', '{"city":"Rome"}', 'string', 'A', 'app']
    expect(seen).toEqual(kind === 'input' ? [call] : ['Sunny in Rome.'])
    expect(it.errors).toHaveLength(said.behavior.type === 'throwException' ? 1 : 0)
  })
})

describe('an agent', () => {
  test('takes over with its instructions, its tools and its own agents to hand over to, and hands back', async () => {
    const a = new RealtimeAgent({ name: 'A', instructions: 'You are A.' })
    const c = new Agent({ name: 'C', instructions: 'You are C.' })
    const b = new Agent<string>({
      name: 'Weather Desk',
      instructions: async ({ context }, { name }) => `You are ${name}, for ${context}.`,
      handoffDescription: 'Knows the weather.',
      tools: [weather()],
      handoffs: [c],
      prompt: ({ context }) => ({ promptId: 'prompt_1', variables: { who: String(context) } }),
    })
    a.handoffs = [b]
    const it = await talk(a, calling(['transfer_to_Weather_Desk'], rome, ['transfer_to_C']), { context: 'Mia' })
    expect(lastUpdate(it)?.tools).toEqual([
      {
        type: 'function',
        name: 'transfer_to_Weather_Desk',
        description: 'Handoff to the Weather Desk agent to handle the request. Knows the weather.',
        parameters: { type: 'object', properties: {}, required: [], additionalProperties: false },
      },
    ])
    const switched: unknown[] = []
    it.session.on('agent_handoff', (_context, from, to) => switched.push([from.name, to.name]))
    await it.say('go')
    expect(outputs(it)).toEqual(['{"assistant":"Weather Desk"}', 'Sunny in Rome.', '{"assistant":"C"}'])
    const updates = it.told.filter((event) => event.type === 'session.update').map(({ session }) => session)
    expect(updates[1]).toMatchObject({
      instructions: 'You are Weather Desk, for Mia.',
      tools: [{ name: 'weather' }, { name: 'transfer_to_C' }],
      prompt: { id: 'prompt_1', variables: { who: 'Mia' } },
    })
    expect(updates[2]).toMatchObject({ instructions: 'You are C.', tools: [], prompt: null })
    expect(it.session.currentAgent).toBe(c)
    const back = it.session.updateAgent(a)
    await it.run(1_000)
    await back
    expect(switched).toEqual([
      ['A', 'Weather Desk'],
      ['Weather Desk', 'C'],
      ['C', 'A'],
    ])
    expect(it.errors).toEqual([])
  })

  test('begins a session', async () => {
    const it = await talk(new Agent({ name: 'B', instructions: 'Be B.', tools: [weather()] }), calling(rome))
    await it.say('go')
    expect(lastUpdate(it)?.instructions).toBe('Be B.')
    expect(outputs(it)).toEqual(['Sunny in Rome.'])
  })

  test('tells its own listeners, and one of them that throws hurts nobody', async () => {
    const c = new Agent({ name: 'C' })
    const b = new Agent({ name: 'B', tools: [weather()], handoffs: [c] })
    const log: string[] = []
    const note = (words: string) => {
      log.push(words)
      throw new Error(`Cannot bear ${words}.`)
    }
    b.on('agent_start', (_context, { name }) => note(`start ${name}`))
    b.on('agent_tool_start', (_context, { name }, { toolCall }) => note(`tool ${name} ${toolCall.type}`))
    b.on('agent_tool_end', (_context, { name }, result) => note(`tool ${name}: ${result}`))
    b.on('agent_end', (_context, said) => note(`end "${said}"`))
    b.on('agent_handoff', (_context, { name }) => note(`to ${name}`))
    const it = await talk(b, calling(rome, ['transfer_to_C']))
    await it.say('go')
    expect(log).toEqual([
      'start B',
      'tool weather function_call',
      'tool weather: Sunny in Rome.',
      'end ""',
      'start B',
      'end ""',
      'to C',
    ])
    expect(outputs(it)).toEqual(['Sunny in Rome.', '{"assistant":"C"}'])
    expect(it.session.currentAgent.name).toBe('C')
    expect(it.errors).toHaveLength(log.length)
    expect(it.errors[0]).toMatchObject({ message: "A listener of 'agent_start' failed." })
  })

  const guardrail = { name: 'g', execute: async () => ({ tripwireTriggered: false, outputInfo: null }) }
  test.each([
    ['guardrails', new Agent({ name: 'B', outputGuardrails: [guardrail] }), /guardrails of its own/],
    ['an outputType', new Agent({ name: 'B', outputType: z.object({ a: z.string() }) }), /outputType/],
    ['a toolUseBehavior', new Agent({ name: 'B', toolUseBehavior: 'stop_on_first_tool' }), /toolUseBehavior/],
    [
      'a tool that Realtime has not',
      new Agent({ name: 'B', tools: [webSearch] }),
      /'web_search' is none that the Realtime API has/,
    ],
  ] as const)('with %s is refused at once, however far away it is', (_, b, message) => {
    const far = Agent.create({ name: 'Far', handoffs: [b] })
    for (const agent of [b, far]) expect(() => new RealtimeAgent({ name: 'A', handoffs: [agent] })).toThrow(UserError)
    expect(() => new RealtimeAgent({ name: 'A', handoffs: [b] })).toThrow(message)
  })

  test('is refused behind a handoff too, theirs and ours', () => {
    const b = new Agent({ name: 'B', outputGuardrails: [guardrail] })
    const behind = coreHandoff(b)
    expect(() => new RealtimeAgent({ name: 'A', handoffs: [behind] })).toThrow(/guardrails of its own/)
    expect(() => handoff(b)).toThrow(/guardrails of its own/)
  })

  test('may be handed over to in the manner of ours', async () => {
    const to = handoff(new Agent({ name: 'B' }), { firstTurn: 'wait', toolName: 'over' })
    const it = await talk(new RealtimeAgent({ name: 'A', handoffs: [to] }), calling(['over']))
    await it.say('go')
    expect(it.words).toEqual(['user: go', 'call over', 'output {"assistant":"B"}'])
    expect(it.session.currentAgent.name).toBe('B')
  })

  test('that hands over to itself through another is no endless way', () => {
    const b = new Agent({ name: 'B' })
    b.handoffs = [new Agent({ name: 'C', handoffs: [b] })]
    expect(new RealtimeAgent({ name: 'A', handoffs: [b] }).handoffs).toEqual([b])
  })
})

describe('a handoff', () => {
  const b = () => new Agent({ name: 'B', tools: [weather()] })

  test('has a name of its own, and takes input that is held to its schema', async () => {
    const given: unknown[] = []
    const to = coreHandoff(b(), {
      toolNameOverride: 'escalate',
      toolDescriptionOverride: 'Goes up.',
      inputType: z.object({ reason: z.string() }),
      onHandoff: ({ context }, input) => {
        given.push([context, input?.reason])
      },
    })
    const a = new RealtimeAgent<string>({ name: 'A', handoffs: [to] })
    const it = await talk(a, calling(['escalate', { reason: 5 }], ['escalate', { reason: 'rain' }], rome), {
      context: 'app',
    })
    expect(lastUpdate(it)?.tools).toEqual([
      { type: 'function', name: 'escalate', description: 'Goes up.', parameters: to.inputJsonSchema },
    ])
    await it.say('go')
    expect(outputs(it)).toEqual(['The tool failed: Invalid JSON provided', '{"assistant":"B"}', 'Sunny in Rome.'])
    expect(given).toEqual([['app', 'rain']])
  })

  test('whose function refuses changes nothing, and the model is told why', async () => {
    const onHandoff = () => {
      throw new Error('They are at lunch.')
    }
    const it = await talk(
      new RealtimeAgent({ name: 'A', handoffs: [coreHandoff(b(), { onHandoff })] }),
      calling(['transfer_to_B']),
    )
    await it.say('go')
    expect(outputs(it)).toEqual(['The tool failed: They are at lunch.'])
    expect(it.session.currentAgent.name).toBe('A')
  })

  test.each([
    [false, 'nothing'],
    [true, 'transfer_to_B'],
    [({ agent }: { agent: { name: string } }) => agent.name === 'A', 'transfer_to_B'],
    [async ({ runContext }: { runContext: RunContext }) => runContext.context !== 'app', 'nothing'],
  ] as const)('isEnabled: %s: the model is told of %s', async (isEnabled, tools) => {
    const a = new RealtimeAgent<string>({ name: 'A', handoffs: [coreHandoff(b(), { isEnabled })] })
    const it = await talk(a, calling(), { context: 'app' })
    await it.say('go')
    expect(it.words.at(-1)).toBe(`assistant: I have ${tools}.`)
  })

  test('with an inputFilter lets the next agent know what it lets through, and what the user said last', async () => {
    const a = new RealtimeAgent({
      name: 'A',
      tools: [weather()],
      handoffs: [coreHandoff(b(), { inputFilter: removeAllTools })],
    })
    const it = await talk(a, ({ items, tools }) => {
      const last = items.at(-1)
      if (last?.type !== 'message') return [say('Well.')]
      const isFirst = items.filter(({ type }) => type === 'message').length === 1
      return [isFirst ? callTool(...rome) : callTool(tools.at(-1)!.name!)]
    })
    await it.say('the weather')
    await it.say('somebody else')
    expect(it.words).toEqual([
      'user: the weather',
      'assistant: Well.',
      'user: somebody else',
      'call transfer_to_B',
      'output {"assistant":"B"}',
      'assistant: Well.',
    ])
    expect(it.errors).toEqual([])
  })

  test('with an inputFilter that makes items of its own is not made, and everybody is told', async () => {
    const inputFilter = (data: Parameters<typeof removeAllTools>[0]) => ({ ...data, inputHistory: 'All of it.' })
    const a = new RealtimeAgent({ name: 'A', handoffs: [coreHandoff(b(), { inputFilter })] })
    const it = await talk(a, calling(['transfer_to_B']))
    await it.say('go')
    expect(outputs(it)).toEqual([expect.stringMatching(/inputFilter of 'transfer_to_B' makes items of its own/)])
    expect(it.session.currentAgent).toBe(a)
    expect(it.errors).toHaveLength(1)
  })
})

describe('a guardrail', () => {
  const script: Script = () => [say('My secret is blue.')]
  const seen: unknown[] = []
  const execute = async ({ agent, agentOutput }: { agent: { name: string }; agentOutput: string }) => {
    seen.push([agent.name, agentOutput])
    return { tripwireTriggered: agentOutput.includes('secret'), outputInfo: { agentOutput } }
  }
  test.each([
    ['as it is', { name: 'No secrets', execute }],
    ['of defineOutputGuardrail', defineOutputGuardrail({ name: 'No secrets', execute })],
  ])('for what the agent says, %s', async (_, guardrail) => {
    seen.length = 0
    const it = await talk(new RealtimeAgent({ name: 'A' }), script, { outputGuardrails: [guardrail] })
    const tripped: unknown[] = []
    it.session.on('guardrail_tripped', (_context, _agent, error) => {
      tripped.push([error.guardrail, error.outputInfo])
      it.session.close()
    })
    await it.say('go')
    expect(tripped).toEqual([['No secrets', { agentOutput: 'My secret is blue.' }]])
    expect(seen).toEqual([['A', 'My secret is blue.']])
    expect(it.errors).toEqual([])
  })

  test('for what the user says, as it is', async () => {
    const guardrail: InputGuardrail = {
      name: 'No maths',
      execute: async ({ input }) => ({ tripwireTriggered: input === 'two and two', outputInfo: input }),
    }
    const it = await talk(new RealtimeAgent({ name: 'A' }), script, { inputGuardrails: [guardrail] })
    const tripped: unknown[] = []
    it.session.on('guardrail_tripped', (_context, _agent, error) => tripped.push([error.guardrail, error.outputInfo]))
    await it.say('hello')
    await it.say('two and two')
    expect(tripped).toEqual([['No maths', 'two and two']])
  })
})

describe('toolErrorFormatter', () => {
  const formatter: ToolErrorFormatter = ({ kind, toolName, toolType, defaultMessage }) =>
    kind === 'approval_rejected' ? `${toolType} ${toolName}: ${defaultMessage}` : undefined
  const pay = coreTool({
    name: 'pay',
    description: 'Pays.',
    parameters: z.object({}),
    needsApproval: true,
    execute: () => 'paid',
  })

  test.each([
    ['puts a rejection into words', undefined, 'function pay: The user did not approve this.'],
    ['leaves the words of the one who rejects', 'Not today.', 'Not today.'],
  ])('%s', async (_, message, output) => {
    const it = await puppet(new RealtimeAgent({ name: 'A', tools: [pay] }), { toolErrorFormatter: formatter })
    await it.say(...callOf('r', 'pay'))
    it.session.reject(it.session.pendingApprovals[0]!, message === undefined ? {} : { message })
    await it.run()
    expect(it.toldOf('conversation.item.create').map(({ item }) => item)).toMatchObject([{ output }])
  })
})

const payment = {
  id: 'req',
  type: 'mcp_approval_request',
  server_label: 'shop',
  name: 'pay',
  arguments: '{"amount":5}',
}

describe('MCP', () => {
  test('hostedMcpTool() is told to the far end, which runs it', async () => {
    const hosted = hostedMcpTool({
      serverLabel: 'shop',
      serverUrl: 'https://shop.example/mcp',
      allowedTools: ['search'],
      requireApproval: { never: { toolNames: ['search'] } },
    })
    const it = await talk(new RealtimeAgent({ name: 'A', tools: [hosted] }), calling())
    expect(lastUpdate(it)?.tools).toEqual([
      {
        type: 'mcp',
        server_label: 'shop',
        server_url: 'https://shop.example/mcp',
        allowed_tools: { tool_names: ['search'] },
        require_approval: { never: { tool_names: ['search'] } },
      },
    ])
  })

  test.each([
    ['lets it run', { approve: true }, { approve: true }],
    ['does not', { approve: false, reason: 'Too dear.' }, { approve: false, reason: 'Too dear.' }],
  ])('onApproval of hostedMcpTool() decides on a call: it %s', async (_, verdict, told) => {
    const asked: unknown[] = []
    const hosted = hostedMcpTool({
      serverLabel: 'shop',
      serverUrl: 'https://shop.example/mcp',
      requireApproval: { always: { toolNames: ['pay'] } },
      onApproval: async (_context, { rawItem }) => {
        asked.push([rawItem.type, 'name' in rawItem && rawItem.name])
        return verdict
      },
    })
    const it = await puppet(new RealtimeAgent({ name: 'A', tools: [hosted] }))
    const requested: unknown[] = []
    it.session.on('tool_approval_requested', (...request) => requested.push(request))
    await it.say({ type: 'conversation.item.done', previous_item_id: null, item: payment })
    expect(asked).toEqual([['hosted_tool_call', 'pay']])
    expect(requested).toEqual([])
    expect(it.toldOf('conversation.item.create').map(({ item }) => item)).toMatchObject([
      { type: 'mcp_approval_response', approval_request_id: 'req', ...told },
    ])
  })

  test('an onApproval that throws leaves the call to the app', async () => {
    const hosted = hostedMcpTool({
      serverLabel: 'shop',
      serverUrl: 'https://shop.example/mcp',
      requireApproval: { always: { toolNames: ['pay'] } },
      onApproval: async () => {
        throw new Error('No till.')
      },
    })
    const it = await puppet(new RealtimeAgent({ name: 'A', tools: [hosted] }))
    await it.say({ type: 'conversation.item.done', previous_item_id: null, item: payment })
    expect(it.errors).toMatchObject([{ message: "onApproval of 'shop' failed: the app is asked." }])
    expect(it.session.pendingApprovals).toMatchObject([{ callId: 'req' }])
  })

  test('a tool that only the Responses API has is refused at once', () => {
    expect(() => new RealtimeAgent({ name: 'A', tools: [webSearch] })).toThrow(UserError)
  })

  const called: unknown[] = []
  const server: MCPServer = {
    name: 'shop',
    cacheToolsList: false,
    connect: async () => {},
    close: async () => {},
    invalidateToolsCache: async () => {},
    listTools: async () => [
      {
        name: 'search',
        description: 'Searches.',
        inputSchema: { type: 'object', properties: { for: {} }, required: [], additionalProperties: false },
      },
    ],
    callTool: async (name, args) => {
      called.push([name, args])
      return [{ type: 'text', text: 'A hat.' }]
    },
  }
  test.each([
    ['ours', 'search', new RealtimeAgent({ name: 'A', mcpServers: [server] })],
    ['theirs', 'search', new Agent({ name: 'A', mcpServers: [server] })],
    [
      'theirs, that names them by their server',
      'mcp_shop__search',
      new Agent({ name: 'A', mcpServers: [server], mcpConfig: { includeServerInToolNames: true } }),
    ],
  ])('the tools of an MCPServer are those of an agent of %s: %s', async (_, name, agent) => {
    called.length = 0
    const it = await talk(agent, calling([name, { for: 'hats' }]))
    expect(lastUpdate(it)?.tools).toMatchObject([{ name, description: 'Searches.' }])
    await it.say('go')
    expect(called).toEqual([['search', { for: 'hats' }]])
    expect(outputs(it)).toEqual(['A hat.'])
  })
})
