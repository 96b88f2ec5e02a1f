/** MCP tools that no agent has: those of a stored prompt, or of a `session.update` of the app's own. */
import { expect, test } from 'vitest'
import { RealtimeAgent } from '../src/index.ts'
import { ended, type Loose, puppet } from './puppet.ts'

const list: Loose = {
  type: 'conversation.item.done',
  previous_item_id: null,
  item: { id: 'l', type: 'mcp_list_tools', server_label: 'docs', tools: [{ name: 'search', input_schema: {} }] },
}
const call = { id: 'm', type: 'mcp_call', server_label: 'docs', name: 'search', arguments: '{}', output: 'found' }
const called: readonly Loose[] = [
  { type: 'response.mcp_call.in_progress', item_id: 'm', output_index: 0 },
  { type: 'response.mcp_call.completed', item_id: 'm', output_index: 0 },
  { type: 'conversation.item.done', previous_item_id: null, item: call },
]

test.each([
  ['a stored prompt', new RealtimeAgent({ name: 'Clerk', prompt: { id: 'p' } })],
  ['nothing that we know of', new RealtimeAgent({ name: 'Clerk' })],
])('they come with %s: they are listed, and their calls are told and spoken of', async (_, agent) => {
  const it = await puppet(agent)
  const completed: unknown[] = []
  it.session.on('mcp_tool_call_completed', (_context, _agent, { output }) => completed.push(output))
  const listed = new Promise<void>((resolve) => it.session.on('mcp_tools_changed', () => resolve()))
  await it.say(list)
  await listed
  expect(it.session.availableMcpTools).toMatchObject([{ name: 'search', serverLabel: 'docs' }])
  await it.say(...called, ended('r', { output: [call] }))
  expect(completed).toEqual(['found'])
  expect(it.toldOf('response.create')).toHaveLength(1)
})
