/** A session as OpenTelemetry spans: through OpenTelemetry's own SDK, in the world's time, exact to the ms. */
import { ROOT_CONTEXT, type Span, type Tracer, trace } from '@opentelemetry/api'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type FunctionTool, RealtimeAgent, tool } from '../src/index.ts'
import { spans } from '../src/telemetry/index.ts'
import type { World } from '../src/testing/index.ts'
import type { Fault } from '../src/transports/memory.ts'
import { socketTalk } from './socket-talk.ts'
import { speak } from './speaking.ts'
import { callTool, lastWords, type Script, say, type Talk, type TalkOptions, talk } from './talk.ts'

// A session loads it beside the conversation: the world's time does not wait for a disk.
await import('../src/session/measuring.ts')

interface Traced extends Talk<unknown> {
  readonly tracer: Tracer
  readonly exporter: InMemorySpanExporter
  readonly stop: () => void
}

function sdk(): { readonly tracer: Tracer; readonly exporter: InMemorySpanExporter } {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  return { tracer: provider.getTracer('test'), exporter }
}

interface TracedOptions extends TalkOptions<unknown> {
  readonly content?: boolean
  readonly tracer?: Tracer
  readonly agent?: RealtimeAgent
}

async function traced(script: Script, options: TracedOptions = {}): Promise<Traced> {
  const { content = false, agent = new RealtimeAgent({ name: 'Clerk' }), ...rest } = options
  const { tracer, exporter } = sdk()
  let stop!: () => void
  const it = await talk(agent, script, {
    config: { audio: { input: { turnDetection: { type: 'server_vad', silence_duration_ms: 200 } } } },
    ...rest,
    before(session) {
      stop = spans(session, { tracer: options.tracer ?? tracer, content })
      options.before?.(session)
    },
  })
  return Object.assign(it, { tracer, exporter, stop })
}

type HrTime = ReadableSpan['startTime']
const msOf = ([s, ns]: HrTime) => s * 1_000 + ns / 1_000_000

/** The spans as trees in lines, times in ms from the beginning of the session. */
function tree({ exporter }: Pick<Traced, 'exporter'>): readonly string[] {
  const all = exporter.getFinishedSpans().toSorted((one, other) => msOf(one.startTime) - msOf(other.startTime))
  const lines: string[] = []
  const draw = (span: ReadableSpan, zero: number, depth: number) => {
    const since = (time: HrTime) => msOf(time) - zero
    const { name, startTime, endTime, status, attributes, events } = span
    const error = status.code === 2 ? ` ERROR ${attributes['error.type']}` : ''
    lines.push(`${'  '.repeat(depth)}${name} ${since(startTime)}-${since(endTime)}${error}`)
    for (const event of events) lines.push(`${'  '.repeat(depth)}· ${event.name} ${since(event.time)}`)
    for (const child of all)
      if (child.parentSpanContext?.spanId === span.spanContext().spanId) draw(child, zero, depth + 1)
  }
  for (const span of all) if (!span.parentSpanContext) draw(span, msOf(span.startTime), 0)
  return lines.map((line) => line.replace(/(· )parley\./, '$1'))
}

function named({ exporter }: Pick<Traced, 'exporter'>, name: string): ReadableSpan {
  const span = exporter.getFinishedSpans().find((one) => one.name.startsWith(name))
  expect(span, `a span named ${name}`).toBeDefined()
  return span!
}

function taking(ms: number, name: string, world: () => World, more: object = {}): FunctionTool {
  const execute = () => new Promise<string>((resolve) => world().after(ms, () => resolve(`${name} is done`)))
  return tool({ name, description: name, execute, ...more })
}

const wellThen: Script = () => [say('All is well here.')]
const long: Script = () => [say('All is well here, and it goes on and on for quite a while.')]

