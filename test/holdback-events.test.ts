/** In `holdback` the app is told of what is heard, not of what came. */
import { expect, test } from 'vitest'
import { type OutputGuardrail, RealtimeAgent } from '../src/index.ts'
import { assistant, began, ended, itemBegan, type Loose, type Puppet, puppet, sound } from './puppet.ts'

interface Scene {
  readonly it: Puppet<unknown>
  readonly heard: readonly string[]
  /** The guardrail says what it thinks of all that it was asked. */
  judge(tripwireTriggered: boolean): Promise<void>
}

async function scene(): Promise<Scene> {
  const asked: ((result: { tripwireTriggered: boolean; outputInfo: null }) => void)[] = []
  const slow: OutputGuardrail = { name: 'slow', execute: () => new Promise((resolve) => asked.push(resolve)) }
  const it = await puppet(new RealtimeAgent({ name: 'Clerk' }), {
    outputGuardrails: [slow],
    outputGuardrailSettings: { mode: 'holdback' },
  })
  const heard: string[] = []
  for (const name of ['audio_start', 'audio_stopped', 'audio_interrupted'] as const) {
    it.session.on(name, () => heard.push(name))
  }
  return {
    it,
    heard,
    async judge(tripwireTriggered) {
      for (const one of asked.splice(0)) one({ tripwireTriggered, outputInfo: null })
      await new Promise((resolve) => setImmediate(resolve))
      await it.run()
    },
  }
}

const words = 'Good day.'

/** A whole answer of 300 ms. */
function answer(response_id: string, item_id: string, fields: object = {}): Loose[] {
  const at = { response_id, item_id, output_index: 0, content_index: 0 }
  const item = assistant(item_id, { status: 'completed', content: [{ type: 'output_audio', transcript: words }] })
  return [
    began(response_id, fields),
    ...itemBegan(response_id, item_id),
    { type: 'response.content_part.added', ...at, part: { type: 'audio', transcript: '' } },
    { type: 'response.output_audio_transcript.delta', ...at, delta: words },
    ...[1, 2, 3].map(() => sound(response_id, item_id, 100)),
    { type: 'response.output_audio_transcript.done', ...at, transcript: words },
    { type: 'response.output_item.done', response_id, output_index: 0, item },
    ended(response_id, { output: [item], ...fields }),
  ]
}

test('it starts with the first sample that is heard, and stops with the last', async () => {
  const { it, heard, judge } = await scene()
  await it.say(...answer('r', 'a'))
  await it.run(1_000)
  expect(heard, 'it is not checked yet').toEqual([])
  await judge(false)
  expect(heard).toEqual(['audio_start'])
  await it.run(1_000)
  expect(heard).toEqual(['audio_start', 'audio_stopped'])
})

test('of what is stopped before it was heard, nothing is told', async () => {
  const { it, heard, judge } = await scene()
  await it.say(...answer('r', 'a'))
  await judge(true)
  await it.run(1_000)
  expect(heard).toEqual([])
  await it.session.playbackDrained()
})

test('nor of what is interrupted before it was heard; what is heard and interrupted is told', async () => {
  const { it, heard, judge } = await scene()
  await it.say(...answer('r', 'a'))
  it.session.interrupt()
  await it.run(1_000)
  expect(heard).toEqual([])
  await it.say(...answer('q', 'b'))
  await judge(false)
  it.session.interrupt()
  await it.run()
  expect(heard).toEqual(['audio_start', 'audio_interrupted', 'audio_stopped'])
})

for (const [what, conversation_id] of [
  ['a reply', 'conv_1'],
  ['a reply beside the conversation', null],
] as const) {
  for (const isRefused of [false, true]) {
    test(`${what} gives no sound that ${isRefused ? 'was refused' : 'is not checked'}, and ends with the last`, async () => {
      const { it, judge } = await scene()
      const reply = it.session.generateReply(conversation_id ? {} : { conversation: 'none' })
      let bytes = 0
      let isOver = false
      const reading = (async () => {
        for await (const piece of reply.audio) bytes += piece.length
        isOver = true
      })()
      await it.run()
      const metadata = { parley_reply: reply.id }
      await it.say(...answer('r', 'a', { conversation_id, metadata }))
      expect((await reply.done).text).toBe(words)
      expect([bytes, isOver]).toEqual([0, false])
      await judge(isRefused)
      await reading
      expect(bytes).toBe(isRefused ? 0 : 300 * 48)
    })
  }
}
