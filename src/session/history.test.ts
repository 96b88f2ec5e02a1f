import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Conversation, empty, evolve, interrupt } from '../conversation/conversation.ts'
import type { Item, ServerEvent } from '../protocol/events.ts'
import { historian, type RealtimeItem, type Sources } from './history.ts'

const event = (type: string, rest: object) => ({ type, event_id: 'e', ...rest }) as unknown as ServerEvent
const message = (id: string, role: string, content: readonly object[], status = 'completed') =>
  ({ id, type: 'message', role, status, content }) as unknown as Item
const user = (id: string) => message(id, 'user', [{ type: 'input_text', text: id }])
const spoken = (id: string) => message(id, 'user', [{ type: 'input_audio', transcript: null }])
const said = (id: string, transcript: string) => message(id, 'assistant', [{ type: 'output_audio', transcript }])
const added = (item: object, previous_item_id: string | null) =>
  event('conversation.item.added', { item, previous_item_id })
const done = (item: object) => event('conversation.item.done', { item, previous_item_id: null })
const transcription = (type: string, rest: object) =>
  event(`conversation.item.input_audio_transcription.${type}`, { content_index: 0, ...rest })
const fold = (conversation: Conversation, ...events: ServerEvent[]) => events.reduce(evolve, conversation)
const call = { id: 'c', type: 'function_call', call_id: 'k', name: 'f', arguments: '{}', status: 'completed' }
const output = { id: 'o', type: 'function_call_output', call_id: 'k', output: 'sunny' } as Item

/** What one session shows, from one moment to the next. */
function telling(all: Partial<Sources> = {}) {
  const history = historian()
  const sources: Sources = {
    conversation: empty,
    pending: [],
    cuts: {},
    origins: new Map(),
    isTranscribed: true,
    ...all,
  }
  return (conversation: Conversation, now: Partial<Sources> = {}) => history({ ...sources, conversation, ...now })
}
const itself = telling()
const statuses = (history: readonly RealtimeItem[]) =>
  history.map((item) => (item.type === 'message' ? item.transcriptStatus : item.status))

test('messages and calls in order; an output stands with its call', () => {
  const conversation = fold(empty, added(user('u'), null), added(call, 'u'), added(output, 'c'), added(user('v'), 'o'))
  expect(itself(conversation)).toMatchObject([
    { content: [{ type: 'input_text', text: 'u' }] },
    { name: 'f', output: 'sunny' },
    { content: [{ type: 'input_text', text: 'v' }] },
  ])
})

test('what did not change is the same object as before', () => {
  const tell = telling()
  const answer = { id: 'a', type: 'message', role: 'assistant', status: 'in_progress', content: [] }
  const before = fold(empty, added(user('u'), null), added(call, 'u'), added(output, 'c'), added(answer, 'o'))
  const first = tell(before)
  const delta = event('response.output_text.delta', { item_id: 'a', content_index: 0, delta: 'Hi' })
  const second = tell(fold(before, delta))
  expect(second.slice(0, 2)).toEqual(first.slice(0, 2))
  for (const [n, item] of second.slice(0, 2).entries()) expect(item).toBe(first[n])
  expect(second[2]).toMatchObject({ content: [{ type: 'output_text', text: 'Hi' }] })
  expect(tell(before)[1]).toBe(first[1])
})

test('an item put in between leaves those behind it the same objects, but the one that it stands before', () => {
  const tell = telling()
  const told = [
    added(user('p'), null),
    added(user('q'), 'p'),
    added(call, 'q'),
    added(output, 'c'),
    added(user('r'), 'o'),
  ]
  const before = fold(empty, ...told)
  const [p, q, c, r] = tell(before)
  const after = tell(fold(before, added(user('x'), 'p')))
  expect(after.map(({ itemId }) => itemId)).toEqual(['p', 'x', 'q', 'c', 'r'])
  expect(after[2]).toEqual({ ...q, previousItemId: 'x' })
  expect([after[0] === p, after[3] === c, after[4] === r]).toEqual([true, true, true])
})

