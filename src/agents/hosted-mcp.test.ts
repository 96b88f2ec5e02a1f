import { hostedMcpTool as theirs } from '@openai/agents-core'
import { describe, expect, test } from 'vitest'
import { UserError } from '../protocol/errors.ts'
import type { McpCall, ServerEvent } from '../protocol/events.ts'
import { parse } from '../protocol/parse.ts'
import { type AvailableMcpTool, mcpFollower } from './hosted-mcp.ts'
import { type HostedTool, hostedMcpTool, toWireTool } from './hosted-tool.ts'

const serverUrl = 'https://mcp.example.com'
const url = { serverLabel: 'docs', serverUrl } as const
const wire = { type: 'mcp', server_label: 'docs', server_url: serverUrl, require_approval: 'never' } as const

describe('a hosted MCP tool on the wire', () => {
  test('keeps every field', () => {
    const tool = hostedMcpTool({
      serverLabel: 'docs',
      serverUrl,
      serverDescription: 'The manual.',
      authorization: 'token',
      headers: { 'X-Team': 'blue', camelCase: 'kept' },
      allowedTools: { toolNames: ['look'], readOnly: true },
      allowedCallers: ['direct'],
      requireApproval: { always: { toolNames: ['write'] }, never: { readOnly: true } },
      deferLoading: true,
    })
    expect(tool).toEqual({
      type: 'mcp',
      server_label: 'docs',
      server_url: serverUrl,
      server_description: 'The manual.',
      authorization: 'token',
      headers: { 'X-Team': 'blue', camelCase: 'kept' },
      allowed_tools: { tool_names: ['look'], read_only: true },
      allowed_callers: ['direct'],
      require_approval: { always: { tool_names: ['write'] }, never: { read_only: true } },
      defer_loading: true,
    })
    expect(toWireTool(tool)).toBe(tool)
  })

  test('has what was given and no more; no call has to be approved unless it says so', () => {
    expect(hostedMcpTool(url)).toEqual(wire)
    expect(hostedMcpTool({ ...url, headers: undefined })).toStrictEqual(wire)
    expect(hostedMcpTool({ ...url, requireApproval: 'always' })).toEqual({ ...wire, require_approval: 'always' })
    expect(hostedMcpTool({ ...url, allowedTools: ['a', 'b'] })).toEqual({ ...wire, allowed_tools: ['a', 'b'] })
  })

  test.each([
    [
      { serverLabel: 'mail', connectorId: 'connector_gmail', authorization: 'token' } as const,
      'connector_id',
      'connector_gmail',
    ],
    [{ serverLabel: 'mail', tunnelId: 'tunnel_1' } as const, 'tunnel_id', 'tunnel_1'],
  ])('is of a connector or a tunnel: %j', (options, field, value) => {
    const tool = hostedMcpTool(options)
    expect(tool).toMatchObject({ server_label: 'mail', [field]: value })
    expect(tool).not.toHaveProperty('server_url')
  })

  test.each<[title: string, options: object, message: string]>([
    ['has no label', { serverUrl }, 'serverLabel'],
    ['has an empty label', { ...url, serverLabel: '' }, 'serverLabel'],
    ['names no server', { serverLabel: 'docs' }, '0 of serverUrl, connectorId or tunnelId'],
    ['names two', { ...url, connectorId: 'connector_gmail' }, '2 of serverUrl, connectorId or tunnelId'],
  ])('is refused where it %s', (_, options, message) => {
    const make = () => hostedMcpTool(options as Parameters<typeof hostedMcpTool>[0])
    expect(make).toThrow(UserError)
    expect(make).toThrow(message)
  })

  test('made with the agents SDK is the same as one made here', () => {
    const options = {
      serverDescription: 'The manual.',
      authorization: 'token',
      headers: { 'X-Team': 'blue' },
      allowedTools: { toolNames: ['look'] },
      deferLoading: true,
      requireApproval: { never: { toolNames: ['look'], readOnly: true }, always: { toolNames: ['write'] } },
    }
    for (const server of [
      { serverLabel: 'docs', serverUrl },
      { serverLabel: 'm', connectorId: 'connector_gmail' as const },
    ]) {
      const wanted = hostedMcpTool({ ...server, ...options } as Parameters<typeof hostedMcpTool>[0])
      const { require_approval, ...rest } = toWireTool(theirs({ ...server, ...options }))
      expect(rest).toStrictEqual(
        Object.fromEntries(Object.entries(wanted).filter(([key]) => key !== 'require_approval')),
      )
      expect(require_approval).toMatchObject({ never: { tool_names: ['look'] }, always: { tool_names: ['write'] } })
      expect(toWireTool(theirs(server))).toStrictEqual(hostedMcpTool(server as Parameters<typeof hostedMcpTool>[0]))
    }
  })

  test('made with the agents SDK has nothing on the wire of what the app runs itself', () => {
    const tool = theirs({ ...url, requireApproval: 'always', onApproval: async () => ({ approve: true }) })
    expect(toWireTool(tool)).toStrictEqual({ ...wire, require_approval: 'always' })
  })

  test('of another kind is refused, and the error names it', () => {
    const search: HostedTool = { type: 'hosted_tool', name: 'web_search', providerData: { type: 'web_search' } }
    expect(() => toWireTool(search)).toThrow(UserError)
    expect(() => toWireTool(search)).toThrow("'web_search' cannot be used here")
    expect(() => toWireTool({ type: 'hosted_tool', name: 'empty' })).toThrow("'empty' cannot be used here")
  })
})

