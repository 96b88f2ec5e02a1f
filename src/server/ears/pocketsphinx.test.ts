import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { testWithEars } from '../../../test/ears.ts'
import { flite } from '../voice/flite.ts'
import { deaf } from './deaf.ts'
import { missingEars, pocketsphinx } from './pocketsphinx.ts'

const folder = mkdtempSync(join(tmpdir(), 'parley-ears-'))
afterAll(() => rmSync(folder, { recursive: true }))

const hundredMs = 1_600

async function spoken(text: string): Promise<Int16Array> {
  for await (const audio of flite().speak(text, { name: 'cedar', speed: 1, signal: new AbortController().signal }))
    return audio
  throw new Error('no audio')
}

/** A program in the place of pocketsphinx. */
function program(name: string, body: string): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${body}\n`)
  chmodSync(path, 0o755)
  return path
}

testWithEars('nothing is missing on this machine', async () => {
  expect(await missingEars()).toBe(null)
})

testWithEars('a turn is heard as it comes, in pieces; the partial words join to the whole', async () => {
  const audio = await spoken('Thank you very much. Goodbye.')
  const turn = pocketsphinx().listen({})
  let partial = ''
  turn.onPartial = (delta) => {
    partial += delta
  }
  for (let at = 0; at < audio.length; at += hundredMs) turn.hear(audio.subarray(at, at + hundredMs))
  expect(await turn.finish()).toBe('thank you very much goodbye')
  expect(partial).toBe('thank you very much goodbye')
})

testWithEars('a grammar leaves only its own sentences to be heard', async () => {
  const grammar = join(folder, 'orders.gram')
  writeFileSync(
    grammar,
    '#JSGF V1.0;\ngrammar orders;\npublic <turn> = (cancel | check) order number <digit>+;\n<digit> = one | two | four | seven;\n',
  )
  const turn = pocketsphinx({ grammar }).listen({})
  turn.hear(await spoken('Cancel order number four two seven.'))
  expect(await turn.finish()).toBe('cancel order number four two seven')
})

testWithEars('silence has no words', async () => {
  const turn = pocketsphinx().listen({})
  turn.hear(new Int16Array(16_000))
  expect(await turn.finish()).toBe('')
})

describe('when the program is missing', () => {
  const command = 'no-such-recogniser'

  test('finish rejects with what to install, however much was said', async () => {
    const turn = pocketsphinx({ command }).listen({})
    for (let n = 0; n < 50; n++) turn.hear(new Int16Array(16_000))
    await expect(turn.finish()).rejects.toThrow(
      'needs the program no-such-recogniser, which is not installed. Install it with: apt-get install pocketsphinx pocketsphinx-en-us',
    )
    turn.hear(new Int16Array(16_000))
    turn.cancel()
  })

  test('missingEars tells the same, and tells of missing models', async () => {
    expect(await missingEars({ command })).toMatch(/apt-get install pocketsphinx pocketsphinx-en-us$/)
    expect(await missingEars({ command: program('alone', 'exit 0') })).toMatch(/needs the English models/)
  })
})

testWithEars('a program that fails tells why', async () => {
  const turn = pocketsphinx({ args: ['-hmm', join(folder, 'nowhere')] }).listen({})
  await expect(turn.finish()).rejects.toThrow(/ended early: Folder '.*nowhere' does not contain/)
})

testWithEars('a cancelled turn rejects, and its process is gone, not even a zombie', async () => {
  const turn = pocketsphinx({ command: program('slow', 'echo $$; exec sleep 60') }).listen({})
  const pid = Number(
    await new Promise<string>((resolve) => {
      turn.onPartial = resolve
    }),
  )
  process.kill(pid, 0)
  turn.cancel()
  await expect(turn.finish()).rejects.toThrow('cancelled')
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
})

testWithEars('turns may be cancelled at once, twice, and without ever being finished', async () => {
  const turn = pocketsphinx().listen({})
  turn.cancel()
  turn.cancel()
  turn.hear(new Int16Array(100))
  await expect(turn.finish()).rejects.toThrow('cancelled')
})

test('deaf ears tell why', async () => {
  const turn = deaf('Nobody is home.').listen({})
  turn.hear(new Int16Array(100))
  turn.cancel()
  await expect(turn.finish()).rejects.toThrow('Nobody is home.')
})
