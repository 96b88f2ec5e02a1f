import { expect, test } from 'vitest'
import { emitter } from './emitter.ts'

function heard() {
  const it = emitter<{ said: [words: string]; error: [{ error: unknown }] }>('The test')
  const words: string[] = []
  return { it, words, note: (said: string) => void words.push(said) }
}

test('a listener hears each event until it is taken off; one that listens once, the next', () => {
  const { it, words, note } = heard()
  it.on('said', note)
  it.once('said', (said) => note(`once ${said}`))
  it.emit('said', 'a')
  it.emit('said', 'b')
  it.off('said', note)
  it.emit('said', 'c')
  expect(words).toEqual(['a', 'once a', 'b'])
})

test('who listens once is taken off by the same listener', () => {
  const { it, words, note } = heard()
  it.once('said', note)
  it.off('said', note)
  it.emit('said', 'a')
  expect(words).toEqual([])
  expect(it.has('said')).toBe(false)
})

test('a listener that throws hurts no other, also when it listens once', () => {
  const { it, words, note } = heard()
  const errors: string[] = []
  it.on('error', ({ error }) => errors.push(String(error)))
  it.once('said', () => {
    throw new Error('no')
  })
  it.on('said', note)
  it.emit('said', 'a')
  it.emit('said', 'b')
  expect([words, errors]).toEqual([['a', 'b'], ["Error: A listener of 'said' failed."]])
})
