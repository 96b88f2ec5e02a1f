import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { testWithEars } from '../../test/ears.ts'
import { level } from '../audio/pcm.ts'
import { readWav } from '../audio/wav.ts'
import { flite } from '../server/voice/flite.ts'
import { recognise, wordErrorRate } from './recognise.ts'

const caller = new URL('../../fixtures/caller/', import.meta.url)
const words: Record<string, string> = JSON.parse(readFileSync(new URL('words.json', caller), 'utf8'))

const read = (file: string) => readWav(readFileSync(new URL(file, caller)))

test.each(Object.keys(words))('%s is 24 kHz mono, with silence before and after', (file) => {
  const { rate, channels, samples } = read(file)
  expect({ rate, channels }).toEqual({ rate: 24_000, channels: 1 })
  expect(level(samples.subarray(0, 0.3 * rate))).toBe(Number.NEGATIVE_INFINITY)
  expect(level(samples.subarray(-1.2 * rate))).toBe(Number.NEGATIVE_INFINITY)
  expect(level(samples)).toBeGreaterThan(-45)
})

testWithEars.each(Object.entries(words).filter(([, said]) => said !== ''))('%s is heard as: %s', async (file, said) => {
  const { rate, samples } = read(file)
  expect(wordErrorRate(said, await recognise(samples, rate))).toBe(0)
})

testWithEars('the built-in voice is understood by the built-in ears', async () => {
  const said = 'Your order has left. It will come on Tuesday.'
  const how = { name: 'cedar', speed: 1, signal: new AbortController().signal }
  const voice = flite()
  for await (const audio of voice.speak(said, how)) {
    expect(wordErrorRate(said, await recognise(audio, voice.rate))).toBeLessThanOrEqual(0.12)
  }
  expect.assertions(1)
})

test('the word error rate counts what was put in, left out and exchanged', () => {
  expect(wordErrorRate('Where is my order?', 'where is my order')).toBe(0)
  expect(wordErrorRate('where is my order', 'where my border now')).toBe(0.75)
  expect(wordErrorRate('one two', '')).toBe(1)
  expect(wordErrorRate('', 'hm')).toBe(1)
  expect(wordErrorRate('', '')).toBe(0)
})