/** Calls these once for each thing that is said, and then speaks. */
function calling(...names: readonly string[]): Script {
  return ({ items }) => {
    const last = items.findLastIndex((item) => item.type === 'message' && item.role === 'user')
    const isAnswered = items.slice(last).some(({ type }) => type === 'function_call_output')
    return isAnswered ? [say('It is calm.')] : names.map((name) => callTool(name, { place: 'harbour' }))
  }
}

describe('the spans of a session', () => {
  test('a turn in writing', async () => {
    const it = await traced(wellThen)
    await it.say('hello')
    it.session.close()
    expect(tree(it)).toMatchInlineSnapshot(`
      [
        "parley.session 0-30030",
        "· dialing 0",
        "· connected 30",
        "  invoke_agent Clerk 30-1070",
        "  · said 30",
        "  · response_created 50",
        "  · first_byte 50",
        "  · first_word 50",
        "  · first_audible 50",
        "    chat gpt-realtime-2.1 30-305",
        "    · response_created 50",
        "    · first_byte 50",
        "    · first_word 50",
      ]
    `)
    expect(it.errors).toEqual([])
  })

  test('a spoken turn: when the user spoke, and what came of it', async () => {
    const it = await traced(wellThen, { ears: ['hello'] })
    await speak(it, `ss${'t'.repeat(5)}${'s'.repeat(6)}`)
    await it.run()
    it.session.close()
    expect(tree(it)).toMatchInlineSnapshot(`
      [
        "parley.session 0-31330",
        "· dialing 0",
        "· connected 30",
        "  invoke_agent Clerk 250-1870",
        "  · speech_end 850",
        "  · committed 850",
        "  · response_created 850",
        "  · first_byte 850",
        "  · first_word 850",
        "  · first_audible 850",
        "    parley.user_speech 250-650",
        "    chat gpt-realtime-2.1 850-1105",
        "    · response_created 850",
        "    · first_byte 850",
        "    · first_word 850",
      ]
    `)
    expect(named(it, 'invoke_agent').attributes).toMatchObject({
      'parley.turn.by': 'speech',
      'parley.latency.endpointing_ms': 200,
      'parley.latency.first_audible_ms': 0,
    })
  })

  test('tools: how long each took, what failed, and when it was asked whether one may run', async () => {
    let w!: World
    const fail = () => {
      throw new Error('It is broken.')
    }
    const agent = new RealtimeAgent({
      name: 'Clerk',
      tools: [
        taking(200, 'sky', () => w),
        tool({ name: 'sea', description: 'sea', execute: fail }),
        taking(100, 'pay', () => w, { needsApproval: true }),
      ],
    })
    const it = await traced(calling('sky', 'sea', 'pay'), { agent })
    w = it.world
    it.session.on('tool_approval_requested', (_context, _agent, { approvalItem }) => {
      w.after(700, () => it.session.approve(approvalItem))
    })
    await it.say('weather?')
    it.session.close()
    expect(tree(it)).toMatchInlineSnapshot(`
      [
        "parley.session 0-30030",
        "· dialing 0",
        "· connected 30",
        "  invoke_agent Clerk 30-1530",
        "  · said 30",
        "  · response_created 50",
        "  · first_byte 870",
        "  · first_word 870",
        "  · first_audible 870",
        "    chat gpt-realtime-2.1 30-50",
        "    · response_created 50",
        "    execute_tool sky 50-250",
        "    execute_tool sea 50-50 ERROR tool_failed",
        "    execute_tool pay 50-850",
        "    · approval_asked 50",
        "    chat gpt-realtime-2.1 850-1035",
        "    · response_created 870",
        "    · first_byte 870",
        "    · first_word 870",
      ]
    `)
    expect(named(it, 'execute_tool sky').attributes).toEqual({
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'sky',
      'gen_ai.tool.type': 'function',
      'gen_ai.tool.call.id': expect.stringMatching(/^call_/),
      'gen_ai.agent.name': 'Clerk',
    })
  })

  test('a handoff is of the turn in which it was asked for, one of the app is of the session', async () => {
    const desk = new RealtimeAgent({ name: 'Desk' })
    const agent = new RealtimeAgent({ name: 'Clerk', handoffs: [desk] })
    const script: Script = ({ items, tools }) => {
      const isAsked = items.at(-1)?.type === 'message' && tools.length > 0
      return isAsked ? [callTool('transfer_to_Desk')] : [say('Desk here.')]
    }
    const it = await traced(script, { agent })
    await it.say('the desk, please')
    void it.session.updateAgent(agent)
    await it.run()
    it.session.close()
    expect(tree(it)).toMatchInlineSnapshot(`
      [
        "parley.session 0-60030",
        "· dialing 0",
        "· connected 30",
        "· handoff 30050",
        "  invoke_agent Clerk 30-690",
        "  · said 30",
        "  · response_created 50",
        "  · handoff 70",
        "  · first_byte 90",
        "  · first_word 90",
        "  · first_audible 90",
        "    chat gpt-realtime-2.1 30-50",
        "    · response_created 50",
        "    execute_tool transfer_to_Desk 50-70",
        "    chat gpt-realtime-2.1 70-240",
        "    · response_created 90",
        "    · first_byte 90",
        "    · first_word 90",
      ]
    `)
    const handoffs = it.exporter.getFinishedSpans().flatMap(({ events }) => events)
    expect(handoffs.filter(({ name }) => name === 'parley.handoff').map(({ attributes }) => attributes)).toEqual([
      { 'parley.handoff.from': 'Clerk', 'parley.handoff.to': 'Desk' },
      { 'parley.handoff.from': 'Desk', 'parley.handoff.to': 'Clerk' },
    ])
    const agents = it.exporter.getFinishedSpans().filter(({ name }) => name.startsWith('chat'))
    expect(agents.map(({ attributes }) => attributes['gen_ai.agent.name'])).toEqual(['Clerk', 'Desk'])
  })

  test('who interrupts, and when it was silent: that is no error', async () => {
    const it = await traced(long, { ears: ['stop'] })
    await it.say('hello', 300)
    await speak(it, `ss${'t'.repeat(5)}${'s'.repeat(6)}`)
    await it.run()
    it.session.interrupt()
    it.session.close()
    expect(tree(it)).toMatchInlineSnapshot(`
      [
        "parley.session 0-31630",
        "· dialing 0",
        "· connected 30",
        "  invoke_agent Clerk 30-550",
        "  · said 30",
        "  · response_created 50",
        "  · first_byte 50",
        "  · first_word 50",
        "  · first_audible 50",
        "  · interruption 550",
        "  · silent 550",
        "    chat gpt-realtime-2.1 30-550",
        "    · response_created 50",
        "    · first_byte 50",
        "    · first_word 50",
        "  invoke_agent Clerk 550-4630",
        "  · speech_end 1150",
        "  · committed 1150",
        "  · response_created 1150",
        "  · first_byte 1150",
        "  · first_word 1150",
        "  · first_audible 1150",
        "    parley.user_speech 550-950",
        "    chat gpt-realtime-2.1 1150-2020",
        "    · response_created 1150",
        "    · first_byte 1150",
        "    · first_word 1150",
      ]
    `)
    expect(named(it, 'invoke_agent').attributes['parley.interruption.by']).toBe('user')
  })

  test('a line that is lost is told by the session; the answer that went with it, by its turn', async () => {
    let cut = false
    let isCut = false
    const fault = (): Fault => {
      if (!cut || isCut) return 'pass'
      isCut = true
      return 'cut'
    }
    const it = await traced(long, { fault })
    it.session.on('transport_event', ({ type }) => {
      if (type === 'response.created') cut = true
    })
    await it.say('hello')
    it.session.close()
    expect(tree(it)).toMatchInlineSnapshot(`
      [
        "parley.session 0-30030",
        "· dialing 0",
        "· connected 30",
        "· line_lost 100",
        "· dialing 100",
        "· connected 130",
        "  invoke_agent Clerk 30-3630",
        "  · said 30",
        "  · response_created 150",
        "  · first_byte 150",
        "  · first_word 150",
        "  · first_audible 150",
        "    chat gpt-realtime-2.1 30-100 ERROR line_lost",
        "    · response_created 50",
        "    · first_byte 50",
        "    · first_word 50",
        "    chat gpt-realtime-2.1 130-1020",
        "    · response_created 150",
        "    · first_byte 150",
        "    · first_word 150",
      ]
    `)
    expect(named(it, 'invoke_agent').attributes['parley.turn.lines_lost']).toBe(1)
    const lost = named(it, 'parley.session').events.find(({ name }) => name === 'parley.line_lost')
    expect(lost?.attributes).toMatchObject({ 'parley.cause.initiator': 'network' })
  })

  test('a response that fails', async () => {
    let times = 0
    const it = await traced(() => {
      if (times++ === 0) throw new Error('Out of order.')
      return [say('All is well here.')]
    })
    await it.say('hello')
    it.session.close()
    expect(tree(it)).toMatchInlineSnapshot(`
      [
        "parley.session 0-30030",
        "· dialing 0",
        "· connected 30",
        "  invoke_agent Clerk 30-1090",
        "  · said 30",
        "  · response_created 50",
        "  · first_byte 70",
        "  · first_word 70",
        "  · first_audible 70",
        "    chat gpt-realtime-2.1 30-50 ERROR server_error",
        "    · response_created 50",
        "    chat gpt-realtime-2.1 50-325",
        "    · response_created 70",
        "    · first_byte 70",
        "    · first_word 70",
      ]
    `)
  })

  test('one for each connect(), and a turn that the end cuts off as far as it came', async () => {
    const it = await traced(long)
    await it.say('hello', 300)
    it.session.close()
    void it.session.connect()
    await it.run(1_000)
    it.session.close()
    expect(tree(it)).toMatchInlineSnapshot(`
      [
        "parley.session 0-330",
        "· dialing 0",
        "· connected 30",
        "  invoke_agent Clerk 30-330",
        "  · said 30",
        "  · response_created 50",
        "  · first_byte 50",
        "  · first_word 50",
        "  · first_audible 50",
        "    chat gpt-realtime-2.1 30-330",
        "    · response_created 50",
        "    · first_byte 50",
        "    · first_word 50",
        "parley.session 0-1000",
        "· dialing 0",
        "· connected 30",
        "  invoke_agent Clerk 30-1000",
        "  · response_created 50",
        "  · first_byte 50",
        "  · first_word 50",
        "  · first_audible 50",
        "    chat gpt-realtime-2.1 30-920",
        "    · response_created 50",
        "    · first_byte 50",
        "    · first_word 50",
      ]
    `)
    const [first, second] = it.exporter.getFinishedSpans().filter(({ name }) => name === 'parley.session')
    expect(first!.spanContext().traceId).not.toBe(second!.spanContext().traceId)
  })

  test('what the far end ends is an error, with its cause', async () => {
    let isOver = false
    const it = await traced(wellThen, { reconnect: false, fault: () => (isOver ? 'cut' : 'pass') })
    isOver = true
    await it.say('hello')
    expect(tree(it)).toMatchInlineSnapshot(`
      [
        "parley.session 0-40 ERROR 1006",
        "· dialing 0",
        "· connected 30",
        "  invoke_agent Clerk 30-30",
        "  · said 30",
      ]
    `)
    expect(named(it, 'parley.session').status.message).toBe('The connection broke: cut')
  })
})

