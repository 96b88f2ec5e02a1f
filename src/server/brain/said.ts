/** What was said, as arguments are taken from it: words that one argument has taken are not there for another. */
import { type Numeral, numbersIn } from './numbers.ts'
import { isLittle, stem, type Token, wordsOfName } from './words.ts'

export interface Said {
  readonly tokens: readonly Token[]
  readonly words: readonly string[]
  readonly numbers: readonly Numeral[]
  /** Places of words that an argument has taken. */
  readonly taken: Set<number>
  /** The tool's own words, by their stems: they ask for the tool, and are no argument of it. */
  readonly toolWords: ReadonlySet<string>
  /** The stems of the first words of the tool's name: what it does. */
  readonly verbs: ReadonlySet<string>
}

/** Words from `from` up to `to`. */
export interface Span {
  readonly from: number
  readonly to: number
}

export function saidTo(toolName: string, tokens: readonly Token[]): Said {
  const words = tokens.map(({ word }) => word)
  const name = wordsOfName(toolName).map(stem)
  return {
    tokens,
    words,
    numbers: numbersOf(tokens),
    taken: new Set(),
    toolWords: new Set(name),
    verbs: new Set(name.slice(0, name.length > 2 ? 2 : 1)),
  }
}

/** Each sentence's own: "order 42. 5 days ago" is two numbers. */
function numbersOf(tokens: readonly Token[]): readonly Numeral[] {
  const ends = tokens.flatMap(({ closes }, at) => (closes ? [at + 1] : []))
  return [0, ...ends].flatMap((begin, n) => {
    const words = tokens.slice(begin, ends[n]).map(({ word }) => word)
    return numbersIn(words).map((one) => ({ ...one, from: begin + one.from, to: begin + one.to }))
  })
}

export function isFree({ taken }: Said, { from, to }: Span): boolean {
  for (let at = from; at < to; at++) if (taken.has(at)) return false
  return true
}

export function take({ taken }: Said, { from, to }: Span): void {
  for (let at = from; at < to; at++) taken.add(at)
}

/** As it was said: the words of a span, spelled as they came. */
export function rawOf({ tokens }: Said, { from, to }: Span): string {
  return tokens
    .slice(from, to)
    .map(({ raw }) => raw)
    .join(' ')
}

/** Where `pattern` matches the words, joined with spaces: whole words that no argument has taken. */
export function spansOf(said: Said, pattern: RegExp): readonly Span[] {
  const text = said.words.join(' ')
  const at = (offset: number) => text.slice(0, offset).split(' ').length - 1
  return [...text.matchAll(new RegExp(`(?<!\\S)(?:${pattern.source})(?!\\S)`, 'gu'))]
    .filter(([match]) => match)
    .map(({ 0: match, index }) => ({ from: at(index), to: at(index) + match.split(' ').length }))
    .filter((span) => isFree(said, span))
}

/** A phrase ends before these. */
const ends = new Set(
  `and or but then in on at to into from for with without by under as near please thanks thank because since that who
  which whose is are was were am will would be today tomorrow tonight now also saying says say when where while if like
  going supposed right next this so`.split(/\s+/),
)
const article = /^(?:the|a|an|my|our|your|this)$/

export interface PhraseRules {
  /** An article may stand inside: "the lord of the rings". */
  readonly title?: boolean
}
/** Words in a phrase, at most. */
const most = 5

/** The words from `from` to where a phrase ends: without an article, and not if it says nothing but the tool's own words. */
export function phraseAt(said: Said, from: number, { title = false }: PhraseRules = {}): Span | undefined {
  let begin = from
  while (article.test(said.words[begin] ?? '')) begin++
  let to = begin
  while (
    to < said.words.length &&
    to - begin < most &&
    !isEnd(said, to) &&
    (title || to === begin || !article.test(said.words[to]!))
  ) {
    to++
    if (said.tokens[to - 1]!.ends) break
  }
  const span = { from: begin, to }
  return to > begin && !isOwn(said, span) ? span : undefined
}

function isEnd(said: Said, at: number): boolean {
  const { word, quoted } = said.tokens[at]!
  if (quoted || ends.has(word) || said.taken.has(at)) return true
  return said.numbers.some(({ from, to }) => from <= at && at < to)
}

/** Nothing but words that say little or that the tool has in its name. */
function isOwn({ words, toolWords }: Said, { from, to }: Span): boolean {
  return words.slice(from, to).every((word) => isLittle(word) || toolWords.has(stem(word)))
}
