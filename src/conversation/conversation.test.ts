import { describe, expect, test } from 'vitest'
import type { Item, ServerEvent } from '../protocol/events.ts'
import { activeResponse, type Conversation, empty, evolve, interrupt, itemsOf, textOf } from './conversation.ts'

const event = (type: string, rest: object) => ({ type, event_id: 'e', ...rest }) as unknown as ServerEvent
const user = (id: string, text: string) =>
  ({ id, type: 'message', role: 'user', status: 'completed', content: [{ type: 'input_text', text }] }) as const
const added = (item: object, previous_item_id: string | null = null) =>
  event('conversation.item.added', { item, previous_item_id })
const done = (item: object, previous_item_id: string | null = null) =>
  event('conversation.item.done', { item, previous_item_id })
const fold = (...events: ServerEvent[]) => events.reduce<Conversation>(evolve, empty)
const words = (conversation: Conversation) => itemsOf(conversation).map(textOf)

const answer = { id: 'a', type: 'message', role: 'assistant', status: 'in_progress', content: [] }
const answering = [
  added(user('u', 'hello')),
  event('response.created', { response: { id: 'r', status: 'in_progress' } }),
  added(answer, 'u'),
  event('response.content_part.added', { item_id: 'a', content_index: 0, part: { type: 'audio', transcript: '' } }),
  event('response.output_audio_transcript.delta', { item_id: 'a', content_index: 0, delta: 'Good ' }),
  event('response.output_audio_transcript.delta', { item_id: 'a', content_index: 0, delta: 'day.' }),
]

test('an answer grows apart from what was told, and is settled when it is done', () => {
  const growing = fold(...answering)
  expect(words(growing)).toEqual(['hello', 'Good day.'])
  expect(textOf(growing.items[1]!)).toBe('')
  expect(activeResponse(growing)?.id).toBe('r')
  const content = [{ type: 'output_audio', transcript: 'Good day.' }]
  const told = [
    done({ ...answer, status: 'completed', content }, 'u'),
    event('response.done', { response: { id: 'r', output: [] } }),
  ]
  const after = told.reduce(evolve, growing)
  expect(after.open).toEqual([])
  expect(activeResponse(after)).toBeUndefined()
  expect(words(after)).toEqual(['hello', 'Good day.'])
})

test('a delta touches neither the items told nor their list', () => {
  const before = fold(...answering)
  const after = evolve(before, answering.at(-1)!)
  expect(after.items).toBe(before.items)
})

test('an audio delta, an unknown event and an event of another conversation change nothing', () => {
  const before = fold(...answering)
  for (const nothing of [
    event('response.output_audio.delta', { item_id: 'a', delta: 'AAAA' }),
    event('something.new', { item_id: 'a' }),
    event('response.output_text.delta', { item_id: 'out-of-band', content_index: 0, delta: 'x' }),
    event('conversation.item.deleted', { item_id: 'unknown' }),
  ])
    expect(evolve(before, nothing)).toBe(before)
})

test('items stand in the order of the server, not of arrival', () => {
  const conversation = fold(
    added(user('1', 'one')),
    added(user('3', 'three'), '1'),
    added(user('2', 'two'), '1'),
    added(user('0', 'zero'), 'root'),
    added(user('4', 'four'), 'nobody knows this one'),
  )
  expect(words(conversation)).toEqual(['zero', 'one', 'two', 'three', 'four'])
})

test('an item that is announced again keeps its place and its identity', () => {
  const before = fold(added(user('1', 'one')), added(user('2', 'two'), '1'))
  const after = [added(user('1', 'one'), '2'), done(user('1', 'one'), '2')].reduce(evolve, before)
  expect(after.items[0]).toBe(before.items[0])
})

test('a late transcript grows into its slot', () => {
  const spoken = {
    id: 's',
    type: 'message',
    role: 'user',
    status: 'completed',
    content: [{ type: 'input_audio', transcript: null }],
  }
  const part = { item_id: 's', content_index: 0 }
  const before = fold(added(spoken), done(spoken), added(user('2', 'and then'), 's'))
  const growing = [' where', ' is'].reduce(
    (after, delta) => evolve(after, event('conversation.item.input_audio_transcription.delta', { ...part, delta })),
    before,
  )
  expect(words(growing)).toEqual([' where is', 'and then'])
  const told = evolve(
    growing,
    event('conversation.item.input_audio_transcription.completed', { ...part, transcript: 'Where is it?' }),
  )
  expect(words(told)).toEqual(['Where is it?', 'and then'])
  expect(told.open).toEqual([])
})

const transcription = (type: string, rest: object) =>
  event(`conversation.item.input_audio_transcription.${type}`, { item_id: 's', content_index: 0, ...rest })
