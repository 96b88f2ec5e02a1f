/** Texts that were said: a name after "my name is", a place after "in", a number as it is told, an e-mail address. */
import { type Kind, kindOf } from './kinds.ts'
import { daysIn, hoursIn, isMoment, momentsIn } from './moments.ts'
import { numbersIn } from './numbers.ts'
import { isFree, phraseAt, rawOf, type Said, type Span, spansOf } from './said.ts'
import type { Slot } from './schema.ts'
import { stem, wordsOfName } from './words.ts'

export interface Found {
  readonly value: unknown
  readonly span: Span
}

/** Named as such: "the name is anna", "order one two three". */
export function namedText(slot: Slot, said: Said): readonly Found[] {
  const kind = kindOf(slot)
  switch (kind) {
    case 'email':
      return emails(said)
    case 'phone':
      return codes(said).filter(({ value }) => value.replace(/\D/g, '').length > 4)
    case 'id':
      return codes(said).filter(({ span }) => isNamedBefore(slot, said, span))
    case 'day':
      return asSaid(said, daysIn(said))
    case 'moment':
      return asSaid(said, momentsIn(said))
    case 'hour':
      return asSaid(said, hoursIn(said))
    case 'text':
    case 'query':
      return restAfter(said, namePatterns(slot, kind), true)
    default:
      return phrasesAfter(said, namePatterns(slot, kind)).filter(({ span }) => !isMoment(wordsIn(said, span)))
  }
}

/** Placed as such: "in berlin", "to paris", "saying i am late". */
export function placedText(slot: Slot, said: Said): readonly Found[] {
  const kind = kindOf(slot)
  const cues = cuesOf[kind]
  if (!cues || (kind === 'other' && !slot.required)) return []
  if (kind === 'text' || kind === 'query') return restAfter(said, cues)
  const found = cues.flatMap((cue) => phrasesAfter(said, [cue]).toReversed())
  return found.filter(({ span }) => !isMoment(wordsIn(said, span)))
}

/** What is left, when it can be nothing else. */
export function leftText(slot: Slot, said: Said): readonly Found[] {
  const kind = kindOf(slot)
  const quoted = said.tokens.flatMap(({ quoted, raw }, at) => {
    const span = { from: at, to: at + 1 }
    return quoted && isFree(said, span) ? [{ value: raw, span }] : []
  })
  if (quoted.length) return quoted
  switch (kind) {
    case 'id':
    case 'phone':
      return codes(said)
    case 'text':
      return objectOf(said, true)
    case 'query':
      return [...objectOf(said, true), ...whole(said)]
    case 'person':
    case 'other':
      return objectOf(said, false)
    default:
      return []
  }
}

/** The whole of a short reply. */
export function replied(slot: Slot, said: Said): readonly Found[] {
  const { words } = said
  let from = 0
  while (from < words.length - 1 && (filler.has(words[from]!) || wordsOfName(slot.name).includes(words[from]!))) from++
  let to = words.length
  while (to > from + 1 && polite.has(words[to - 1]!)) to--
  const span = { from, to }
  return to > from ? [{ value: rawOf(said, span), span }] : []
}
const filler = new Set(
  'what about how well um uh oh hmm its it is the my our in to from at on for please and im i am that would be a an'.split(
    ' ',
  ),
)
const polite = new Set('please thanks thank you now'.split(' '))

/** What names each kind, beside the words of its own name. */
const cuesOf: Readonly<Partial<Record<Kind, readonly RegExp[]>>> = {
  origin: [/from/, /out of/, /leaving/],
  destination: [/to/, /into/, /for/],
  place: [/in/, /at/, /near/, /to/, /from/, /for/, /of/],
  language: [/into/, /to/, /in/],
  person: [/my name is|name is|the name of/, /called|named|call me/, /i am|im|this is/, /under/, /to|for|with/],
  other: [/of/, /for/],
  maker: [/by/, /from/],
  text: [
    /saying|that says|says/,
    /tell \S+ that|that/,
    /because(?: of)?/,
    /about|titled|called/,
    /remind \S+ (?:to|about)/,
  ],
  query: [/(?:search|looking|look|find) for/, /about/, /for/],
}

/** "city is", "the color should be", "topping": the name of an argument, and then the argument. */
function namePatterns({ name }: Slot, kind: Kind): readonly RegExp[] {
  const own = wordsOfName(name).filter((word) => /^[\p{L}\p{M}\p{N}]+$/u.test(word))
  const last = own.at(-1)
  if (!last || prepositions.has(last)) return []
  const names = own.length > 1 ? [own.join(' '), last] : [last]
  const link = '(?:is|are|should be|will be|would be|as|equals)'
  const linked = names.map((words) => new RegExp(`${words}s? ${link}`))
  const personal = kind === 'person' ? [/my name is|name is/] : []
  return [...linked, ...personal, ...(kind === 'place' ? [] : names.map((words) => new RegExp(words)))]
}
const prepositions = new Set('to from in at on of for by with'.split(' '))

function asSaid(said: Said, spans: readonly Span[]): readonly Found[] {
  return spans.map((span) => ({ value: rawOf(said, span).replace(/^the /, ''), span }))
}

function wordsIn({ words }: Said, { from, to }: Span): string {
  return words.slice(from, to).join(' ')
}

function phrasesAfter(said: Said, patterns: readonly RegExp[]): readonly Found[] {
  return patterns.flatMap((pattern) =>
    spansOf(said, pattern).flatMap(({ to }) => {
      const quote = said.tokens[to]
      const span = quote?.quoted ? { from: to, to: to + 1 } : phraseAt(said, to)
      return span && isFree(said, span) ? [{ value: rawOf(said, span), span }] : []
    }),
  )
}

