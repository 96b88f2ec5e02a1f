/** Numbers as people say them: "one two three", "a hundred and twenty three", "minus three point five", "the third". */

export interface Numeral {
  /** The words it is said in: from, and up to. */
  readonly from: number
  readonly to: number
  /** In digits. A number told digit by digit keeps its zeros. */
  readonly text: string
  readonly ordinal: boolean
}

type Values = ReadonlyMap<string, number>
const count = (text: string, value: (at: number) => number): Values =>
  new Map(text.split(' ').map((name, at) => [name, value(at)]))

const digits = count('zero one two three four five six seven eight nine', (at) => at)
const teens = count('ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen', (at) => 10 + at)
const tens = count('twenty thirty forty fifty sixty seventy eighty ninety', (at) => 20 + 10 * at)
const scales: Values = new Map([
  ['hundred', 100],
  ['thousand', 1_000],
  ['million', 1_000_000],
])
const cardinals: Values = new Map([...digits, ...teens, ...tens, ...scales])
const ordinals: Values = new Map([
  ...count('first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth', (at) => 1 + at),
  ...count('thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth', (at) => 13 + at),
  ...count('twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth', (at) => 20 + 10 * at),
  ['hundredth', 100],
])
const times: Values = new Map([
  ['double', 2],
  ['triple', 3],
])
const written = /^-?\d+(?:,\d{3})*(?:\.\d+)?$/

/** Every number in `words`, in order. Number words that follow each other are one number. */
export function numbersIn(words: readonly string[]): readonly Numeral[] {
  const found: Numeral[] = []
  for (let at = 0; at < words.length; ) {
    const numeral = numeralAt(words, at)
    if (numeral) found.push(numeral)
    at = numeral ? numeral.to : at + 1
  }
  return found
}

function numeralAt(words: readonly string[], from: number): Numeral | undefined {
  const negative = words[from] === 'minus' || words[from] === 'negative'
  const run = runAt(words, negative ? from + 1 : from)
  if (!run || isNoCount(words, from, run)) return
  const { to, ordinal } = run
  const text = (negative ? '-' : '') + worth(run.parts)
  if (ordinal) return { from, to, text, ordinal }
  const decimals = words[to] === 'point' ? runAt(words, to + 1) : undefined
  if (decimals && !decimals.ordinal) {
    return { from, to: decimals.to, text: `${text}.${spelled(decimals.parts)}`, ordinal }
  }
  const half = words.slice(to, to + 3).join(' ') === 'and a half'
  return half ? { from, to: to + 3, text: `${text}.5`, ordinal } : { from, to, text, ordinal }
}

interface Run {
  /** Number words and written numbers, without "a" and "and". */
  readonly parts: readonly string[]
  readonly to: number
  readonly ordinal: boolean
}

/** The number words that begin at `from`. */
function runAt(words: readonly string[], from: number): Run | undefined {
  const parts: string[] = []
  let at = from
  for (; at < words.length; at++) {
    const word = words[at]!
    const next = words[at + 1] ?? ''
    const last = parts.at(-1) ?? ''
    const ordinal = ordinalOf(word)
    if (ordinal !== undefined && (last ? goesOn(last, ordinal) : !cardinals.has(words[at - 1] ?? ''))) {
      return { parts: [...parts, String(ordinal)], to: at + 1, ordinal: true }
    }
    if (cardinals.has(word) || written.test(word)) parts.push(word.replaceAll(',', ''))
    else if (times.has(word) && digits.has(next)) {
      parts.push(...Array<string>(times.get(word)! - 1).fill(next))
    } else if (isZero(words, at)) parts.push('zero')
    else if (!joins(word, last, next)) break
  }
  return parts.length ? { parts, to: at, ordinal: false } : undefined
}

/** The "a" of "a hundred" and the "and" of "a hundred and five" count nothing of their own. */
function joins(word: string, last: string, next: string): boolean {
  if (word === 'a') return scales.has(next) && (!last || scales.has(last))
  return word === 'and' && scales.has(last) && (cardinals.has(next) || ordinalOf(next) !== undefined)
}

/** "oh" is a zero beside a digit only. */
function isZero(words: readonly string[], at: number): boolean {
  if (words[at] !== 'oh' && words[at] !== 'o') return false
  return [words[at - 1], words[at + 1]].some((word = '') => digits.has(word) || tens.has(word) || /^\d$/.test(word))
}

/** "which one" and "one moment" count nothing. */
function isNoCount(words: readonly string[], from: number, { parts, to }: Run): boolean {
  if (parts.join(' ') !== 'one') return false
  const before = /^(?:which|this|that|other|another|any|no|the)$/
  return before.test(words[from - 1] ?? '') || /^(?:moment|second|sec|of)$/.test(words[to] ?? '')
}

/** "twenty first" and "hundred and fifth" are one ordinal; "one second" is not. */
function goesOn(last: string, ordinal: number): boolean {
  return (tens.has(last) && ordinal < 10) || scales.has(last)
}

function ordinalOf(word: string): number | undefined {
  return /^\d+(?:st|nd|rd|th)$/.test(word) ? Number.parseInt(word, 10) : ordinals.get(word)
}

function worth(parts: readonly string[]): string {
  return parts.some((part) => scales.has(part)) ? String(counted(parts)) : spelled(parts)
}

function counted(parts: readonly string[]): number {
  let total = 0
  let group = 0
  for (const part of parts) {
    const scale = scales.get(part)
    if (scale === 100) group = Math.max(group, 1) * 100
    else if (scale) {
      total += Math.max(group, 1) * scale
      group = 0
    } else group += cardinals.get(part) ?? Number(part)
  }
  return total + group
}

/** Digit by digit, or in groups: "four two seven", "twenty one fifty". */
function spelled(parts: readonly string[]): string {
  let text = ''
  let afterTens = false
  for (const part of parts) {
    const value = String(cardinals.get(part) ?? part)
    const isUnit = afterTens && /^[1-9]$/.test(value)
    text = isUnit ? text.slice(0, -1) + value : text + value
    afterTens = tens.has(part)
  }
  return text
}
