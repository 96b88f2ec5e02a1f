/** A speaker of the app that throws: it is told once, and nobody waits for a sound that never comes. */
import { expect, test } from 'vitest'
import { RealtimeAgent, type RealtimeMessageItem, type RealtimeSessionOptions, type Speaker } from '../src/index.ts'
import { assistant, began, ended, itemBegan, type Puppet, puppet, sound } from './puppet.ts'

const guide = new RealtimeAgent({ name: 'Guide' })
const allowed = { name: 'allowed', execute: () => ({ tripwireTriggered: false, outputInfo: null }) }

const modes: readonly (readonly [string, Partial<RealtimeSessionOptions<unknown>>])[] = [
  ['a speaker that throws', {}],
  ['so is one behind a holdback', { outputGuardrails: [allowed], outputGuardrailSettings: { mode: 'holdback' } }],
]

test.each(modes)('%s is told once a response; what it did not play counts as not heard', async (_, options) => {
  const { it, played } = await broken(options)
  await answer(it, 'r', 'a')
  expect(it.errors).toEqual([new Error('No device.')])
  await it.session.playbackDrained()
  expect(it.session.state.playback.item).toBeNull()
  expect(it.session.history as readonly RealtimeMessageItem[]).toMatchObject([
    { itemId: 'a', interrupted: true, heardMs: 0, heardText: '', content: [{ transcript: 'Good day.' }] },
  ])
  expect(it.toldOf('conversation.item.delete')).toMatchObject([{ item_id: 'a' }])
  expect(it.toldOf('response.cancel'), 'its words are wanted').toEqual([])

  await answer(it, 'q', 'b')
  expect(it.errors).toHaveLength(2)
  expect(played(), 'nothing more of a response goes to a speaker that threw at it').toBe(2)
})

/** Counts what the speaker was asked to play. */
async function broken(
  options: Partial<RealtimeSessionOptions<unknown>>,
): Promise<{ it: Puppet<unknown>; played(): number }> {
  let played = 0
  const speaker: Speaker = {
    play() {
      played++
      throw new Error('No device.')
    },
    hush: () => [],
  }
  const it = await puppet(guide, { ...options, speaker: () => speaker })
  return { it, played: () => played }
}

async function answer(it: Puppet<unknown>, response_id: string, item_id: string): Promise<void> {
  const at = { response_id, item_id, output_index: 0, content_index: 0 }
  const part = { type: 'output_audio', transcript: 'Good day.' }
  const item = assistant(item_id, { status: 'completed', content: [part] })
  await it.say(
    began(response_id),
    ...itemBegan(response_id, item_id),
    { type: 'response.content_part.added', ...at, part: { type: 'audio', transcript: '' } },
    { type: 'response.output_audio_transcript.delta', ...at, delta: 'Good day.' },
    ...[1, 2, 3].map(() => sound(response_id, item_id, 200)),
    { type: 'response.output_audio_transcript.done', ...at, transcript: 'Good day.' },
    { type: 'response.output_item.done', response_id, output_index: 0, item },
    ended(response_id, { output: [item] }),
  )
  await it.run(500)
}
