import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse } from '../protocol/parse.ts'
import { addUsage } from './adding-usage.ts'
import { noUsage, type SessionUsage } from './usage.ts'

/** What came over the wire, as the session hears it. */
function heard(sum: SessionUsage, event: object, transcriber?: string): SessionUsage {
  const parsed = parse(JSON.stringify(event))
  return parsed ? addUsage(sum, parsed, transcriber) : sum
}
const responseDone = (id: string, usage: unknown) => ({ type: 'response.done', event_id: 'e', response: { id, usage } })
const transcribed = (item_id: string, usage: unknown) => ({
  type: 'conversation.item.input_audio_transcription.completed',
  event_id: 'e',
  item_id,
  content_index: 0,
  transcript: 'Hello.',
  usage,
})

test('a response is counted by modality, and what was cached of it too', () => {
  const usage = {
    total_tokens: 821,
    input_tokens: 789,
    output_tokens: 32,
    input_token_details: {
      text_tokens: 300,
      audio_tokens: 476,
      image_tokens: 13,
      cached_tokens: 645,
      cached_tokens_details: { text_tokens: 256, audio_tokens: 384, image_tokens: 5 },
    },
    output_token_details: { text_tokens: 9, audio_tokens: 23 },
  }
  expect({ ...heard(noUsage, responseDone('r', usage)) }).toMatchObject({
    responses: 1,
    totalTokens: 821,
    inputTokens: 789,
    outputTokens: 32,
    inputTextTokens: 300,
    inputAudioTokens: 476,
    inputImageTokens: 13,
    cachedTokens: 645,
    cachedTextTokens: 256,
    cachedAudioTokens: 384,
    cachedImageTokens: 5,
    outputTextTokens: 9,
    outputAudioTokens: 23,
  })
})

test('what was transcribed is counted by the model that did it, in tokens or seconds, apart from the responses', () => {
  const tokens = {
    type: 'tokens',
    total_tokens: 22,
    input_tokens: 13,
    input_token_details: { text_tokens: 0, audio_tokens: 13 },
    output_tokens: 9,
  }
  let sum = heard(noUsage, transcribed('a', tokens), 'gpt-4o-transcribe')
  sum = heard(sum, transcribed('b', { type: 'duration', seconds: 1.5 }), 'whisper-1')
  sum = heard(sum, transcribed('c', { type: 'duration', seconds: 2 }), 'whisper-1')
  sum = heard(sum, transcribed('d', { type: 'duration', seconds: 4 }))
  expect(sum).toMatchObject({ totalTokens: 0, transcriptionTokens: 22, transcriptionSeconds: 7.5 })
  const none = { totalTokens: 0, inputTokens: 0, outputTokens: 0, inputTextTokens: 0, inputAudioTokens: 0 }
  expect(sum.transcription).toEqual({
    'gpt-4o-transcribe': {
      totalTokens: 22,
      inputTokens: 13,
      outputTokens: 9,
      inputTextTokens: 0,
      inputAudioTokens: 13,
      seconds: 0,
    },
    'whisper-1': { ...none, seconds: 3.5 },
    unknown: { ...none, seconds: 4 },
  })
})

test.each(['__proto__', 'constructor', 'toString'])('a model may be called %s', (model) => {
  const once = heard(noUsage, transcribed('a', { type: 'duration', seconds: 1 }), model)
  const twice = heard(once, transcribed('b', { type: 'duration', seconds: 1 }), model)
  const use = { totalTokens: 0, inputTokens: 0, outputTokens: 0, inputTextTokens: 0, inputAudioTokens: 0, seconds: 2 }
  expect(Object.entries(twice.transcription)).toEqual([[model, use]])
})

const nothing = { input_token_details: null, output_token_details: null }
const nonsense = {
  total_tokens: -1,
  input_tokens: '7',
  output_tokens: 1e300,
  input_token_details: { text_tokens: null },
}
test.each([
  ['a response without usage', responseDone('r', undefined)],
  ['null', responseDone('r', null)],
  ['nothing', responseDone('r', {})],
  ['details that are null', responseDone('r', nothing)],
  ['cached details that are null', responseDone('r', { input_token_details: { cached_tokens_details: null } })],
  ['numbers that are none', responseDone('r', nonsense)],
  ['details that are a text', responseDone('r', { input_token_details: 'many', output_token_details: [1] })],
  ['a text', responseDone('r', 'many')],
  ['a number', responseDone('r', 7)],
  ['true', responseDone('r', true)],
  ['a transcript without usage', transcribed('a', undefined)],
  ['a transcript of null', transcribed('a', null)],
  ['a transcript of nothing', transcribed('a', {})],
  ['a transcript of negative length', transcribed('a', { type: 'duration', seconds: -1 })],
  ['a transcript of no number', transcribed('a', { type: 'duration', seconds: '3' })],
  ['a transcript of null tokens', transcribed('a', { type: 'tokens', total_tokens: null, input_token_details: null })],
  ['another event', { type: 'response.created', response: { id: 'r', usage: { total_tokens: 1 } } }],
])('a far end that reports %s changes nothing', (_, event) => {
  const before = heard(noUsage, responseDone('before', { total_tokens: 1 }))
  expect(heard(before, event)).toBe(before)
})

