/** Values that were said: a number, a choice, a yes or a no, a list. */
import { descriptionOf, kindOf } from './kinds.ts'
import type { Numeral } from './numbers.ts'
import { isFree, rawOf, type Said, type Span } from './said.ts'
import { choicesIn, fits, type Slot, typeOf } from './schema.ts'
import { type Found, leftText, namedText, placedText, replied } from './texts.ts'
import { isLittle, stem, wordsOf, wordsOfName } from './words.ts'

/** How sure it is that a value is meant: by its name, by its place, because it is left, because it was asked for. */
export type Sureness = 'named' | 'placed' | 'left' | 'replied'

/** The values that `slot` may take of what was said, the likeliest first. */
export function valuesFor(slot: Slot, said: Said, sure: Sureness): readonly Found[] {
  return candidates(slot, said, sure).filter(({ value }) => fits(value, slot.schema))
}

function candidates(slot: Slot, said: Said, sure: Sureness): readonly Found[] {
  if (choicesIn(slot.schema)) return sure === 'named' || sure === 'replied' ? choices(slot, said, sure) : []
  switch (typeOf(slot.schema)) {
    case 'integer':
    case 'number':
      return numbers(slot, said, sure)
    case 'boolean':
      return sure === 'named' || sure === 'replied' ? yesOrNo(slot, said, sure) : []
    case 'array':
      return lists(slot, said, sure)
    case 'string':
    case 'any':
      return texts(slot, said, sure)
    default:
      return []
  }
}

function texts(slot: Slot, said: Said, sure: Sureness): readonly Found[] {
  if (sure === 'named') return spellings(namedText(slot, said), slot)
  if (sure === 'placed') return spellings(placedText(slot, said), slot)
  return spellings(sure === 'left' ? leftText(slot, said) : replied(slot, said), slot)
}

/** A pattern may ask for capitals: speech has none. */
function spellings(found: readonly Found[], { schema }: Slot): readonly Found[] {
  if (!('pattern' in schema)) return found
  return found.flatMap((one) => [one, { ...one, value: String(one.value).toUpperCase() }])
}

/** A choice is said in its own words, and the longer one is meant: "extra large" is not "large". */
function choices({ schema }: Slot, said: Said, sure: Sureness): readonly Found[] {
  const stems = said.words.map(stem)
  const found = (choicesIn(schema) ?? []).flatMap((value): (Found & { readonly size: number })[] => {
    if (typeof value === 'number') {
      return said.numbers.filter(({ text }) => Number(text) === value).map((span) => ({ value, span, size: 1 }))
    }
    if (typeof value !== 'string') return []
    const own = wordsOfName(value).map(stem)
    if (!own.length) return []
    const at = stems.findIndex((_, from) => own.every((word, n) => stems[from + n] === word))
    if (at >= 0)
      return [{ value, span: { from: at, to: at + own.length }, size: own.length + (isLittle(own[0]!) ? 0 : 0.5) }]
    const numeral = said.numbers.find(({ text }) => text === value)
    if (numeral) return [{ value, span: numeral, size: 1 }]
    const some = sure === 'replied' ? stems.findIndex((word) => own.includes(word)) : -1
    return some >= 0 ? [{ value, span: { from: some, to: some + 1 }, size: 0.5 }] : []
  })
  return found.filter(({ span }) => isFree(said, span)).sort((one, other) => other.size - one.size)
}

const on = new Set('on enable enabled open start lock yes activate unmute true up'.split(' '))
const off = new Set('off disable disabled close stop unlock no deactivate mute false down'.split(' '))
const switches = new Set('on enabled enable active power state open locked started'.split(' '))

function yesOrNo({ name }: Slot, said: Said, sure: Sureness): readonly Found[] {
  const { words } = said
  const own = wordsOfName(name).filter((word) => !/^(?:is|has|with|should|include|needs?|wants?)$/.test(word))
  const stems = words.map(stem)
  const at = own.length ? stems.findIndex((_, from) => own.every((word, n) => stems[from + n] === stem(word))) : -1
  if (at >= 0 && !own.every((word) => isLittle(word))) {
    const denied = words
      .slice(Math.max(0, at - 3), at)
      .some((word) => /^(?:no|not|without|never|dont|doesnt)$/.test(word))
    return [{ value: !denied, span: { from: at, to: at + own.length } }]
  }
  const isSwitch = own.some((word) => switches.has(word))
  if (!isSwitch && sure !== 'replied') return []
  const answer = words.findIndex((word) => off.has(word) || on.has(word) || (sure === 'replied' && assent.test(word)))
  const isOff = words.some(
    (word) => off.has(word) || (sure === 'replied' && /^(?:nope|not|dont|never|without)$/.test(word)),
  )
  return answer < 0 && !isOff ? [] : [{ value: !isOff, span: { from: Math.max(answer, 0), to: Math.max(answer, 0) } }]
}
const assent = /^(?:yes|yeah|yep|sure|ok|okay|please|correct|right|certainly|definitely)$/

