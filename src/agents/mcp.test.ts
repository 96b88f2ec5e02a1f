import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Client as SuccessorClient } from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { type MCPServer, MCPServerStdio } from '@openai/agents-core'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { calling } from '../../test/calling.ts'
import type { RunContext } from './context.ts'
import { followMcpTools, type McpServerLike, mcpTools } from './mcp.ts'
import type { FunctionTool, ToolDetails } from './tool.ts'

const context = { context: { user: 'ann' } } as RunContext<unknown>
const details = (signal = new AbortController().signal): ToolDetails => ({
  signal,
  toolCall: {
    id: 'item_1',
    call_id: 'call_1',
    callId: 'call_1',
    name: 'any',
    arguments: '{}',
  } as ToolDetails['toolCall'],
})
const ask = (tool: FunctionTool | undefined, args: unknown, signal?: AbortSignal): unknown =>
  tool?.invoke(context, typeof args === 'string' ? args : JSON.stringify(args), details(signal))
const byName = (tools: readonly FunctionTool[], name: string) => tools.find((tool) => tool.name === name)
const namesOf = (tools: readonly FunctionTool[]) => tools.map(({ name }) => name)

function event<T = void>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function connected(server: Server | McpServer): Promise<Client> {
  const [ours, theirs] = InMemoryTransport.createLinkedPair()
  const client = new Client({ name: 'app', version: '1' })
  await Promise.all([server.connect(theirs), client.connect(ours)])
  closing.push(() => client.close())
  return client
}

async function connectedSuccessor(server: McpServer): Promise<SuccessorClient> {
  const [ours, theirs] = InMemoryTransport.createLinkedPair()
  const client = new SuccessorClient({ name: 'app', version: '1' })
  await Promise.all([server.connect(theirs), client.connect(ours)])
  closing.push(() => client.close())
  return client
}

interface Listed {
  readonly name: string
  readonly description?: string
  readonly inputSchema: { readonly type: 'object'; readonly [key: string]: unknown }
  readonly annotations?: { readonly readOnlyHint?: boolean }
}
const plain = (name: string): Listed => ({ name, inputSchema: { type: 'object' } })

/** A server on the wire's own terms: what it lists, page by page, and what each call gives. */
function serving(pages: readonly (readonly Listed[])[], give: (name: string) => object = () => ({ content: [] })) {
  const called: { name: string; arguments?: unknown }[] = []
  const asked: number[] = []
  const server = new Server(
    { name: 'raw', version: '1' },
    { capabilities: { tools: { listChanged: true }, logging: {} } },
  )
  server.setRequestHandler(ListToolsRequestSchema, ({ params }) => {
    const page = Number(params?.cursor ?? 0)
    asked.push(page)
    return { tools: [...(pages[page] ?? [])], ...(page + 1 < pages.length ? { nextCursor: String(page + 1) } : {}) }
  })
  server.setRequestHandler(CallToolRequestSchema, ({ params }) => {
    called.push(params)
    return give(params.name)
  })
  return { server, called, asked }
}

