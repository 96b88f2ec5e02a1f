/** Tools that the far end runs itself, and asks the app for: a line in the hand, since the local server runs none. */
import { expect, test } from 'vitest'
import { hostedMcpTool, RealtimeAgent, RealtimeSession } from '../src/index.ts'
import type { ClientEvent, ServerEvent } from '../src/protocol/events.ts'
import type { Listener } from '../src/session/transport.ts'
import { world } from '../src/testing/index.ts'

const shop = hostedMcpTool({ serverLabel: 'shop', serverUrl: 'https://shop.example', requireApproval: 'always' })

async function inHand(options: object = {}) {
  const w = world(1)
  const told: ClientEvent[] = []
  const errors: unknown[] = []
  let listener: Listener | null = null
  const dialer = () => (hears: Listener) => {
    listener = hears
    return { send: (event: ClientEvent) => void told.push(event), append: () => true, close() {} }
  }
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Clerk', tools: [shop] }), {
    clock: w.clock,
    seed: 3,
    transport: { dialer },
    ...options,
  })
  session.on('error', ({ error }) => errors.push(error))
  const connecting = session.connect()
  while (!listener) await w.settle(w.now() + 1)
  const line: Listener = listener
  let events = 0
  const hear = async (...said: object[]) => {
    for (const event of said) line.received({ event_id: `e${events++}`, ...event } as ServerEvent)
    await w.settle(w.now() + 1)
  }
  line.opened()
  await hear({ type: 'session.updated', session: {} })
  await connecting
  told.length = 0
  return { w, session, told, errors, hear }
}

const request = {
  id: 'req_1',
  type: 'mcp_approval_request',
  server_label: 'shop',
  name: 'pay',
  arguments: '{"amount":5}',
}
const response = (id: string, status: string, output: object[] = []) => ({
  id,
  object: 'realtime.response',
  status,
  output,
  conversation_id: 'c',
})
const asking = [
  { type: 'response.created', response: response('r1', 'in_progress') },
  { type: 'response.output_item.added', response_id: 'r1', output_index: 0, item: request },
  { type: 'conversation.item.added', previous_item_id: null, item: request },
  { type: 'conversation.item.done', previous_item_id: null, item: request },
  { type: 'response.output_item.done', response_id: 'r1', output_index: 0, item: request },
  { type: 'response.done', response: response('r1', 'completed', [request]) },
]

test.each([
  ['approved', true, undefined],
  ['rejected', false, 'Too dear.'],
] as const)(
  'a request is told once; %s, the far end is told, and an answer is asked for',
  async (_, approve, message) => {
    const it = await inHand()
    const requests: unknown[] = []
    it.session.on('tool_approval_requested', (_context, agent, { type, tool, approvalItem }) => {
      requests.push([agent.name, type, tool])
      if (approve) it.session.approve(approvalItem)
      else it.session.reject(approvalItem, { message: message! })
    })
    await it.hear(...asking)
    expect(requests).toEqual([['Clerk', 'mcp_approval_request', null]])
    expect(it.told.map(({ type }) => type)).toEqual(['conversation.item.create', 'response.create'])
    expect(it.told[0]).toMatchObject({
      item: {
        type: 'mcp_approval_response',
        approval_request_id: 'req_1',
        approve,
        ...(message ? { reason: message } : {}),
      },
    })
    expect(it.errors).toEqual([])
  },
)

test('a verdict for all answers the next request of that tool without asking', async () => {
  const it = await inHand()
  let asked = 0
  it.session.on('tool_approval_requested', (_context, _agent, { approvalItem }) => {
    asked++
    it.session.approve(approvalItem, { alwaysApprove: true })
  })
  await it.hear(...asking)
  await it.hear(...JSON.parse(JSON.stringify(asking).replaceAll('req_1', 'req_2').replaceAll('"r1"', '"r2"')))
  expect(asked).toBe(1)
  const verdicts = it.told.flatMap((event) =>
    'item' in event && event.item.type === 'mcp_approval_response' ? [event.item.approval_request_id] : [],
  )
  expect(verdicts).toEqual(['req_1', 'req_2'])
})

const call = {
  id: 'mcp_1',
  type: 'mcp_call',
  server_label: 'shop',
  name: 'pay',
  arguments: '{}',
  output: 'paid',
  error: null,
}
const calling = [
  { type: 'response.created', response: response('r3', 'in_progress') },
  { type: 'response.output_item.added', response_id: 'r3', output_index: 0, item: { ...call, output: null } },
  { type: 'conversation.item.added', previous_item_id: null, item: { ...call, output: null } },
  { type: 'response.mcp_call.in_progress', item_id: 'mcp_1', output_index: 0 },
  { type: 'response.mcp_call.completed', item_id: 'mcp_1', output_index: 0 },
  { type: 'conversation.item.done', previous_item_id: null, item: call },
  { type: 'response.output_item.done', response_id: 'r3', output_index: 0, item: call },
  { type: 'response.done', response: response('r3', 'completed', [call]) },
]

test.each([
  [{}, ['response.create']],
  [{ automaticallyTriggerResponseForMcpToolCalls: false }, []],
])(
  'a call of its own is told once when it has ended, and shows in the history; an answer is asked for as %j says',
  async (options, told) => {
    const it = await inHand(options)
    const completed: unknown[] = []
    it.session.on('mcp_tool_call_completed', (_context, _agent, { name, output }) => completed.push([name, output]))
    await it.hear(...calling)
    expect(completed).toEqual([['pay', 'paid']])
    expect(it.told.map(({ type }) => type)).toEqual(told)
    expect(it.session.history).toMatchObject([{ type: 'mcp_call', name: 'pay', output: 'paid', serverLabel: 'shop' }])
  },
)

test('what its servers offer is told when it is known', async () => {
  const it = await inHand()
  const changes: unknown[] = []
  it.session.on('mcp_tools_changed', (tools) => changes.push(tools.map(({ name }) => name)))
  const list = {
    id: 'list_1',
    type: 'mcp_list_tools',
    server_label: 'shop',
    tools: [{ name: 'pay', input_schema: {} }],
  }
  await it.hear(
    { type: 'conversation.item.added', previous_item_id: null, item: { ...list, tools: [] } },
    { type: 'mcp_list_tools.in_progress', item_id: 'list_1' },
    { type: 'conversation.item.done', previous_item_id: null, item: list },
    { type: 'mcp_list_tools.completed', item_id: 'list_1' },
  )
  expect(it.session.availableMcpTools.map(({ name }) => name)).toEqual(changes.at(-1))
})