test('what the conventions name: agent, model, tokens, reasons, the conversation', async () => {
  const it = await traced(wellThen, { groupId: 'caller-7', workflowName: 'orders', model: 'gpt-realtime-mini' })
  await it.say('hello')
  it.session.close()
  expect(named(it, 'parley.session').attributes).toMatchObject({
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-realtime-mini',
    'gen_ai.agent.name': 'Clerk',
    'gen_ai.workflow.name': 'orders',
    'gen_ai.conversation.id': 'caller-7',
  })
  expect(named(it, 'invoke_agent').attributes).toEqual({
    'gen_ai.operation.name': 'invoke_agent',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-realtime-mini',
    'gen_ai.agent.name': 'Clerk',
    'gen_ai.conversation.id': 'caller-7',
    'parley.turn.by': 'text',
    'parley.latency.created_ms': 20,
    'parley.latency.first_byte_ms': 20,
    'parley.latency.first_word_ms': 20,
    'parley.latency.first_audible_ms': 20,
  })
  const chat = named(it, 'chat gpt-realtime-mini')
  expect(chat.kind).toBe(2)
  expect(chat.attributes).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.response.id': expect.stringMatching(/^resp_/),
    'gen_ai.response.finish_reasons': ['completed'],
    'gen_ai.response.time_to_first_chunk': 0.02,
    'gen_ai.output.type': 'speech',
    'gen_ai.usage.output_tokens': 27,
    'gen_ai.usage.audio.output_tokens': 21,
    'gen_ai.usage.text.output_tokens': 6,
  })
})

