/**
 * The contract of events: each event of a session and of an agent, with its arguments as they are. An event without a row
 * does not compile, and a row that no conversation fires fails.
 */
import { describe, expect, test } from 'vitest'
import {
  hostedMcpTool,
  RealtimeAgent,
  type RealtimeAgentEvents,
  type RealtimeSession,
  type RealtimeSessionEvents,
  tool,
} from '../src/index.ts'
import { puppet } from './puppet.ts'
import { oneTurn, speak } from './speaking.ts'
import { callTool, lastWords, type Script, say, talk } from './talk.ts'

interface Shop {
  readonly orders: Readonly<Record<string, string>>
}
type Name = keyof RealtimeSessionEvents<Shop>
type Fired = readonly (readonly [name: string, ...args: unknown[]])[]

// ── the rows: an argument in words is that very object ──────────────────────────────────────────────────────────────

const text = expect.any(String)
const error = (message: string) => expect.objectContaining({ message })
const item = { itemId: text, previousItemId: text, origin: 'live', status: 'completed' }
const findCall = expect.objectContaining({
  type: 'function_call',
  name: 'find',
  arguments: '{"order":"7"}',
  callId: text,
})
const eventsCall = {
  type: 'mcp_call',
  id: 'm',
  server_label: 'calendar',
  name: 'events',
  arguments: '{}',
  output: 'none today',
}

const ofSession: { readonly [Row in Name]: readonly [scene: keyof typeof scenes, ...args: unknown[]] } = {
  agent_start: ['call', 'the context', 'agent Clerk'],
  agent_end: ['call', 'the context', 'agent Clerk', 'Your order is on its way.'],
  agent_handoff: ['call', 'the context', 'agent Clerk', 'agent Billing'],
  agent_tool_start: ['call', 'the context', 'agent Clerk', 'tool find', { toolCall: findCall }],
  agent_tool_end: ['call', 'the context', 'agent Clerk', 'tool find', 'on its way', { toolCall: findCall }],
  transport_event: ['call', 'what the far end said: response.created'],
  audio_start: ['call', 'the context', 'agent Clerk'],
  audio_stopped: ['call', 'the context', 'agent Clerk'],
  audio: ['call', { type: 'audio', data: expect.any(ArrayBuffer), responseId: text, itemId: text }],
  audio_interrupted: ['call', 'the context', 'agent Clerk'],
  audio_paused: ['confirm', 'the context', 'agent Clerk'],
  audio_resumed: ['confirm', 'the context', 'agent Clerk'],
  guardrail_tripped: [
    'call',
    'the context',
    'agent Billing',
    expect.objectContaining({ kind: 'output', guardrail: 'no secrets', text: 'It is a secret.' }),
    { itemId: text },
  ],
  tool_approval_requested: [
    'call',
    'the context',
    'agent Clerk',
    {
      type: 'function_approval',
      tool: 'tool pay',
      approvalItem: {
        type: 'function_approval',
        callId: text,
        itemId: text,
        name: 'pay',
        arguments: '{"amount":5}',
        owner: 'Clerk',
      },
    },
  ],
  mcp_tool_call_completed: ['mcp', 'the context', 'agent Clerk', eventsCall],
  mcp_tools_changed: [
    'mcp',
    [{ name: 'events', description: 'What is on.', inputSchema: { type: 'object' }, serverLabel: 'calendar' }],
  ],
  response_unfinished: [
    'call',
    'the context',
    'agent Billing',
    {
      responseId: text,
      why: 'failed',
      isRetried: false,
      response: expect.objectContaining({ object: 'realtime.response', status: 'failed' }),
    },
  ],
  limit_reached: ['call', { kind: 'duration', limit: 3_600_000, value: expect.any(Number), isWarning: true }],
  audio_held: ['holdback', { ms: expect.any(Number), itemId: text }],
  metrics: [
    'call',
    expect.objectContaining({ by: 'text', latency: expect.objectContaining({ created: expect.any(Number) }) }),
  ],
  history_updated: ['call', 'the history'],
  history_added: [
    'call',
    {
      'an item of the history': {
        ...item,
        previousItemId: null,
        type: 'message',
        role: 'user',
        content: [{ type: 'input_text', text: 'hello' }],
      },
    },
  ],
  error: ['call', { type: 'error', error: error(`A listener of 'audio_start' failed.`) }],
  connection_change: [
    'call',
    { at: 'closed', cause: { reason: 'The session was closed.', code: 'closed_by_us', fatal: true, initiator: 'us' } },
  ],
}

