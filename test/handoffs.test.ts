/** Agents that hand the conversation over: whole, or not at all; once, and with one first turn. */
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { handoff, RealtimeAgent, tool, UserError } from '../src/index.ts'
import { callTool, lastWords, type Script, say, talk } from './talk.ts'

const billing = () =>
  new RealtimeAgent({
    name: 'Billing Desk',
    instructions: 'You settle bills.',
    handoffDescription: 'Bills and refunds.',
    tools: [tool({ name: 'refund', description: 'Refunds.', execute: () => 'refunded' })],
  })

/** Hands over when the word is said; then says who speaks, by the tools that there are. */
const triage: Script = (thought) => {
  const transfer = thought.tools.find(({ name }) => name?.startsWith('transfer_to_'))
  const wants = lastWords(thought).includes('bill')
  const last = thought.items.at(-1)
  if (wants && transfer && last?.type === 'message') return [callTool(transfer.name!)]
  return [say(`I have ${thought.tools.map(({ name }) => name).join(', ') || 'nothing'}.`)]
}

test('the model hands over: the far end has the new agent before anybody is told, then it speaks once', async () => {
  const to = billing()
  const from = new RealtimeAgent({ name: 'Triage', instructions: 'You route.', handoffs: [to] })
  const it = await talk(from, triage)
  const log: string[] = []
  it.session.on('agent_handoff', (_context, before, after) => {
    const configs = it.heard.filter(({ type }) => type === 'session.updated').length
    log.push(`${before.name} to ${after.name} after ${configs} configs; now ${it.session.currentAgent.name}`)
  })
  from.on('agent_handoff', (_context, after) => log.push(`told by ${from.name}: ${after.name}`))
  it.session.on('agent_start', (_context, { name }) => log.push(`start ${name}`))
  it.session.on('agent_end', (_context, { name }, text) => log.push(`end ${name}: ${text}`))
  await it.say('my bill is wrong')
  expect(log).toEqual([
    'start Triage',
    'end Triage: ',
    'Triage to Billing Desk after 2 configs; now Billing Desk',
    'told by Triage: Billing Desk',
    'start Billing Desk',
    'end Billing Desk: I have refund.',
  ])
  expect(it.words).toEqual([
    'user: my bill is wrong',
    'call transfer_to_Billing_Desk',
    'output {"assistant":"Billing Desk"}',
    'assistant: I have refund.',
  ])
  expect(it.errors).toEqual([])
})

test('what the agent does not say stays as it is on the wire: formats, turn detection, speed', async () => {
  const from = new RealtimeAgent({ name: 'Triage', handoffs: [billing()] })
  const config = {
    voice: 'cedar',
    audio: {
      input: { format: { type: 'audio/pcmu' }, turnDetection: { type: 'semantic_vad', eagerness: 'low' } },
      output: { format: { type: 'audio/pcmu' }, speed: 1.2 },
    },
  } as const
  const it = await talk(from, triage, { config })
  const before = it.told.findLast(({ type }) => type === 'session.update') as { session: { audio: object } }
  await it.say('my bill')
  const after = it.told.findLast(({ type }) => type === 'session.update') as { session: { audio: object } }
  expect(after).not.toBe(before)
  expect(after.session.audio).toEqual(before.session.audio)
  expect(after.session).toMatchObject({ instructions: 'You settle bills.', tools: [{ name: 'refund' }] })
})

test('a hundred times there and back, with the user speaking in between: each call is answered once', async () => {
  const a = new RealtimeAgent({ name: 'A' })
  const b = new RealtimeAgent({ name: 'B', handoffs: [a] })
  a.handoffs = [b]
  const it = await talk(a, ({ items, tools }) =>
    items.at(-1)?.type === 'message' ? [callTool(tools[0]!.name!)] : [say('Here I am.')],
  )
  const switched: string[] = []
  it.session.on('agent_handoff', (_context, _from, to) => switched.push(to.name))
  for (let n = 0; n < 100; n++) {
    await it.say('the other one', 60 + (n % 7) * 40)
    if (n % 3 === 0) it.session.interrupt()
    await it.run(2_000)
  }
  expect(switched).toEqual(Array.from({ length: 100 }, (_, n) => (n % 2 ? 'A' : 'B')))
  const { items } = it.session.state.conversation
  const made = items.filter((item) => item.type === 'function_call' && item.status === 'completed')
  const calls = made.map((item) => 'call_id' in item && item.call_id)
  const outputs = items.flatMap((item) => (item.type === 'function_call_output' ? item.call_id : []))
  expect(outputs).toEqual(calls)
  expect(calls).toHaveLength(100)
  expect(it.errors).toEqual([])
})

