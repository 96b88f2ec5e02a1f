import { expect, test } from 'vitest'
import { noUsage, type SessionUsage, type TranscriptionUse } from '../session/usage.ts'
import { costOf, listPrices, type Prices } from './prices.ts'

const million = 1_000_000
const used = (usage: Partial<SessionUsage>): SessionUsage => ({ ...noUsage, ...usage })
const heardBy = (model: string, use: Partial<TranscriptionUse>): SessionUsage => ({
  ...noUsage,
  transcription: {
    [model]: {
      totalTokens: 0,
      inputTokens: 0,
      outputTokens: 0,
      inputTextTokens: 0,
      inputAudioTokens: 0,
      seconds: 0,
      ...use,
    },
  },
})
/** Each price another power of two: a sum shows what it was made of. */
const own: Prices = {
  mine: {
    textInput: 1,
    textInputCached: 0.5,
    imageInput: 4,
    imageInputCached: 2,
    audioInput: 16,
    audioInputCached: 8,
    textOutput: 32,
    audioOutput: 64,
  },
  voiceOnly: { textInput: 1, audioInput: 16, textOutput: 32, audioOutput: 64 },
  scribe: { textInput: 1, audioInput: 2, textOutput: 4 },
  clock: { perMinute: 3 },
  wrong: {
    textInput: Number.NaN,
    audioInput: -1,
    textOutput: Number.POSITIVE_INFINITY,
    audioOutput: '64' as unknown as number,
  },
}

test('a session that used nothing costs nothing', () => expect(costOf(noUsage, 'gpt-realtime-2.1')).toBe(0))

test.each<[string, Partial<SessionUsage>, number]>([
  ['text that is heard', { inputTokens: million, inputTextTokens: million }, 1],
  ['audio that is heard', { inputTokens: million, inputAudioTokens: million }, 16],
  ['images', { inputTokens: million, inputImageTokens: million }, 4],
  ['text that is said', { outputTokens: million, outputTextTokens: million }, 32],
  ['audio that is said', { outputTokens: million, outputAudioTokens: million }, 64],
  [
    'cached text, which is part of the text',
    { inputTokens: 3e6, inputTextTokens: 3e6, cachedTokens: million, cachedTextTokens: million },
    2.5,
  ],
  [
    'cached audio, which is part of the audio',
    { inputTokens: 3e6, inputAudioTokens: 3e6, cachedTokens: 2e6, cachedAudioTokens: 2e6 },
    32,
  ],
  [
    'cached images, which are part of the images',
    { inputTokens: 2e6, inputImageTokens: 2e6, cachedTokens: 2e6, cachedImageTokens: 2e6 },
    4,
  ],
  ['input of no modality, as audio', { inputTokens: million }, 16],
  ['the input that its modalities leave over, as audio', { inputTokens: 3e6, inputTextTokens: 2e6 }, 18],
  ['output of no modality, as audio', { outputTokens: million }, 64],
  [
    'thoughts, which are part of the output and of no modality, as text',
    { outputTokens: 3e6, outputAudioTokens: 2e6 },
    160,
  ],
  ['tokens that are neither input nor output, as audio that is said', { totalTokens: million }, 64],
  [
    'what is cached of no modality, where that saves least',
    { inputTokens: 3e6, inputTextTokens: million, inputAudioTokens: 2e6, cachedTokens: 2e6 },
    0.5 + 8 + 16,
  ],
  [
    'more cached than there was, as all of it',
    { inputTokens: million, inputTextTokens: million, cachedTextTokens: 9e6 },
    0.5,
  ],
])('%s: priced', (_, usage, cost) => expect(costOf(used(usage), 'mine', own)).toBeCloseTo(cost, 9))

test('what is cached costs as much as what is not where it has no price of its own', () => {
  const usage = used({ inputTokens: 2e6, inputAudioTokens: 2e6, cachedTokens: million, cachedAudioTokens: million })
  expect(costOf(usage, 'voiceOnly', own)).toBe(32)
})

