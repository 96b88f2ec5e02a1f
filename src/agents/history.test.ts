import { expect, test } from 'vitest'
import { type Conversation, empty, evolve } from '../conversation/conversation.ts'
import type { Item, ServerEvent } from '../protocol/events.ts'
import { historian } from './history.ts'

const user = (id: string) =>
  ({ id, type: 'message', role: 'user', status: 'completed', content: [{ type: 'input_text', text: id }] }) as Item
const added = (item: object, previous_item_id: string | null) =>
  ({ type: 'conversation.item.added', event_id: 'e', item, previous_item_id }) as unknown as ServerEvent
const fold = (conversation: Conversation, ...events: ServerEvent[]) => events.reduce(evolve, conversation)
const call = { id: 'c', type: 'function_call', call_id: 'k', name: 'f', arguments: '{}', status: 'completed' }
const output = { id: 'o', type: 'function_call_output', call_id: 'k', output: 'sunny' }

test('messages and calls in order; an output stands with its call', () => {
  const history = historian()
  const conversation = fold(empty, added(user('u'), null), added(call, 'u'), added(output, 'c'), added(user('v'), 'o'))
  expect(
    history(conversation, []).map((item) => (item.type === 'message' ? item.content : [item.name, item.output])),
  ).toEqual([[{ type: 'input_text', text: 'u' }], ['f', 'sunny'], [{ type: 'input_text', text: 'v' }]])
})

test('what did not change is the same object as before', () => {
  const history = historian()
  const answer = { id: 'a', type: 'message', role: 'assistant', status: 'in_progress', content: [] }
  const before = fold(empty, added(user('u'), null), added(call, 'u'), added(output, 'c'), added(answer, 'o'))
  const first = history(before, [])
  const delta = { type: 'response.output_text.delta', event_id: 'e', item_id: 'a', content_index: 0, delta: 'Hi' }
  const second = history(fold(before, delta as unknown as ServerEvent), [])
  expect(second.slice(0, 2)).toEqual(first.slice(0, 2))
  for (const [n, item] of second.slice(0, 2).entries()) expect(item).toBe(first[n])
  expect(second[2]).toMatchObject({ content: [{ type: 'output_text', text: 'Hi' }] })
  expect(history(before, [])[1]).toBe(first[1])
})

test('what was said and is not acknowledged yet stands at the end, and stays the same object when it is', () => {
  const history = historian()
  const first = history(empty, [{ item: user('u') }])
  expect(first.map(({ itemId }) => itemId)).toEqual(['u'])
  expect(history(fold(empty, added(user('u'), null)), [])[0]).toBe(first[0])
})

test('a pending output answers its call', () => {
  const history = historian()
  const conversation = fold(empty, added(call, null))
  expect(history(conversation, [])).toMatchObject([{ output: null }])
  expect(history(conversation, [{ item: output as Item }])).toMatchObject([{ output: 'sunny' }])
})