/** Events as a line brings them: through the door, which lets much pass that the types do not have. */
function following() {
  const changes: (readonly string[])[] = []
  const completed: McpCall[] = []
  const follower = mcpFollower({
    changed: (tools) => changes.push(named(tools)),
    completed: (call) => completed.push(call),
  })
  const hear = (...events: readonly object[]) => {
    for (const event of events) {
      const parsed = parse(JSON.stringify({ event_id: 'e', ...event }))
      if (parsed) follower.received(parsed)
    }
  }
  return { changes, completed, hear, follower }
}
const named = (tools: readonly AvailableMcpTool[]) => tools.map(({ serverLabel, name }) => `${serverLabel}.${name}`)

const list = (id: string, label: string, ...names: readonly string[]) => ({
  id,
  type: 'mcp_list_tools',
  server_label: label,
  tools: names.map((name) => ({ name, input_schema: { type: 'object' } })),
})
const added = (item: object) => ({ type: 'conversation.item.added', previous_item_id: null, item })
const done = (item: object) => ({ type: 'conversation.item.done', previous_item_id: null, item })
const session = (...labels: readonly string[]) => ({
  type: 'session.updated',
  session: {
    type: 'realtime',
    tools: [{ type: 'function', name: 'f' }, ...labels.map((label) => ({ type: 'mcp', server_label: label }))],
  },
})
const listing = (is: 'in_progress' | 'completed' | 'failed', item_id: string) => ({
  type: `mcp_list_tools.${is}`,
  item_id,
})

