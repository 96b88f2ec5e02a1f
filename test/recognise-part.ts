import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pocketsphinx } from '../src/server/ears/pocketsphinx.ts'
import type { Ears } from '../src/server/senses.ts'
import { wordsIn, wordsOf } from '../src/testing/recognise.ts'

/**
 * The words of a recording that was cut out of a text which is known: where it begins and ends, the ear has to find. What it
 * does not know it cannot mistake for something else, as it would the half of a phrase.
 */
export async function recognisePart(samples: Int16Array, rate: number, text: string): Promise<string> {
  const { ears, remove } = await earsFor(text)
  try {
    return await wordsIn(ears, samples, rate)
  } finally {
    await remove()
  }
}

/** Ears that know these texts: of one of them, they hear any part. */
export async function earsFor(...texts: readonly string[]): Promise<{ readonly ears: Ears; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-words-'))
  const grammar = join(folder, 'words.gram')
  await writeFile(grammar, grammarOf(texts.map(wordsOf)))
  return { ears: pocketsphinx({ grammar }), remove: () => rm(folder, { recursive: true }) }
}

/** Of one text, any run of the words, in their order. */
function grammarOf(texts: readonly (readonly string[])[]): string {
  const nameOf = (text: number, word: number) => `<w${text}x${word}>`
  const names = texts.flatMap((words, text) => words.map((_, n) => nameOf(text, n)))
  const rules = texts.flatMap((words, text) =>
    words.map((word, n) => `${nameOf(text, n)} = ${word}${n + 1 < words.length ? ` [${nameOf(text, n + 1)}]` : ''};`),
  )
  return ['#JSGF V1.0;', 'grammar words;', `public <part> = ${names.join(' | ')};`, ...rules].join('\n')
}
