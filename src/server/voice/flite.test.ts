import { expect, test } from 'vitest'
import { level } from '../../audio/pcm.ts'
import { flite } from './flite.ts'

const voice = flite()
const never = new AbortController().signal

async function speak(
  text: string,
  how: { name?: string; speed?: number; signal?: AbortSignal } = {},
): Promise<Int16Array> {
  const pieces: Int16Array[] = []
  for await (const piece of voice.speak(text, { name: 'marin', speed: 1, signal: never, ...how })) pieces.push(piece)
  expect(pieces.length).toBeLessThan(2)
  return pieces[0] ?? new Int16Array(0)
}

const ms = (samples: Int16Array) => samples.length / 16

test('a sentence is spoken, loud enough, and the listener need not wait for its beginning', async () => {
  const audio = await speak('Your order number 427 has left the house.')
  expect(ms(audio)).toBeGreaterThan(2_000)
  expect(ms(audio)).toBeLessThan(4_000)
  expect(level(audio)).toBeGreaterThan(-30)
  expect(level(audio.subarray(16 * 40, 16 * 120))).toBeGreaterThan(-45)
})

test('the same sentence is the same audio, and voices differ', async () => {
  const [alloy, again, cedar, ballad, unknown] = await Promise.all(
    ['alloy', 'alloy', 'cedar', 'ballad', 'nobody'].map((name) => speak('Good morning.', { name })),
  )
  expect(again).toEqual(alloy)
  expect(unknown).toEqual(alloy)
  expect(cedar).not.toEqual(alloy)
  expect(ballad).not.toEqual(cedar)
})

test('speed makes the sentence shorter or longer', async () => {
  const [slow, usual, fast] = await Promise.all(
    [0.5, 1, 1.5].map((speed) => speak('One moment please, I look it up.', { speed })),
  )
  expect(ms(slow!) / ms(usual!)).toBeGreaterThan(1.7)
  expect(ms(fast!) / ms(usual!)).toBeLessThan(0.75)
})

test.each(['', '   ', '…', '🙂', '**', '—'])('nothing to say (%j) is no audio', async (text) => {
  expect(await speak(text)).toHaveLength(0)
})

test.each(['-o stolen.wav', '“It’s **café** time” — for 5 € 🙂', 'a'])('%j is said', async (text) => {
  expect(ms(await speak(text))).toBeGreaterThan(100)
})

test('an abort ends the audio quietly, before or meanwhile, and others speak on', async () => {
  const abort = new AbortController()
  const meanwhile = speak('This is never heard.', { signal: abort.signal })
  const other = speak('This is.')
  abort.abort()
  expect(await meanwhile).toHaveLength(0)
  expect(await speak('Nor is this.', { signal: abort.signal })).toHaveLength(0)
  expect(ms(await other)).toBeGreaterThan(200)
})
