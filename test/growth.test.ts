/** Two thousand turns with tools and interruptions: what the session knows is of what is open, and of what still stands. */
import { expect, test } from 'vitest'
import { RealtimeAgent, tool } from '../src/index.ts'
import { assistant, began, calling, ended, itemBegan, type Loose, type Puppet, puppet, sound } from './puppet.ts'

const turns = 2_000
const kept = 20

/** Words that are cut while they sound, and words that are cut before. */
function answer(n: number): Loose[] {
  const [response_id, item_id] = [`r${n}`, `a${n}`]
  const at = { response_id, item_id, output_index: 0, content_index: 0 }
  return [
    began(response_id),
    ...itemBegan(response_id, item_id),
    { type: 'response.content_part.added', ...at, part: { type: 'audio', transcript: '' } },
    { type: 'response.output_audio_transcript.delta', ...at, delta: 'It is sunny.' },
    ...(n % 2 ? [sound(response_id, item_id, 400)] : []),
  ]
}

const cancelled = (n: number) => {
  const content = [{ type: 'output_audio', transcript: 'It is sunny.' }]
  return ended(`r${n}`, { status: 'cancelled', output: [assistant(`a${n}`, { status: 'incomplete', content })] })
}

function sizesOf({ session }: Puppet<unknown>) {
  const { turn, playback, conversation, pending, removed, updates, interruption } = session.state
  const { calls, answered, cut, owed, beside } = turn
  const { begun = [], unheard = [] } = playback
  const open = { calls, answered, owed, beside, unheard, pending, removed, updates, noises: interruption.noises }
  return {
    open: Object.values(open).reduce((sum, { length }) => sum + length, 0),
    recent: cut.length + begun.length,
    cuts: Object.keys(playback.cuts).length,
    items: conversation.items.length,
    wordless: conversation.wordless.size,
  }
}

test('two thousand turns', async () => {
  let ran = 0
  const look = tool({
    name: 'look',
    description: 'Looks.',
    parameters: { type: 'object', properties: {} },
    execute: () => `seen ${++ran}`,
  })
  const it = await puppet(new RealtimeAgent({ name: 'Guide', tools: [look] }))
  let most = 0
  for (let n = 0; n < turns; n++) {
    await it.say(...calling(`c${n}`, 'look'))
    await it.say(...answer(n))
    it.session.interrupt()
    await it.say(cancelled(n))
    most = Math.max(most, sizesOf(it).open)
    if (n % 500 === 499) {
      const whole = sizesOf(it)
      expect(whole.cuts).toBeLessThanOrEqual(whole.items)
      it.session.updateHistory((history) => history.slice(-kept))
      await it.run(200)
      const left = sizesOf(it)
      expect(left.items, 'calls, their outputs, answers').toBeLessThanOrEqual(2 * kept)
      expect(left).toMatchObject({ open: 0, cuts: kept / 2, wordless: 0 })
      expect(left.recent).toBeLessThan(64)
    }
  }
  expect(ran).toBe(turns)
  expect(most).toBeLessThan(8)
  const outputs = it.toldOf('conversation.item.create').filter(({ item }) => item.type === 'function_call_output')
  expect(outputs).toHaveLength(turns)
  expect(it.errors).toEqual([])

  const last = `c${turns - 1}`
  await it.say(...calling(last, 'look'))
  await it.say(...calling('again', 'look', '{}', `call_${last}`).map((event) => renamed(event, 'item_other')))
  expect(ran, 'a call that is told again does not run again').toBe(turns)
  const again = it.toldOf('conversation.item.create').slice(outputs.length)
  expect(again.map(({ item }) => item.type === 'function_call_output' && item.output)).toEqual([`seen ${turns}`])
}, 60_000)

/** The same call, made by another item. */
function renamed(event: Loose, id: string): Loose {
  const { item, response } = event as Loose & { item?: object; response?: { output: readonly object[] } }
  if (item) return { ...event, item: { ...item, id } }
  return response
    ? { ...event, response: { ...response, output: response.output.map((one) => ({ ...one, id })) } }
    : event
}