describe('what was said', () => {
  const secrets = ['where is my parcel', 'It is calm.', 'harbour', 'sky is done']
  async function call(content: boolean) {
    let w!: World
    const agent = new RealtimeAgent({ name: 'Clerk', tools: [taking(200, 'sky', () => w)] })
    const it = await traced(calling('sky'), { agent, content })
    w = it.world
    await it.say('where is my parcel')
    it.session.close()
    const attributes = it.exporter.getFinishedSpans().map((span) => [span.attributes, span.events, span.status])
    return { it, all: JSON.stringify(attributes) }
  }

  test('is in no span', async () => {
    const { all } = await call(false)
    expect(secrets.filter((secret) => all.includes(secret))).toEqual([])
  })

  test('is where it is asked for, as the conventions have it', async () => {
    const { it, all } = await call(true)
    expect(secrets.filter((secret) => !all.includes(secret))).toEqual([])
    const messages = (span: string, name: string) => JSON.parse(String(named(it, span).attributes[name]))
    expect(messages('invoke_agent', 'gen_ai.input.messages')).toEqual([
      { role: 'user', parts: [{ type: 'text', content: 'where is my parcel' }] },
    ])
    expect(messages('chat', 'gen_ai.output.messages')).toEqual([
      {
        role: 'assistant',
        parts: [{ type: 'tool_call', id: expect.any(String), name: 'sky', arguments: '{"place":"harbour"}' }],
        finish_reason: 'completed',
      },
    ])
    expect(named(it, 'execute_tool').attributes).toMatchObject({
      'gen_ai.tool.call.arguments': '{"place":"harbour"}',
      'gen_ai.tool.call.result': 'sky is done',
    })
  })
})