describe('a handoff that is not to be', () => {
  test('is refused by the far end: nothing has changed, and the model is told', async () => {
    const to = new RealtimeAgent({ name: 'B', prompt: { id: 5 as never } })
    const it = await talk(new RealtimeAgent({ name: 'A', handoffs: [to] }), triage)
    const handoffs: unknown[] = []
    it.session.on('agent_handoff', () => handoffs.push(1))
    await it.say('my bill')
    expect(it.session.currentAgent.name).toBe('A')
    expect(handoffs).toEqual([])
    expect(it.words[2]).toMatch(/^output The tool failed: The far end did not accept the change/)
    expect(it.words.at(-1)).toBe('assistant: I have transfer_to_B.')
    expect(it.errors).toHaveLength(1)
  })

  test('its own function refuses: the model is told why', async () => {
    const onHandoff = () => {
      throw new Error('They are at lunch.')
    }
    const it = await talk(new RealtimeAgent({ name: 'A', handoffs: [handoff(billing(), { onHandoff })] }), triage)
    await it.say('my bill')
    expect(it.session.currentAgent.name).toBe('A')
    expect(it.words[2]).toContain('They are at lunch.')
  })

  test('two in one breath: the first is made, the second is told that it came too late', async () => {
    const agents = ['B', 'C'].map((name) => new RealtimeAgent({ name }))
    const it = await talk(new RealtimeAgent({ name: 'A', handoffs: agents }), ({ items, tools }) =>
      items.at(-1)?.type === 'message' ? tools.map(({ name }) => callTool(name!)) : [say('Hello.')],
    )
    await it.say('both')
    expect(it.session.currentAgent.name).toBe('B')
    expect(it.words.filter((words) => words.startsWith('output'))).toEqual([
      'output {"assistant":"B"}',
      "output The tool failed: The conversation was handed over to 'B' already.",
    ])
    expect(it.words.filter((words) => words === 'assistant: Hello.')).toHaveLength(1)
  })

  test('is not enabled: the model is not told of it', async () => {
    const it = await talk(
      new RealtimeAgent({ name: 'A', handoffs: [handoff(billing(), { isEnabled: false })] }),
      triage,
    )
    await it.say('my bill')
    expect(it.words.at(-1)).toBe('assistant: I have nothing.')
  })
})

test('a tool of the agent of before is run by that agent; one called after the handoff gets an answer that says what there is', async () => {
  const old = tool({ name: 'old', description: 'Old.', execute: () => 'from the old agent' })
  const a = new RealtimeAgent({ name: 'A', tools: [old], handoffs: [new RealtimeAgent({ name: 'B' })] })
  let asked = 0
  const it = await talk(a, ({ items, tools }) => {
    asked++
    if (asked === 1) return [callTool('transfer_to_B'), callTool('old')]
    if (asked === 2) return [callTool('old')]
    return [say(`${tools.length} tools, ${items.length} items.`)]
  })
  await it.say('go')
  expect(it.words.filter((words) => words.startsWith('output'))).toEqual([
    'output from the old agent',
    'output {"assistant":"B"}',
    "output The tool failed: There is no tool called 'old'. There are no tools.",
  ])
})

test('a handoff takes input, held to its schema', async () => {
  const given: unknown[] = []
  const inputType = z.object({ reason: z.string().min(3) })
  const to = handoff(billing(), { inputType, onHandoff: (_context, input) => given.push(input.reason) })
  const args = [{ reason: 'x' }, { reason: 'a wrong bill' }]
  const it = await talk(new RealtimeAgent({ name: 'A', handoffs: [to] }), ({ tools }) =>
    args.length && tools[0]?.name === 'transfer_to_Billing_Desk'
      ? [callTool(tools[0].name, args.shift()!)]
      : [say('Hm.')],
  )
  await it.say('go')
  expect(given).toEqual(['a wrong bill'])
  expect(it.words[2]).toContain('The arguments are wrong: reason')
  expect(it.session.currentAgent.name).toBe('Billing Desk')
})