function numbers(slot: Slot, said: Said, sure: Sureness): readonly Found[] {
  const free = said.numbers.filter((span) => isFree(said, span))
  const lasting = sure === 'named' ? lengthOfTime(slot, said, free) : undefined
  if (lasting) return [lasting]
  const cardinal = free.filter(({ ordinal }) => !ordinal)
  const meant =
    sure === 'named'
      ? free.filter((span) => isNamed(slot, said, span))
      : sure === 'placed'
        ? []
        : [...cardinal, ...free]
  return meant.map((span) => ({ value: Number(span.text), span }))
}

/** "four people", "people: four", "room number twelve". */
function isNamed({ name, schema }: Slot, { words }: Said, { from, to, ordinal }: Numeral): boolean {
  const named = new Set(wordsOfName(name).map(stem))
  const told = new Set(
    wordsOf(descriptionOf(schema))
      .filter((word) => !isLittle(word))
      .map(stem),
  )
  const after = words.slice(to, to + 2).map(stem)
  if (ordinal) return after.some((word) => named.has(word))
  const before = words.slice(Math.max(0, from - 3), from).map(stem)
  return after.some((word) => named.has(word) || told.has(word)) || before.some((word) => named.has(word))
}

const seconds: Readonly<Record<string, number>> = {
  second: 1,
  sec: 1,
  minute: 60,
  min: 60,
  hour: 3_600,
  day: 86_400,
  week: 604_800,
}
const unitOf = (word: string): number | undefined => {
  const one = word.replace(/s$/, '')
  return Object.hasOwn(seconds, one) ? seconds[one] : undefined
}

/** "two hours" is 120 for an argument in minutes; "one hour and thirty minutes" is 90. */
function lengthOfTime({ name }: Slot, { words }: Said, free: readonly Numeral[]): Found | undefined {
  const own = wordsOfName(name)
    .map(unitOf)
    .find((unit) => unit !== undefined)
  if (!own) return
  const told = free.flatMap(({ from, to, text, ordinal }) => {
    const unit = unitOf(words[to] ?? '')
    return unit && !ordinal ? [{ from, to: to + 1, worth: Number(text) * unit }] : []
  })
  if (!told.length) return
  const value = told.reduce((sum, { worth }) => sum + worth, 0) / own
  return { value, span: { from: told[0]!.from, to: told.at(-1)!.to } }
}

/** All that a list's items may be, in the order in which it was said. */
function lists(slot: Slot, said: Said, sure: Sureness): readonly Found[] {
  const { item } = slot
  if (item?.is !== 'value') return []
  if (typeOf(item.schema) === 'string' && !choicesIn(item.schema)) return listOfTexts(slot, item, said, sure)
  const spare: Said = { ...said, taken: new Set(said.taken) }
  const found: Found[] = []
  for (;;) {
    const next = valuesFor(item, spare, sure)[0]
    if (!next || next.span.from === next.span.to || !isFree(spare, next.span)) break
    found.push(next)
    for (let at = next.span.from; at < next.span.to; at++) spare.taken.add(at)
  }
  const most = typeof slot.schema['maxItems'] === 'number' ? slot.schema['maxItems'] : found.length
  return together(found.sort((one, other) => one.span.from - other.span.from).slice(0, Math.max(0, most)))
}

/** "milk and eggs": what stands on both sides of "and". */
function listOfTexts(slot: Slot, item: Slot, said: Said, sure: Sureness): readonly Found[] {
  const first = texts({ ...slot, schema: item.schema }, said, sure)[0]
  if (!first) return []
  if (sure === 'replied' || kindOf(slot) === 'text') return [partsOf(said, first.span, item)]
  let { to } = first.span
  while ((said.words[to] === 'and' || said.tokens[to - 1]?.ends) && to + 1 < said.words.length) {
    const begin = said.words[to] === 'and' ? to + 1 : to
    const span = nextPart(said, begin)
    if (!span) break
    to = span.to
  }
  return [partsOf(said, { from: first.span.from, to }, item)]
}

function nextPart(said: Said, begin: number): Span | undefined {
  let to = begin
  while (to < said.words.length && to - begin < 3 && !isLittle(said.words[to]!) && !said.taken.has(to)) to++
  return to > begin ? { from: begin, to } : undefined
}

function partsOf(said: Said, span: Span, { schema }: Slot): Found {
  const parts: string[] = []
  let from = span.from
  for (let at = span.from; at <= span.to; at++) {
    const isEnd = at === span.to || said.words[at] === 'and'
    if (isEnd || said.tokens[at]!.ends) {
      const part = rawOf(said, { from, to: isEnd ? at : at + 1 })
      if (part && fits(part, schema)) parts.push(part)
      from = at + 1
    }
  }
  return { value: parts, span }
}

function together(found: readonly Found[]): readonly Found[] {
  if (!found.length) return []
  const from = found[0]!.span.from
  const to = Math.max(...found.map(({ span }) => span.to))
  return [{ value: found.map(({ value }) => value), span: { from, to } }]
}
