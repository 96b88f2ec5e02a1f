/** A far end that mirrors nothing at all, not even what it is told: what it was told stands where it was said. */
import { describe, expect, test } from 'vitest'
import { RealtimeAgent, tool } from '../src/index.ts'
import type { ClientEvent } from '../src/protocol/events.ts'
import { began, calling, ended, type Loose, type Puppet, type PuppetOptions, puppet, usual } from './puppet.ts'

const sky = tool({
  name: 'sky',
  description: 'The sky.',
  parameters: { type: 'object', properties: {} },
  strict: false,
  execute: () => 'sunny',
})
const guide = new RealtimeAgent({ name: 'Guide', tools: [sky] })
const text = { config: { outputModalities: ['text'] } } as const

const isOfItem = ({ type }: { readonly type: string }) => /^conversation\.item\.(added|created|done)$/.test(type)
const mute = (event: ClientEvent) => usual(event).filter((said) => !isOfItem(said))
const silent = (options: PuppetOptions<unknown> = {}) => puppet(guide, { ...text, answer: mute, ...options })

/** One answer in writing, as such a far end tells of it. */
function answer(response_id: string, words: string): Loose[] {
  const item = message(`item_${response_id}`, words)
  const at = { response_id, item_id: item.id, output_index: 0 }
  return [
    began(response_id),
    { type: 'response.output_item.added', ...at, item: { ...item, status: 'in_progress', content: [] } },
    { type: 'response.output_text.delta', ...at, content_index: 0, delta: words },
    { type: 'response.output_item.done', ...at, item },
    ended(response_id, { output: [item] }),
  ]
}
const message = (id: string, words: string) => ({
  id,
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text: words }],
})

const historyOf = ({ session }: Pick<Puppet<unknown>, 'session'>) =>
  session.history.map((item) => {
    if (item.type === 'function_call') return `call: ${item.output}`
    const [part] = item.type === 'message' ? item.content : []
    return item.type === 'message' && part && 'text' in part ? `${item.role}: ${part.text}` : item.type
  })
const created = (it: Puppet<unknown>) => it.toldOf('conversation.item.create').map(({ item }) => item!)
const asks = (it: Puppet<unknown>) => it.toldOf('response.create').length
const wordsIn = (item: object) => JSON.stringify(item).match(/"(?:text|output)":"([^"]*)"/)?.[1] ?? item

test('the question stands before the answer from its first word on, and is not waited for', async () => {
  const it = await silent()
  it.session.sendMessage('Hello?')
  expect(historyOf(it)).toEqual(['user: Hello?'])
  await it.run()
  const whole = answer('r', 'Hi.')
  await it.say(...whole.slice(0, 3))
  expect(historyOf(it)).toEqual(['user: Hello?', 'assistant: Hi.'])
  await it.say(...whole.slice(3))
  it.session.sendMessage('Go on.')
  await it.run()
  expect(historyOf(it)).toEqual(['user: Hello?', 'assistant: Hi.', 'user: Go on.'])
  await it.say(...answer('r2', 'So be it.'))
  expect(historyOf(it)).toEqual(['user: Hello?', 'assistant: Hi.', 'user: Go on.', 'assistant: So be it.'])
  expect([it.session.state.pending, asks(it), it.errors]).toEqual([[], 2, []])
})

test('what a tool answered is told once, and stands behind its call', async () => {
  const it = await silent()
  it.session.sendMessage('The sky?')
  await it.run()
  await it.say(...calling('r', 'sky').filter((event) => !isOfItem(event)))
  await it.say(...answer('r2', 'It is sunny.'))
  expect(historyOf(it)).toEqual(['user: The sky?', 'call: sunny', 'assistant: It is sunny.'])
  const { conversation, pending, turn } = it.session.state
  expect([conversation.calls, pending, turn.calls, turn.answered]).toEqual([[], [], [], []])
  expect([created(it).map(wordsIn), asks(it)]).toEqual([['The sky?', 'sunny'], 2])
})

test('on the next line all is told once, in its order, and answered where it was not', async () => {
  const it = await silent()
  it.session.sendMessage('The sky?')
  await it.run()
  await it.say(...calling('r', 'sky').filter((event) => !isOfItem(event)))
  await it.say(...answer('r2', 'It is sunny.'))
  it.session.sendMessage('And tomorrow?')
  await it.run()
  const before = created(it).length
  await it.hangUp()
  await it.run(2_000)
  expect(it.lines()).toBe(2)
  const retold = created(it).slice(before)
  expect(retold.map((item) => (item.type === 'function_call' ? 'sky()' : wordsIn(item)))).toEqual([
    'The sky?',
    'sky()',
    'sunny',
    'It is sunny.',
    'And tomorrow?',
  ])
  const asked = asks(it)
  await it.say(...answer('r3', 'Rain.'))
  expect(historyOf(it).slice(-2)).toEqual(['user: And tomorrow?', 'assistant: Rain.'])
  expect([asked, asks(it), it.session.state.pending]).toEqual([4, 4, []])
})

test('once that is known, what asks for no answer keeps no line waiting', async () => {
  const it = await silent()
  it.session.sendMessage('Hello?')
  await it.run()
  await it.say(...answer('r', 'Hi.'))
  it.session.sendMessage('The user looks at page 2.', {}, { triggerResponse: false })
  await it.run(120_000)
  expect([it.lines(), it.session.state.pending, historyOf(it).length]).toEqual([1, [], 3])
})

