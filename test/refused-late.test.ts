/** With `holdback`, an answer is refused when its response has ended, and a newer one is heard by then. */
import { expect, test } from 'vitest'
import { type OutputGuardrail, RealtimeAgent, type RealtimeMessageItem } from '../src/index.ts'
import { assistant, began, ended, itemBegan, type Loose, type Puppet, puppet, sound } from './puppet.ts'

const guide = new RealtimeAgent({ name: 'Guide' })

const words = (response_id: string, item_id: string, delta: string): Loose[] => [
  ...itemBegan(response_id, item_id),
  {
    type: 'response.content_part.added',
    ...{ response_id, item_id, output_index: 0, content_index: 0 },
    part: { type: 'audio', transcript: '' },
  },
  {
    type: 'response.output_audio_transcript.delta',
    ...{ response_id, item_id, output_index: 0, content_index: 0, delta },
  },
]
const over = (id: string, item: string, transcript: string) =>
  ended(id, {
    output: [assistant(item, { status: 'completed', content: [{ type: 'output_audio', transcript }] })],
  })

/** What is checked has `ok` in it, or waits until it is refused. */
async function held(): Promise<Puppet<unknown> & { refuse(): Promise<void> }> {
  let trip = () => {}
  const slow: OutputGuardrail = {
    name: 'slow',
    execute: ({ agentOutput }: { agentOutput: string }) =>
      agentOutput.endsWith('ok')
        ? { tripwireTriggered: false, outputInfo: null }
        : new Promise((resolve) => {
            trip = () => resolve({ tripwireTriggered: true, outputInfo: null })
          }),
  }
  const it = await puppet(guide, {
    outputGuardrails: [slow],
    outputGuardrailSettings: { mode: 'holdback', debounceTextLength: 2 },
  })
  return {
    ...it,
    async refuse() {
      trip()
      await it.run()
    },
  }
}

const shown = ({ session }: Puppet<unknown>) => session.history as readonly RealtimeMessageItem[]
const deleted = (it: Puppet<unknown>) => it.toldOf('conversation.item.delete').map(({ item_id }) => item_id)
const truncated = (it: Puppet<unknown>) =>
  it.toldOf('conversation.item.truncate').map(({ item_id, audio_end_ms }) => [item_id, audio_end_ms])

test('the far end forgets what nobody heard of it, and the newer one is heard to its end', async () => {
  const it = await held()
  await it.say(began('r'), ...words('r', 'a', 'Bad.'), sound('r', 'a', 500), over('r', 'a', 'Bad.'))
  await it.say(began('s'), ...words('s', 'b', 'Fine, ok'), sound('s', 'b', 500), over('s', 'b', 'Fine, ok'))
  await it.refuse()
  expect(deleted(it)).toEqual(['a'])
  expect(shown(it)[0]).toMatchObject({ itemId: 'a', interrupted: true, heardText: '' })
  await it.run(2_000)
  expect(it.session.state.playback.item).toBeNull()
  expect(shown(it)[1]!.interrupted).toBeUndefined()
  expect(truncated(it)).toEqual([])
  expect(it.errors).toEqual([])
})

test('what had passed of it stays, and no more', async () => {
  const it = await held()
  await it.say(began('r'), ...words('r', 'a', 'First, ok'), sound('r', 'a', 200))
  const more = { type: 'response.output_audio_transcript.delta', response_id: 'r', item_id: 'a', output_index: 0 }
  await it.say({ ...more, content_index: 0, delta: ' bad.' }, sound('r', 'a', 500), over('r', 'a', 'First, ok bad.'))
  await it.say(began('s'), ...words('s', 'b', 'Fine, ok'), sound('s', 'b', 500), over('s', 'b', 'Fine, ok'))
  await it.refuse()
  expect(truncated(it)).toEqual([['a', 200]])
  expect(shown(it)[0]).toMatchObject({ interrupted: true, heardMs: 200 })
  it.session.interrupt()
  await it.run()
  expect(truncated(it).filter(([id]) => id === 'a')).toHaveLength(1)
})

test('what passed before its first sound came is heard at once', async () => {
  const it = await held()
  let heard = 0
  it.session.on('audio', ({ data }) => (heard += data.byteLength))
  await it.say(began('r'), ...words('r', 'a', 'First, ok'))
  await it.say(sound('r', 'a', 200))
  expect(heard).toBe(200 * 48)
})
