import { expect, test } from 'vitest'
import type { Item, ServerEvent } from '../protocol/events.ts'
import { start } from './state.ts'
import { uplink } from './uplink.ts'

const state = start({ config: { audio: { input: { transcription: { model: 'm' } } } } })
const event = (type: string, rest: object = {}) => ({ type, event_id: 'e', ...rest }) as unknown as ServerEvent
/** 20 ms of PCM16 at 24 kHz, all of one value. */
const frame = (value: number) => new Uint8Array(960).fill(value)
/** The value of each frame, in order. */
const values = (pieces: readonly (Uint8Array | null)[]) =>
  pieces.flatMap((piece) =>
    piece ? Array.from({ length: piece.length / 960 }, (_, n): unknown => piece[n * 960]) : ['commit'],
  )

function spoken() {
  const microphone = uplink()
  for (const value of [1, 2, 3, 4, 5]) microphone.keep(frame(value), state)
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
  standing.lost({
    ...state,
    conversation: { ...state.conversation, items: [{ id: 'a' } as Item] },
  })
  expect(values(standing.retell())).toEqual([4, 5])
  const gone = spoken()
  gone.lost(state)
  expect(values(gone.retell())).toEqual([1, 2, 3, 4, 5])
})

test('a noise that is deleted, or is to be, is not said again after a lost line', () => {
  const deleted = spoken()
  deleted.received(event('conversation.item.deleted', { item_id: 'a' }), state)
  expect(values(deleted.retell())).toEqual([4, 5])
  const doomed = spoken()
  doomed.lost({ ...state, removed: ['a'] })
  expect(values(doomed.retell())).toEqual([4, 5])
})

test('what is taken back is what no turn has taken, whatever comes before the far end has done it', () => {
  const byHand = start({ config: { audio: { input: { transcription: { model: 'm' }, turn_detection: null } } } })
  const microphone = uplink()
  microphone.keep(frame(1), byHand)
  microphone.committing()
  for (const value of [2, 3]) microphone.keep(frame(value), byHand)
  microphone.clearing()
  microphone.keep(frame(4), byHand)
  microphone.received(event('input_audio_buffer.cleared'), byHand)
  expect(values(microphone.retell())).toEqual([1, 'commit', 4])
})

test('what was taken back still counts where the far end says that a turn ended', () => {
  const microphone = uplink()
  microphone.keep(frame(1), state)
  microphone.clearing()
  for (const value of [2, 3, 4]) microphone.keep(frame(value), state)
  microphone.received(event('input_audio_buffer.speech_stopped', { item_id: 'a', audio_end_ms: 60 }), state)
  microphone.received(event('input_audio_buffer.committed', { item_id: 'a' }), state)
  microphone.received(event('conversation.item.input_audio_transcription.completed', { item_id: 'a' }), state)
  expect(values(microphone.retell())).toEqual([4])
})

test("without transcription a committed turn is the far end's", () => {
  const microphone = uplink()
  microphone.keep(frame(1), state)
  microphone.committing()
  microphone.keep(frame(2), state)
  microphone.received(event('input_audio_buffer.committed', { item_id: 'a' }), start())
  expect(values(microphone.retell())).toEqual([2])
})

test('no more is kept than the limit; the oldest is let go, and said so', () => {
  for (const [format, bytes] of [
    [{ type: 'audio/pcm', rate: 24_000 }, 720_000],
    [{ type: 'audio/pcmu' }, 120_000],
  ] as const) {
    const microphone = uplink()
    const said = start({ config: { audio: { input: { format } } } })
    const half = new Uint8Array(bytes / 2)
    expect([1, 2, 3].map(() => microphone.keep(half, said))).toEqual([true, true, false])
    expect(microphone.retell().reduce((sum, piece) => sum + (piece?.length ?? 0), 0)).toBe(bytes)
  }
})

test('what we committed is committed again on the next line, unless the far end has understood it', () => {
  const said = () => {
    const microphone = uplink()
    for (const value of [1, 2, 3]) {
      microphone.keep(frame(value), state)
      if (value < 3) microphone.committing()
    }
    return microphone
  }
  const unheard = said()
  unheard.lost(state)
  expect(values(unheard.retell())).toEqual([1, 'commit', 2, 'commit', 3])
  unheard.received(event('input_audio_buffer.committed', { item_id: 'a' }), state)
  unheard.received(event('conversation.item.input_audio_transcription.completed', { item_id: 'a' }), state)
  unheard.lost(state)
  expect(values(unheard.retell())).toEqual([2, 'commit', 3])

  const acknowledged = said()
  acknowledged.received(event('input_audio_buffer.committed', { item_id: 'a' }), state)
  acknowledged.received(event('input_audio_buffer.committed', { item_id: 'b' }), state)
  acknowledged.received(event('conversation.item.input_audio_transcription.completed', { item_id: 'b' }), state)
  acknowledged.lost(state)
  expect(values(acknowledged.retell())).toEqual([3])
})

test("the app's buffer is its own again", () => {
  const microphone = uplink()
  const buffer = frame(1)
  microphone.keep(buffer, state)
  buffer.fill(9)
  expect(values(microphone.retell())).toEqual([1])
})