describe('what the tracer throws hurts nobody', () => {
  test.each(['startSpan', 'addEvent', 'setAttributes', 'setStatus', 'end'])('%s', async (broken) => {
    const open = new Set<Span>()
    const { tracer: real } = sdk()
    const fail = () => {
      throw new Error(`${broken} is broken.`)
    }
    let isBroken = false
    const tracer = {
      startSpan(...args: Parameters<Tracer['startSpan']>) {
        if (isBroken && broken === 'startSpan') fail()
        const span = real.startSpan(...args)
        open.add(span)
        const overridden = {
          addEvent: () => broken === 'addEvent' && isBroken && fail(),
          setAttributes: () => broken === 'setAttributes' && isBroken && fail(),
          setStatus: () => broken === 'setStatus' && isBroken && fail(),
          end() {
            open.delete(span)
            if (broken === 'end' && isBroken) fail()
          },
          spanContext: () => span.spanContext(),
        }
        return overridden as unknown as Span
      },
    } as Tracer
    let isOver = false
    let times = 0
    const it = await traced(
      (thought) => {
        if (times++ === 1) throw new Error('Out of order.')
        return [say(`You said ${lastWords(thought)}.`)]
      },
      { tracer, reconnect: false, fault: () => (isOver ? 'cut' : 'pass') },
    )
    isBroken = true
    await it.say('one')
    await it.say('two')
    isOver = true
    await it.say('three')
    expect(it.words.filter((words) => words.startsWith('assistant'))).toEqual([
      'assistant: You said one.',
      'assistant: You said two.',
    ])
    expect(open.size).toBe(0)
    const causes = it.errors.map((error) => String((error as Error).cause))
    expect(causes).toContain(`Error: ${broken} is broken.`)
    expect(() => it.stop()).not.toThrow()
  })
})

