import { expect, test } from 'vitest'
import {
  added,
  created,
  done,
  dropped,
  event,
  kinds,
  live,
  message,
  noticed,
  over,
  refused,
  sent,
  session,
} from '../../test/in-hand.ts'
import type { ServerEvent } from '../protocol/events.ts'
import type { Input } from './state.ts'

const configured = (id: string, instructions: string): Input => ({ type: 'configured', id, config: { instructions } })
const accepted = event('session.updated', { session: {} })
const wrong = (event_id: string) => refused('invalid_value', event_id)

test('updates are accepted in order; one that is refused leaves those after it', () => {
  const it = session()
  it.play(...live, configured('a', 'A'), configured('b', 'B'), configured('c', 'C'))
  expect(noticed(it.play(accepted))).toEqual([{ type: 'accepted', ids: ['a'] }])
  it.play(wrong('b'))
  expect(it.state.config.instructions).toBe('C')
  it.play(wrong('c'))
  expect(it.state.config.instructions).toBe('A')
  expect(it.state.updates).toEqual([])
})

test('an update while the line is joined is said when it has joined, and accepted by itself', () => {
  const it = session()
  it.play({ type: 'started' }, configured('early', 'E'))
  it.play({ type: 'opened' })
  it.play(configured('late', 'L'))
  const effects = it.play(accepted)
  expect(noticed(effects)).toEqual([{ type: 'accepted', ids: ['early'] }])
  expect(sent(effects)).toEqual(['session.update'])
  expect(noticed(it.play(accepted))).toEqual([{ type: 'accepted', ids: ['late'] }])
})

test('an item that was deleted stays away from the next line, and what stood behind it is placed at the end', () => {
  const it = session()
  const item = (id: string) =>
    ({ type: 'conversation.item.create', event_id: `say_${id}`, item: message(id, id) }) as const
  it.play(...live, ...['a', 'b'].flatMap((id) => [added(message(id, id)), done(message(id, id))]))
  const edit = {
    type: 'edited',
    removed: ['a'],
    created: [{ ...item('c'), previous_item_id: 'a' }],
  } as const satisfies object as Input
  expect(sent(it.play(edit))).toEqual(['conversation.item.delete', 'conversation.item.create c'])
  it.play(dropped())
  it.at(10_000)
  const effects = it.play({ type: 'woke' }, { type: 'opened' }, accepted)
  expect(sent(effects)).toEqual(['session.update', 'conversation.item.create b', 'conversation.item.create c'])
  expect(effects.at(-2)).not.toHaveProperty('event.previous_item_id')
  expect(it.state.conversation.items.map(({ id }) => id)).toEqual(['b'])
})

test('one response is cut, and what is heard of a newer one goes on', () => {
  const { play } = session()
  play(...live, created('old'))
  const audio = (response_id: string): Input => ({
    type: 'received',
    event: {
      type: 'response.output_audio.delta',
      event_id: 'e',
      response_id,
      item_id: `i_${response_id}`,
      output_index: 0,
      content_index: 0,
      audio: new Uint8Array(2),
    } as unknown as ServerEvent,
  })
  play(audio('old'), over('old'), created('new'), audio('new'))
  expect(play({ type: 'cut', response_id: 'old' })).toEqual([])
  expect(kinds(play({ type: 'cut', response_id: 'new' }))).toEqual(['transmit', 'hush'])
  expect(play(audio('new'))).toEqual([])
})