describe('the tools that the far end found', () => {
  test('are available once they are listed, and each change is told once', () => {
    const { hear, changes, follower } = following()
    hear(session('docs'), added(list('l1', 'docs')), listing('in_progress', 'l1'))
    expect(changes).toEqual([])
    expect(follower.availableMcpTools).toEqual([])
    hear(listing('completed', 'l1'), done(list('l1', 'docs', 'look', 'ask')), done(list('l1', 'docs', 'look', 'ask')))
    expect(changes).toEqual([['docs.look', 'docs.ask']])
    expect(follower.availableMcpTools[0]).toEqual({
      name: 'look',
      description: '',
      inputSchema: { type: 'object' },
      serverLabel: 'docs',
    })
    expect(follower.availableMcpTools).toBe(follower.availableMcpTools)
  })

  test('are those of all servers', () => {
    const { hear, changes } = following()
    hear(done(list('l1', 'docs', 'look')), done(list('l2', 'mail', 'send')))
    expect(changes).toEqual([['docs.look'], ['docs.look', 'mail.send']])
  })

  test('are those of the current agent, whose servers the far end says', () => {
    const { hear, changes, follower } = following()
    hear(session('docs'), done(list('l1', 'docs', 'look')))
    hear(session('mail'), done(list('l2', 'mail', 'send')), session('docs', 'mail'), session())
    expect(changes).toEqual([['docs.look'], [], ['mail.send'], ['docs.look', 'mail.send'], []])
    expect(follower.availableMcpTools).toEqual([])
  })

  test('stay while a server is asked again, and are then what it said last', () => {
    const { hear, changes } = following()
    hear(session('docs'), done(list('l1', 'docs', 'look')))
    hear({ type: 'session.created', session: { type: 'realtime', tools: [] } }, session('docs'))
    hear(added(list('l2', 'docs')), listing('in_progress', 'l2'))
    expect(changes).toEqual([['docs.look']])
    hear(listing('completed', 'l2'), done(list('l2', 'docs', 'find')))
    expect(changes).toEqual([['docs.look'], ['docs.find']])
  })

  test('are gone when the server cannot be asked, or its list is deleted', () => {
    const { hear, changes } = following()
    hear(done(list('l1', 'docs', 'look')), added(list('l2', 'docs')), listing('failed', 'l2'))
    expect(changes).toEqual([['docs.look'], []])
    hear(done(list('l3', 'mail', 'send')), { type: 'conversation.item.deleted', item_id: 'l3' })
    expect(changes.slice(2)).toEqual([['mail.send'], []])
  })

  test('are known from an item that was retrieved', () => {
    const { hear, changes } = following()
    hear({ type: 'conversation.item.retrieved', item: list('l1', 'docs', 'look') })
    expect(changes).toEqual([['docs.look']])
    hear({ type: 'conversation.item.retrieved', item: list('l1', 'docs') }, added(list('l1', 'docs')))
    expect(changes).toEqual([['docs.look']])
  })
})

const call = (more: object = {}) => ({
  id: 'c1',
  type: 'mcp_call',
  server_label: 'docs',
  name: 'look',
  arguments: '{"q":1}',
  ...more,
})
const output = { output: 'found' }
const error = { error: { type: 'tool_execution_error', message: 'out of order' } }
const item = (is: 'added' | 'done', given: object) => ({
  type: `response.output_item.${is}`,
  response_id: 'r1',
  output_index: 0,
  item: given,
})
const progress = (is: 'in_progress' | 'completed' | 'failed', item_id = 'c1') => ({
  type: `response.mcp_call.${is}`,
  output_index: 0,
  item_id,
})
const over = (...given: readonly object[]) => ({ type: 'response.done', response: { id: 'r1', output: given } })
const begun = [added(call()), item('added', call()), progress('in_progress')]

