import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pocketsphinx } from '../src/server/ears/pocketsphinx.ts'
import { wordsIn, wordsOf } from '../src/testing/recognise.ts'

/**
 * The words of a recording that was cut out of a text which is known: where it begins and ends, the ear has to find. What it
 * does not know it cannot mistake for something else, as it would the half of a phrase.
 */
export async function recognisePart(samples: Int16Array, rate: number, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-words-'))
  const grammar = join(folder, 'words.gram')
  try {
    await writeFile(grammar, grammarOf(wordsOf(text)))
    return await wordsIn(pocketsphinx({ grammar }), samples, rate)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Any run of the words, in their order. */
function grammarOf(words: readonly string[]): string {
  const rules = words.map((word, n) => `<w${n}> = ${word}${n + 1 < words.length ? ` [<w${n + 1}>]` : ''};`)
  const first = words.map((_, n) => `<w${n}>`).join(' | ')
  return ['#JSGF V1.0;', 'grammar words;', `public <part> = ${first};`, ...rules].join('\n')
}
