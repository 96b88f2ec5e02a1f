/** The history as the app changes it, seeds it and saves it; at both ends. */
import { describe, expect, test } from 'vitest'
import { RealtimeAgent, type RealtimeItemInput, restored, seeded, tool, UserError } from '../src/index.ts'
import { callTool, lastWords, type Script, say, talk } from './talk.ts'

const look = tool({ name: 'look', description: 'Looks.', execute: () => 'seen' })
const agent = () => new RealtimeAgent({ name: 'Clerk', tools: [look] })
const script: Script = (thought) => {
  const last = thought.items.at(-1)
  if (last?.type === 'function_call_output') return [say(`It is ${last.output}.`)]
  return lastWords(thought).includes('look') ? [callTool('look')] : [say(`You said: ${lastWords(thought)}.`)]
}
const wordsAtFarEnd = (it: Awaited<ReturnType<typeof talk>>) =>
  it.far.lines.at(-1)!.conversation.items.map(({ id }) => id)

test('changing it deletes and creates as little as can be, in its place, and both ends hold the same', async () => {
  const it = await talk(agent(), script)
  await it.say('one')
  await it.say('look')
  it.toldTypes()
  it.session.updateHistory((history) =>
    history.map((item) =>
      item.type === 'message' && item.role === 'user' && 'text' in item.content[0]! && item.content[0].text === 'one'
        ? { ...item, content: [{ type: 'input_text', text: 'two' }] }
        : item,
    ),
  )
  await it.run()
  expect(it.toldTypes()).toEqual(['conversation.item.delete', 'conversation.item.create'])
  expect(it.words).toEqual([
    'user: two',
    'assistant: You said: one.',
    'user: look',
    'call look',
    'output seen',
    'assistant: It is seen.',
  ])
  expect(wordsAtFarEnd(it)).toEqual(it.session.state.conversation.items.map(({ id }) => id))
  expect(it.errors).toEqual([])
})

test('a call goes with its output; an empty history is one', async () => {
  const it = await talk(agent(), script)
  await it.say('look')
  it.session.updateHistory((history) => history.filter(({ type }) => type !== 'function_call'))
  await it.run()
  expect(it.words).toEqual(['user: look', 'assistant: It is seen.'])
  it.session.updateHistory([])
  await it.run()
  expect(it.words).toEqual([])
  expect(wordsAtFarEnd(it)).toEqual([])
  expect(it.errors).toEqual([])
})

test('what cannot be told is an error at the call, and nothing has changed', async () => {
  const it = await talk(agent(), script)
  await it.say('one')
  const before = it.session.history
  expect(() => it.session.updateHistory([{ type: 'message', role: 'robot' } as never])).toThrow(UserError)
  await it.run()
  expect(it.session.history).toBe(before)
})

const past: readonly RealtimeItemInput[] = [
  { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'The user is Mia.' }] },
  { type: 'message', role: 'user', content: [{ type: 'input_audio', transcript: 'hello' }] },
  { type: 'message', role: 'assistant', content: [{ type: 'output_audio', transcript: 'Hello Mia.' }] },
  { type: 'function_call', name: 'look', arguments: '{}', output: 'seen' },
]

describe('a history that the app tells', () => {
  test('is known to the far end before the first word, and the next answer is spoken', async () => {
    const it = await talk(agent(), script, { start: seeded(past) })
    expect(it.words).toEqual([
      'system: The user is Mia.',
      'user: hello',
      'assistant: Hello Mia.',
      'call look',
      'output seen',
    ])
    expect(it.session.history.map(({ origin }) => origin)).toEqual(['seeded', 'seeded', 'seeded', 'seeded'])
    await it.say('and now')
    expect(it.heard.filter(({ type }) => type === 'response.output_audio.delta').length).toBeGreaterThan(0)
    expect(it.words.at(-1)).toBe('assistant: You said: and now.')
    expect(it.errors).toEqual([])
  })

  test('is refused whole, when one of its items cannot be told', () => {
    expect(() => seeded([...past, { type: 'message', role: 'user', content: [] }])).toThrow(UserError)
  })
})

test('a saved session goes on where it was: the history is the same, with what was heard of it', async () => {
  const first = await talk(agent(), script, { msPerLetter: 50 })
  await first.say('tell me a long story', 400)
  first.session.interrupt()
  await first.run(1_000)
  const saved = JSON.parse(JSON.stringify(first.session.save()))
  const it = await talk(agent(), script, { start: restored(saved), seed: 9 })
  await it.run()
  const same = (history: typeof it.session.history) => history.map(({ origin, ...rest }) => rest)
  expect(same(it.session.history)).toEqual(same(first.session.history))
  const cut = it.session.history.at(-1)!
  expect(cut).toMatchObject({ interrupted: true, origin: 'restored' })
  expect(it.far.lines[0]!.conversation.items.map((item) => JSON.stringify(item)).at(-1)).toContain('…')
})
