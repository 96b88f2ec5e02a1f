/** An answer is cut while it is given, when all that has come of it was heard: its words had run ahead of its sound. */
import { expect, test } from 'vitest'
import { RealtimeAgent, type RealtimeMessageItem } from '../src/index.ts'
import { assistant, began, ended, itemBegan, type Loose, type Puppet, puppet, sound } from './puppet.ts'

const guide = new RealtimeAgent({ name: 'Guide' })
const words = 'The garden is open every day from nine in the morning.'

const part = { type: 'audio', transcript: '' }
const spoken = (status: string) => assistant('a', { status, content: [{ type: 'output_audio', transcript: words }] })
const over = (status: string): Loose[] => [
  { type: 'response.output_item.done', response_id: 'r', output_index: 0, item: spoken(status) },
  ended('r', { status: status === 'completed' ? status : 'cancelled', output: [spoken(status)] }),
]
const shown = ({ session }: Puppet<unknown>) =>
  session.history.find(({ itemId }) => itemId === 'a') as RealtimeMessageItem
const truncated = (it: Puppet<unknown>) =>
  it.toldOf('conversation.item.truncate').map(({ item_id, audio_end_ms }) => [item_id, audio_end_ms])

/** A second of it has come, with all its words, and was heard. */
async function heardSoFar(): Promise<Puppet<unknown>> {
  const it = await puppet(guide)
  const at = { response_id: 'r', item_id: 'a', output_index: 0, content_index: 0 }
  await it.say(
    began('r'),
    ...itemBegan('r', 'a'),
    { type: 'response.content_part.added', ...at, part },
    { type: 'response.output_audio_transcript.delta', ...at, delta: words },
    sound('r', 'a', 1_000),
  )
  await it.run(1_500)
  return it
}

const part1 = { interrupted: true, heardMs: 1_000, heardText: 'The garden is…' }

test('history shows the words that its sound may have had, and what the far end has of it is all that was heard', async () => {
  const it = await heardSoFar()
  it.session.interrupt()
  await it.run()
  expect(shown(it)).toMatchObject(part1)
  await it.say(...over('incomplete'))
  expect(shown(it)).toMatchObject({ ...part1, status: 'incomplete' })
  expect(truncated(it)).toEqual([])
  expect(it.errors).toEqual([])
})

test('where more of it was on its way, the far end is told once where it was cut', async () => {
  const it = await heardSoFar()
  it.session.interrupt()
  await it.say(sound('r', 'a', 200), sound('r', 'a', 200), ...over('incomplete'))
  expect(truncated(it)).toEqual([['a', 1_000]])
  expect(shown(it)).toMatchObject(part1)
})

test('where nothing more was on its way, and it is whole, it was heard to its end', async () => {
  const it = await heardSoFar()
  it.session.interrupt()
  await it.say(...over('completed'))
  expect(truncated(it)).toEqual([])
  expect(shown(it).interrupted).toBeUndefined()
  expect(it.session.state.playback.cuts).toEqual({})
})

test('where more of it was on its way, and it is whole, it was not', async () => {
  const it = await heardSoFar()
  it.session.interrupt()
  await it.say(sound('r', 'a', 2_000), ...over('completed'))
  expect(truncated(it)).toEqual([['a', 1_000]])
  expect(shown(it)).toMatchObject({ ...part1, status: 'completed' })
})

test('the line is lost: the next one is told of the words that may have been heard', async () => {
  const it = await heardSoFar()
  await it.hangUp()
  await it.run(1_000)
  expect(it.lines()).toBe(2)
  expect(it.toldOf('conversation.item.create').map(({ item }) => item)).toMatchObject([
    { id: 'a', content: [{ type: 'output_text', text: 'The garden is…' }] },
  ])
})

test('another answer that is whole is not cut with it', async () => {
  const it = await heardSoFar()
  await it.say(...over('completed'))
  await it.say(began('s'), ...itemBegan('s', 'b', 'a'), sound('s', 'b', 500))
  await it.run(1_000)
  it.session.interrupt()
  await it.run()
  expect(Object.keys(it.session.state.playback.cuts)).toEqual(['b'])
})
