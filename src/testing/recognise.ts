import { resample } from '../audio/resample.ts'
import { pocketsphinx } from '../server/ears/pocketsphinx.ts'
import type { Ears } from '../server/senses.ts'

/**
 * The words of a recording, by PocketSphinx with its open English vocabulary: lower case, no punctuation. `samples` are PCM16,
 * mono, at `rate` Hz. Rejects with a sentence that says what to install when the program is missing.
 */
export function recognise(samples: Int16Array, rate: number): Promise<string> {
  return wordsIn(pocketsphinx(), samples, rate)
}

/** The words of a recording, by any ears. */
export function wordsIn(ears: Ears, samples: Int16Array, rate: number): Promise<string> {
  const turn = ears.listen({})
  turn.hear(resample(samples, rate, ears.rate))
  return turn.finish()
}

/**
 * Word error rate: how many words must be put in, taken out or exchanged to make `heard` into `said`, for each word of `said`.
 * 0 is perfect; it may pass 1. Case and punctuation do not count.
 */
export function wordErrorRate(said: string, heard: string): number {
  const right = wordsOf(said)
  const words = wordsOf(heard)
  let row = Array.from({ length: words.length + 1 }, (_, n) => n)
  for (const [at, word] of right.entries()) {
    const next = [at + 1]
    for (const [n, other] of words.entries()) {
      next.push(Math.min(next[n]! + 1, row[n + 1]! + 1, row[n]! + (word === other ? 0 : 1)))
    }
    row = next
  }
  return row.at(-1)! / Math.max(1, right.length)
}

export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []
}
