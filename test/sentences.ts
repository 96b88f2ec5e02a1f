/** The sentences that errors are made with, in all that an app loads with `parley-voice` and its other entries. */
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'

const thrown =
  /(?:new (?:User|Type|Media|Trace)?Error\(|\breason:)\s*(`(?:[^`\\]|\\.)*`|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")/g
const imported = /(?:\bfrom|\bimport\()\s*'(\.[^']+\.ts)'/g

/** Each with the file that it stands in, and its longest stretch without a value in it. */
export function sentencesOf(
  ...entries: readonly string[]
): readonly { readonly file: string; readonly words: string }[] {
  const files = new Set(entries)
  const sentences: { file: string; words: string }[] = []
  for (const file of files) {
    const source = readFileSync(file, 'utf8')
    for (const [, other = ''] of source.matchAll(imported)) files.add(posix.join(posix.dirname(file), other))
    for (const [, literal = ''] of source.matchAll(thrown)) sentences.push({ file, words: longestOf(literal) })
  }
  return sentences
}

function longestOf(literal: string): string {
  const parts = literal
    .slice(1, -1)
    .split(/\$\{[^}]*(?:\}|$)/)
    .map((part) => part.replace(/\\(.)/g, '$1').trim())
  return parts.reduce((longest, part) => (part.length > longest.length ? part : longest), '')
}
