/** The first call as `npm start` plays it: real speech, real ears, a real voice, a real socket; judged by what is in the recording. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, vi } from 'vitest'
import { level } from '../src/audio/pcm.ts'
import { channelOf, readWav, type Wav } from '../src/audio/wav.ts'
import { callCommand } from '../src/cli/call.ts'
import { recognise, wordErrorRate } from '../src/testing/recognise.ts'
import { testWithEars } from './ears.ts'

let folder: string
let wav: Wav
const printed: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-call-'))
  const log = vi.spyOn(console, 'log').mockImplementation((line) => void printed.push(String(line)))
  await callCommand(['--out', join(folder, 'call.wav')])
  log.mockRestore()
  wav = readWav(await readFile(join(folder, 'call.wav')))
}, 60_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

testWithEars('the conversation is printed as it happened, with where the time went', () => {
  const text = printed.join('\n')
  for (const words of [
    /caller\s+where is my order the number is one two three four five/,
    /tool\s+look_up_order\(\{"order_number":"12345"\}\)/,
    /agent\s+.*shipped.*Tuesday/,
    /caller\s+thank you very much goodbye/,
    /agent\s+.*Goodbye/,
    /turn 1: speech end 0 → committed \d+ → response created \d+ → first audio byte \d+ → first audible sample \d+ · tool look_up_order/,
  ])
    expect(text).toMatch(words)
})

testWithEars('the caller is on the left, as a recogniser hears it', async () => {
  const heard = await recognise(channelOf(wav, 0), wav.rate)
  const said = 'where is my order the number is one two three four five thank you very much goodbye'
  expect(wordErrorRate(said, heard), heard).toBeLessThanOrEqual(0.2)
})

testWithEars('the agent is on the right, as a recogniser hears it', async () => {
  const heard: string[] = []
  for (const answer of utterances(channelOf(wav, 1))) heard.push(await recognise(answer, wav.rate))
  const digits = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']
  const said = printed
    .flatMap((line) => / s {2}agent\s+(.*)$/.exec(line)?.[1] ?? [])
    .join(' ')
    .replace(/\d/g, (digit) => digits[Number(digit)]!)
  expect(said).toContain('one two three four five')
  expect(heard).toHaveLength(2)
  expect(wordErrorRate(said, heard.join(' ')), heard.join(' ')).toBeLessThanOrEqual(0.3)
})

/** Stretches of sound, with a second of nothing between them: the same samples whenever they were heard. */
function utterances(samples: Int16Array): readonly Int16Array[] {
  const found: Int16Array[] = []
  let begin = -1
  let last = -1
  const close = () => begin >= 0 && found.push(samples.slice(begin, last + 1))
  samples.forEach((sample, at) => {
    if (sample === 0) return
    if (last < 0 || at - last > wav.rate) {
      close()
      begin = at
    }
    last = at
  })
  close()
  return found
}

testWithEars('they take turns: while one speaks the other is silent', () => {
  const [left, right] = [channelOf(wav, 0), channelOf(wav, 1)]
  const window = wav.rate / 10
  let both = 0
  for (let at = 0; at + window <= left.length; at += window) {
    const levels = [left, right].map((side) => level(side.subarray(at, at + window)))
    if (levels.every((dB) => dB > -45)) both++
  }
  expect(both).toBe(0)
})
