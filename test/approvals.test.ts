/** Calls that the app has to approve, in a conversation that goes on meanwhile. */
import { describe, expect, test } from 'vitest'
import { type ApprovalRequest, RealtimeAgent, restored, tool } from '../src/index.ts'
import { assistant, began, calling, ended, puppet } from './puppet.ts'
import { callTool, lastWords, type Script, say, talk } from './talk.ts'

function clerk(ran: string[] = []): RealtimeAgent {
  const refund = tool({
    name: 'refund',
    description: 'Pays money back.',
    needsApproval: true,
    execute: (args) => {
      ran.push(JSON.stringify(args))
      return 'paid'
    },
  })
  return new RealtimeAgent({ name: 'Clerk', tools: [refund] })
}

const script: Script = (thought) => {
  const last = thought.items.at(-1)
  if (last?.type === 'function_call_output') return [say(`The tool says: ${last.output}.`)]
  return lastWords(thought).includes('refund') ? [callTool('refund', { amount: 5 })] : [say('Go on.')]
}

test('the app is asked, the conversation goes on, and the tool runs when it is approved', async () => {
  const ran: string[] = []
  const it = await talk(clerk(ran), script)
  const requests: ApprovalRequest<unknown>[] = []
  it.session.on('tool_approval_requested', (_context, _agent, request) => requests.push(request))
  await it.say('refund me')
  expect(requests).toMatchObject([
    {
      type: 'function_approval',
      tool: { name: 'refund' },
      approvalItem: { name: 'refund', arguments: '{"amount":5}' },
    },
  ])
  await it.say('are you there?')
  expect(it.words.at(-1)).toBe('assistant: Go on.')
  expect(ran).toEqual([])
  it.session.approve(requests[0]!.approvalItem)
  await it.run()
  expect(ran).toEqual(['{"amount":5}'])
  expect(it.words.at(-1)).toBe('assistant: The tool says: paid.')
  expect(it.session.pendingApprovals).toEqual([])
  expect(it.errors).toEqual([])
})

test('a rejection is told to the model, in the words of the app', async () => {
  const it = await talk(clerk(), script)
  it.session.on('tool_approval_requested', (_context, _agent, { approvalItem }) =>
    it.session.reject(approvalItem, { message: 'Only the manager may do that.' }),
  )
  await it.say('refund me')
  expect(it.words.at(-1)).toBe('assistant: The tool says: Only the manager may do that..')
})

test('always: later calls are not asked for', async () => {
  const ran: string[] = []
  const it = await talk(clerk(ran), script)
  let asked = 0
  it.session.on('tool_approval_requested', (_context, _agent, { approvalItem }) => {
    asked++
    it.session.approve(approvalItem, { alwaysApprove: true })
  })
  await it.say('refund me')
  await it.say('refund me again')
  expect([asked, ran.length]).toEqual([1, 2])
})

test('a call that waits survives a lost line, and is answered once', async () => {
  const ran: string[] = []
  let cut = false
  const it = await talk(clerk(ran), script, { fault: () => (cut ? 'cut' : 'pass') })
  await it.say('refund me')
  cut = true
  it.session.sendMessage('hello?')
  await it.run(20)
  cut = false
  await it.run()
  expect(it.far.lines.length).toBeGreaterThan(1)
  const [waiting] = it.session.pendingApprovals
  it.session.approve(waiting!)
  await it.run()
  expect(ran).toHaveLength(1)
  expect(it.words.filter((words) => words.startsWith('output'))).toEqual(['output paid'])
  expect(it.words.at(-1)).toContain('The tool says: paid.')
})

test('what nobody decides is denied when time is up, and the model is told', async () => {
  const it = await talk(clerk(), script, { approvalTimeoutMs: 10_000 })
  await it.say('refund me')
  await it.run(10_000)
  expect(it.words.at(-1)).toBe('assistant: The tool says: Nobody approved this within 10 seconds..')
})

test('a saved session asks again for what waited, and runs it when it is approved', async () => {
  const first = await talk(clerk(), script)
  await first.say('refund me')
  const saved = JSON.parse(JSON.stringify(first.session.save()))
  const ran: string[] = []
  const it = await talk(clerk(ran), script, { start: restored(saved), seed: 8 })
  expect(it.session.pendingApprovals).toMatchObject([{ name: 'refund', arguments: '{"amount":5}' }])
  it.session.approve(it.session.pendingApprovals[0]!)
  await it.run()
  expect(ran).toEqual(['{"amount":5}'])
  expect(it.words.at(-1)).toBe('assistant: The tool says: paid.')
})

describe('what the user says before the app is asked', () => {
  const wait = (response: string) => calling(response, 'refund', '{"amount":5}').slice(0, -1)
  const asks = (it: { toldOf: (type: 'response.create') => readonly unknown[] }) => it.toldOf('response.create').length

  test('is answered meanwhile, and the call is spoken of once when it is decided', async () => {
    const it = await puppet(clerk())
    await it.say(began('r'))
    it.session.sendMessage('And the weather?')
    await it.run()
    await it.say(...wait('r').slice(1))
    expect([it.session.pendingApprovals.length, asks(it)]).toEqual([1, 0])
    await it.say(ended('r'))
    expect(asks(it)).toBe(1)
    await it.say(began('r2'), ended('r2', { output: [assistant('x', { status: 'completed' })] }))
    expect(asks(it)).toBe(1)
    it.session.approve(it.session.pendingApprovals[0]!)
    await it.run()
    expect(asks(it)).toBe(2)
    await it.say(began('r3'), ended('r3', { output: [assistant('y', { status: 'completed' })] }))
    expect(asks(it)).toBe(2)
  })

  test('is answered though a call that waits for nobody is made after the one that waits', async () => {
    const slow = tool({ name: 'slow', description: 'Slow.', execute: () => new Promise<string>(() => {}) })
    const { tools } = clerk()
    const it = await puppet(new RealtimeAgent({ name: 'Clerk', tools: [...tools, slow] }))
    await it.say(began('r'))
    it.session.sendMessage('And the weather?')
    await it.run()
    await it.say(...wait('r').slice(1))
    await it.say(...calling('r', 'slow', '{}', 'call_slow').slice(1))
    expect(asks(it)).toBe(1)
  })

  test('waits for calls that nobody has to approve: their answer is spoken of with it', async () => {
    let finish = (_: string) => {}
    const slow = tool({
      name: 'slow',
      description: 'Slow.',
      execute: () => new Promise<string>((done) => (finish = done)),
    })
    const it = await puppet(new RealtimeAgent({ name: 'Clerk', tools: [slow] }))
    await it.say(began('r'))
    it.session.sendMessage('And the weather?')
    await it.run()
    await it.say(...calling('r', 'slow').slice(1))
    expect(asks(it)).toBe(0)
    finish('done')
    await it.run()
    expect(asks(it)).toBe(1)
  })
})