test('where it answers by itself what it heard, that says it too', async () => {
  const it = await silent()
  it.session.sendMessage('The user looks at page 2.', {}, { triggerResponse: false })
  await it.run()
  await it.say({ type: 'input_audio_buffer.committed', item_id: 'u', previous_item_id: null }, ...answer('r', 'Hi.'))
  expect(it.session.state.pending).toEqual([])
  expect(historyOf(it)).toEqual(['user: The user looks at page 2.', 'assistant: Hi.'])
  await it.run(120_000)
  expect(it.lines()).toBe(1)
})

test('history that was edited stands where it was put', async () => {
  const it = await silent()
  it.session.sendMessage('Hello?')
  await it.run()
  await it.say(...answer('r', 'Hi.'))
  it.session.updateHistory((history) => [
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'First of all.' }] },
    history[0]!,
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Is anybody there?' }] },
    ...history.slice(1),
  ])
  await it.run()
  expect(historyOf(it)).toEqual(['user: First of all.', 'user: Hello?', 'user: Is anybody there?', 'assistant: Hi.'])
  expect(it.session.state.pending).toEqual([])
})

describe('an echo that comes late', () => {
  const late = (it: Puppet<unknown>, nth: number): Loose[] =>
    usual({ type: 'conversation.item.create', item: created(it)[nth]! } as ClientEvent) as Loose[]

  test('changes nothing', async () => {
    const it = await silent()
    it.session.sendMessage('Hello?')
    await it.run()
    await it.say(...answer('r', 'Hi.'))
    const before = it.session.state.conversation.items
    await it.say(...late(it, 0))
    expect(historyOf(it)).toEqual(['user: Hello?', 'assistant: Hi.'])
    expect(it.session.state.conversation.items).toEqual(before)
  })

  test('and is waited for from then on', async () => {
    const it = await silent()
    it.session.sendMessage('Hello?')
    await it.run()
    await it.say(...answer('r', 'Hi.'), ...late(it, 0))
    it.session.sendMessage('Go on.')
    await it.run()
    expect(it.session.state.pending).toHaveLength(1)
    await it.say(...late(it, 1))
    expect([it.session.state.pending, historyOf(it).length]).toEqual([[], 3])
  })
})

describe('what it refuses', () => {
  const refusal = (it: Puppet<unknown>, nth: number): Loose => {
    const { event_id } = it.toldOf('conversation.item.create')[nth]!
    return { type: 'error', error: { type: 'invalid_request_error', code: 'bad', message: 'No.', event_id } }
  }

  test.each([
    ['before it answers', true],
    ['after it has begun to answer', false],
  ])('%s does not stand', async (_, early) => {
    const it = await silent()
    it.session.sendMessage('Bad words.')
    await it.run()
    const [first, ...rest] = answer('r', 'Pardon?')
    await it.say(...(early ? [refusal(it, 0), first!] : [first!, refusal(it, 0)]), ...rest)
    expect(historyOf(it)).toEqual(['assistant: Pardon?'])
    expect([it.session.state.pending, it.errors.length]).toEqual([[], 1])
  })

  test('of what it was told again is told, and stands', async () => {
    const it = await silent()
    it.session.sendMessage('Hello?')
    await it.run()
    await it.say(...answer('r', 'Hi.'))
    await it.hangUp()
    await it.run(2_000)
    it.session.sendMessage('Again?')
    await it.run()
    await it.say(...answer('r2', 'Yes.'), refusal(it, 1))
    expect([historyOf(it).length, it.errors.length]).toEqual([4, 1])
  })
})

test('a message that meets an answer to something else is answered too', async () => {
  const it = await silent()
  it.session.sendMessage('Hello?')
  await it.run()
  await it.say(...answer('r', 'Hi.'))
  it.session.sendMessage('Go on.')
  const event_id = () => it.toldOf('response.create').at(-1)!.event_id
  const [first, ...rest] = answer('theirs', 'I heard you.')
  await it.say({ type: 'input_audio_buffer.committed', item_id: 'u', previous_item_id: null }, first!)
  const code = 'conversation_already_has_active_response'
  const lost = { type: 'error', error: { type: 'invalid_request_error', code, message: code, event_id: event_id() } }
  await it.say(lost, ...rest)
  expect(asks(it)).toBe(3)
  await it.say(...answer('r3', 'Gladly.'))
  expect([asks(it), it.errors]).toEqual([3, []])
})

describe('one that mirrors is waited for as ever', () => {
  test('also where it answers what was asked for before', async () => {
    const late: Loose[] = []
    const answering = (event: ClientEvent) => {
      if (event.type !== 'conversation.item.create') return undefined
      late.push(...usual(event))
      return []
    }
    const it = await puppet(guide, { ...text, answer: answering })
    it.session.sendEvent({ type: 'response.create' })
    it.session.sendMessage('Hello?')
    await it.run()
    const [first, ...rest] = answer('r', 'Welcome.')
    await it.say(first!)
    expect(it.session.state.pending).toHaveLength(1)
    await it.say(...late, ...rest)
    expect(it.session.state.pending).toEqual([])
    expect(historyOf(it)).toEqual(['user: Hello?', 'assistant: Welcome.'])
  })

  test('also where another item of ours was refused', async () => {
    const it = await silent()
    it.session.sendMessage('Bad words.')
    await it.run()
    const { event_id } = it.toldOf('conversation.item.create')[0]!
    it.session.sendMessage('Hello?')
    const error = { type: 'invalid_request_error', code: 'bad', message: 'No.', event_id }
    await it.say({ type: 'error', error }, ...answer('r', 'Pardon?'))
    expect(it.session.state.pending).toHaveLength(1)
  })

  test('also on a call that stood before', async () => {
    const it = await silent({ connect: { callId: 'rtc_1' } })
    it.session.sendMessage('Hello?')
    await it.run()
    await it.say(...answer('r', 'Hi.'))
    expect(it.session.state.pending).toHaveLength(1)
  })
})