const ofAgent: { readonly [Row in keyof RealtimeAgentEvents<Shop>]: readonly unknown[] } = {
  agent_start: ['the context', 'agent Clerk'],
  agent_end: ['the context', 'Your order is on its way.'],
  agent_handoff: ['the context', 'agent Billing'],
  agent_tool_start: ['the context', 'tool find', { toolCall: findCall }],
  agent_tool_end: ['the context', 'tool find', 'on its way', { toolCall: findCall }],
}

// ── the conversations ───────────────────────────────────────────────────────────────────────────────────────────────

const scenes = { call, confirm, holdback, mcp }
const played = new Map<string, Promise<Fired>>()

function play(scene: keyof typeof scenes): Promise<Fired> {
  const before = played.get(scene) ?? scenes[scene]()
  played.set(scene, before)
  return before
}

test.each(Object.entries(ofSession))('%s', async (name, [scene, ...args]) => {
  const fired = (await play(scene)).filter(([of]) => of === name)
  expect(fired, 'it is told').not.toEqual([])
  expect(fired).toContainEqual([name, ...args])
  expect([...new Set(fired.map(({ length }) => length - 1))], 'always with as many arguments').toEqual([args.length])
})

describe('of an agent', () => {
  test.each(Object.entries(ofAgent))('%s', async (name, args) => {
    const fired = (await play('call')).filter(([of]) => of === `Clerk: ${name}`)
    expect(fired).toContainEqual([`Clerk: ${name}`, ...args])
    expect([...new Set(fired.map(({ length }) => length - 1))], 'always with as many arguments').toEqual([args.length])
  })

  test('who does not speak tells nothing', async () => {
    const fired = await play('call')
    const handedOver = fired.findIndex(([of]) => of === 'agent_handoff')
    const ofBilling = fired.findIndex(([of]) => of.startsWith('Billing: '))
    expect(ofBilling).toBeGreaterThan(handedOver)
    expect(fired.slice(handedOver + 2).filter(([of]) => of.startsWith('Clerk: '))).toEqual([])
  })
})

function shop() {
  const find = tool<Shop, { type: 'object'; properties: { order: { type: 'string' } } }>({
    name: 'find',
    description: 'Finds an order.',
    parameters: { type: 'object', properties: { order: { type: 'string' } } },
    execute: ({ order }, { context }) => context.orders[String(order)],
  })
  const pay = tool<Shop>({ name: 'pay', description: 'Pays.', needsApproval: true, execute: () => 'paid' })
  const billing = new RealtimeAgent<Shop>({ name: 'Billing' })
  const clerk = new RealtimeAgent<Shop>({ name: 'Clerk', tools: [find, pay], handoffs: [billing] })
  return { clerk, billing, find, pay, context: { orders: { 7: 'on its way' } } }
}

const script: Script = (thought) => {
  const last = thought.items.at(-1)
  const words = lastWords(thought)
  if (last?.type === 'function_call_output') return [say(`Your order is ${last.output}.`)]
  if (words === 'order 7') return [callTool('find', { order: '7' })]
  if (words === 'pay') return [callTool('pay', { amount: 5 })]
  if (words === 'my bill') return [callTool('transfer_to_Billing')]
  if (words === 'the secret') return [say('It is a secret.')]
  if (words === 'fail') throw new Error('The model broke.')
  return [say('Hello to you, and a very good morning.')]
}
const noSecrets = {
  name: 'no secrets',
  execute: ({ agentOutput }: { agentOutput: string }) => ({ tripwireTriggered: agentOutput.includes('secret') }),
}