test('what was said and is not acknowledged yet stands at the end, and stays the same object when it is', () => {
  const tell = telling()
  const first = tell(empty, { pending: [{ item: user('u') }] })
  expect(first.map(({ itemId }) => itemId)).toEqual(['u'])
  expect(tell(fold(empty, added(user('u'), null)))[0]).toBe(first[0])
})

test('a pending output answers its call; one that was deleted does not any more', () => {
  const tell = telling()
  const conversation = fold(empty, added(call, null), added(user('u'), 'c'))
  expect(tell(conversation)).toMatchObject([{ output: null }, {}])
  expect(tell(conversation, { pending: [{ item: output }] })).toMatchObject([{ output: 'sunny' }, {}])
  const answered = fold(conversation, added(output, 'u'))
  expect(tell(answered)).toMatchObject([{ output: 'sunny' }, {}])
  expect(tell(fold(answered, event('conversation.item.deleted', { item_id: 'o' })))).toMatchObject([
    { output: null },
    {},
  ])
})

test('an image stays in the history with the text beside it, and so does what the system says', () => {
  const image = 'data:image/png;base64,AAAA'
  const shown = message('i', 'user', [
    { type: 'input_text', text: 'What is this?' },
    { type: 'input_image', image_url: image },
  ])
  const rule = message('s', 'system', [{ type: 'input_text', text: 'Be brief.' }])
  expect(itself(fold(empty, added(rule, null), added(shown, 's')))).toMatchObject([
    { role: 'system', content: [{ type: 'input_text', text: 'Be brief.' }] },
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'What is this?' },
        { type: 'input_image', image },
      ],
    },
  ])
})

test('of an answer that was cut off, all that was generated is shown, how much was heard, and its words', () => {
  const tell = telling()
  const generated = 'It is sunny in Lisbon today.'
  const conversation = fold(empty, added(user('u'), null), added(said('a', generated), 'u'), added(user('v'), 'a'))
  const before = tell(conversation)
  expect(before[1]).not.toHaveProperty('heardMs')
  expect(before[1]).not.toHaveProperty('interrupted')
  const after = tell(conversation, { cuts: { a: { heardMs: 1_000.4, receivedMs: 2_000 } } })
  expect(after[1]).toMatchObject({
    content: [{ type: 'output_audio', transcript: generated }],
    interrupted: true,
    heardMs: 1_000,
    heardText: 'It is sunny…',
  })
  expect([after[0], after[2]]).toEqual([before[0], before[2]])
  expect(after[0]).toBe(before[0])
  expect(after[2]).toBe(before[2])
})

test('the words of an answer are not erased where its end is told without them', () => {
  const begun = { ...said('a', ''), status: 'in_progress' }
  const delta = event('response.output_audio_transcript.delta', { item_id: 'a', content_index: 0, delta: 'Good day.' })
  for (const content of [[], [{ type: 'output_audio', transcript: 'Good' }], [{ type: 'output_audio' }]]) {
    const cut = fold(empty, added(begun, null), delta, done({ ...begun, status: 'incomplete', content }))
    expect(itself(cut)).toMatchObject([{ status: 'incomplete', content: [{ transcript: 'Good day.' }] }])
  }
})

test('a transcript is pending, grows, and is final', () => {
  const tell = telling()
  const events = [
    added(spoken('s'), null),
    transcription('delta', { item_id: 's', delta: 'Where' }),
    transcription('delta', { item_id: 's', delta: ' is it' }),
    transcription('completed', { item_id: 's', transcript: 'Where is it?' }),
  ]
  let conversation = empty
  const shown = events.map((one) => {
    conversation = fold(conversation, one)
    const [item] = tell(conversation)
    return item?.type === 'message' && [item.transcriptStatus, item.content[0]]
  })
  expect(shown).toEqual(
    [
      ['pending', null],
      ['pending', 'Where'],
      ['pending', 'Where is it'],
      ['final', 'Where is it?'],
    ].map(([status, transcript]) => [status, { type: 'input_audio', transcript }]),
  )
})

