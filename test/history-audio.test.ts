/** `historyStoreAudio`: the sound of what was said stays on the history's items, and nowhere in the state. */
import { expect, test } from 'vitest'
import { RealtimeAgent, type RealtimeItem } from '../src/index.ts'
import { began, ended, itemBegan, puppet, sound } from './puppet.ts'
import { oneTurn, speak } from './speaking.ts'
import { type Script, say, talk } from './talk.ts'

const agent = new RealtimeAgent({ name: 'Clerk' })
const script: Script = () => [say('Here I am.')]
const partOf = (item: RealtimeItem | undefined) =>
  (item?.type === 'message' ? item.content[0] : {}) as { readonly transcript?: string; readonly audio?: string | null }
const bytesOf = (item: RealtimeItem | undefined) => Buffer.from(partOf(item).audio ?? '', 'base64')

test('what both have said is there, as it sounded', async () => {
  const it = await talk(agent, script, { ears: ['hello there'], historyStoreAudio: true })
  const heard: Uint8Array[] = []
  it.session.on('audio', ({ data }) => heard.push(new Uint8Array(data)))
  await speak(it, oneTurn)
  await it.run()
  const [user, assistant] = it.session.history
  expect([partOf(user).transcript, partOf(assistant).transcript]).toEqual(['hello there', 'Here I am.'])
  expect(bytesOf(assistant).equals(Buffer.concat(heard))).toBe(true)
  expect(heard.length).toBeGreaterThan(0)
  // Six letters of 100 ms: at 48 bytes a ms, with what stands around them.
  expect(bytesOf(user).length).toBeGreaterThan(600 * 48)
  expect(JSON.stringify(it.session.state)).not.toContain('"audio":"')
  expect(it.errors).toEqual([])
})

test('by default there is none, and none is asked for', async () => {
  const it = await talk(agent, script, { ears: ['hello there'] })
  await speak(it, oneTurn)
  await it.run()
  expect(it.session.history.map((item) => 'audio' in partOf(item))).toEqual([false, false])
  expect(it.toldTypes()).not.toContain('conversation.item.retrieve')
})

test('while it comes it is null, and its coming is told; other items stay the same objects', async () => {
  const it = await puppet(agent, { historyStoreAudio: true })
  it.session.sendMessage('hello', {}, { triggerResponse: false })
  await it.run()
  await it.say(
    began('r'),
    ...itemBegan('r', 'a', it.session.history[0]!.itemId),
    {
      type: 'response.content_part.added',
      response_id: 'r',
      item_id: 'a',
      output_index: 0,
      content_index: 0,
      part: { type: 'audio', transcript: '' },
    },
    sound('r', 'a', 100),
  )
  const [hello, growing] = it.session.history
  expect(partOf(growing).audio).toBeNull()
  const told: number[] = []
  it.session.on('history_updated', (history) => told.push(bytesOf(history[1]).length))
  const item = {
    id: 'a',
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_audio', transcript: 'So.' }],
  }
  await it.say(
    { type: 'response.output_item.done', response_id: 'r', output_index: 0, item },
    ended('r', { output: [item] }),
  )
  expect(told.at(-1)).toBe(4_800)
  expect(it.session.history[0]).toBe(hello)
})

test('a far end that has it not any more is no error', async () => {
  const it = await puppet(agent, {
    historyStoreAudio: true,
    answer: (event) =>
      event.type === 'conversation.item.retrieve'
        ? [{ type: 'error', error: { type: 'x', code: 'item_not_found', message: 'Gone.', event_id: event.event_id } }]
        : undefined,
  })
  const item = {
    id: 'u',
    type: 'message',
    role: 'user',
    status: 'completed',
    content: [{ type: 'input_audio', transcript: null }],
  }
  await it.say(
    { type: 'conversation.item.added', previous_item_id: null, item },
    { type: 'conversation.item.done', previous_item_id: null, item },
  )
  await it.run()
  expect(it.toldOf('conversation.item.retrieve')).toMatchObject([{ item_id: 'u' }])
  expect(partOf(it.session.history[0]).audio).toBeNull()
  expect(it.errors).toEqual([])
})

test('of an answer that a lost line has cut off, what came of it is there', async () => {
  const it = await puppet(agent, { historyStoreAudio: true })
  const at = { response_id: 'r', item_id: 'a', output_index: 0, content_index: 0 }
  await it.say(
    began('r'),
    ...itemBegan('r', 'a'),
    { type: 'response.content_part.added', ...at, part: { type: 'audio', transcript: '' } },
    { type: 'response.output_audio_transcript.delta', ...at, delta: 'So.' },
    sound('r', 'a', 100),
  )
  await it.hangUp()
  await it.run(1_000)
  expect(it.lines()).toBe(2)
  expect(bytesOf(it.session.history[0])).toHaveLength(4_800)
})
