import type { Ears, Voice } from '../server/senses.ts'

/** A voice that beeps instead of speaking: 60 ms a letter at 24 kHz, at once. */
export function toneVoice({ msPerLetter = 60 }: { readonly msPerLetter?: number } = {}): Voice {
  const rate = 24_000
  return {
    rate,
    speak(sentence, { speed }) {
      const length = Math.round((sentence.length * msPerLetter * rate) / 1_000 / speed)
      return [Int16Array.from({ length }, (_, n) => 6_000 * Math.sin((2 * Math.PI * 440 * n) / rate))]
    },
  }
}

/** Ears that hear one of `words` after the other, whatever is said; the last again and again. */
export function scriptedEars(words: readonly string[]): Ears {
  let heard = 0
  return {
    rate: 16_000,
    listen: () => ({
      hear() {},
      finish: async () => words[Math.min(heard++, words.length - 1)] ?? '',
      cancel() {},
    }),
  }
}
