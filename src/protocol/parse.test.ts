import fc from 'fast-check'
import { expect, test } from 'vitest'
import { empty, evolve } from '../conversation/conversation.ts'
import { parse } from './parse.ts'

test.each([
  '',
  '{',
  'null',
  '[]',
  '1',
  '"x"',
  '{}',
  '{"type":1}',
  '{"type":"response.done"}',
  '{"type":"error","error":1}',
])('refused: %s', (text) => expect(parse(text)).toBeNull())

test('unknown events and fields pass through as they are', () => {
  for (const event of [
    { type: 'something.new', a: [1] },
    { type: 'response.done', event_id: 'e', response: { id: 'r', output: [], invented: true } },
    { type: 'conversation.item.added', item: { id: 'i', type: 'invented', x: 1 } },
  ])
    expect(parse(JSON.stringify(event))).toEqual(event)
})

const types = [
  'conversation.item.added',
  'conversation.item.done',
  'conversation.item.deleted',
  'conversation.item.input_audio_transcription.delta',
  'conversation.item.input_audio_transcription.completed',
  'response.created',
  'response.done',
  'response.content_part.added',
  'response.output_item.done',
  'response.output_text.delta',
  'response.output_audio_transcript.done',
  'response.function_call_arguments.delta',
]
const junk = fc.oneof(
  fc.constantFrom(null, 0, 1, -1, 1e9, '', 'i', [], {}, [null], { id: 'i' }),
  fc.record(
    {
      id: fc.constant('i'),
      type: fc.constantFrom('message', 'function_call', 'x'),
      content: fc.constantFrom(null, [], [null], [{}]),
    },
    { requiredKeys: [] },
  ),
)
const fields = [
  'item',
  'item_id',
  'content_index',
  'delta',
  'text',
  'transcript',
  'arguments',
  'part',
  'response',
  'previous_item_id',
]

test('whatever passes the door, folding it never throws', () => {
  const event = fc.record({
    type: fc.constantFrom(...types),
    fields: fc.dictionary(fc.constantFrom(...fields), junk),
  })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 12 }), (events) => {
      let conversation = empty
      for (const { type, fields } of events) {
        const parsed = parse(JSON.stringify({ ...fields, type }))
        if (parsed) conversation = evolve(conversation, parsed)
      }
    }),
    { numRuns: 500 },
  )
})