describe('the tools of an MCP server', () => {
  test('are listed and called with their own schema, through the real SDK', async () => {
    const server = new McpServer({ name: 'sums', version: '1' })
    server.registerTool(
      'add',
      { description: 'Adds two numbers.', inputSchema: { a: z.number(), b: z.number() } },
      ({ a, b }) => ({ content: [{ type: 'text', text: String(a + b) }] }),
    )
    const [add] = await mcpTools(await connected(server))
    expect(add).toMatchObject({
      type: 'function',
      name: 'add',
      description: 'Adds two numbers.',
      parameters: {
        type: 'object',
        properties: { a: { type: 'number' }, b: { type: 'number' } },
        required: ['a', 'b'],
      },
    })
    expect(await ask(add, { a: 2, b: 40 })).toBe('42')
    await expect(ask(add, { a: 'two', b: 40 })).rejects.toThrow(/a/)
  })

  test('are read from all pages', async () => {
    const { server } = serving([[plain('one')], [plain('two'), plain('three')], [], [plain('four')]])
    expect(namesOf(await mcpTools(await connected(server)))).toEqual(['one', 'two', 'three', 'four'])
  })

  test('are refused when the pages have no end', async () => {
    const endless = Array.from({ length: 101 }, (_, page) => [plain(`tool_${page}`)])
    const { server } = serving(endless)
    await expect(mcpTools(await connected(server))).rejects.toThrow('more than 100 pages')
    expect(await mcpTools(await connected(serving(endless.slice(1)).server))).toHaveLength(100)
  })

  test('are none where the server has none to offer', async () => {
    const server = new Server({ name: 'prompts', version: '1' }, { capabilities: { prompts: {} } })
    expect(await mcpTools(await connected(server))).toEqual([])
  })

  test('cannot be listed before the client is connected, and the error says what could not be done', async () => {
    const client = new Client({ name: 'app', version: '1' })
    await expect(mcpTools(client)).rejects.toThrow(/tools of the MCP server cannot be listed: Not connected/)
  })

  test('have parameters with properties, which the Realtime API asks for and MCP does not', async () => {
    const { server } = serving([[plain('one')]])
    const [one] = await mcpTools(await connected(server))
    expect(one?.parameters).toEqual({ type: 'object', properties: {} })
  })

  test('are those that are allowed, and only those', async () => {
    const { server } = serving([[plain('read'), plain('write'), plain('delete')]])
    const tools = await mcpTools(await connected(server), {
      allowed: ['read', 'write'],
      names: (name) => `files_${name}`,
    })
    expect(namesOf(tools)).toEqual(['files_read', 'files_write'])
  })

  test('have a limit of time, and an approval that may look at what the server says of the tool', async () => {
    const { server } = serving([[{ ...plain('read'), annotations: { readOnlyHint: true } }, plain('write')]])
    const client = await connected(server)
    const tools = await mcpTools(client, {
      timeoutMs: 500,
      needsApproval: ({ annotations }, _, args) => !annotations?.readOnlyHint && args !== null,
    })
    expect(tools.map((tool) => tool.timeoutMs)).toEqual([500, 500])
    expect(tools.map((tool) => tool.needsApproval?.(context, {}, 'call_1'))).toEqual([false, true])
    const [always] = await mcpTools(client, { needsApproval: true })
    expect(always?.needsApproval?.(context, {}, 'call_1')).toBe(true)
    const [never] = await mcpTools(client)
    expect(never).not.toHaveProperty('needsApproval')
    expect(never).not.toHaveProperty('timeoutMs')
  })
})

describe('names', () => {
  const odd = ['files/read', 'files.read', 'x'.repeat(100), `${'x'.repeat(100)}y`, '天気', 'ok-1_A', 'x'.repeat(64)]

  async function told(names: readonly string[]) {
    const { server, called } = serving([names.map(plain)])
    const tools = await mcpTools(await connected(server))
    return { tools, called, of: new Map(names.map((name, n) => [name, tools[n]?.name])) }
  }

  test('that the protocol does not take are made to fit, each to its own, and the server is called by its name', async () => {
    const { tools, called } = await told(odd)
    const given = namesOf(tools)
    for (const name of given) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
    expect(new Set(given).size).toBe(odd.length)
    expect(given.slice(5)).toEqual(odd.slice(5))
    for (const tool of tools) await ask(tool, {})
    expect(called.map(({ name }) => name)).toEqual(odd)
  })

  test('stay the same whatever else the server offers, and in whatever order', async () => {
    const { of } = await told(odd)
    const { of: turned } = await told(['new/tool', ...odd.toReversed()])
    for (const name of odd) expect(turned.get(name)).toBe(of.get(name))
  })

  test('that are made to fit do not take the name of another tool', async () => {
    const { of } = await told(['a/b'])
    const taken = of.get('a/b') ?? ''
    const { tools } = await told(['a/b', taken])
    expect(new Set(namesOf(tools)).size).toBe(2)
    expect(tools[1]?.name).toBe(taken)
  })

  test('that a server lists twice are one tool', async () => {
    const { server } = serving([[{ ...plain('one'), description: 'first' }, plain('two'), plain('one')]])
    const tools = await mcpTools(await connected(server))
    expect(tools.map(({ name, description }) => [name, description])).toEqual([
      ['one', 'first'],
      ['two', ''],
    ])
  })
})

