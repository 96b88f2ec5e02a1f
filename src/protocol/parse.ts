import type { ServerEvent } from './events.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * The one door: text from the far end becomes an event here, or is refused (null). Never throws.
 *
 * Unknown events and fields pass through as they are. An event of a known type that lacks what the core reads of it is
 * refused too, so that nothing inside has to ask again.
 */
export function parse(text: string): ServerEvent | null {
  const value = parseObject(text)
  if (!value || typeof value['type'] !== 'string') return null
  const type = interned(value['type'])
  value['type'] = type
  return isWhole(type, value) ? (value as never) : null
}

/** Types seen so far. What a far end makes up is not kept for ever. */
const types = new Map<string, string>()

/**
 * The same string as a property's key is, which engines compare by address: one event is compared with dozens of types
 * on its way, and a string fresh from JSON would be compared letter by letter each time.
 */
function interned(type: string): string {
  const known = types.get(type)
  if (known !== undefined) return known
  const [key = type] = Object.keys({ [type]: 0 })
  if (types.size < 200) types.set(key, key)
  return key
}

export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

/** An audio delta, whatever stands for its audio. */
export function isAudioDelta(event: Fields): boolean {
  return event['type'] === 'response.output_audio.delta' && isInItem(event)
}

/** What the core reads of each family of events. */
function isWhole(type: string, event: Fields): boolean {
  switch (type) {
    case 'conversation.item.created':
    case 'conversation.item.added':
    case 'conversation.item.done':
    case 'response.output_item.added':
    case 'response.output_item.done':
      return isItem(event['item'])
    case 'response.created':
    case 'response.done':
      return isResponse(event['response'])
    case 'response.output_text.delta':
    case 'response.output_audio_transcript.delta':
    case 'response.output_audio.delta':
    case 'response.function_call_arguments.delta':
    case 'response.mcp_call_arguments.delta':
      return isInItem(event) && typeof event['delta'] === 'string'
    case 'response.output_text.done':
      return isInItem(event) && typeof event['text'] === 'string'
    case 'response.output_audio_transcript.done':
    case 'conversation.item.input_audio_transcription.completed':
      return isInItem(event) && typeof event['transcript'] === 'string'
    case 'response.function_call_arguments.done':
    case 'response.mcp_call_arguments.done':
      return isInItem(event) && typeof event['arguments'] === 'string'
    case 'response.content_part.added':
    case 'response.content_part.done':
      return isInItem(event) && isObject(event['part'])
    case 'conversation.item.deleted':
    case 'conversation.item.truncated':
    case 'conversation.item.input_audio_transcription.delta':
    case 'conversation.item.input_audio_transcription.failed':
      return isInItem(event)
    case 'input_audio_buffer.speech_stopped':
      return isInItem(event) && Number.isFinite(event['audio_end_ms'])
    case 'input_audio_buffer.committed':
      return isInItem(event)
    case 'error':
      return isError(event['error'])
    default:
      return true
  }
}

function isError(error: unknown): boolean {
  return isObject(error) && typeof error['message'] === 'string' && isWords(error['event_id'])
}

function isItem(item: unknown): boolean {
  if (!isObject(item) || typeof item['id'] !== 'string' || typeof item['type'] !== 'string') return false
  switch (item['type']) {
    case 'message':
      return Array.isArray(item['content']) && item['content'].every(isPart)
    case 'function_call':
      return ['call_id', 'name', 'arguments'].every((field) => typeof item[field] === 'string')
    case 'function_call_output':
      return ['call_id', 'output'].every((field) => typeof item[field] === 'string')
    default:
      return true
  }
}

function isPart(part: unknown): boolean {
  return isObject(part) && isWords(part['text']) && isWords(part['transcript'])
}

function isWords(words: unknown): boolean {
  return words === undefined || words === null || typeof words === 'string'
}

function isResponse(response: unknown): boolean {
  if (!isObject(response) || typeof response['id'] !== 'string') return false
  const { output } = response
  return output === undefined || output === null || (Array.isArray(output) && output.every(isItem))
}

function isInItem(event: Fields): boolean {
  const { content_index } = event
  return typeof event['item_id'] === 'string' && (content_index === undefined || isIndex(content_index))
}

function isIndex(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 1_000
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