describe('a call that the far end made', () => {
  test.each<[title: string, events: readonly object[], told: readonly object[]]>([
    [
      'ends, then its item',
      [...begun, progress('completed'), item('done', call(output)), done(call(output))],
      [output],
    ],
    [
      'ends after its item',
      [...begun, item('done', call(output)), progress('completed'), done(call(output))],
      [output],
    ],
    ['fails', [...begun, progress('failed'), item('done', call(error)), done(call(error))], [error]],
    [
      'is given by the model before it is made',
      [...begun, item('done', call()), over(call()), progress('completed'), done(call(output))],
      [output],
    ],
    ['ends with the conversation’s item alone', [...begun, progress('completed'), done(call(output))], [output]],
    [
      'is known from an item retrieved',
      [...begun, { type: 'conversation.item.retrieved', item: call(output) }],
      [output],
    ],
    ['ends with no output', [...begun, progress('completed'), item('done', call()), done(call())], [{}]],
    ['ends with no output, its item before', [...begun, done(call()), progress('completed')], [{}]],
    [
      'ends with an output of null',
      [...begun, progress('completed'), done(call({ output: null, error: null }))],
      [{ output: null }],
    ],
    ['is known from the response alone', [over(call(output))], [output]],
    [
      'ends, its item told with the response',
      [...begun, item('done', call()), progress('completed'), over(call())],
      [{}],
    ],
    ['has an empty output', [...begun, progress('completed'), item('done', call({ output: '' }))], [{ output: '' }]],
    ['fails, as its item alone says', [...begun, item('done', call(error))], [error]],
    ['was added to a response', [item('added', call()), done(call(output))], [output]],
    ['was seen in progress', [progress('in_progress'), done(call(output))], [output]],
    ['is under way', [...begun, item('done', call()), over(call())], []],
    ['is under way, its item done', [...begun, done(call())], []],
    ['ended, and its item is not there yet', [...begun, progress('completed')], []],
    [
      'has arguments that are not JSON',
      [...begun, progress('completed'), done(call({ arguments: '{"q":' }))],
      [{ arguments: '{"q":' }],
    ],
    [
      'has fields that nobody knows',
      [...begun, progress('completed'), done(call({ mood: { good: 1 } }))],
      [{ mood: { good: 1 } }],
    ],
    ['is of an earlier conversation', [added(call(output)), done(call(output))], []],
    [
      'has nothing but its id',
      [progress('completed'), done({ id: 'c1', type: 'mcp_call' })],
      [{ id: 'c1', type: 'mcp_call', server_label: '', name: '', arguments: '' }],
    ],
  ])('which %s is told once, or not at all', (_, events, told) => {
    const { hear, completed } = following()
    hear(...events)
    expect(completed).toHaveLength(told.length)
    expect(completed).toMatchObject(told)
    hear(...(told.length ? events : []))
    expect(completed).toHaveLength(told.length)
  })

  test('is told as the wire has it', () => {
    const { hear, completed } = following()
    hear(...begun, progress('completed'), done(call(output)))
    expect(completed).toEqual([call(output)])
  })

  test('is told beside others of its response', () => {
    const { hear, completed } = following()
    const other = call({ id: 'c2', output: 'second' })
    hear(...begun, item('added', call({ id: 'c2' })), progress('completed', 'c2'), done(other))
    hear(progress('completed'), done(call(output)))
    expect(completed.map(({ id }) => id)).toEqual(['c2', 'c1'])
  })
})

const odd: readonly unknown[] = [
  undefined,
  null,
  0,
  'odd',
  [],
  [null],
  {},
  { type: 'mcp' },
  [{ type: 'mcp' }],
  [{ name: 1 }],
]
const types = [
  'session.created',
  'session.updated',
  'conversation.item.created',
  'conversation.item.added',
  'conversation.item.done',
  'conversation.item.retrieved',
  'conversation.item.deleted',
  'mcp_list_tools.in_progress',
  'mcp_list_tools.completed',
  'mcp_list_tools.failed',
  'response.mcp_call_arguments.delta',
  'response.mcp_call_arguments.done',
  'response.mcp_call.in_progress',
  'response.mcp_call.completed',
  'response.mcp_call.failed',
  'response.output_item.added',
  'response.output_item.done',
  'response.done',
]

test('nothing that comes through the door makes it throw, whatever is missing or odd in it', () => {
  const { hear, follower, changes, completed } = following()
  let passed = 0
  for (const type of types)
    for (const value of odd) {
      const items = ['mcp_list_tools', 'mcp_call'].flatMap((kind) =>
        ['tools', 'server_label', 'name', 'arguments', 'output', 'error'].map((field) => ({
          id: 'i',
          type: kind,
          [field]: value,
        })),
      )
      hear({ type, item: value, item_id: value, session: value, response: value, tools: value })
      hear({ type, session: { tools: value }, response: { id: 'r', output: value } })
      for (const one of items)
        hear({ type, item_id: 'i', item: one, response: { id: 'r', output: [one] }, delta: '', arguments: '' })
      passed += items.length
    }
  expect(passed).toBe(types.length * odd.length * 12)
  expect(completed).toHaveLength(1)
  expect(follower.availableMcpTools).toEqual([])
  expect(changes).toEqual([])
})

test('an event of no known type is passed over', () => {
  const { follower, changes } = following()
  follower.received({ type: 'mcp_list_tools.dreamt', item_id: 'l1' } as unknown as ServerEvent)
  expect(changes).toEqual([])
})
