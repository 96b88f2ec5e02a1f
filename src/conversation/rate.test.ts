import { expect, test } from 'vitest'
import { charsPerMs, learned, usualRate } from './rate.ts'
import { type Cut, heardPart } from './retell.ts'

const words = 'The garden is open every day from nine in the morning.'
const half = { heardMs: 1_500, receivedMs: 3_000 }

test.each<[string, Cut, string]>([
  ['all of it came: its share of the sound', half, 'The garden is open every…'],
  [
    'its words ran ahead: the rate of speech',
    { ...half, receivedMs: 1_800, charsPerMs: 0.018 },
    'The garden is open every…',
  ],
  [
    'all that came was heard: the rate too',
    { heardMs: 1_500, receivedMs: 1_500, charsPerMs: 0.018 },
    'The garden is open every…',
  ],
  [
    'it is slower than usual: never more than its share',
    { ...half, receivedMs: 6_000, charsPerMs: 0.018 },
    'The garden…',
  ],
  ['all of it was heard', { heardMs: 3_000, receivedMs: 3_000 }, words],
  ['nothing of it was heard', { heardMs: 0, receivedMs: 0 }, ''],
])('the words that were heard of an answer, where %s', (_, cut, heard) => {
  expect(heardPart(words, cut)).toBe(heard)
})

test('where words are written without spaces, it is cut between any two', () => {
  expect(heardPart('今日はとても良い天気です', { heardMs: 500, receivedMs: 1_000 })).toBe('今日はとて…')
})

test('the rate is learned from whole answers, and what is heard last weighs most', () => {
  expect(charsPerMs(usualRate)).toBe(0.018)
  expect(learned(usualRate, 0, 1_000)).toEqual(usualRate)
  const slow = Array.from({ length: 20 }).reduce<typeof usualRate>((rate) => learned(rate, 50, 10_000), usualRate)
  expect(charsPerMs(slow)).toBeCloseTo(0.005, 3)
  const fast = Array.from({ length: 10 }).reduce<typeof usualRate>((rate) => learned(rate, 200, 10_000), slow)
  expect(charsPerMs(fast)).toBeGreaterThan(0.015)
})