const spoken = {
  id: 's',
  type: 'message',
  role: 'user',
  status: 'completed',
  content: [{ type: 'input_audio', transcript: null }],
}

test('words that come before their item wait for it', () => {
  const early = fold(transcription('delta', { delta: 'Where' }), transcription('delta', { delta: ' is it' }))
  expect(words(early)).toEqual([])
  const growing = fold(...early.early, added(spoken), done(spoken))
  expect(words(growing)).toEqual(['Where is it'])
  const told = fold(
    ...early.early,
    transcription('completed', { transcript: 'Where is it?' }),
    added(spoken),
    done(spoken),
  )
  expect(words(told)).toEqual(['Where is it?'])
  expect([told.open, told.early]).toEqual([[], []])
})

test('words of items that never come are let go', () => {
  const lost = Array.from({ length: 1_000 }, (_, n) => transcription('failed', { item_id: `lost ${n}` }))
  expect(fold(...lost).early.length).toBeLessThan(100)
})

test('a transcript that failed is known to have failed, until there is one', () => {
  const heard = fold(added(spoken))
  const failed = evolve(heard, transcription('failed', { error: {} }))
  expect([...failed.wordless]).toEqual(['s'])
  expect(failed.items).toBe(heard.items)
  expect(evolve(failed, transcription('failed', { error: {} }))).toBe(failed)
  expect([...evolve(failed, transcription('completed', { transcript: 'Oh.' })).wordless]).toEqual([])
  expect([...evolve(failed, event('conversation.item.deleted', { item_id: 's' })).wordless]).toEqual([])
  expect([...fold(transcription('failed', { error: {} }), added(spoken)).wordless]).toEqual(['s'])
})

test('a lost line takes the transcripts that were awaited with it', () => {
  const partial = { ...spoken, id: 't' }
  const final = { ...spoken, id: 'f', content: [{ type: 'input_audio', transcript: 'Yes.' }] }
  const lost = interrupt(
    fold(
      added(final),
      added(spoken),
      added(partial),
      transcription('delta', { item_id: 't', delta: 'Wh' }),
      added(user('u', 'x')),
    ),
  )
  expect([...lost.wordless]).toEqual(['s', 't'])
  expect(interrupt(lost).wordless).toBe(lost.wordless)
})

test('audio bytes never enter the conversation', () => {
  const loud = { ...answer, status: 'completed', content: [{ type: 'output_audio', transcript: 'x', audio: 'AAAA' }] }
  expect(JSON.stringify(fold(added(answer), done(loud)))).not.toContain('AAAA')
})

test('a call is open from the moment it is whole until it is answered', () => {
  const call = { id: 'c', type: 'function_call', call_id: 'k', name: 'f', arguments: '', status: 'in_progress' }
  const whole = { ...call, status: 'completed', arguments: '{}' }
  const output = { id: 'o', type: 'function_call_output', call_id: 'k', output: 'ok' }
  const growing = fold(added(call), event('response.function_call_arguments.delta', { item_id: 'c', delta: '{' }))
  expect(growing.calls).toEqual([])
  const made = evolve(growing, done(whole))
  expect(made.calls.map(({ call_id }) => call_id)).toEqual(['k'])
  expect(evolve(made, added(output)).calls).toEqual([])
})

test('a lost line leaves what was told as far as it got', () => {
  const lost = interrupt(fold(...answering))
  expect(lost.open).toEqual([])
  expect(lost.responses).toEqual([])
  expect((lost.items[1] as Extract<Item, { type: 'message' }>).status).toBe('incomplete')
  expect(words(lost)).toEqual(['hello', 'Good day.'])
})

test('an item is found as fast among many, in each of several branches of one conversation', () => {
  const trunk = fold(...Array.from({ length: 50 }, (_, n) => added(user(`${n}`, `${n}`), n ? `${n - 1}` : null)))
  const left = evolve(trunk, added(user('left', 'left'), '49'))
  const right = [added(user('right', 'right'), '49'), added(user('left', 'left again'), 'right')].reduce(evolve, trunk)
  expect(words(left).slice(-1)).toEqual(['left'])
  expect(words(right).slice(-2)).toEqual(['right', 'left again'])
  expect(words(evolve(left, event('conversation.item.deleted', { item_id: '10' })))).not.toContain('10')
})

