/** The session's config: its defaults, and what a `session.update` may change. Pure. */
import type { SessionConfig, TranscriptionSessionConfig } from '../../protocol/events.ts'
import {
  anything,
  between,
  type Check,
  either,
  type Fields,
  flag,
  isObject,
  listOf,
  number,
  object,
  oneOf,
  orNull,
  shape,
  text,
  whole,
  word,
} from './checks.ts'
import { type Refusal, refusals } from './refusals.ts'

export type AnySession = SessionConfig | TranscriptionSessionConfig
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
  noise_reduction: orNull(shape({ type: oneOf('near_field', 'far_field'), strength: between(0, 1) })),
  transcription: orNull(
    shape({
      model: text,
      language: text,
      languages: listOf(text),
      prompt: text,
      keywords: listOf(text),
      delay: oneOf('minimal', 'low', 'medium', 'high', 'xhigh'),
    }),
  ),
  turn_detection: orNull(turnDetection),
})
const voices = ['alloy', 'ash', 'ballad', 'coral', 'echo', 'sage', 'shimmer', 'verse', 'marin', 'cedar'] as const
const voice = either(word(...voices), shape({ id: text }))
const output = shape({ format, voice, speed: between(0.25, 1.5) })

const toolChosen = shape({ type: oneOf('function', 'mcp'), name: orNull(text), server_label: text })
const toolChoice = either(oneOf('none', 'auto', 'required'), (value, param) => {
  const refused = toolChosen(value, param)
  const { type, name } = value as Fields
  return refused ?? (type === 'function' && !name ? refusals.missing(`${param}.name`) : null)
})

const mostOfName = 64
const toolName: Check = (value, param) => {
  const refused = text(value, param)
  if (refused) return refused
  const name = value as string
  if (name.length > mostOfName) return refusals.tooLongText(param, name.length, mostOfName)
  return /^[a-zA-Z0-9_-]+$/.test(name) ? null : refusals.unlike(param, '^[a-zA-Z0-9_-]+$')
}
const functionTool = shape({
  type: anything,
  name: toolName,
  description: text,
  parameters: anything,
  strict: anything,
})
const tools = listOf((tool, at) => {
  if (!isObject(tool)) return refusals.invalidType(at, 'an object')
  const refused = oneOf('function', 'mcp')(tool['type'], `${at}.type`)
  if (refused) return refused
  if (tool['type'] === 'mcp') return tool['server_label'] ? null : refusals.missing(`${at}.server_label`)
  return tool['name'] ? functionTool(tool, at) : refusals.missing(`${at}.name`)
})

export const modalities: Check = (value, param) =>
  Array.isArray(value) && value.length === 1 && ['text', 'audio'].includes(value[0]) ? null : refusals.modalities(param)
const maxTokens: Check = (value, param) => (value === 'inf' ? null : whole(1, 4096)(value, param))
const reasoning = shape({ effort: oneOf('minimal', 'low', 'medium', 'high', 'xhigh') })
const prompt = orNull(shape({ id: text, version: orNull(text), variables: orNull(object) }))
const both: Readonly<Record<string, Check>> = {
  instructions: text,
  output_modalities: modalities,
  tools,
  tool_choice: toolChoice,
  parallel_tool_calls: flag,
  max_output_tokens: maxTokens,
  reasoning,
  prompt,
}
export const checkResponse: Check = shape({
  ...both,
  audio: shape({ output: shape({ format, voice }) }),
  conversation: oneOf('auto', 'none'),
  metadata: orNull(metadata),
  input: listOf(object),
})

const include = listOf(oneOf('item.input_audio_transcription.logprobs'))
const realtime = shape({
  ...both,
  type: anything,
  object: text,
  id: text,
  expires_at: number,
  model: text,
  audio: shape({ input, output }),
  truncation: either(
    word('auto', 'disabled'),
    shape({ type: oneOf('retention_ratio'), retention_ratio: between(0, 1), token_limits: object }),
  ),
  tracing: orNull(either(word('auto'), shape({ group_id: text, metadata: object, workflow_name: text }))),
  include: orNull(include),
})
const transcription = shape({
  type: anything,
  object: text,
  id: text,
  expires_at: number,
  audio: shape({ input }),
  include: orNull(include),
})

function metadata(value: unknown, param: string): Refusal | null {
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

/** The config that a session begins with; `session.created` says it in full, with null for what is not set. */
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
    tracing: null,
    prompt: null,
    audio: {
      input: {
        format: { type: 'audio/pcm', rate: 24_000 },
        transcription: null,
        noise_reduction: null,
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
    include: null,
  }
}

export function defaultTranscription(): TranscriptionSessionConfig {
  const { input } = defaultSession('').audio!
  return {
    type: 'transcription',
    audio: { input: { ...input!, transcription: { model: 'gpt-transcribe' } } },
    include: null,
  }
}

/** What a session calls itself. */
export function objectOf({ type }: AnySession): string {
  return type === 'realtime' ? 'realtime.session' : 'realtime.transcription_session'
}

/** What only the far end says of a session: a client may repeat it, and it changes nothing. */
const ours: ReadonlySet<string> = new Set(['id', 'object', 'expires_at'])

/** What an update may depend on. */
export interface Now {
  /** The assistant has been heard: its voice stays. */
  readonly hasSpoken: boolean
  /** A response is being given: its speed stays. */
  readonly isSpeaking: boolean
}
const silent: Now = { hasSpoken: false, isSpeaking: false }

/** The session after an update, or why the update is discarded whole. */
export function update(session: AnySession, change: unknown, now: Now = silent): AnySession | Refusal {
  if (!isObject(change)) return refusals.missing('session')
  if (change['type'] === undefined) return refusals.missing('session.type')
  const refused =
    oneOf('realtime', 'transcription')(change['type'], 'session.type') ??
    (change['type'] === session.type ? null : refusals.sessionType()) ??
    (session.type === 'realtime' ? realtime : transcription)(change, 'session')
  if (refused) return refused
  const asked: Fields = Object.fromEntries(Object.entries(change).filter(([key]) => !ours.has(key)))
  if (session.type === 'transcription') return endless(merge({ ...session }, asked) as unknown as AnySession)
  if (asked['model'] !== undefined && asked['model'] !== session.model) return refusals.model()
  const next = merge({ ...session }, asked) as unknown as SessionConfig
  const changes = (part: (one: SessionConfig) => unknown) =>
    JSON.stringify(part(session)) !== JSON.stringify(part(next))
  if (now.hasSpoken && changes(({ audio }) => audio?.output?.voice)) return refusals.voice()
  if (now.isSpeaking && changes(({ audio }) => audio?.output?.speed)) return refusals.speed()
  if (session.tracing && changes(({ tracing }) => tracing)) return refusals.tracing()
  return endless(next)
}

/** Models that hear without turns: the client commits. */
const endlessModels: ReadonlySet<string> = new Set(['gpt-live-transcribe', 'gpt-realtime-whisper'])

function endless(session: AnySession): AnySession | Refusal {
  const { transcription, turn_detection } = session.audio?.input ?? {}
  if (!endlessModels.has(transcription?.model ?? '') || !turn_detection) return session
  return refusals.invalidValue('session.audio.input.turn_detection', turn_detection.type, ['null'])
}

/** Only what is there changes; null switches off, and is told; a format or a turn detection of another type replaces whole. */
function merge(base: Fields, change: Fields): Fields {
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined) continue
    const before = merged[key]
    if (isObject(value) && isObject(before) && before['type'] === (value['type'] ?? before['type'])) {
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
