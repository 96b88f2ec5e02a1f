import type { Ears } from '../senses.ts'

/** Ears that hear nothing: each turn ends in a rejection with `reason`, the sentence that says what is missing. Audio at 16000 Hz is dropped. */
export function deaf(reason: string): Ears {
  return {
    rate: 16_000,
    listen: () => ({
      hear() {},
      finish: () => Promise.reject(new Error(reason)),
      cancel() {},
    }),
  }
}