describe('a call', () => {
  const image = { type: 'image', data: 'AAAA', mimeType: 'image/png' }
  const audio = { type: 'audio', data: 'AAAA', mimeType: 'audio/wav' }
  const file = { type: 'resource', resource: { uri: 'file:///a.txt', text: 'hello' } }
  const blob = { type: 'resource', resource: { uri: 'file:///a.pdf', blob: 'AAAA', mimeType: 'application/pdf' } }
  const link = { type: 'resource_link', uri: 'file:///b.txt', name: 'b' }
  const said = (text: string) => ({ type: 'text', text })
  const absent = 'was given, which cannot be shown here.]'

  test.each<[title: string, result: object, output: string]>([
    ['text is told as it is', { content: [said('fine')] }, 'fine'],
    ['parts of text are lines', { content: [said('one'), said('two')] }, 'one\ntwo'],
    ['structure without text is JSON', { content: [], structuredContent: { a: 1 } }, '{"a":1}'],
    ['structure beside text is not told twice', { content: [said('a is 1')], structuredContent: { a: 1 } }, 'a is 1'],
    [
      'structure beside an image',
      { content: [image], structuredContent: { a: 1 } },
      `{"a":1}\n[An image (image/png) ${absent}`,
    ],
    ['an image is named', { content: [said('see'), image] }, `see\n[An image (image/png) ${absent}`],
    ['audio is named', { content: [audio] }, `[Audio (audio/wav) ${absent}`],
    ['a resource of text is told', { content: [file] }, 'file:///a.txt:\nhello'],
    ['other resources are named', { content: [blob] }, `[The resource file:///a.pdf (application/pdf) ${absent}`],
    ['a link is named', { content: [link] }, `[The resource 'b' at file:///b.txt ${absent}`],
    ['nothing is nothing to tell', { content: [] }, ''],
  ])('%s', async (_, result, output) => {
    const { server } = serving([[plain('get')]], () => result)
    const [get] = await mcpTools(await connected(server))
    expect(await ask(get, {})).toBe(output)
  })

  test.each<[title: string, result: object, message: string]>([
    [
      'with what it said',
      { isError: true, content: [said('no such file'), said('try another')] },
      'no such file\ntry another',
    ],
    ['with its structure', { isError: true, content: [], structuredContent: { code: 7 } }, '{"code":7}'],
    ['with text before structure', { isError: true, content: [said('no')], structuredContent: { code: 7 } }, 'no'],
    ['with nothing said', { isError: true, content: [] }, 'It did not say why.'],
  ])('that failed rejects, %s', async (_, result, message) => {
    const { server } = serving([[plain('get')]], () => result)
    const [get] = await mcpTools(await connected(server))
    await expect(ask(get, {})).rejects.toThrow(new Error(message))
  })

  test.each<[input: string, sent: unknown]>([
    ['', {}],
    ['{}', {}],
    ['null', {}],
    ['{"a":[1]}', { a: [1] }],
  ])('with the arguments %j sends %j', async (input, sent) => {
    const { server, called } = serving([[plain('get')]])
    const [get] = await mcpTools(await connected(server))
    await ask(get, input)
    expect(called).toMatchObject([{ name: 'get', arguments: sent }])
  })

  test.each(['{"a":', '[1]', '"a"', '7'])(
    'with the arguments %s is not made, and the model is told why',
    async (input) => {
      const { server, called } = serving([[plain('get')]])
      const [get] = await mcpTools(await connected(server))
      await expect(ask(get, input)).rejects.toThrow(/arguments are not .*JSON.* Correct them/)
      expect(called).toEqual([])
    },
  )

  test('that failed is told to the model with what the server said, and to the app', async () => {
    const { server } = serving([[plain('get')]], () => ({ isError: true, content: [said('no such file')] }))
    const it = calling(await mcpTools(await connected(server)))
    expect(await it.call('get')).toMatchObject({ output: 'The tool failed: no such file' })
    expect(String(it.errors[0])).toContain("Tool 'get' failed: no such file")
  })

  async function waiting() {
    const { promise: begun, resolve: begin } = event()
    const { promise: cancelled, resolve: cancel } = event<string>()
    const server = new McpServer({ name: 'slow', version: '1' })
    server.registerTool('wait', {}, (extra) => {
      begin()
      return new Promise((resolve) => {
        extra.signal.addEventListener('abort', () => {
          cancel('cancelled')
          resolve({ content: [] })
        })
      })
    })
    return { server, begun, cancelled }
  }

  test('that is aborted ends at the server too', async () => {
    const { server, begun, cancelled } = await waiting()
    const [wait] = await mcpTools(await connected(server))
    const stop = new AbortController()
    const call = ask(wait, {}, stop.signal)
    await begun
    stop.abort(new Error('the user interrupted'))
    await expect(call).rejects.toThrow('the user interrupted')
    expect(await cancelled).toBe('cancelled')
  })

  test('through the second version of the SDK is made, and is aborted, alike', async () => {
    const { server, begun, cancelled } = await waiting()
    server.registerTool('add', { inputSchema: { a: z.number() } }, ({ a }) => ({
      content: [{ type: 'text', text: `${a}` }],
    }))
    const tools = await mcpTools(await connectedSuccessor(server))
    expect(await ask(byName(tools, 'add'), { a: 7 })).toBe('7')
    const stop = new AbortController()
    const call = ask(byName(tools, 'wait'), {}, stop.signal)
    await begun
    stop.abort(new Error('the user interrupted'))
    await expect(call).rejects.toThrow()
    expect(await cancelled).toBe('cancelled')
  })

  test('is let go on for as long as the tool has, where that is longer than the client’s own limit', async () => {
    const limits: unknown[] = []
    const { server } = serving([[plain('get')]])
    const client = await connected(server)
    const callTool = client.callTool.bind(client)
    client.callTool = (params, schema, limit) => {
      limits.push(limit?.timeout)
      return callTool(params, schema, limit)
    }
    await ask((await mcpTools(client, { timeoutMs: 120_000 }))[0], {})
    await ask((await mcpTools(client))[0], {})
    expect(limits).toEqual([121_000, undefined])
  })
})

