/** How fast the agent speaks, in characters of its transcript: learned from answers of which words and sound are whole. */
export interface Rate {
  readonly chars: number
  readonly ms: number
}

/** What is supposed before anything was heard, with the weight of three seconds: 18 characters a second. */
export const usualRate: Rate = { chars: 54, ms: 3_000 }

/** What was heard longer ago than this counts half: the voice, or the language, may be another by now. */
const recentMs = 60_000

/** The rate after another whole answer. */
export function learned({ chars, ms }: Rate, words: number, soundMs: number): Rate {
  if (!(words > 0 && soundMs > 0)) return { chars, ms }
  const weight = ms > recentMs ? 0.5 : 1
  return { chars: chars * weight + words, ms: ms * weight + soundMs }
}

export function charsPerMs({ chars, ms }: Rate): number {
  return chars / ms
}