test('so it is when it is ended: that is written to the console', async () => {
  const written = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => written.mockRestore())
  const broken = new Error('The exporter is gone.')
  const end = () => {
    throw broken
  }
  const tracer = { startSpan: () => ({ addEvent: () => {}, end }) as unknown as Span } as unknown as Tracer
  const it = await traced(wellThen, { tracer })
  expect(it.stop).not.toThrow()
  expect(written.mock.calls).toEqual([['The tracer could not end the span of the session:', broken]])
})

test('a session can be a part of something else', async () => {
  const { tracer, exporter } = sdk()
  const outer = tracer.startSpan('outer')
  const parent = trace.setSpan(ROOT_CONTEXT, outer).setValue(Symbol.for('kept'), 'kept')
  const contexts: unknown[] = []
  const watched = {
    startSpan(name: string, options: object, context: typeof ROOT_CONTEXT) {
      contexts.push(context.getValue(Symbol.for('kept')))
      return tracer.startSpan(name, options, context)
    },
  } as Tracer
  const it = await talk(new RealtimeAgent({ name: 'Clerk' }), wellThen, {
    before: (session) => void spans(session, { tracer: watched, parent }),
  })
  await it.say('hello')
  it.session.close()
  expect(named({ exporter }, 'parley.session').parentSpanContext?.spanId).toBe(outer.spanContext().spanId)
  expect(new Set(exporter.getFinishedSpans().map((span) => span.spanContext().traceId)).size).toBe(1)
  expect(contexts).toEqual(['kept', 'kept', 'kept'])
})

test('it may begin in the middle of a call, and end there', async () => {
  const { tracer, exporter } = sdk()
  const it = await talk(new RealtimeAgent({ name: 'Clerk' }), wellThen)
  await it.run(500)
  const stop = spans(it.session, { tracer })
  await import('../src/session/measuring.ts')
  await it.run(500)
  await it.say('hello')
  stop()
  stop()
  await it.say('hello')
  it.session.close()
  const names = exporter.getFinishedSpans().map(({ name }) => name)
  expect(names).toEqual(['chat', 'invoke_agent Clerk', 'parley.session'])
  expect(tree({ exporter })[0]).toMatch(/^parley\.session 0-/)
  expect(named({ exporter }, 'parley.session').status.code).toBe(0)
})

test('over a socket, by the real clock, times are of the calendar', async () => {
  const { tracer, exporter } = sdk()
  const before = Date.now()
  let told!: Promise<unknown>
  const { session, ask } = await socketTalk(new RealtimeAgent({ name: 'Clerk' }), {
    before(one) {
      spans(one, { tracer })
      told = new Promise((resolve) => one.once('metrics', resolve))
    },
  })
  expect(await ask('hello')).toBe('All is well.')
  await told
  session.close()
  const { startTime } = named({ exporter }, 'parley.session')
  expect(msOf(startTime)).toBeGreaterThanOrEqual(before - 1)
  expect(msOf(startTime)).toBeLessThanOrEqual(Date.now() + 1)
  expect(named({ exporter }, 'invoke_agent').events.length).toBeGreaterThan(3)
})
