/** The least that a schema allows: what an argument is that nobody gave, when a call has to be made all the same. */
import { choicesIn, fits, type Schema, type Shape, type Slot, typeOf } from './schema.ts'

export function leastOf(slot: Slot): unknown {
  const [least] = valuesOf(slot)
  return least
}

/** What may be, the least first. There is always one: where nothing fits, it is what fits but for its limits. */
function* valuesOf(shape: Shape): Generator<unknown> {
  if (shape.is === 'either') {
    for (const one of shape.shapes) yield* valuesOf(one)
    if (!shape.shapes.length) yield {}
  } else if (shape.is === 'value') {
    let found = false
    for (const value of candidates(shape)) {
      if (!fits(value, shape.schema)) continue
      found = true
      yield value
    }
    if (!found) yield candidates(shape).next().value
  } else {
    const needed = shape.properties.filter(({ required }) => required)
    const least = needed.map(({ name, shape: inner }) => [name, valuesOf(inner).next().value] as const)
    yield Object.fromEntries(least)
    for (const { name, shape: inner } of shape.properties) {
      for (const value of valuesOf(inner)) yield Object.fromEntries([...least, [name, value]])
    }
  }
}

function* candidates({ schema, item }: Slot): Generator<unknown> {
  const { examples } = schema
  const choices = choicesIn(schema)
  if (choices?.length) return yield* choices
  yield* plain(schema, item)
  if (Array.isArray(examples)) yield* examples
}

function plain(schema: Schema, item: Shape | undefined): Iterable<unknown> {
  switch (typeOf(schema)) {
    case 'integer':
    case 'number':
      return numbers(schema)
    case 'boolean':
      return [false, true]
    case 'array':
      return lists(schema, item)
    case 'object':
      return [{}]
    case 'null':
      return [null]
    default:
      return texts(schema)
  }
}

/** How many others there are of a number or a text: a list may ask for so many that differ. */
const others = 100

function* numbers(schema: Schema): Generator<number> {
  const limits = ['minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum'].map((name) => schema[name])
  const bounds = limits.filter((limit) => typeof limit === 'number')
  const step = typeof schema['multipleOf'] === 'number' && schema['multipleOf'] > 0 ? schema['multipleOf'] : 1
  for (const from of [0, ...bounds]) {
    yield from
    const first = Math.ceil(from / step)
    for (let n = 0; n < others; n++) yield* [(first + n) * step, (first - n) * step]
  }
  if (bounds.length > 1) yield bounds.reduce((sum, bound) => sum + bound, 0) / bounds.length
}

function* lists(
  schema: Schema,
  item: Shape = { is: 'value', name: '', schema: {}, required: true },
): Generator<unknown> {
  const least = typeof schema['minItems'] === 'number' ? Math.min(Math.max(0, schema['minItems']), others) : 0
  const unlike = new Map<string, unknown>()
  for (const one of valuesOf(item)) {
    if (!unlike.size) for (let more = 0; more < 2; more++) yield Array.from({ length: least + more }, () => one)
    unlike.set(JSON.stringify(one), one)
    if (unlike.size >= least) yield [...unlike.values()].slice(unlike.size - least)
    if (unlike.size > least + others) return
  }
}

/** Of a text with a pattern or a format, what such texts commonly are. */
function* texts({ format, minLength }: Schema): Generator<string> {
  const least = typeof minLength === 'number' ? Math.min(Math.max(0, minLength), 1_000) : 0
  const formatted = typeof format === 'string' && Object.hasOwn(formats, format) ? formats[format] : undefined
  if (formatted) yield formatted
  if (!least) yield ''
  for (let more = 0; more < 6; more++) {
    for (const letter of [' ', 'a', 'A', '0']) yield letter.repeat(Math.max(1, least) + more)
  }
  for (const begin of ['', '+', 'A', 'A-', 'a']) for (let n = 1; n < 1e12; n *= 10) yield begin + String(n)
  yield* Object.values(formats)
  for (let n = 0; n < others; n++) yield String(n).padStart(Math.max(1, least), '0')
}

const formats: Readonly<Record<string, string>> = {
  date: '1970-01-01',
  time: '00:00:00Z',
  'date-time': '1970-01-01T00:00:00Z',
  duration: 'PT0S',
  email: 'nobody@example.com',
  hostname: 'example.com',
  ipv4: '127.0.0.1',
  ipv6: '::1',
  uri: 'https://example.com/',
  url: 'https://example.com/',
  uuid: '00000000-0000-4000-8000-000000000000',
}
