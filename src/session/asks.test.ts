import { expect, test } from 'vitest'
import {
  added,
  answered,
  asked,
  call,
  created,
  dropped,
  event,
  live,
  made,
  named,
  noticed,
  over,
  refused,
  sent,
  session,
  wish,
  wished,
} from '../../test/in-hand.ts'
import type { ServerEvent } from '../protocol/events.ts'
import { type Input, plain } from './state.ts'

test('responses with wishes of their own are given one after the other; any response answers a plain one', () => {
  const { play } = session()
  play(...live)
  expect(wished(play(wish('one'), asked, wish('two'), asked))).toEqual(['one'])
  expect(wished(play(created('r1', named('one')), over('r1')))).toEqual(['two'])
  expect(wished(play(created('r2', named('two')), over('r2')))).toEqual([])
})

test('a response that the far end began by itself is not the one that was asked for by name', () => {
  const it = session()
  it.play(...live, wish('mine'), created('vad'))
  expect(it.state.turn.asked?.ask.id).toBe('mine')
  expect(wished(it.play(refused('conversation_already_has_active_response', 'mine')))).toEqual([])
  expect(wished(it.play(over('vad')))).toEqual(['mine'])
})

test('a far end that says no names gives what was asked for next, unless it heard a turn that it may answer by itself', () => {
  const unnamed = { metadata: null }
  const it = session()
  it.play(...live, wish('mine'), created('r', unnamed))
  expect([it.state.turn.asked, it.state.turn.given?.ask.id]).toEqual([null, 'mine'])
  it.play(over('r'), wish('next'), event('input_audio_buffer.committed', { item_id: 'u' }), created('vad', unnamed))
  expect([it.state.turn.asked?.ask.id, it.state.turn.given?.ask.id]).toEqual(['next', null])
  const done = { id: 'vad', status: 'completed', output: [], ...unnamed }
  it.play(event('response.done', { response: done }), created('r2', unnamed))
  expect([it.state.turn.asked, it.state.turn.given?.ask.id]).toEqual([null, 'next'])
})

test('beside the conversation, it gives them in the order in which they were asked for', () => {
  const it = session()
  it.play(...live, wish('a', { conversation: 'none' }), wish('b', { conversation: 'none' }))
  it.play(created('x', { conversation_id: null, metadata: null }))
  expect(it.state.turn.beside.map(({ id }) => id)).toEqual(['b'])
})

test('responses beside the conversation wait for none, and are asked for again only where they had not begun', () => {
  const { play } = session()
  play(...live, created('r'))
  const beside = (id: string) => wish(id, { conversation: 'none' })
  expect(wished(play(beside('a'), beside('b')))).toEqual(['a', 'b'])
  play(created('x', { conversation_id: null, ...named('a') }), dropped())
  play({ type: 'started' }, { type: 'woke' })
  const again = session({})
  expect(wished(again.play(beside('a'), ...live))).toEqual(['a'])
})

test('what is not wanted any more is not asked for; under way, it is cancelled as it begins', () => {
  const it = session()
  it.play(...live, wish('one'), wish('two'), { type: 'unasked', id: 'two' }, { type: 'unasked', id: 'one' })
  expect(sent(it.play(created('r1', named('one'))))).toEqual(['response.cancel'])
  expect(sent(it.play(over('r1', [])))).toEqual([])
})

test('an interruption before anything began drops what was asked for, and says which', () => {
  const { play } = session()
  play(...live, wish('one'), wish('two'))
  expect(noticed(play({ type: 'interrupted', cancel: true }))).toContainEqual({ type: 'dropped', ids: ['two', 'one'] })
})

test('what the user asks while calls are open is answered at once; what was asked before waits for them', () => {
  const { play } = session()
  play(...live, created('r'), asked)
  expect(sent(play(...made('a'), over('r', [call('a')])))).toEqual([])
  expect(sent(play(asked))).toEqual(['response.create'])
  play(created('r2'), answered('a'), added({ ...(answered('a') as { item: object }).item }))
  expect(sent(play(over('r2')))).toEqual(['response.create'])
})

test('an answer that waits for a quiet moment comes when nobody speaks', () => {
  const { play } = session()
  const audio = {
    type: 'response.output_audio.delta',
    event_id: 'e',
    response_id: 'r',
    item_id: 'a',
    output_index: 0,
    content_index: 0,
    audio: new Uint8Array(2),
  }
  play(
    ...live,
    created('r'),
    { type: 'received', event: audio as unknown as ServerEvent },
    ...made('a'),
    over('r', [call('a')]),
  )
  expect(wished(play({ ...answered('a'), ask: { ...plain, when: 'idle' } } as Input))).toEqual([])
  play(event('input_audio_buffer.speech_started', { item_id: 'u', audio_start_ms: 0 }))
  play(event('input_audio_buffer.speech_stopped', { item_id: 'u', audio_end_ms: 0 }))
  expect(wished(play({ type: 'drained' }))).toEqual(['any'])
})
