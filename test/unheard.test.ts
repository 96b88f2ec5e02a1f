/** What is cut before any of it was heard: the far end forgets it, and history says that nothing was heard of it. */
import { expect, test } from 'vitest'
import { RealtimeAgent, type RealtimeMessageItem } from '../src/index.ts'
import { assistant, began, ended, itemBegan, type Loose, type Puppet, puppet, sound, usual } from './puppet.ts'

const guide = new RealtimeAgent({ name: 'Guide' })

const part = { type: 'audio', transcript: '' }
const words = (response_id: string, item_id: string, delta: string): Loose[] => [
  { type: 'response.content_part.added', response_id, item_id, output_index: 0, content_index: 0, part },
  { type: 'response.output_audio_transcript.delta', response_id, item_id, output_index: 0, content_index: 0, delta },
]
const spoken = (id: string, transcript: string, status = 'incomplete') =>
  assistant(id, { status, content: [{ type: 'output_audio', transcript }] })
const cancelled = (id: string, ...output: readonly object[]) => ended(id, { status: 'cancelled', output })
const user = { id: 'u', type: 'message', role: 'user', content: [{ type: 'input_text', text: 'And?' }] }

const deleted = (it: Puppet<unknown>) => it.toldOf('conversation.item.delete').map(({ item_id }) => item_id)
const shown = ({ session }: Puppet<unknown>) => session.history as readonly RealtimeMessageItem[]
const unheard = { interrupted: true, heardMs: 0, heardText: '' }

/** Words have come, and no sound: it is interrupted. */
async function cutBeforeItSounds(options = {}): Promise<Puppet<unknown>> {
  const it = await puppet(guide, options)
  await it.say(began('r'), ...itemBegan('r', 'a'), ...words('r', 'a', 'It is sunny'))
  it.session.interrupt()
  await it.run()
  expect(deleted(it), 'an item that may grow is not deleted').toEqual([])
  await it.say(cancelled('r', spoken('a', 'It is sunny')))
  return it
}

test('what was cut before it sounded is deleted at the far end, and stands in history as unheard', async () => {
  const it = await cutBeforeItSounds()
  expect(deleted(it)).toEqual(['a'])
  expect(it.toldOf('conversation.item.truncate')).toEqual([])
  expect(shown(it)).toMatchObject([{ itemId: 'a', ...unheard, content: [{ transcript: 'It is sunny' }] }])
  expect(it.errors).toEqual([])
})

test('so is what sounds only after it was cut', async () => {
  const it = await puppet(guide)
  await it.say(began('r'), ...itemBegan('r', 'a'), ...words('r', 'a', 'It is sunny'))
  it.session.interrupt()
  await it.say(sound('r', 'a', 500), cancelled('r', spoken('a', 'It is sunny')))
  expect(deleted(it)).toEqual(['a'])
  expect(shown(it)).toMatchObject([unheard])
})

test('what was queued and not heard is deleted once its response has ended, and what follows stands behind it', async () => {
  const it = await puppet(guide)
  await it.say(
    began('r'),
    ...itemBegan('r', 'a'),
    ...words('r', 'a', 'One.'),
    sound('r', 'a', 1_000),
    ...itemBegan('r', 'b', 'a'),
    ...words('r', 'b', 'Two.'),
    sound('r', 'b', 1_000),
  )
  it.session.interrupt()
  await it.run()
  expect(deleted(it)).toEqual([])
  await it.say(cancelled('r', spoken('a', 'One.', 'completed'), spoken('b', 'Two.')))
  expect(deleted(it)).toEqual(['b'])
  expect(it.toldOf('conversation.item.truncate')).toMatchObject([{ item_id: 'a' }])
  await it.say({ type: 'conversation.item.added', previous_item_id: 'a', item: user })
  expect(shown(it).map(({ itemId }) => itemId)).toEqual(['a', 'b', 'u'])
  expect(shown(it)[1]).toMatchObject(unheard)
})

test('what was given to its end and not heard is deleted at once', async () => {
  const it = await puppet(guide)
  await it.say(began('r'), ...itemBegan('r', 'a'), sound('r', 'a', 1_000))
  await it.say(...itemBegan('r', 'b', 'a'), ...words('r', 'b', 'Two.'), sound('r', 'b', 500))
  await it.say(ended('r', { output: [spoken('a', '', 'completed'), spoken('b', 'Two.', 'completed')] }))
  it.session.interrupt()
  await it.run()
  expect(deleted(it)).toEqual(['b'])
})

test('what was heard, and what was written, is not deleted', async () => {
  const it = await puppet(guide)
  await it.say(began('r'), ...itemBegan('r', 'a'), ...words('r', 'a', 'One.'), sound('r', 'a', 20))
  await it.run(200)
  const text = { type: 'response.output_text.delta', response_id: 'r', item_id: 'b', content_index: 0, delta: 'Two.' }
  await it.say(...itemBegan('r', 'b', 'a'), text)
  it.session.interrupt()
  await it.say(cancelled('r', spoken('a', 'One.', 'completed'), assistant('b', { status: 'incomplete' })))
  expect(deleted(it)).toEqual([])
})

test('that it is not there any more is no error', async () => {
  const it = await cutBeforeItSounds({
    answer: (event: { type: string; event_id?: string }) =>
      event.type === 'conversation.item.delete'
        ? [
            {
              type: 'error',
              error: { type: 'invalid_request_error', message: 'No such item.', event_id: event.event_id },
            },
          ]
        : usual(event as never),
  })
  expect(deleted(it)).toEqual(['a'])
  expect(it.errors).toEqual([])
})

test('taken out of the history, it goes without a word to the far end', async () => {
  const it = await cutBeforeItSounds()
  it.session.updateHistory((history) => history.filter(({ itemId }) => itemId !== 'a'))
  await it.run()
  expect(shown(it)).toEqual([])
  expect(deleted(it)).toEqual(['a'])
  expect(it.session.state.removed).toEqual([])
})

test('the next line is not told of it', async () => {
  const it = await cutBeforeItSounds()
  await it.hangUp()
  await it.run(1_000)
  expect(it.lines()).toBe(2)
  expect(it.toldOf('conversation.item.create')).toEqual([])
  expect(shown(it)).toMatchObject([unheard])
  expect(it.errors).toEqual([])
})
