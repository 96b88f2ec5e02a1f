/** What a line of the time line says of an event, and in which order its fields are shown. */
import type { TraceAudio } from 'parley-voice/trace'

export type Fields = Readonly<Record<string, unknown>>

export type Direction = 'in' | 'out' | 'local'

/** One thing that came, was sent, or happened here. */
export interface Entry {
  /** Its place in the call, from 0 on. */
  readonly n: number
  /** ms of the session's clock. */
  readonly at: number
  readonly direction: Direction
  readonly type: string
  /** What it is about, in a few words. */
  readonly gist: string
  /** Audio, or one piece of many. */
  readonly isPiece: boolean
  /** Without the bytes of its audio. */
  readonly event: Fields
  readonly audio: TraceAudio | null
}

export function entryOf(n: number, at: number, direction: Direction, event: object, audio: TraceAudio | null): Entry {
  const { audio: _, delta, ...rest } = event as Fields
  const fields: Fields = delta === undefined || audio ? rest : { ...rest, delta }
  const type = String(fields['type'])
  const isPiece = audio !== null || type.endsWith('.delta') || type === 'input_audio_buffer.append'
  return { n, at, direction, type, gist: gistOf(fields, audio), isPiece, event: fields, audio }
}

function gistOf(event: Fields, audio: TraceAudio | null): string {
  if (audio) return `${(audio.ms / 1000).toFixed(2)} s, ${grouped(audio.bytes)} bytes`
  const { item, response, error, cause, session, config, part, ask } = event as Readonly<Record<string, Fields>>
  const said = [event['delta'], event['transcript'], event['text'], event['output']].find(isText)
  if (isFields(item)) return ofItem(item)
  if (isFields(response)) return ofResponse(response)
  if (isFields(error)) return words(error['message'] ?? error['code'])
  if (isFields(cause)) return words(cause['reason'])
  if (isFields(session)) return Object.keys(session).filter(isTelling).join(', ')
  if (isFields(config)) return Object.keys(config).join(', ')
  if (isFields(ask)) return isFields(ask['params']) ? Object.keys(ask['params']).join(', ') : ''
  if (said !== undefined) return event['name'] ? `${words(event['name'])}: ${said}` : said
  if (isText(event['arguments'])) return `${words(event['name'])}(${event['arguments']})`
  if (isFields(part)) return words(part['type'])
  return words(event['name'] ?? event['audio_end_ms'] ?? event['item_id'] ?? event['call_id'] ?? event['response_id'])
}

function ofItem(item: Fields): string {
  if (item['type'] === 'function_call') return `${words(item['name'])}(${words(item['arguments'])})`
  if (isText(item['output'])) return `answer: ${item['output']}`
  return [item['role'] ?? item['type'], textIn(item)].filter(Boolean).join(': ')
}

function ofResponse(response: Fields): string {
  const { status_details: details, instructions } = response
  const error = isFields(details) && isFields(details['error']) ? details['error']['message'] : undefined
  const reason = isFields(details) ? (error ?? details['reason']) : undefined
  return [response['status'] ?? instructions, reason].map(words).filter(Boolean).join(': ')
}

/** The words of a message, whatever its parts are. */
export function textIn({ content }: Fields): string {
  if (!Array.isArray(content)) return ''
  return content.map((part: Fields) => words(part['text'] ?? part['transcript'])).join('')
}

const isTelling = (name: string) => !['type', 'object', 'id', 'expires_at'].includes(name)
const words = (value: unknown) => (value === undefined || value === null ? '' : String(value))
const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, '\u202f')
}

const first = [
  'type',
  'error',
  'cause',
  'reason',
  'message',
  'code',
  'name',
  'role',
  'status',
  'status_details',
  'delta',
  'transcript',
  'text',
  'arguments',
  'output',
  'item_id',
  'call_id',
  'response_id',
  'previous_item_id',
  'id',
  'event_id',
]

/** Indented JSON, the telling fields first; of bytes, only how many. */
export function jsonOf({ event, audio }: Entry): string {
  const { base64: _, ...told } = audio ?? {}
  return JSON.stringify(ordered(audio ? { ...event, audio: told } : event), null, 2)
}

function ordered(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return `${grouped(value.byteLength)} bytes`
  if (value instanceof Set) return [...value].map(ordered)
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, one]) => [String(name), ordered(one)]))
  if (value instanceof Error) return { name: value.name, message: value.message }
  if (Array.isArray(value)) return value.map(ordered)
  if (!isFields(value)) return value
  const rank = (name: string) => (first.indexOf(name) + first.length + 1) % (first.length + 1)
  const names = Object.keys(value).sort((a, b) => rank(a) - rank(b))
  return Object.fromEntries(names.map((name) => [name, shortened(name, ordered(value[name]))]))
}

/** Audio that is written out as base64. */
function shortened(name: string, value: unknown): unknown {
  if (name !== 'audio' || typeof value !== 'string' || value.length < 64) return value
  return `${grouped(Math.floor((value.length * 3) / 4))} bytes`
}
