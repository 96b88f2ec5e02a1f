/**
 * Audio deltas are found without parsing the whole frame, since nine tenths of a call's bytes are base64.
 *
 * Why that is safe: the bytes `"delta":"` cannot stand inside a JSON string, where each quote has a backslash before it
 * and `delta"` has none; so they are a key that ends in `delta` and the begin of its value. The value is taken up to the
 * next quote, and holds no backslash, so that quote ends it. What remains is parsed with an empty value in its place,
 * must have no escapes (a key could be spelled with them), and must be an audio delta whose own `delta` is the empty one,
 * with no second `"delta"` anywhere. Any other frame is parsed whole.
 */
import { fromBase64 } from '../protocol/base64.ts'
import type { AudioDelta, ServerEvent } from '../protocol/events.ts'
import { parse } from '../protocol/parse.ts'

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
  if (at < 0) return null
  const start = at + marker.length
  const end = text.indexOf('"', start)
  if (end < 0) return null
  const base64 = text.slice(start, end)
  if (base64.includes('\\')) return null
  return audioDelta(text.slice(0, start) + text.slice(end), () => fromBase64(base64))
}

/** The audio delta of a frame without its audio, if that is what it is. */
export function audioDelta(rest: string, audio: () => Uint8Array): AudioDelta | null {
  if (rest.includes('\\')) return null
  const event = parse(rest)
  if (event?.type !== 'response.output_audio.delta' || event.delta !== '') return null
  if (rest.indexOf('"delta"') !== rest.lastIndexOf('"delta"')) return null
  const { delta: _, ...fields } = event
  return { ...fields, audio: audio() }
}

/** An audio delta that was parsed whole. */
export function decoded(event: ServerEvent | null): ServerEvent | AudioDelta | null {
  if (event?.type !== 'response.output_audio.delta') return event
  const { delta, ...fields } = event
  return { ...fields, audio: fromBase64(delta) }
}
