import { expect, test } from 'vitest'
import type { Item, ServerEvent } from '../protocol/events.ts'
import { start } from './state.ts'
import { uplink } from './uplink.ts'

const state = start({ config: { audio: { input: { transcription: { model: 'm' } } } } })
const event = (type: string, rest: object = {}) => ({ type, event_id: 'e', ...rest }) as unknown as ServerEvent
/** 20 ms of PCM16 at 24 kHz, all of one value. */
const frame = (value: number) => new Uint8Array(960).fill(value)
/** The value of each frame, in order. */
const values = (pieces: readonly Uint8Array[]) => {
  const all = Buffer.concat(pieces)
  return Array.from({ length: all.length / 960 }, (_, n) => all[n * 960])
}

function spoken(limit = 1e6) {
  const microphone = uplink(limit)
  for (const value of [1, 2, 3, 4, 5]) microphone.keep(frame(value))
  microphone.received(event('input_audio_buffer.speech_stopped', { item_id: 'a', audio_end_ms: 60 }), state)
  microphone.received(event('input_audio_buffer.committed', { item_id: 'a' }), state)
  return microphone
}

test('a turn is kept until it has words, and then only what came after it', () => {
  const microphone = spoken()
  expect(values(microphone.retell())).toEqual([1, 2, 3, 4, 5])
  microphone.received(event('conversation.item.input_audio_transcription.completed', { item_id: 'a' }), state)
  expect(values(microphone.retell())).toEqual([4, 5])
})

test('a turn that stands in the conversation is not said again after a lost line; one that does not, is', () => {
  const standing = spoken()
  standing.lost({ ...state, conversation: { items: [{ id: 'a' } as Item], open: [], calls: [], responses: [] } })
  expect(values(standing.retell())).toEqual([4, 5])
  const gone = spoken()
  gone.lost(state)
  expect(values(gone.retell())).toEqual([1, 2, 3, 4, 5])
})

test("without transcription a committed turn is the far end's", () => {
  const microphone = uplink(1e6)
  microphone.keep(frame(1))
  microphone.committing()
  microphone.keep(frame(2))
  microphone.received(event('input_audio_buffer.committed', { item_id: 'a' }), start())
  expect(values(microphone.retell())).toEqual([2])
})

test('no more is kept than the limit; the oldest is let go, and said so', () => {
  const microphone = uplink(960 * 3)
  expect([1, 2, 3, 4, 5].map((value) => microphone.keep(frame(value)))).toEqual([true, true, true, false, false])
  expect(values(microphone.retell())).toEqual([3, 4, 5])
})

test("the app's buffer is its own again", () => {
  const microphone = uplink(1e6)
  const buffer = frame(1)
  microphone.keep(buffer)
  buffer.fill(9)
  expect(values(microphone.retell())).toEqual([1])
})