/** All that follows the cue, to the end of what was said. */
function restAfter(said: Said, patterns: readonly RegExp[], isOne = false): readonly Found[] {
  return patterns.flatMap((pattern) => spansOf(said, pattern).flatMap(({ to }) => restFrom(said, to, isOne)))
}

/** The rest from `begin` on; one thing ends at "and". */
function restFrom(said: Said, begin: number, isOne = false): readonly Found[] {
  if (isOne && /^(?:to|from|in|at|on|for|with|by|about|of|that|saying|says)$/.test(said.words[begin] ?? '')) return []
  let from = begin
  while (/^(?:the|a|an|to|for|about|up)$/.test(said.words[from] ?? '')) from++
  if (said.taken.has(from)) return []
  if (said.tokens[from]?.quoted) return [{ value: said.tokens[from]!.raw, span: { from, to: from + 1 } }]
  let to = from
  while (to < said.words.length && !said.taken.has(to) && !(isOne && said.words[to] === 'and')) to++
  while (to > from && /^(?:please|thanks|at|on|in|into|to|from|with|for|and|by)$/.test(said.words[to - 1]!)) to--
  const span = { from, to }
  const isNothing = said.words.slice(from, to).every((word) => said.toolWords.has(stem(word)))
  return to > from && !isNothing ? [{ value: rawOf(said, span), span }] : []
}

/** What follows the tool's verb: "play yellow submarine", "add milk to the list". */
function objectOf(said: Said, isLong: boolean): readonly Found[] {
  const { words, verbs, toolWords } = said
  const at = words.findIndex((word) => verbs.has(stem(word)))
  if (at < 0) return []
  let from = at + 1
  while (toolWords.has(stem(words[from] ?? '')) || /^(?:the|a|an|my|me|up|of|for|to|please)$/.test(words[from] ?? ''))
    from++
  if (isLong) return restFrom(said, from)
  const span = phraseAt(said, from, { title: true })
  return span && isFree(said, span) && !isMoment(wordsIn(said, span)) ? [{ value: rawOf(said, span), span }] : []
}

function whole(said: Said): readonly Found[] {
  const span = { from: 0, to: said.tokens.length }
  return said.taken.size === 0 && said.tokens.length ? [{ value: rawOf(said, span), span }] : []
}

/** Numbers as they are told, with the letters beside them: "a b one two three", "AB-123". */
function codes(said: Said): readonly { readonly value: string; readonly span: Span }[] {
  const { words, tokens } = said
  const told = said.numbers
    .filter(({ ordinal }) => !ordinal)
    .map(({ from, to, text }) => {
      let first = from
      while (isLetter(said, first - 1) && !tokens[first - 1]!.closes) first--
      let last = to
      while (isLetter(said, last) && !tokens[last - 1]!.closes) last++
      if (last > to && isWord(said, last - 1)) last--
      const isArticle = from - first === 1 && /^[ai]$/.test(words[first]!)
      const begin = isArticle ? from : first
      const value = words.slice(begin, from).join('') + text + words.slice(to, last).join('')
      const plus = words[begin - 1] === 'plus' ? '+' : ''
      return { value: plus + value, span: { from: begin, to: last } }
    })
  const written = tokens.flatMap(({ word, raw, quoted }, at) => {
    const isCode = !quoted && /\d/.test(word) && /[^\d,.]/.test(word) && !/^\d+(?:st|nd|rd|th|[ap]m)$|:|@/.test(word)
    return isCode ? [{ value: raw, span: { from: at, to: at + 1 } }] : []
  })
  return [...told, ...written]
    .filter(({ span }) => isFree(said, span))
    .sort((one, other) => one.span.from - other.span.from)
}

function isLetter({ words }: Said, at: number): boolean {
  return /^[a-z]$/.test(words[at] ?? '')
}

/** "forty two, I need it": the last letter is one of the code only where the code ends there, as in "forty two a please". */
function isWord({ words, tokens }: Said, at: number): boolean {
  const next = words[at + 1]
  if (!/^[ai]$/.test(words[at]!) || next === undefined || tokens[at]!.ends) return false
  return !/^(?:please|thanks|thank|and|or|but|is)$/.test(next)
}

/** The words of the argument's name stand before it: "the order number is", "order". */
function isNamedBefore({ name }: Slot, { words }: Said, { from }: Span): boolean {
  const own = new Set(wordsOfName(name).map(stem))
  return words.slice(Math.max(0, from - 4), from).some((word) => own.has(stem(word)))
}

/** "anna at example dot com", and as it is written. */
function emails(said: Said): readonly Found[] {
  const spelled = /(?:\S+ (?:dot|underscore|dash|hyphen|point) )*\S+ at \S+(?: (?:dash|hyphen) \S+)*(?: dot \S+)+/
  const written = said.tokens.flatMap(({ word, raw }, at) =>
    /^\S+@\S+$/.test(word) ? [{ value: raw, span: { from: at, to: at + 1 } }] : [],
  )
  const spoken = spansOf(said, spelled).map((span) => ({
    value: addressOf(said.words.slice(span.from, span.to)),
    span,
  }))
  return [...written, ...spoken].filter(({ span }) => isFree(said, span))
}

function addressOf(words: readonly string[]): string {
  const marks: Readonly<Record<string, string>> = {
    at: '@',
    dot: '.',
    point: '.',
    underscore: '_',
    dash: '-',
    hyphen: '-',
  }
  const numerals = new Map(numbersIn(words).map((numeral) => [numeral.from, numeral]))
  let address = ''
  for (let at = 0; at < words.length; ) {
    const numeral = numerals.get(at)
    const word = words[at]!
    address += numeral?.text ?? (Object.hasOwn(marks, word) ? marks[word] : word)
    at = numeral?.to ?? at + 1
  }
  return address
}