describe('tools that are followed', () => {
  interface Change {
    readonly names: readonly string[]
  }

  async function followed(server: McpServerLike) {
    const heard: Change[] = []
    let told = event()
    const failure = event<unknown>()
    const follower = await followMcpTools(server, {
      changed(tools) {
        heard.push({ names: namesOf(tools) })
        told.resolve()
        told = event()
      },
      failed: failure.resolve,
    })
    return { follower, heard, next: () => told.promise, failed: failure.promise }
  }

  test('are told anew when the server says that they changed', async () => {
    const server = new McpServer({ name: 'grows', version: '1' })
    server.registerTool('one', {}, () => ({ content: [] }))
    const { follower, heard, next } = await followed(await connected(server))
    expect(namesOf(follower.tools)).toEqual(['one'])
    const change = next()
    server.registerTool('two', {}, () => ({ content: [{ type: 'text', text: 'second' }] }))
    await change
    expect(heard).toEqual([{ names: ['one', 'two'] }])
    expect(await ask(byName(follower.tools, 'two'), {})).toBe('second')
  })

  test('are told anew through the second version of the SDK', async () => {
    const server = new McpServer({ name: 'grows', version: '1' })
    server.registerTool('one', {}, () => ({ content: [] }))
    const { heard, next } = await followed(await connectedSuccessor(server))
    const change = next()
    server.registerTool('two', {}, () => ({ content: [] }))
    await change
    expect(heard).toEqual([{ names: ['one', 'two'] }])
  })

  test('are the same value as long as they are the same tools', async () => {
    const { server } = serving([[plain('one')]])
    const { follower, heard } = await followed(await connected(server))
    const before = follower.tools
    expect(await follower.refresh()).toBe(before)
    expect(follower.tools).toBe(before)
    expect(heard).toEqual([])
  })

  test('are found by refresh where nothing tells of the change', async () => {
    const pages = [[plain('one')]]
    const { server } = serving(pages)
    const { follower, heard } = await followed(await connected(server))
    pages[0] = [plain('two')]
    expect(namesOf(await follower.refresh())).toEqual(['two'])
    expect(heard).toEqual([{ names: ['two'] }])
  })

  test('are asked for again when they change while they are being listed', async () => {
    let listings = 0
    const first = event()
    const under = event()
    const server = new Server({ name: 'raw', version: '1' }, { capabilities: { tools: { listChanged: true } } })
    server.setRequestHandler(ListToolsRequestSchema, async () => {
      const n = ++listings
      if (n === 2) {
        under.resolve()
        await first.promise
      }
      return { tools: [plain(`listing_${n}`)] }
    })
    const client = await connected(server)
    const { follower, heard } = await followed(client)
    const slow = follower.refresh()
    await under.promise
    await client.ping()
    const later = [follower.refresh(), follower.refresh(), follower.refresh()]
    await client.ping()
    expect(listings).toBe(2)
    first.resolve()
    expect(namesOf(await slow)).toEqual(['listing_2'])
    for (const tools of await Promise.all(later)) expect(namesOf(tools)).toEqual(['listing_3'])
    expect(heard).toEqual([{ names: ['listing_2'] }, { names: ['listing_3'] }])
  })

  test('are not asked for again because of other news, nor after they are left', async () => {
    const pages = [[plain('one')]]
    const { server, asked } = serving(pages)
    const client = await connected(server)
    const { follower, heard } = await followed(client)
    await server.notification({ method: 'notifications/message', params: { level: 'info', data: 'news' } })
    for (let n = 0; n < 3; n++) await client.ping()
    expect(asked).toHaveLength(1)
    const other = await followed(client)
    pages[0] = [plain('two')]
    const under = follower.refresh()
    follower.stop()
    expect(namesOf(await under)).toEqual(['two'])
    const change = other.next()
    await server.sendToolListChanged()
    await change
    for (let n = 0; n < 3; n++) await client.ping()
    expect(asked).toHaveLength(4)
    expect(heard).toEqual([])
  })

  test('fail in silence once they are left', async () => {
    const { server } = serving([[plain('one')]])
    const client = await connected(server)
    const { promise: listed, resolve: list } = event()
    const failures: unknown[] = []
    const follower = await followMcpTools(client, { changed() {}, failed: (error) => failures.push(error) })
    server.setRequestHandler(ListToolsRequestSchema, () => {
      follower.stop()
      list()
      throw new Error('gone')
    })
    await server.sendToolListChanged()
    await listed
    for (let n = 0; n < 3; n++) await client.ping()
    expect(failures).toEqual([])
  })

  test('leave the handler that was there in its place, and give it back', async () => {
    const server = new McpServer({ name: 'grows', version: '1' })
    const one = server.registerTool('one', {}, () => ({ content: [] }))
    const client = await connected(server)
    const methods: string[] = []
    const mine = async ({ method }: { method: string }) => void methods.push(method)
    client.fallbackNotificationHandler = mine
    const a = await followed(client)
    const b = await followed(client)
    const changes = [a.next(), b.next()]
    one.update({ description: 'The first.' })
    await Promise.all(changes)
    expect(methods).toEqual(['notifications/tools/list_changed'])
    a.follower.stop()
    const change = b.next()
    one.update({ description: 'The one.' })
    await change
    expect([a.heard.length, b.heard.length]).toEqual([1, 2])
    b.follower.stop()
    a.follower.stop()
    one.update({ description: 'The last.' })
    await client.ping()
    expect([a.heard.length, b.heard.length, methods.length]).toEqual([1, 2, 3])
  })

  test('stay as they were when the server cannot be asked, and the app is told', async () => {
    const { server } = serving([[plain('one')]])
    const client = await connected(server)
    const { follower, heard, failed } = await followed(client)
    server.removeRequestHandler('tools/list')
    await server.sendToolListChanged()
    expect(String(await failed)).toMatch(/cannot be listed/)
    expect(namesOf(follower.tools)).toEqual(['one'])
    expect(heard).toEqual([])
  })

  test('cannot be followed where they cannot be listed, and nothing is left at the client', async () => {
    const client = new Client({ name: 'app', version: '1' })
    await expect(followMcpTools(client, { changed() {} })).rejects.toThrow('cannot be listed')
    expect(client.fallbackNotificationHandler).toBeUndefined()
  })
})