test('what makes sense of a report counts, whatever stands beside it', () => {
  const usage = { total_tokens: 5, input_tokens: null, output_tokens: -3, input_token_details: { text_tokens: 'x' } }
  const sum = heard(noUsage, responseDone('r', usage))
  expect({ ...sum }).toMatchObject({ ...noUsage, responses: 1, totalTokens: 5 })
})

test('a response or a transcript that is told again counts once', () => {
  const events = [responseDone('r', { total_tokens: 5 }), transcribed('a', { type: 'duration', seconds: 2 })]
  const once = events.reduce((sum, event) => heard(sum, event), noUsage)
  expect(once).toMatchObject({ responses: 1, totalTokens: 5, transcriptionSeconds: 2 })
  for (const event of events) expect(heard(once, event)).toBe(once)
})

test('a report that says nothing does not stand in the way of one that does', () => {
  const sum = heard(heard(noUsage, responseDone('r', null)), responseDone('r', { total_tokens: 5 }))
  expect(sum.totalTokens).toBe(5)
})

test('what remembers the repeats stays small, and out of JSON', () => {
  let sum = noUsage
  for (let n = 0; n < 1_000; n++) sum = heard(sum, responseDone(`r${n}`, { total_tokens: 1 }))
  const kept = Object.getOwnPropertySymbols(sum).flatMap((name) => Reflect.get(sum, name))
  expect(kept.length).toBeGreaterThan(0)
  expect(kept.length).toBeLessThanOrEqual(16)
  expect(JSON.parse(JSON.stringify(sum))).toEqual({ ...noUsage, responses: 1_000, totalTokens: 1_000 })
})

/** Where each sum is reported. */
const paths = {
  totalTokens: ['total_tokens'],
  inputTokens: ['input_tokens'],
  outputTokens: ['output_tokens'],
  inputTextTokens: ['input_token_details', 'text_tokens'],
  inputAudioTokens: ['input_token_details', 'audio_tokens'],
  inputImageTokens: ['input_token_details', 'image_tokens'],
  cachedTokens: ['input_token_details', 'cached_tokens'],
  cachedTextTokens: ['input_token_details', 'cached_tokens_details', 'text_tokens'],
  cachedAudioTokens: ['input_token_details', 'cached_tokens_details', 'audio_tokens'],
  cachedImageTokens: ['input_token_details', 'cached_tokens_details', 'image_tokens'],
  outputTextTokens: ['output_token_details', 'text_tokens'],
  outputAudioTokens: ['output_token_details', 'audio_tokens'],
} as const

const count = fc.oneof({ weight: 8, arbitrary: fc.nat(100_000) }, fc.constantFrom(null, -1, 'x', 1e300, true, []))
const some = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.oneof({ weight: 8, arbitrary: fc.record(fields, { requiredKeys: [] }) }, fc.constantFrom(null, 'x', 3, []))
const modalities = { text_tokens: count, audio_tokens: count, image_tokens: count }
const reported = some({
  total_tokens: count,
  input_tokens: count,
  output_tokens: count,
  input_token_details: some({ ...modalities, cached_tokens: count, cached_tokens_details: some(modalities) }),
  output_token_details: some(modalities),
})
const spoken = some({ type: fc.constant('duration'), seconds: count })

test('usage is the sum of what the far end reported, and never anything but numbers', () => {
  const events = fc.array(fc.record({ usage: reported, seconds: spoken, again: fc.boolean() }), { maxLength: 30 })
  fc.assert(
    fc.property(events, (told) => {
      let sum = noUsage
      for (const [n, { usage, seconds, again }] of told.entries()) {
        const done = [responseDone(`r${n}`, usage), transcribed(`i${n}`, seconds)]
        for (const event of again ? [...done, ...done] : done) sum = heard(sum, event, 'whisper-1')
      }
      for (const [name, path] of Object.entries(paths)) {
        const all = told.map(({ usage }) => path.reduce<unknown>((value, key) => (value as never)?.[key], usage))
        expect([name, sum[name as keyof typeof paths]]).toEqual([name, total(all)])
      }
      const seconds = total(told.map((one) => (one.seconds as { type?: string; seconds?: unknown } | null)?.seconds))
      const typed = told.every((one) => (one.seconds as { type?: string } | null)?.type === 'duration')
      if (typed) expect(sum.transcriptionSeconds).toBe(seconds)
      for (const value of Object.values(sum)) if (typeof value === 'number') expect(value).toBeGreaterThanOrEqual(0)
      for (const value of Object.values(sum.transcription['whisper-1'] ?? {})) expect(value).toBeGreaterThanOrEqual(0)
    }),
    { seed: 7, numRuns: 500 },
  )
})

function total(values: readonly unknown[]): number {
  return values.reduce<number>(
    (sum, value) => sum + (typeof value === 'number' && value >= 0 && value < 1e15 ? value : 0),
    0,
  )
}
