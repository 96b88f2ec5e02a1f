/** The session's config: its defaults, and what a `session.update` may change. Pure. */
import type { SessionConfig, TranscriptionSessionConfig } from '../protocol/events.ts'
import { type Refusal, refusals } from './refusals.ts'

export type AnySession = SessionConfig | TranscriptionSessionConfig
type Fields = Readonly<Record<string, unknown>>

/** A shape: what each key may hold. `null` may stand where a thing can be switched off. */
type Check = (value: unknown, param: string) => Refusal | null

const text: Check = (value, param) => (typeof value === 'string' ? null : refusals.invalidType(param, 'a string'))
const flag: Check = (value, param) => (typeof value === 'boolean' ? null : refusals.invalidType(param, 'a boolean'))
const anything: Check = () => null
const oneOf =
  (...values: readonly string[]): Check =>
  (value, param) =>
    values.includes(value as string) ? null : refusals.invalidValue(param, value, values)
const between =
  (low: number, high: number): Check =>
  (value, param) =>
    typeof value === 'number' && value >= low && value <= high
      ? null
      : refusals.outOfRange(param, value, `a number between ${low} and ${high}`)
const orNull =
  (check: Check): Check =>
  (value, param) =>
    value === null ? null : check(value, param)
const shape =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value, param) => {
    if (!isObject(value)) return refusals.invalidType(param, 'an object')
    for (const [key, inner] of Object.entries(value)) {
      if (!Object.hasOwn(fields, key)) return refusals.unknownParameter(`${param}.${key}`)
      const refused = inner === undefined ? null : fields[key]!(inner, `${param}.${key}`)
      if (refused) return refused
    }
    return null
  }

const format: Check = (value, param) => {
  if (!isObject(value)) return refusals.invalidType(param, 'an object')
  const refused = shape({ type: oneOf('audio/pcm', 'audio/pcmu', 'audio/pcma'), rate: anything })(value, param)
  if (refused) return refused
  if (value['type'] === undefined) return refusals.missing(`${param}.type`)
  if (value['type'] === 'audio/pcm' && value['rate'] !== undefined && value['rate'] !== 24_000) {
    return refusals.invalidValue(`${param}.rate`, value['rate'], ['24000'])
  }
  return null
}

const serverVad = shape({
  type: anything,
  threshold: between(0, 1),
  prefix_padding_ms: between(0, 10_000),
  silence_duration_ms: between(0, 10_000),
  create_response: flag,
  interrupt_response: flag,
  idle_timeout_ms: orNull(between(5_000, 30_000)),
})
const semanticVad = shape({
  type: anything,
  eagerness: oneOf('low', 'medium', 'high', 'auto'),
  create_response: flag,
  interrupt_response: flag,
})
const turnDetection: Check = (value, param) => {
  if (!isObject(value)) return refusals.invalidType(param, 'an object')
  const refused = oneOf('server_vad', 'semantic_vad')(value['type'], `${param}.type`)
  return refused ?? (value['type'] === 'server_vad' ? serverVad : semanticVad)(value, param)
}

const input = shape({
  format,
  noise_reduction: orNull(shape({ type: oneOf('near_field', 'far_field'), strength: anything })),
  transcription: orNull(
    shape({
      model: text,
      language: text,
      languages: anything,
      prompt: text,
      keywords: anything,
      delay: oneOf('minimal', 'low', 'medium', 'high', 'xhigh'),
    }),
  ),
  turn_detection: orNull(turnDetection),
})
const voice: Check = (value, param) => (isObject(value) ? shape({ id: text })(value, param) : text(value, param))
const output = shape({ format, voice, speed: between(0.25, 1.5) })

const toolChoice: Check = (value, param) =>
  isObject(value)
    ? shape({ type: oneOf('function', 'mcp'), name: anything, server_label: text })(value, param)
    : oneOf('none', 'auto', 'required')(value, param)

const tools: Check = (value, param) => {
  if (!Array.isArray(value)) return refusals.invalidType(param, 'an array')
  for (const [n, tool] of value.entries()) {
    const at = `${param}[${n}]`
    if (!isObject(tool)) return refusals.invalidType(at, 'an object')
    const refused = oneOf('function', 'mcp')(tool['type'], `${at}.type`)
    if (refused) return refused
    if (tool['type'] === 'mcp') {
      if (!tool['server_label']) return refusals.missing(`${at}.server_label`)
      continue
    }
    if (!tool['name']) return refusals.missing(`${at}.name`)
    const known = shape({ type: anything, name: text, description: text, parameters: anything, strict: anything })
    const unknown = known(tool, at)
    if (unknown) return unknown
  }
  return null
}

export const modalities: Check = (value, param) =>
  Array.isArray(value) && value.length === 1 && ['text', 'audio'].includes(value[0]) ? null : refusals.modalities(param)