describe('a server in another process', () => {
  const sdk = (path: string) =>
    pathToFileURL(join(process.cwd(), 'node_modules/@modelcontextprotocol/sdk/dist/esm', path)).href
  const source = `
import { McpServer } from ${JSON.stringify(sdk('server/mcp.js'))}
import { StdioServerTransport } from ${JSON.stringify(sdk('server/stdio.js'))}
const server = new McpServer({ name: 'apart', version: '1' })
server.registerTool('where', { description: 'Tells its process.' }, () => ({ content: [{ type: 'text', text: String(process.pid) }] }))
server.registerTool('fail', {}, () => { throw new Error('out of order') })
server.registerTool('count', {}, () => ({ content: [{ type: 'text', text: 'three' }], structuredContent: { count: 3 } }))
server.registerTool('meta', {}, ({ _meta }) => ({ content: [{ type: 'text', text: String(_meta?.tenant) }] }))
await server.connect(new StdioServerTransport())
`
  async function script(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'parley-mcp-'))
    closing.push(() => rm(folder, { recursive: true }))
    const file = join(folder, 'server.mjs')
    await writeFile(file, source)
    return file
  }

  test('is used through the client of the SDK', { timeout: 30_000 }, async () => {
    const transport = new StdioClientTransport({ command: process.execPath, args: [await script()] })
    const client = new Client({ name: 'app', version: '1' })
    closing.unshift(() => client.close())
    await client.connect(transport)
    const tools = await mcpTools(client)
    expect(namesOf(tools)).toEqual(['where', 'fail', 'count', 'meta'])
    expect(await ask(byName(tools, 'where'), {})).toBe(String(transport.pid))
    await expect(ask(byName(tools, 'fail'), {})).rejects.toThrow('out of order')
  })

  test('is used as a server of the agents SDK, its filter and guardrails with it', { timeout: 30_000 }, async () => {
    const guardrail: NonNullable<MCPServerStdio['toolInputGuardrails']>[number] = {
      type: 'tool_input',
      name: 'careful',
      run: async () => ({ behavior: { type: 'allow' } }),
    }
    const after: NonNullable<MCPServerStdio['toolOutputGuardrails']>[number] = {
      type: 'tool_output',
      name: 'after',
      run: async () => ({ behavior: { type: 'allow' } }),
    }
    const server = new MCPServerStdio({
      command: process.execPath,
      args: [await script()],
      name: 'apart',
      cacheToolsList: true,
      toolFilter: { blockedToolNames: ['count'] },
      toolInputGuardrails: [guardrail],
      toolOutputGuardrails: [after],
      toolMetaResolver: ({ runContext, serverName, toolName, arguments: args }) => ({
        tenant: [(runContext.context as { user: string }).user, serverName, toolName, JSON.stringify(args)].join(' '),
      }),
    })
    await expect(mcpTools(server)).rejects.toThrow("MCP server 'apart' cannot be listed")
    closing.unshift(() => server.close())
    await server.connect()
    const tools = await mcpTools(server)
    expect(namesOf(tools)).toEqual(['where', 'fail', 'meta'])
    expect(tools[0]).toMatchObject({ inputGuardrails: [guardrail], outputGuardrails: [after] })
    expect(await ask(byName(tools, 'meta'), { a: 1 })).toBe('ann apart meta {"a":1}')
    server.toolFilter = { allowedToolNames: ['fail', 'count'], blockedToolNames: ['count'] }
    expect(namesOf(await mcpTools(server))).toEqual(['fail'])
    expect(await ask(byName(tools, 'where'), {})).toMatch(/^\d+$/)
    await expect(ask(byName(tools, 'fail'), {})).rejects.toThrow('out of order')

    server.toolFilter = async ({ runContext, agent, serverName }, { name }) =>
      `${serverName} ${agent.name} ${(runContext.context as { user: string }).user} ${name}` !== 'apart Bo ann fail'
    server.errorFunction = ({ error }) => `Sorry: ${(error as Error).message}`
    const [, , count] = await mcpTools(server)
    expect(await ask(count, {})).toBe('three')
    server.useStructuredContent = true
    const follower = await followMcpTools(server, { changed() {} })
    const shown = follower.tools.map((tool) => tool.isEnabled?.(context, { name: 'Bo' }))
    expect(await Promise.all(shown)).toEqual([true, false, true, true])
    expect(await ask(byName(follower.tools, 'fail'), {})).toBe('Sorry: out of order')
    expect(await ask(byName(follower.tools, 'count'), {})).toBe('{"count":3}')
  })
})