async function call(): Promise<Fired> {
  const { clerk, billing, context, find, pay } = shop()
  const it = await talk(clerk, script, {
    context,
    ears: ['wait'],
    outputGuardrails: [noSecrets],
    limits: { maxDurationMs: 3_600_000, warnAt: 0.01 },
  })
  const named = new Map<unknown, string>([
    [it.session.context, 'the context'],
    [clerk, 'agent Clerk'],
    [billing, 'agent Billing'],
    [find, 'tool find'],
    [pay, 'tool pay'],
  ])
  const fired = record(it.session, named, [clerk, billing], it.heard)
  expect(it.session.context.context).toBe(context)
  await it.say('hello', 500)
  await speak(it, oneTurn)
  await it.run()
  await it.say('order 7')
  it.session.on('tool_approval_requested', (_context, _agent, { approvalItem }) => it.session.approve(approvalItem))
  await it.say('pay')
  await it.say('my bill')
  await it.say('the secret')
  await it.say('fail')
  const fails = () => {
    throw new Error('The app is broken.')
  }
  it.session.on('audio_start', fails)
  await it.say('hello again')
  it.session.off('audio_start', fails)
  await it.run(60_000)
  it.session.close()
  return fired
}

/** Somebody coughs. */
async function confirm(): Promise<Fired> {
  const { clerk, context } = shop()
  const it = await talk(clerk, script, { context, interruption: { mode: 'confirm' }, msPerLetter: 200 })
  const fired = record(
    it.session,
    new Map<unknown, string>([
      [it.session.context, 'the context'],
      [clerk, 'agent Clerk'],
    ]),
  )
  await it.say('hello', 500)
  await speak(it, `tt${'s'.repeat(10)}`)
  return fired
}

async function holdback(): Promise<Fired> {
  const { clerk, context } = shop()
  const it = await talk(clerk, script, {
    context,
    outputGuardrails: [noSecrets],
    outputGuardrailSettings: { mode: 'holdback' },
  })
  const fired = record(it.session, new Map())
  await it.say('hello')
  return fired
}

async function mcp(): Promise<Fired> {
  const { context } = shop()
  const calendar = hostedMcpTool({ serverLabel: 'calendar', serverUrl: 'https://calendar.example' })
  const clerk = new RealtimeAgent<Shop>({ name: 'Clerk', tools: [calendar] })
  const it = await puppet(clerk, { context })
  const fired = record(
    it.session,
    new Map<unknown, string>([
      [it.session.context, 'the context'],
      [clerk, 'agent Clerk'],
    ]),
  )
  const tools = [{ name: 'events', description: 'What is on.', input_schema: { type: 'object' } }]
  const list = { id: 'l', type: 'mcp_list_tools', server_label: 'calendar', tools }
  await it.say(
    { type: 'conversation.item.added', item: list, previous_item_id: null },
    { type: 'conversation.item.done', item: list, previous_item_id: null },
    { type: 'response.mcp_call.in_progress', item_id: 'm', output_index: 0 },
    { type: 'response.mcp_call.completed', item_id: 'm', output_index: 0 },
    { type: 'conversation.item.done', item: eventsCall, previous_item_id: 'l' },
  )
  return fired
}

/** All that a session and its agents tell, in order; what is `named`, by its name. */
function record(
  session: RealtimeSession<Shop>,
  named: ReadonlyMap<unknown, string>,
  agents: readonly RealtimeAgent<Shop>[] = [],
  wire: readonly unknown[] = [],
): Fired {
  const fired: [string, ...unknown[]][] = []
  const shown = (arg: unknown): unknown => {
    if (named.has(arg)) return named.get(arg)
    if (arg === session.history) return 'the history'
    if (session.history.includes(arg as never)) return { 'an item of the history': arg }
    if (wire.includes(arg)) return `what the far end said: ${(arg as { type: string }).type}`
    if (arg && Object.getPrototypeOf(arg) === Object.prototype) {
      return Object.fromEntries(Object.entries(arg).map(([key, value]) => [key, named.get(value) ?? value]))
    }
    return arg
  }
  for (const name of Object.keys(ofSession) as Name[]) {
    session.on(name, (...args: readonly unknown[]) => fired.push([name, ...args.map(shown)]))
  }
  for (const agent of agents) {
    for (const name of Object.keys(ofAgent) as (keyof typeof ofAgent)[]) {
      agent.on(name, (...args: readonly unknown[]) => fired.push([`${agent.name}: ${name}`, ...args.map(shown)]))
    }
  }
  return fired
}
