import { expect, test } from 'vitest'
import { recorder } from './recorder.ts'

const samples = (value: number, count: number) => new Int16Array(count).fill(value)

test('both sides stand where they were heard, and what was cut off is gone', () => {
  const recording = recorder(1000, 100)
  recording.caller(samples(1, 3), 102)
  recording.agent(samples(2, 4), 105)
  recording.agent(samples(3, 4), 109)
  recording.hushed(110)
  const wav = recording.wav()
  expect(wav.channels).toBe(2)
  const channel = (n: number) => [...wav.samples].filter((_, at) => at % 2 === n)
  expect(channel(0)).toEqual([0, 0, 1, 1, 1, 0, 0, 0, 0, 0])
  expect(channel(1)).toEqual([0, 0, 0, 0, 0, 2, 2, 2, 2, 3])
})