describe('a server that the app wrote in the shape of the agents SDK', () => {
  function written(give: () => object) {
    let cache: readonly Listed[] | null = null
    const state = { listed: [plain('one')] }
    const server: MCPServer = {
      name: 'own',
      cacheToolsList: true,
      connect: async () => {},
      close: async () => {},
      listTools: async () => (cache ??= state.listed) as Awaited<ReturnType<MCPServer['listTools']>>,
      callTool: async () => give() as Awaited<ReturnType<MCPServer['callTool']>>,
      invalidateToolsCache: async () => {
        cache = null
      },
    }
    return { server, state }
  }

  test.each<[title: string, given: object, output: string]>([
    ['a list of content', [{ type: 'text', text: 'fine' }], 'fine'],
    ['a list with the structure as its field', Object.assign([], { structuredContent: { a: 1 } }), '{"a":1}'],
    [
      'odd parts',
      [null, 7, {}, { type: 'text' }],
      "[Content of the type 'undefined' was given, which cannot be shown here.]\n",
    ],
    ['no content', {}, ''],
  ])('gives %s', async (_, given, output) => {
    const [one] = await mcpTools(written(() => given).server)
    expect(await ask(one, {})).toBe(output)
  })

  test('fails by a list that says so', async () => {
    const [one] = await mcpTools(written(() => Object.assign([{ type: 'text', text: 'no' }], { isError: true })).server)
    await expect(ask(one, {})).rejects.toThrow(new Error('no'))
  })

  test('has its cache emptied by refresh', async () => {
    const { server, state } = written(() => [])
    const follower = await followMcpTools(server, { changed() {} })
    state.listed = [plain('two')]
    expect(namesOf(await follower.refresh())).toEqual(['two'])
    follower.stop()
  })
})
