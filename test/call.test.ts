/** The first call as `npm run call` plays it: real speech, real ears, a real voice, a real socket; judged by what is in the recording. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { level } from '../src/audio/pcm.ts'
import { channelOf, readWav, type Wav } from '../src/audio/wav.ts'
import { recognise, wordErrorRate } from '../src/testing/recognise.ts'
import { builtCommand } from './command.ts'
import { testWithEars } from './ears.ts'

let folder: string
let wav: Wav
let printed: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-call-'))
  const command = builtCommand()
  try {
    const { ended, out, err } = command.run(['call', '--out', join(folder, 'call.wav')])
    expect(await ended, err()).toEqual({ code: 0, signal: null })
    printed = out()
  } finally {
    command.remove()
  }
  wav = readWav(await readFile(join(folder, 'call.wav')))
}, 90_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Who, and what of them, line by line; what lasted has a dot for every second. */
function told(): readonly string[] {
  return [...printed.matchAll(/^ +\d+\.\d\d s {2}(\w+) +(.*)$/gm)].map(([, who, words]) => `${who}: ${words}`)
}

testWithEars('the conversation is printed as it happens: who speaks, the tool, and the answer as it is heard', () => {
  const lines = told().map((line) => line.replace(/^(caller: \(.*\)|line: dialing|tool: .*\))\.*$/, '$1'))
  expect(lines).toEqual([
    'line: dialing',
    'line: live',
    'caller: (speaks)',
    'caller: (has spoken)',
    'caller: where is my order the number is one two three four five',
    'tool: look_up_order({"order_number":"12345"})',
    'tool: → {"order":"12345","status":"shipped","arrival_day":"Tuesday"}',
    'agent: The order is 1 2 3 4 5.',
    'agent: The status is shipped.',
    'agent: The arrival day is Tuesday.',
    'caller: (speaks)',
    'caller: (has spoken)',
    'caller: thank you very much goodbye',
    "agent: You're welcome.",
    'agent: Goodbye.',
    'line: closed',
  ])
})

testWithEars('where the time went is printed behind it, and where the recording is', () => {
  expect(printed).toMatch(
    /turn 1: speech end 0 → committed \d+ → response created \d+ → first audio byte \d+ → first audible sample \d+ · tool look_up_order/,
  )
  expect(printed).toMatch(/turn 2: speech end 0 → .*\n\n {2}Recorded as it was heard .*call\.wav\n$/)
})

test('nothing in it moves the cursor: it reads the same in a file', () => {
  expect(printed).not.toMatch(/[^\P{C}\n]/u)
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
  const said = told()
    .flatMap((line) => /^agent: (.*)$/.exec(line)?.[1] ?? [])
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
