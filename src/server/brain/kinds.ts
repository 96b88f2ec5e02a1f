/** What kind of text an argument is, by its format, the words of its name and of its description. */
import type { Schema, Slot } from './schema.ts'
import { stem, wordsOf, wordsOfName } from './words.ts'

export type Kind =
  | 'email'
  | 'phone'
  | 'day'
  | 'moment'
  | 'hour'
  | 'id'
  | 'origin'
  | 'destination'
  | 'place'
  | 'language'
  | 'person'
  | 'maker'
  | 'query'
  | 'text'
  | 'other'

/** The first that fits is meant: an e-mail address is no place, a departure date is no place to depart from. */
const kinds: readonly (readonly [Kind, string])[] = [
  ['email', 'email mail'],
  ['phone', 'phone telephone mobile cellphone'],
  ['moment', 'datetime moment when'],
  ['day', 'date day birthday birthdate deadline'],
  ['hour', 'time hour'],
  ['id', 'number num id code pin zip zipcode postcode postal reference ref tracking account digit isbn sku'],
  ['origin', 'origin from departure source pickup'],
  ['destination', 'destination to dropoff arrival'],
  ['place', 'city town place location country address airport station region area state venue where street room'],
  ['language', 'language lang'],
  ['person', 'name person contact recipient customer patient who callee assignee'],
  ['maker', 'artist author band singer composer director writer brand'],
  ['query', 'query question request search keyword keywords term prompt input utterance'],
  ['text', 'message text body note content comment reason title subject reminder task topic description details memo'],
]
const words = kinds.map(([kind, words]) => [kind, new Set(words.split(' ').map(stem))] as const)

const formats: Readonly<Record<string, Kind>> = {
  email: 'email',
  phone: 'phone',
  date: 'day',
  'date-time': 'moment',
  time: 'hour',
  uuid: 'id',
}

export function kindOf({ name, schema }: Pick<Slot, 'name' | 'schema'>): Kind {
  const format = typeof schema['format'] === 'string' ? schema['format'] : ''
  if (Object.hasOwn(formats, format)) return formats[format]!
  const named = wordsOfName(name).map(stem)
  if (named.includes('date') && named.includes(stem('time'))) return 'moment'
  const own = words.find(([, stems]) => named.some((word) => stems.has(word)))?.[0]
  if (own) return own
  const told = new Set(wordsOf(descriptionOf(schema)).map(stem))
  const byDescription = words.find(([, stems]) =>
    [...stems].some((word) => word !== 'to' && word !== 'from' && told.has(word)),
  )
  return byDescription?.[0] ?? 'other'
}

export function descriptionOf({ description, title }: Schema): string {
  return [description, title].filter((text) => typeof text === 'string').join(' ')
}
