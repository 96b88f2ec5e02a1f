/** Says what a tool told: text as it is, an object field by field, a list as a list. */
import { wordsOfName } from './words.ts'

type Fields = Readonly<Record<string, unknown>>

export function tell(output: string): readonly string[] {
  const text = output.trim()
  if (!text) return ['Done.']
  return sentences(parsed(text))
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence)
}

/** The agent that a handoff went to: the output of a handoff says so, and it is not for the caller. */
export function handedTo(output: string): string | undefined {
  if (!/^\s*\{\s*"assistant"\s*:/.test(output)) return
  const value = parsed(output)
  return isFields(value) && typeof value['assistant'] === 'string' ? value['assistant'] : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function sentences(value: unknown): readonly string[] {
  if (typeof value === 'string') return [failed.test(value) ? sorry(value) : ended(value)]
  if (value === null) return ['There is nothing.']
  if (Array.isArray(value)) return list('', value)
  if (isFields(value)) return fieldByField(value)
  return [typeof value === 'boolean' ? ended(said(value)) : `It is ${said(value)}.`]
}

const failed = /^(?:error\b|the tool failed|there is no tool called|an error occurred|failed\b)/i
const success = new Set(['ok', 'success', 'succeeded'])
/** Fields whose text is a sentence already. */
const speech = new Set(['message', 'text', 'answer', 'summary', 'speech', 'sentence', 'content', 'result'])

function fieldByField(fields: Fields): readonly string[] {
  const { error, ...rest } = fields
  if (error) return [sorry(error)]
  if (fields['type'] === 'text' && typeof fields['text'] === 'string') return [ended(fields['text'])]
  const told = Object.entries(rest).filter(([name]) => !success.has(name))
  const outcome = Object.entries(rest).find(([name, value]) => success.has(name) && typeof value === 'boolean')?.[1]
  const words = told.flatMap(([name, value]) => field(name, value))
  if (outcome === false) return [sorry(rest['message'] ?? rest['reason'] ?? 'That did not work')]
  if (words.length) return words
  return ['Done.']
}

function sorry(error: unknown): string {
  const reason = isFields(error) ? (error['message'] ?? error['reason'] ?? error['code'] ?? '') : error
  const text = reason === true || reason === '' ? 'That did not work' : String(plain(reason))
  return `I'm sorry. ${ended(capital(text.replace(/^(?:error|the tool failed):\s*/i, '')))}`
}

function field(name: string, value: unknown): readonly string[] {
  const { words, unit } = named(name)
  if (value === null || value === undefined || value === '') return [`There is no ${words}.`]
  if (Array.isArray(value)) return list(words, value)
  if (isFields(value)) {
    const inner = Object.keys(value).length ? joined(Object.entries(value).map(clause)) : ''
    return [inner ? `The ${words}: ${inner}.` : `There is no ${words}.`]
  }
  if (typeof value === 'boolean') return [`${capital(words.replace(/^is (?=.)/, ''))}: ${said(value)}.`]
  if (typeof value === 'string' && speech.has(name) && /\s/.test(value.trim())) return [ended(value)]
  if (typeof value === 'number' && !unit && isPlural(words)) {
    return [value === 1 ? `There is 1 ${words.replace(/s$/, '')}.` : `There are ${said(value, words)} ${words}.`]
  }
  return [ended(`The ${clause([name, value])}`)]
}

/** "status is shipped", for a sentence of its own or for a place in one. */
function clause([name, value]: readonly [string, unknown]): string {
  const { words, unit } = named(name)
  if (value === null || value === undefined || value === '') return `no ${words}`
  const verb = Array.isArray(value) && value.length > 1 ? 'are' : 'is'
  if (!unit || !/^-?\d+(?:\.\d+)?$/.test(String(value))) return `${words} ${verb} ${plain(value, words)}`
  return `${words} ${verb} ${String(value)} ${Number(value) === 1 ? unit[0] : unit[1]}`
}

function list(words: string, values: readonly unknown[]): readonly string[] {
  if (values.length === 0) return [words ? `There are no ${words}.` : 'There is nothing.']
  if (values.every((value) => isFields(value) && value['type'] === 'text')) return values.flatMap(sentences)
  if (!values.some((value) => isFields(value))) {
    const all = joined(values.map((value) => plain(value)))
    if (!words) return [values.length === 1 ? `It is ${ended(all)}` : `There are ${values.length}: ${ended(all)}`]
    return [`The ${words} ${values.length === 1 && !isPlural(words) ? 'is' : 'are'} ${ended(all)}`]
  }
  if (values.length === 1 && !words) return sentences(values[0])
  const each = values.map((value, at) => {
    const inner = isFields(value) ? joined(Object.entries(value).map(clause)) : plain(value)
    return `Number ${at + 1}: ${ended(inner)}`
  })
  return [
    `There ${values.length === 1 ? 'is' : 'are'} ${values.length}${words ? ` ${thing(words, values.length)}` : ''}.`,
    ...each,
  ]
}

function thing(words: string, count: number): string {
  return count === 1 ? words.replace(/(?<!s)s$/, '') : words
}

/** A value in the middle of a sentence. */
function plain(value: unknown, words = ''): string {
  if (value === null || value === undefined || value === '') return 'none'
  if (Array.isArray(value)) return value.length ? joined(value.map((one) => plain(one))) : 'none'
  if (isFields(value)) return joined(Object.entries(value).map(clause)) || 'none'
  return said(value, words)
}

/** How many there are of something is counted, however long the number is. */
const counted = /\b(?:price|total|amount|cost|balance|population|count|quantity|distance|salary|sum|views)\b/

function said(value: unknown, words = ''): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  const text = String(value)
  // A long number is said digit by digit: nobody says an order's number as a count.
  const isLong = /^\d+$/.test(text) && text.length >= (typeof value === 'number' ? 5 : 4)
  return isLong && !counted.test(words) && !isPlural(words) ? [...text].join(' ') : text
}

function joined(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`
}

function ended(text: string): string {
  const trimmed = text.trim()
  return /[.!?…:。！？]["”')\]]?$/.test(trimmed) ? trimmed : `${trimmed}.`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function isPlural(words: string): boolean {
  return /[^suai]s$/.test(words)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The last word of a name may be its unit: one, and many. */
const units: ReadonlyMap<string, readonly [string, string]> = new Map(
  [
    'c celsius: degree Celsius, degrees Celsius',
    'f fahrenheit: degree Fahrenheit, degrees Fahrenheit',
    'deg degrees: degree, degrees',
    'percent pct: percent, percent',
    'mm: millimetre, millimetres',
    'cm: centimetre, centimetres',
    'meters metres: metre, metres',
    'km kilometers kilometres: kilometre, kilometres',
    'miles mi: mile, miles',
    'kmh kph: kilometre an hour, kilometres an hour',
    'mph: mile an hour, miles an hour',
    'g grams: gram, grams',
    'kg kilograms: kilogram, kilograms',
    'lbs pounds: pound, pounds',
    'ms milliseconds: millisecond, milliseconds',
    's sec secs seconds: second, seconds',
    'mins minutes: minute, minutes',
    'h hrs hours: hour, hours',
    'days: day, days',
    'usd dollars: dollar, dollars',
    'eur euro euros: euro, euros',
    'gbp: pound, pounds',
    'cents: cent, cents',
  ].flatMap((line) => {
    const [names = '', forms = ''] = line.split(': ')
    const [one = '', many = ''] = forms.split(', ')
    return names.split(' ').map((name) => [name, [one, many]] as const)
  }),
)

/** A field's name in words, and the unit that it ends in. */
function named(name: string): { readonly words: string; readonly unit?: readonly [string, string] } {
  const words = wordsOfName(name)
  const unit = words.length > 1 ? units.get(words.at(-1)!) : undefined
  if (unit) return { words: words.slice(0, -1).join(' '), unit }
  return { words: words.join(' ') || name || 'value' }
}