export const maxTokens: Check = (value, param) => (value === 'inf' ? null : between(1, 4096)(value, param))
export const responseChecks: Readonly<Record<string, Check>> = {
  instructions: text,
  output_modalities: modalities,
  audio: shape({ output: shape({ format, voice, speed: between(0.25, 1.5) }) }),
  tools,
  tool_choice: toolChoice,
  parallel_tool_calls: flag,
  max_output_tokens: maxTokens,
  reasoning: anything,
  conversation: oneOf('auto', 'none'),
  metadata: (value, param) => metadata(value, param),
  input: (value, param) => (Array.isArray(value) ? null : refusals.invalidType(param, 'an array')),
  prompt: anything,
}
export const checkResponse: Check = shape(responseChecks)

const realtime = shape({
  ...responseChecks,
  type: anything,
  object: anything,
  id: anything,
  expires_at: anything,
  model: text,
  audio: shape({ input, output }),
  truncation: anything,
  tracing: anything,
  include: anything,
})
const transcription = shape({ type: anything, audio: shape({ input }), include: anything })

function metadata(value: unknown, param: string): Refusal | null {
  if (value === null) return null
  if (!isObject(value)) return refusals.invalidType(param, 'an object')
  const entries = Object.entries(value)
  if (entries.length > 16) return refusals.outOfRange(param, `${entries.length} pairs`, 'at most 16 pairs')
  for (const [key, inner] of entries) {
    if (key.length > 64) return refusals.outOfRange(param, key, 'keys of at most 64 characters')
    if (typeof inner !== 'string' || inner.length > 512) {
      return refusals.outOfRange(`${param}.${key}`, inner, 'a string of at most 512 characters')
    }
  }
  return null
}

/** The config that a session begins with; `session.created` says it in full. */
export function defaultSession(model: string): SessionConfig {
  return {
    type: 'realtime',
    model,
    output_modalities: ['audio'],
    instructions: 'You are a helpful voice agent.',
    tools: [],
    tool_choice: 'auto',
    max_output_tokens: 'inf',
    truncation: 'auto',
    audio: {
      input: {
        format: { type: 'audio/pcm', rate: 24_000 },
        turn_detection: {
          type: 'server_vad',
          threshold: 0.5,
          prefix_padding_ms: 300,
          silence_duration_ms: 200,
          idle_timeout_ms: null,
          create_response: true,
          interrupt_response: true,
        },
      },
      output: { format: { type: 'audio/pcm', rate: 24_000 }, voice: 'marin', speed: 1 },
    },
  }
}

export function defaultTranscription(): TranscriptionSessionConfig {
  const { input } = defaultSession('').audio!
  return { type: 'transcription', audio: { input: { ...input!, transcription: { model: 'gpt-transcribe' } } } }
}

/** The session after an update, or why the update is discarded whole. */
export function update(session: AnySession, change: unknown, hasSpoken: boolean): AnySession | Refusal {
  if (!isObject(change)) return refusals.missing('session')
  if (change['type'] === undefined) return refusals.missing('session.type')
  const refused =
    oneOf('realtime', 'transcription')(change['type'], 'session.type') ??
    (change['type'] === session.type ? null : refusals.sessionType()) ??
    (session.type === 'realtime' ? realtime : transcription)(change, 'session')
  if (refused) return refused
  if (session.type === 'transcription') return merge({ ...session }, change) as unknown as AnySession
  if (change['model'] !== undefined && change['model'] !== session.model) return refusals.model()
  const next = merge({ ...session }, change) as unknown as SessionConfig
  const voices = [session, next].map((one) => JSON.stringify(one.audio?.output?.voice))
  return hasSpoken && voices[0] !== voices[1] ? refusals.voice() : next
}

/** Only what is there changes; null switches off; a format or a turn detection of another type replaces whole. */
function merge(base: Fields, change: Fields): Fields {
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined) continue
    const before = merged[key]
    if (value === null && key !== 'turn_detection' && key !== 'tracing') delete merged[key]
    else if (isObject(value) && isObject(before) && before['type'] === (value['type'] ?? before['type'])) {
      merged[key] = merge(before, value)
    } else merged[key] = key === 'turn_detection' && isObject(value) ? { ...turnDefaults(value), ...value } : value
  }
  return merged
}

function turnDefaults({ type }: Fields): Fields {
  const both = { create_response: true, interrupt_response: true }
  if (type === 'semantic_vad') return { eagerness: 'auto', ...both }
  return { threshold: 0.5, prefix_padding_ms: 300, silence_duration_ms: 200, idle_timeout_ms: null, ...both }
}

export function isRefusal(value: object): value is Refusal {
  return 'code' in value && 'param' in value
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
