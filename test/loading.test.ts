/** What only some sessions need is loaded then, and that may fail: it is told, and nothing else breaks. */
import { expect, test, vi } from 'vitest'
import { equipment } from '../src/agents/equipment.ts'
import { mcpFollowing } from '../src/agents/mcp-following.ts'
import { emitter } from '../src/session/emitter.ts'
import { start } from '../src/session/state.ts'

const no = () => {
  throw new Error('No network.')
}
/** A module that cannot be loaded at first. */
async function failing<T>(path: string, work: () => Promise<T>): Promise<T> {
  vi.resetModules()
  vi.doMock(path, no)
  try {
    return await work()
  } finally {
    vi.doUnmock(path)
    vi.resetModules()
  }
}

test('metrics that cannot be measured are told of once, and taken when they can be', async () => {
  const events = emitter<{ error: [{ readonly error: unknown }]; metrics: [unknown] }>('The session')
  const errors: unknown[] = []
  events.on('error', ({ error }) => errors.push(error))
  const equipped = equipment({ options: {}, events } as never)
  await failing('../src/session/measuring.ts', async () => {
    equipped.measure()
    await vi.waitFor(() => expect(errors).toHaveLength(1))
  })
  expect(equipped.follow).toBeNull()
  equipped.measure()
  await vi.waitFor(() => expect(equipped.follow?.length).toBe(4))
  const state = start()
  expect(equipped.follow!(state, state, { type: 'drained' }, 0)).toEqual([])
})

test("the far end's MCP tools are followed from the next that is heard of them", async () => {
  const changed = vi.fn()
  const failed = vi.fn()
  const mcp = mcpFollowing({ changed, completed() {}, failed } as never)
  const tools = [{ name: 'search', input_schema: {} }]
  const list = { type: 'conversation.item.done', item: { id: 'l', type: 'mcp_list_tools', server_label: 'd', tools } }
  await failing('../src/agents/hosted-mcp.ts', async () => {
    mcp.received(list as never)
    await vi.waitFor(() => expect(failed).toHaveBeenCalledOnce())
  })
  mcp.received(list as never)
  await vi.waitFor(() => expect(mcp.availableMcpTools).toMatchObject([{ name: 'search' }]))
  expect(failed).toHaveBeenCalledOnce()
})
