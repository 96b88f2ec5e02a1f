/** Words: of what was said, of a tool's name, of a description; and when two words are the same word. */

export interface Token {
  /** Lower case, without apostrophes: what is compared. Empty for a quotation, which is no word. */
  readonly word: string
  /** As it was written: what goes into an argument. */
  readonly raw: string
  readonly quoted: boolean
  /** A mark follows that ends a phrase. Speech has none. */
  readonly ends: boolean
  /** A mark follows that ends a sentence: no number goes on beyond it. */
  readonly closes: boolean
}

const kinds = [
  /["“](?<quote>[^"“”]+)["”]/u,
  /[^\s@]+@[^\s@]+\.\p{L}+/u,
  /\d+(?:,\d{3})+(?:\.\d+)?|(?:(?<!\S)-)?\d+(?:[.:/-]\d+)*(?:\p{L}{1,2}(?![\p{L}\p{N}]))?/u,
  /[\p{L}\p{M}\p{N}]+(?:['’]\p{L}+|-(?=\p{N}*\d)[\p{L}\p{N}]+)*/u,
]
const token = new RegExp(kinds.map(({ source }) => source).join('|'), 'giu')

/** Nobody speaks longer in one turn; what is written beyond it is not read, so that no text holds up the server. */
const longest = { text: 4_000, words: 250 }

export function tokensOf(whole: string): readonly Token[] {
  const text = whole.slice(0, longest.text)
  return [...text.matchAll(token)].slice(0, longest.words).map((match) => {
    const quote = match.groups?.['quote']
    const raw = quote ?? match[0]
    const word = quote === undefined ? raw.toLowerCase().replaceAll(/['’]/g, '') : ''
    const mark = /^\s*([.,;:!?])(?:\s|$)/.exec(text.slice(match.index + match[0].length))?.[1] ?? ''
    return { word, raw, quoted: quote !== undefined, ends: mark !== '', closes: /[.;!?]/.test(mark) }
  })
}

/** The words of a text, a quotation's words among them. */
export function wordsOf(text: string): readonly string[] {
  return tokensOf(text.replaceAll(/["“”]/g, ' ')).map(({ word }) => word)
}

/** The words of a name: `look_up_order`, `lookUpOrder` and `look-up-order` are all "look up order". */
export function wordsOfName(name: string): readonly string[] {
  const apart = name
    .replaceAll(/[_\-./]+/g, ' ')
    .replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
  return wordsOf(apart)
}

/** Words that say little of what is meant: they speak for no tool. */
const little = new Set(
  `a an the of to in on at by for and or but is are was were be been am it its this that these those there here i im ive id
  my me mine you your yours we our us they them their he she his her who what whats which when where wheres how why can
  could would will shall should may might must do does did done dont please so just then also with without from into as if
  not no yes ok okay hello hi hey thank thanks bye goodbye tell give let lets want wants need needs like know say says said
  has have had got go going am pm some any all very much about up out off use used using user users tool call calls`
    .split(/\s+/)
    .filter((word) => word !== 'off'),
)

export function isLittle(word: string): boolean {
  return little.has(word)
}

/** Everyday words for one thing; the first stands for all. */
const sameThing = [
  'order package parcel shipment delivery',
  'weather rain raining rainy snow sunny',
  'book reserve reservation',
  'bill invoice payment pay',
  'cancel cancellation',
  'buy purchase',
  'light lamp',
  'start begin',
  'delete remove',
  'price cost',
  'phone telephone',
  'human person representative operator somebody someone',
  'guest people',
  'reminder remind',
]
const meant: ReadonlyMap<string, string> = new Map(
  sameThing.flatMap((line) =>
    line.split(' ').map((word, _, [first]) => [ending(word), ending(first ?? word)] as const),
  ),
)

/** What two words share when they are one word with other endings, or two everyday words for one thing. */
export function stem(word: string): string {
  const plain = ending(word)
  return meant.get(plain) ?? plain
}

/** Without its ending, so that "orders" is "order", "booking" is "book" and "cancelled" is "cancel". */
export function ending(word: string): string {
  if (little.has(word)) return word
  return word
    .replace(/ies$/, 'y')
    .replace(/(?<=ch|sh|ss|x|z)es$/, '')
    .replace(/(?<=\p{L}{3})(?:ing|ed|(?<![su])s)$/u, '')
    .replace(/(?<=\p{L}{3})e$/u, '')
    .replace(/(?<=\p{L})([bdfglmnprst])\1$/u, '$1')
}

export function stemsOf(words: readonly string[]): ReadonlySet<string> {
  return new Set(words.filter((word) => word && !isLittle(word)).map(stem))
}
