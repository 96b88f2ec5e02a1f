/** A session as JSON: stable, versioned, and checked when it comes back. */
import { UserError } from '../protocol/errors.ts'
import type { RealtimeItem } from '../session/history.ts'

/** What another session needs to go on from here. Plain data: `JSON.stringify` and `JSON.parse` keep it as it is. */
export interface SavedSession {
  readonly version: 1
  readonly history: readonly RealtimeItem[]
  /** What the app has decided on tools once for all, as the session that saved it spells it. */
  readonly approvals?: unknown
}

export function save(parts: Omit<SavedSession, 'version'>): SavedSession {
  return { version: 1, ...parts }
}

/**
 * Takes what `save` gave, parsed from JSON; or a history alone.
 *
 * @throws UserError when it is something else, and says what is wrong with it.
 */
export function restore(json: unknown): SavedSession {
  if (typeof json === 'string') throw new UserError('The saved session is text. Parse it first: JSON.parse(text).')
  const saved = Array.isArray(json) ? { version: 1, history: json } : json
  if (!isObject(saved)) throw new UserError(`The saved session is ${nameOf(saved)} and not an object.`)
  const { version, history } = saved
  if (version !== 1) {
    throw new UserError(`The saved session's version ${expected('1', version)}, the one that this release reads.`)
  }
  const why = wrongInHistory(history)
  if (why) throw new UserError(`The saved session cannot be read: ${why}.`)
  return saved as unknown as SavedSession
}

/** What is wrong with a history that was saved; null where nothing is. */
function wrongInHistory(history: unknown): string | null {
  if (!Array.isArray(history)) return `its history ${expected('an array', history)}`
  const known = new Set<unknown>()
  for (const [n, item] of history.entries()) {
    const why = wrongIn(item, true)
    if (why) return `history[${n}]: ${why}`
    if (known.has(item.itemId)) return `history[${n}]: another item has its id, '${item.itemId}'`
    known.add(item.itemId)
  }
  return null
}

/** What is wrong with a value; null where nothing is. */
type Check = (value: unknown) => string | null
type Shape = Readonly<Record<string, Check>>

const text = is('string')
const words: Shape = { text }
const sound: Shape = { transcript: orNull(text) }
const parts: Readonly<Record<string, Shape>> = {
  input_text: words,
  output_text: words,
  input_audio: sound,
  output_audio: sound,
  input_image: { image: text },
}
const mcp: Shape = { serverLabel: text, name: text, arguments: text }
const kinds: Readonly<Record<string, Shape>> = {
  message: {
    role: oneOf('user', 'assistant', 'system'),
    content: wrongInContent,
    transcriptStatus: oneOf('pending', 'final', 'failed', 'off', undefined),
    interrupted: oneOf(true, undefined),
    heardMs: (value) => (value === undefined ? null : is('number')(value)),
    heardText: (value) => (value === undefined ? null : text(value)),
  },
  function_call: { callId: text, name: text, arguments: text, output: orNull(text) },
  mcp_call: {
    ...mcp,
    output: orNull(text),
    error: orNull((value) => (isObject(value) ? null : expected('an object', value))),
  },
  mcp_approval_request: { ...mcp, approved: orNull(is('boolean')) },
}
const common: Shape = {
  itemId: (value) => (value === '' || value === 'root' ? `may not be '${value}'` : text(value)),
  previousItemId: orNull(text),
  status: oneOf('in_progress', 'completed', 'incomplete', 'failed'),
  origin: oneOf('live', 'seeded', 'restored'),
}
/** What an app that writes an item may leave out. */
const mayBeLeftOut: ReadonlySet<string> = new Set([...Object.keys(common), 'callId', 'output', 'error', 'approved'])

/** What is wrong with an item; null where nothing is. One that was saved is whole. */
export function wrongIn(item: unknown, isSaved: boolean): string | null {
  return wrongInShape(item, kinds, isSaved ? null : mayBeLeftOut)
}

function wrongInContent(content: unknown): string | null {
  if (!Array.isArray(content)) return expected('an array', content)
  for (const [n, part] of content.entries()) {
    const why = wrongInShape(part, parts, null)
    if (why) return `is wrong at ${n}: ${why}`
  }
  return null
}

function wrongInShape(
  value: unknown,
  shapes: Readonly<Record<string, Shape>>,
  leftOut: ReadonlySet<string> | null,
): string | null {
  if (!isObject(value)) return `it ${expected('an object', value)}`
  const { type } = value
  const wrongType = oneOf(...Object.keys(shapes))(type)
  if (wrongType) return `its type ${wrongType}`
  const shape = { ...(shapes === kinds ? common : {}), ...shapes[type as string] }
  for (const key in shape) {
    if (value[key] === undefined && leftOut?.has(key)) continue
    const why = shape[key]!(value[key])
    if (why) return `its ${key} ${why}`
  }
  return null
}

function is(type: 'string' | 'number' | 'boolean'): Check {
  return (value) => (typeof value === type ? null : expected(`a ${type}`, value))
}

function oneOf(...values: readonly (string | true | undefined)[]): Check {
  const names = values.filter((value) => value !== undefined)
  return (value) => (values.includes(value as string) ? null : expected(names.join(', '), value))
}

function orNull(check: Check): Check {
  return (value) => (value === null ? null : check(value))
}

function expected(what: string, value: unknown): string {
  return value === undefined ? 'is missing' : `is ${nameOf(value)} and not ${what}`
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function nameOf(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 40)}'`
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}