describe('the first turn of the next agent', () => {
  test.each([
    ['continue', 1, undefined],
    ['introduce', 1, /^You settle bills\.\n\nSay in one sentence who you are/],
    ['wait', 0, undefined],
  ] as const)('%s', async (firstTurn, responses, instructions) => {
    const it = await talk(new RealtimeAgent({ name: 'A', handoffs: [handoff(billing(), { firstTurn })] }), triage)
    await it.say('my bill')
    const asks = it.told.filter((event) => event.type === 'response.create').slice(1)
    expect(asks).toHaveLength(responses)
    if (instructions)
      expect((asks[0] as { response: { instructions: string } }).response.instructions).toMatch(instructions)
  })
})

describe('a voice, once it was heard, cannot change', () => {
  const agents = () => {
    const b = new RealtimeAgent({ name: 'B', voice: 'cedar' })
    return { b, a: new RealtimeAgent({ name: 'A', voice: 'marin', handoffs: [b] }) }
  }
  const voiceOf = (event: unknown) =>
    (event as { session: { audio: { output: { voice: string } } } }).session.audio.output.voice

  test('so a handoff to another voice is an error that says what can be done, and the model is told', async () => {
    const it = await talk(agents().a, triage)
    await it.say('hello')
    await it.say('my bill')
    expect(it.session.currentAgent.name).toBe('A')
    expect(it.words.find((words) => words.startsWith('output'))).toContain("voiceChange: 'keep'")
    const { a, b } = agents()
    const other = await talk(a, triage)
    await other.say('hello')
    await expect(other.session.updateAgent(b)).rejects.toThrow(UserError)
    expect(other.session.currentAgent).toBe(a)
  })

  test('unless nobody was heard yet', async () => {
    const { a, b } = agents()
    const it = await talk(a, triage)
    const updated = it.session.updateAgent(b)
    await it.run(100)
    await updated
    expect(voiceOf(it.told.at(-1))).toBe('cedar')
  })

  test('unless the app gives the session a voice: all agents speak with it', async () => {
    for (const config of [{ voice: 'ash' }, { audio: { output: { voice: 'ash' } } }]) {
      const it = await talk(agents().a, triage, { config })
      await it.say('hello')
      await it.say('my bill')
      expect(it.session.currentAgent.name).toBe('B')
      expect(voiceOf(it.told.findLast(({ type }) => type === 'session.update'))).toBe('ash')
      expect(it.errors).toEqual([])
    }
  })

  test('keep: the next agent goes on with it', async () => {
    const it = await talk(agents().a, triage, { voiceChange: 'keep' })
    await it.say('hello')
    await it.say('my bill')
    expect(it.session.currentAgent.name).toBe('B')
    expect(voiceOf(it.told.findLast(({ type }) => type === 'session.update'))).toBe('marin')
    expect(it.errors).toEqual([])
  })

  test('new-session: the next agent begins another, which is told the conversation', async () => {
    const it = await talk(agents().a, triage, { voiceChange: 'new-session' })
    await it.say('hello')
    await it.say('my bill')
    expect(it.session.currentAgent.name).toBe('B')
    expect(it.far.lines).toHaveLength(2)
    expect(voiceOf(it.told.findLast(({ type }) => type === 'session.update'))).toBe('cedar')
    expect(it.words.at(-1)).toBe('assistant: I have nothing.')
    expect(it.words.filter((words) => words.startsWith('user'))).toEqual(['user: hello', 'user: my bill'])
    expect(it.errors).toEqual([])
  })
})

test('what the next agent is to know can be chosen; what the user said last it always knows', async () => {
  const inputFilter = () => []
  const it = await talk(new RealtimeAgent({ name: 'A', handoffs: [handoff(billing(), { inputFilter })] }), triage)
  await it.say('hello')
  await it.say('my bill')
  expect(it.words).toEqual([
    'user: my bill',
    'call transfer_to_Billing_Desk',
    'output {"assistant":"Billing Desk"}',
    'assistant: I have refund.',
  ])
  expect(it.errors).toEqual([])
})