test.each<[string, string, Partial<TranscriptionUse>, number | null]>([
  ['by the minute', 'clock', { seconds: 90 }, 4.5],
  [
    'by the token',
    'scribe',
    { totalTokens: 6e6, inputTokens: 4e6, inputTextTokens: 1e6, inputAudioTokens: 3e6, outputTokens: 2e6 },
    1 + 6 + 8,
  ],
  ['by the token, of no modality', 'scribe', { totalTokens: 5e6, inputTokens: 4e6, outputTokens: 1e6 }, 12],
  ['by the token, of no direction, as text that is said', 'scribe', { totalTokens: 1e6 }, 4],
  ['by the minute, where it reports tokens', 'clock', { totalTokens: 5, inputTokens: 4, outputTokens: 1 }, null],
  ['by the token, where it reports seconds', 'scribe', { seconds: 1 }, null],
  ['by nobody known', 'unknown', { seconds: 1 }, null],
  ['by nobody known, in no time', 'unknown', {}, 0],
])('transcription priced %s', (_, model, use, cost) => expect(costOf(heardBy(model, use), 'mine', own)).toBe(cost))

test('a price that is not known is not guessed', () => {
  const spoken = used({ outputTokens: 1, outputAudioTokens: 1, totalTokens: 1 })
  const seen = used({ inputTokens: 1, inputImageTokens: 1, totalTokens: 1 })
  expect(costOf(noUsage, 'a-model-of-tomorrow')).toBeNull()
  expect(costOf(spoken, 'a-model-of-tomorrow')).toBeNull()
  expect(costOf(spoken, 'constructor')).toBeNull()
  expect(costOf(spoken, '__proto__')).toBeNull()
  expect(costOf(seen, 'voiceOnly', own)).toBeNull()
  for (const name of ['inputTextTokens', 'inputAudioTokens', 'outputTextTokens', 'outputAudioTokens']) {
    expect(costOf(used({ [name]: 1 }), 'wrong', own)).toBeNull()
  }
})

test('prices of the app come before the list, and the list is there beside them', () => {
  const spoken = used({ outputTokens: million, outputAudioTokens: million })
  const dearer = { 'gpt-realtime': { textInput: 1, audioInput: 1, textOutput: 1, audioOutput: 100 } }
  expect(costOf(spoken, 'gpt-realtime', dearer)).toBe(100)
  expect(costOf(spoken, 'gpt-realtime-mini', dearer)).toBe(20)
})

test('a dated snapshot costs what its model does, unless it has a price of its own', () => {
  const spoken = used({ outputTokens: million, outputAudioTokens: million })
  expect(costOf(spoken, 'gpt-realtime-2025-08-28')).toBe(64)
  const other = { 'gpt-realtime-2025-08-28': { textInput: 1, audioInput: 1, textOutput: 1, audioOutput: 7 } }
  expect(costOf(spoken, 'gpt-realtime-2025-08-28', other)).toBe(7)
})

test('a turn of a call, priced by hand', () => {
  const usage: SessionUsage = {
    ...heardBy('gpt-transcribe', { seconds: 6 }),
    inputTokens: 789,
    inputTextTokens: 313,
    inputAudioTokens: 476,
    cachedTokens: 640,
    cachedTextTokens: 256,
    cachedAudioTokens: 384,
    outputTokens: 32,
    outputTextTokens: 9,
    outputAudioTokens: 23,
    totalTokens: 821,
  }
  const tokens = 57 * 4 + 256 * 0.4 + 92 * 32 + 384 * 0.4 + 9 * 24 + 23 * 64
  expect(costOf(usage, 'gpt-realtime-2.1')).toBeCloseTo(tokens / million + 0.00045, 12)
})

test.each(Object.entries(listPrices))('the list price of %s is whole, and less where it is cached', (_, price) => {
  for (const value of Object.values(price)) expect(value).toBeGreaterThan(0)
  if (!('audioOutput' in price)) return
  expect(Object.keys(price)).toHaveLength(8)
  expect(price.textInputCached).toBeLessThan(price.textInput)
  expect(price.audioInputCached).toBeLessThan(price.audioInput)
  expect(price.imageInputCached).toBeLessThan(price.imageInput!)
})
