/**
 * Audio deltas are found without parsing the whole frame, since nine tenths of a call's bytes are base64.
 *
 * Why that is safe: in a frame without a backslash, the bytes `"delta":"` cannot stand inside a string, so they are the
 * key `delta` and the begin of its value, and the next quote ends it. That field is replaced by `"audio":null`, and the
 * rest is parsed: when it is an audio delta, has that `audio` at its top, and no other `"delta"` anywhere, the field was
 * the event's own. Any other frame is parsed whole.
 */
import { fromBase64 } from '../protocol/base64.ts'
import type { AudioDelta, ServerEvent } from '../protocol/events.ts'
import { isAudioDelta, parse, parseObject } from '../protocol/parse.ts'

export const marker = '"delta":"'
/** Shorter frames are parsed sooner than searched. */
export const searchedFrom = 512

/** A text frame as an event; null when it is none. */
export function readText(text: string): ServerEvent | AudioDelta | null {
  const found = text.length < searchedFrom ? null : findAudio(text)
  return found ?? decoded(parse(text))
}

function findAudio(text: string): AudioDelta | null {
  const at = text.indexOf(marker)
  const start = at + marker.length
  const end = at < 0 ? -1 : text.indexOf('"', start)
  if (end < 0) return null
  return audioDelta(text.slice(0, at), text.slice(start, end), text.slice(end + 1), fromBase64)
}

/** The audio delta of a frame, from what stands before, in and behind its audio; if that is what it is. */
export function audioDelta(
  before: string,
  base64: string,
  behind: string,
  decode: (base64: string) => Uint8Array | null,
): AudioDelta | null {
  const rest = `${before}"audio":null${behind}`
  if (base64.includes('\\') || rest.includes('\\') || rest.includes('"delta"')) return null
  const event = parseObject(rest)
  if (event?.['audio'] !== null || !isAudioDelta(event)) return null
  event['type'] = 'response.output_audio.delta'
  event['delta'] = base64
  event['audio'] = decode(base64)
  return event['audio'] ? (event as unknown as AudioDelta) : null
}

/** An audio delta that was parsed whole gets its bytes. */
export function decoded(event: ServerEvent | null): ServerEvent | AudioDelta | null {
  return event?.type === 'response.output_audio.delta' ? { ...event, audio: fromBase64(event.delta) } : event
}
