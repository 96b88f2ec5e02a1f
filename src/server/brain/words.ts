/** The words of a text, in lower case, without marks. */
export function wordsOf(text: string): readonly string[] {
  return (
    text
      .toLowerCase()
      .replaceAll("'", '')
      .match(/[\p{L}\p{N}]+/gu) ?? []
  )
}

/** Words that say little of what is meant: they speak for no tool. */
const little = new Set(
  'a an the of to in on at by for and or is are was be it its i my me you your we can could would please do does what which with this that from'.split(
    ' ',
  ),
)

export function isLittle(word: string): boolean {
  return little.has(word)
}

/** A word without its ending, so that "orders" is "order". */
export function stem(word: string): string {
  if (little.has(word)) return word
  return word.replace(/(?:ies)$/, 'y').replace(/(?<=\w{3})(?:ing|ed|es|s)$/, '')
}