test('a transcript that failed says so, and an item behind it stays the same object', () => {
  const tell = telling()
  const heard = fold(empty, added(spoken('s'), null), added(spoken('t'), 's'))
  const before = tell(heard)
  expect(statuses(before)).toEqual(['pending', 'pending'])
  const failed = fold(heard, transcription('failed', { item_id: 's', error: {} }))
  const after = tell(failed)
  expect(statuses(after)).toEqual(['failed', 'pending'])
  expect(after[1]).toBe(before[1])
  expect(statuses(tell(fold(failed, transcription('completed', { item_id: 's', transcript: 'Oh.' }))))).toEqual([
    'final',
    'pending',
  ])
})

test('a transcript that a lost line took away has failed, with the words that came', () => {
  const partial = transcription('delta', { item_id: 't', delta: 'Where' })
  const heard = fold(empty, added(spoken('s'), null), added(spoken('t'), 's'), partial)
  const after = itself(interrupt(heard))
  expect(statuses(after)).toEqual(['failed', 'failed'])
  expect(after[1]).toMatchObject({ content: [{ transcript: 'Where' }] })
})

test('a transcript that nobody asked for is off, also when transcripts are asked for later', () => {
  const tell = telling()
  const before = fold(empty, added(spoken('s'), null))
  expect(statuses(tell(before, { isTranscribed: false }))).toEqual(['off'])
  const after = fold(before, added(spoken('t'), 's'))
  expect(statuses(tell(after, { isTranscribed: true }))).toEqual(['off', 'pending'])
  expect(statuses(tell(interrupt(after)))).toEqual(['off', 'failed'])
})

test("an answer's words are pending while it is given, final when it is told, failed where there are none", () => {
  const begun = { ...said('a', ''), status: 'in_progress' }
  const growing = fold(empty, added(begun, null))
  expect(statuses(itself(growing))).toEqual(['pending'])
  expect(statuses(itself(fold(growing, done(said('a', 'Hi.')))))).toEqual(['final'])
  expect(statuses(itself(interrupt(growing)))).toEqual(['failed'])
})

test('an answer that is still given keeps its place and its marks', () => {
  const tell = telling()
  const growing = fold(
    empty,
    added(user('u'), null),
    added({ ...said('a', 'It is sunny today.'), status: 'in_progress' }, 'u'),
  )
  expect(tell(growing)[1]).toMatchObject({ previousItemId: 'u' })
  const behind = fold(growing, added(user('x'), 'u'))
  expect(tell(behind)[2]).toMatchObject({ itemId: 'a', previousItemId: 'x' })
  const cuts = { a: { heardMs: 500, receivedMs: 1_000 } }
  expect(tell(behind, { cuts })[2]).toMatchObject({ interrupted: true, heardText: 'It is…' })
})

test('each item says where it came from', () => {
  const conversation = fold(empty, added(user('u'), null), added(call, 'u'), added(user('v'), 'c'))
  const tell = telling()
  expect(tell(conversation).map(({ origin }) => origin)).toEqual(['live', 'live', 'live'])
  const origins = new Map([
    ['u', 'restored'],
    ['c', 'seeded'],
  ] as const)
  expect(tell(conversation, { origins }).map(({ origin }) => origin)).toEqual(['restored', 'seeded', 'live'])
})