describe('a response whose items nobody mirrors', () => {
  const created = (id: string, rest: object = {}) => event('response.created', { response: { id, ...rest } })
  const announced = (item: object, response_id = 'r') => event('response.output_item.added', { response_id, item })
  const ended = (item: object, response_id = 'r') => event('response.output_item.done', { response_id, item })
  const over = (id: string, output: object[] = [], rest: object = {}) =>
    event('response.done', { response: { id, output, ...rest } })
  const [, , , part, ...deltas] = answering
  const call = { id: 'c', type: 'function_call', call_id: 'k', name: 'f', arguments: '', status: 'in_progress' }
  const { status: _, ...bare } = call
  const whole = { ...call, status: 'completed', arguments: '{}' }
  const callsIn = ({ calls }: Conversation) => calls.map(({ call_id }) => call_id)
  const hello = added(user('u', 'hello'))

  test('its answer grows, and is settled', () => {
    const growing = fold(hello, created('r'), announced(answer), part!, ...deltas)
    expect(words(growing)).toEqual(['hello', 'Good day.'])
    const content = [{ type: 'output_audio', transcript: 'Good day!' }]
    const told = evolve(growing, ended({ ...answer, status: 'completed', content }))
    expect(words(told)).toEqual(['hello', 'Good day!'])
    expect(told.open).toEqual([])
    expect(evolve(told, over('r')).absent.size).toBe(0)
  })

  test('an answer grows and is settled whose status nobody names', () => {
    const { status, ...nameless } = answer
    const growing = fold(created('r'), announced(nameless), ...deltas)
    expect(words(growing)).toEqual(['Good day.'])
    const told = evolve(growing, ended({ ...nameless, content: [{ type: 'output_text', text: 'Good day.' }] }))
    expect(told.items).toMatchObject([{ id: 'a', status: 'completed' }])
  })

  test.each<[string, readonly ServerEvent[]]>([
    ['announced, grown and ended', [announced(call), ended(whole), over('r', [whole])]],
    ['ended', [ended(whole), over('r', [whole])]],
    ['told with the end of the response', [over('r', [whole])]],
    ['announced, and told with the end of the response', [announced(call), over('r', [whole])]],
    ['ended without a status', [ended({ ...bare, arguments: '{}' }), over('r')]],
  ])('a call is open once that was %s', (_, events) => {
    const conversation = fold(hello, created('r'), ...events)
    expect(conversation.items.map(({ id }) => id)).toEqual(['u', 'c'])
    expect([callsIn(conversation), conversation.open]).toEqual([['k'], []])
  })

  test('a mirror that comes late changes nothing', () => {
    const before = fold(hello, created('r'), announced(answer), part!, ...deltas)
    expect(evolve(before, added(answer, 'root'))).toBe(before)
    const content = [{ type: 'output_audio', transcript: 'Good day.' }]
    const told = evolve(before, ended({ ...answer, status: 'completed', content }))
    expect(evolve(told, done({ ...answer, status: 'completed', content }, 'root'))).toBe(told)
  })

  test('a mirror that comes next says where the item stands', () => {
    const said = [added(user('1', 'one')), added(user('2', 'two'), '1'), created('r'), announced(answer)]
    expect(words(fold(...said)), 'not before').toEqual(['one', 'two'])
    expect(words(fold(...said, added(answer, '1'), part!, ...deltas))).toEqual(['one', 'Good day.', 'two'])
  })

  test('what is beside the conversation stays beside it', () => {
    const beside = [created('r', { conversation_id: null }), announced(answer), part!, ...deltas, ended(whole)]
    const end = over('r', [whole], { conversation_id: null })
    expect(fold(hello, ...beside, end).items.map(({ id }) => id)).toEqual(['u'])
    expect(
      fold(hello, announced(answer), ...deltas, ended(whole), over('r', [whole])).items,
      'of no response',
    ).toHaveLength(1)
  })

  test.each<[string, readonly ServerEvent[]]>([
    ['before a word of it', []],
    ['while it was told', [part!, ...deltas]],
    ['once it was mirrored', [added(answer, 'u')]],
  ])('what was deleted %s is not brought back by what its response still tells', (_, events) => {
    const told = { ...answer, status: 'completed', content: [{ type: 'output_text', text: 'Good day.' }] }
    const gone = event('conversation.item.deleted', { item_id: 'a' })
    const conversation = fold(
      hello,
      created('r'),
      announced(answer),
      ...events,
      gone,
      ...deltas,
      ended(told),
      over('r', [told]),
    )
    expect(words(conversation)).toEqual(['hello'])
    expect(conversation.absent.size).toBe(0)
  })

  test('audio bytes that come with it never enter the conversation', () => {
    const loud = { ...answer, content: [{ type: 'output_audio', transcript: '', audio: 'AAAA' }] }
    const told = fold(created('r'), announced(loud))
    expect(JSON.stringify([told, ...told.absent.values()])).not.toContain('AAAA')
  })

  test('a lost line takes what was only announced with it', () => {
    expect(interrupt(fold(hello, created('r'), announced(answer)))).toMatchObject({
      items: [{ id: 'u' }],
      absent: new Map(),
    })
  })
})
