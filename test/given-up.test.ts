/** A line that is given up: what waits is told the true cause, and nobody is said to have closed the session. */
import { expect, test } from 'vitest'
import { RealtimeAgent, tool } from '../src/index.ts'
import { calling, puppet } from './puppet.ts'

test('tools that run and calls that wait for an approval are told that the line was lost, and why', async () => {
  const never = () => new Promise<string>(() => {})
  const parameters = { type: 'object', properties: {} } as const
  const tools = [
    tool({ name: 'runs', description: 'Runs.', parameters, strict: false, execute: never }),
    tool({ name: 'waits', description: 'Waits.', parameters, strict: false, needsApproval: true, execute: never }),
  ]
  const it = await puppet(new RealtimeAgent({ name: 'Guide', tools }), { reconnect: { attempts: 2 } })
  await it.say(...calling('r', 'runs'))
  await it.say(...calling('q', 'waits'))
  expect(it.session.pendingApprovals).toHaveLength(1)
  while (it.session.state.link.at !== 'closed') await it.hangUp(1006, 'The cable was pulled.')
  await it.run()
  expect(it.session.state.link).toMatchObject({ cause: { initiator: 'network' } })
  const outputs = it.session.state.pending.map(({ item }) => (item.type === 'function_call_output' ? item.output : ''))
  expect(outputs).toHaveLength(2)
  for (const output of outputs) {
    expect(output).toMatch(/the line was lost\. .*pulled/i)
    expect(output).not.toMatch(/session was closed/)
  }
})