test("a call of the far end's own tools grows, runs past its response, and has an output or an error", () => {
  const begun = { id: 'm', type: 'mcp_call', server_label: 'docs', name: 'find', arguments: '' }
  const whole = { ...begun, arguments: '{"q":1}' }
  const response = { id: 'r', output: [whole] }
  let conversation = empty
  const then = (one: ServerEvent) => {
    conversation = evolve(conversation, one)
    return itself(conversation)
  }
  expect(then(added(begun, null))).toMatchObject([{ type: 'mcp_call', serverLabel: 'docs', status: 'in_progress' }])
  expect(then(event('response.mcp_call_arguments.delta', { item_id: 'm', delta: '{"q"' }))).toMatchObject([
    { arguments: '{"q"', output: null },
  ])
  expect(then(done(whole))).toMatchObject([{ arguments: '{"q":1}', status: 'in_progress' }])
  expect(then(event('response.done', { response }))).toMatchObject([{ status: 'in_progress' }])
  const running = conversation
  expect(then(done({ ...whole, output: 'found' }))).toMatchObject([
    { status: 'completed', output: 'found', error: null },
  ])
  const error = { type: 'tool_execution_error', message: 'no' } as const
  conversation = fold(running, event('response.mcp_call.failed', { item_id: 'm', output_index: 0 }))
  expect(then(done({ ...whole, error }))).toMatchObject([{ status: 'failed', output: null, error }])
  expect(itself(interrupt(running))).toMatchObject([{ status: 'incomplete' }])
})

test('an MCP request waits until it is decided', () => {
  const request = { id: 'q', type: 'mcp_approval_request', server_label: 'docs', name: 'find', arguments: '{}' }
  const decision = { id: 'd', type: 'mcp_approval_response', approval_request_id: 'q', approve: false } as const
  const asked = fold(empty, added(request, null))
  expect(itself(asked)).toMatchObject([{ type: 'mcp_approval_request', approved: null, status: 'in_progress' }])
  expect(itself(asked, { pending: [{ item: decision }] })).toMatchObject([{ approved: false, status: 'completed' }])
})

/** A turn as a server tells it, and its words, which come when they come. */
const turns = ['1', '2', '3'].flatMap((n, at) => {
  const before = at ? `a${at}` : null
  const answer = said(`a${n}`, `Answer ${n}.`)
  const begun = { ...answer, status: 'in_progress', content: [] }
  return [
    added(spoken(`u${n}`), before),
    done(spoken(`u${n}`)),
    event('response.created', { response: { id: `r${n}`, conversation_id: 'x' } }),
    added(begun, `u${n}`),
    done(answer),
    event('response.done', { response: { id: `r${n}`, output: [answer] } }),
  ]
})
const wordsOf = (n: string) => [
  transcription('delta', { item_id: `u${n}`, delta: 'Question' }),
  transcription('delta', { item_id: `u${n}`, delta: ` ${n}` }),
  transcription('completed', { item_id: `u${n}`, transcript: `Question ${n}?` }),
]

test('transcripts fill their slots, whenever they come: before their item, or long after others', () => {
  const streams = [turns, wordsOf('1'), wordsOf('2'), wordsOf('3')]
  const whole = itself(fold(empty, ...streams.flat()))
  expect(whole.map((item) => item.type === 'message' && item.content)).toEqual(
    ['1', '2', '3'].flatMap((n) => [
      [{ type: 'input_audio', transcript: `Question ${n}?` }],
      [{ type: 'output_audio', transcript: `Answer ${n}.` }],
    ]),
  )
  const count = streams.flat().length
  fc.assert(
    fc.property(fc.array(fc.nat(3), { minLength: 3 * count, maxLength: 3 * count }), (order) => {
      const left = streams.map((stream) => [...stream])
      const tell = telling()
      let conversation = empty
      const next = (stream: ServerEvent[]) => {
        const one = stream.shift()
        if (one) conversation = evolve(conversation, one)
        expect(tell(conversation)).toEqual(telling()(conversation))
      }
      for (const n of order) next(left[n]!)
      for (const stream of left) while (stream.length) next(stream)
      expect(tell(conversation)).toEqual(whole)
      expect(conversation.early).toEqual([])
    }),
    { seed: 7, numRuns: 60 },
  )
})
