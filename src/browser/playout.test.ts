import { expect, test } from 'vitest'
import { playout } from './playout.ts'

const item = (item_id: string, content_index = 0) => ({ item_id, content_index, response_id: `of ${item_id}` })

test.each([
  [0, [0, 0]],
  [30, [30, 0]],
  [100, [100, 0]],
  [140, [100, 40]],
  [900, [100, 50]],
])('when %i ms have been played, of each item this much was heard: %j', (playedMs, heard) => {
  const ledger = playout()
  ledger.queued(item('a'), 60)
  ledger.queued(item('a'), 40)
  ledger.queued(item('b'), 50)
  expect(ledger.heard(playedMs)).toEqual([
    { item_id: 'a', content_index: 0, heardMs: heard[0], receivedMs: 100 },
    { item_id: 'b', content_index: 0, heardMs: heard[1], receivedMs: 50 },
  ])
})

test('an item begins once, when its first sample was played', () => {
  const ledger = playout()
  ledger.queued(item('a'), 100)
  ledger.queued(item('b'), 100)
  expect(ledger.begun(0)).toEqual([])
  expect(ledger.begun(1)).toEqual([{ item_id: 'a', response_id: 'of a' }])
  expect(ledger.begun(100)).toEqual([])
  expect(ledger.begun(101)).toEqual([{ item_id: 'b', response_id: 'of b' }])
  expect(ledger.begun(500)).toEqual([])
})

test('another part of an item is another entry', () => {
  const ledger = playout()
  ledger.queued(item('a', 0), 100)
  ledger.queued(item('a', 1), 100)
  expect(ledger.heard(150).map(({ content_index, heardMs }) => [content_index, heardMs])).toEqual([
    [0, 100],
    [1, 50],
  ])
})

test('when all was heard, the last item can still grow', () => {
  const ledger = playout()
  ledger.queued(item('a'), 100)
  ledger.queued(item('b'), 100)
  ledger.settled()
  ledger.queued(item('b'), 100)
  expect(ledger.heard(250)).toEqual([{ item_id: 'b', content_index: 0, heardMs: 150, receivedMs: 200 }])
})

test('cleared, it begins at nothing', () => {
  const ledger = playout()
  ledger.queued(item('a'), 100)
  ledger.clear()
  ledger.queued(item('b'), 100)
  expect(ledger.heard(40)).toEqual([{ item_id: 'b', content_index: 0, heardMs: 40, receivedMs: 100 }])
})
