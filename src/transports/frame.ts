/**
 * Audio deltas are found without parsing the whole frame, since nine tenths of a call's bytes are base64.
 *
 * Why that is safe: in a frame without a backslash, the bytes `"delta":"` cannot stand inside a string, so they are the
 * key `delta` and the begin of its value, and the next quote ends it. That field is replaced by `"audio":null`, and the
 * rest is parsed: when it is an audio delta, has that `audio` at its top, and no other `"audio"` or `"delta"` anywhere, the
 * field was the event's own. Any other frame is parsed whole.
 *
 * Audio deltas of one item differ in the event's id and in their audio alone: one that is the same as the last in all
 * other letters is the same event but for these two, and is not parsed at all.
 */
import { fromBase64 } from '../protocol/base64.ts'
import type { AudioDelta, ServerEvent } from '../protocol/events.ts'
import { isAudioDelta, parse, parseObject } from '../protocol/parse.ts'

const marker = '"delta":"'
const idMarker = '"event_id":"'
/** Shorter frames are parsed sooner than searched. */
export const searchedFrom = 512

/** A frame as an event; null when it is none. */
export type ReadFrame<Frame> = (frame: Frame) => ServerEvent | AudioDelta | null

/** Bytes of base64; null for what is not base64 from end to end. */
type Decode = (base64: string) => Uint8Array | null

/** What stays the same from one audio delta to the next. */
interface Pattern {
  /** The letters up to the event's id, from its end to the audio, and behind the audio. */
  readonly before: string
  readonly between: string
  readonly behind: string
  readonly event: AudioDelta
}

/** Reads the frames of one line, one after another. */
export function frameReader(decode: Decode = decodePlain): ReadFrame<string> {
  let last: Pattern | null = null

  function findAudio(text: string): AudioDelta | null {
    const next = last && following(last, text, decode)
    if (next) return next
    const found = audioDelta(text, decode)
    if (found) last = patternOf(text, found)
    return found
  }

  return (text) => (text.length < searchedFrom ? null : findAudio(text)) ?? parsedWhole(text)
}

function decodePlain(base64: string): Uint8Array | null {
  return /[^\w+/=-]/.test(base64) ? null : fromBase64(base64)
}

/** The audio delta of a frame, if that is what it is. */
function audioDelta(text: string, decode: Decode): AudioDelta | null {
  const at = text.indexOf(marker)
  const start = at + marker.length
  const end = at < 0 ? -1 : text.indexOf('"', start)
  if (end < 0) return null
  const [before, behind] = [text.slice(0, at), text.slice(end + 1)]
  const rest = `${before}"audio":null${behind}`
  if (rest.includes('\\') || rest.includes('"delta"') || before.includes('"audio"') || behind.includes('"audio"'))
    return null
  const event = parseObject(rest)
  if (event?.['audio'] !== null || !isAudioDelta(event)) return null
  const delta = text.slice(start, end)
  const audio = decode(delta)
  return audio && ({ ...event, type: 'response.output_audio.delta', delta, audio } as unknown as AudioDelta)
}

/** Null where the event's id is not known from all else at first sight: it has to stand once, before the audio. */
function patternOf(text: string, event: AudioDelta): Pattern | null {
  const start = text.indexOf(marker) + marker.length
  const [before = '', rest = '', more] = text.slice(0, start).split(idMarker)
  const idEnd = rest.indexOf('"')
  const between = rest.slice(idEnd)
  const behind = text.slice(start + event.delta.length)
  const isPlain = more === undefined && idEnd >= 0 && rest.slice(0, idEnd) === event.event_id
  if (!isPlain || `${before}${between}${behind}`.includes('"event_id"')) return null
  return { before: `${before}${idMarker}`, between, behind, event: { ...event, delta: '', audio: new Uint8Array() } }
}

function following({ before, between, behind, event }: Pattern, text: string, decode: Decode): AudioDelta | null {
  const idEnd = text.startsWith(before) ? text.indexOf('"', before.length) : -1
  const start = idEnd + between.length
  const end = text.length - behind.length
  if (idEnd < 0 || start > end || !text.startsWith(between, idEnd) || !text.endsWith(behind)) return null
  const event_id = text.slice(before.length, idEnd)
  const delta = text.slice(start, end)
  const audio = isWord(event_id) ? decode(delta) : null
  return audio && { ...event, event_id, delta, audio }
}

function isWord(text: string): boolean {
  return /^[\w-]+$/.test(text)
}

/** A frame that is parsed whole. */
export function parsedWhole(text: string): ServerEvent | AudioDelta | null {
  return decoded(parse(text))
}

/** An audio delta that was parsed whole gets its bytes. */
export function decoded(event: ServerEvent | null): ServerEvent | AudioDelta | null {
  return event?.type === 'response.output_audio.delta' ? { ...event, audio: fromBase64(event.delta) } : event
}
