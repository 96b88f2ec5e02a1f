/** Numbers of orders, spoken and written, and what follows them. */
import { expect, test } from 'vitest'
import type { Utterance } from '../senses.ts'
import { brain } from './brain.ts'

const orders = {
  type: 'function',
  name: 'look_up_order',
  description: 'Look up the status of an order by its order number.',
  parameters: { type: 'object', properties: { order_number: { type: 'string' } }, required: ['order_number'] },
} as const

test.each([
  ['order 42? I ask', '42'],
  ['Where is order 42? I ask because it is late.', '42'],
  ['Where is order 42. A friend asked me.', '42'],
  ['Where is order 42, I need it today.', '42'],
  ['where is order four two i need it today', '42'],
  ['where is order four two i am waiting', '42'],
  ['where is order four two a friend asked me', '42'],
  ['where is order four two b i need it', '42b'],
  ['where is order four two a', '42a'],
  ['where is order four two a please', '42a'],
  ['order four two a is late', '42a'],
  ['order four two a b', '42ab'],
  ['Where is order 42 B?', '42b'],
  ['Where is order 42B? I ask.', '42B'],
  ['i ask where is order four two', '42'],
  ['i want a b four two order', 'ab42'],
  ['Is it plan B? Order 42, please.', '42'],
  ['Was it A, B? 42 is the order.', '42'],
  ['Order 42. 5 days ago I paid.', '42'],
  ['Where is order 42? Two weeks ago I paid.', '42'],
  ['where is my order, the number is 4, 2, 7', '427'],
  ['Order No. 42. Thanks!', '42'],
  ['Order 42! Now!', '42'],
  ['Order AB-42. I ask again.', 'AB-42'],
])('"%s" asks for order %s', (words, number) => {
  const said = { id: 'u', type: 'message', role: 'user', content: [{ type: 'input_text', text: words }] } as const
  const { signal } = new AbortController()
  const thought = {
    instructions: 'You are Ada.',
    tools: [orders as never],
    toolChoice: 'auto',
    items: [said],
    signal,
  } as const
  const [call] = brain().think(thought) as readonly Utterance[]
  expect(call).toMatchObject({ type: 'call', arguments: { order_number: number } })
})
