/** A far end that does not say back by what name it was asked: `metadata` is null in all that it gives. */
import { describe, expect, test } from 'vitest'
import { RealtimeAgent } from '../src/index.ts'
import { assistant, began, ended, itemBegan, type Loose, puppet } from './puppet.ts'

const agent = new RealtimeAgent({ name: 'Clerk' })
const unnamed = { metadata: null }
const words = (response_id: string, item_id: string, text: string): Loose[] => {
  const item = assistant(item_id, { status: 'completed', content: [{ type: 'output_text', text }] })
  const at = { response_id, item_id, output_index: 0, content_index: 0 }
  return [
    began(response_id, unnamed),
    ...itemBegan(response_id, item_id),
    { type: 'response.output_text.delta', ...at, delta: text },
    { type: 'response.output_text.done', ...at, text },
    { type: 'response.output_item.done', response_id, output_index: 0, item },
    ended(response_id, { ...unnamed, output: [item] }),
  ]
}

test('a reply gets what is given next, and the one after it the next', async () => {
  const it = await puppet(agent, { config: { outputModalities: ['text'] } })
  const replies = ['One.', 'Two.'].map((text) => it.session.generateReply(`Say ${text}`))
  await it.run()
  await it.say(...words('r1', 'a', 'One.'))
  await it.say(...words('r2', 'b', 'Two.'))
  expect(await Promise.all(replies.map(({ done }) => done))).toMatchObject([{ text: 'One.' }, { text: 'Two.' }])
  expect(it.errors).toEqual([])
})

test('an answer to who spoke meanwhile is not taken for it', async () => {
  const it = await puppet(agent, { config: { outputModalities: ['text'] } })
  const reply = it.session.generateReply('Say hello.')
  await it.run()
  const lost: Loose = {
    type: 'error',
    error: {
      type: 'invalid_request_error',
      code: 'conversation_already_has_active_response',
      message: 'There is one.',
      event_id: reply.id,
    },
  }
  const [first, ...rest] = words('theirs', 'a', 'I heard you.')
  await it.say({ type: 'input_audio_buffer.committed', item_id: 'u', previous_item_id: null }, first!, lost, ...rest)
  await it.say(...words('r', 'b', 'Hello.'))
  expect(await reply.done).toMatchObject({ text: 'Hello.' })
  expect(it.errors).toEqual([])
})

describe('one that says no conversation_id', () => {
  const unsaid = { conversation_id: undefined }
  /** A response as it is told of beside the conversation: nothing is mirrored. */
  const aside = (name: string): Loose[] =>
    words('r', 'a', 'In sum.')
      .filter(({ type }) => !String(type).startsWith('conversation.'))
      .map(({ response, ...event }) => {
        const metadata = { parley_reply: name }
        return { ...event, ...(response ? { response: { ...response, ...unsaid, metadata } } : {}) }
      })

  test('does not bring into the conversation what was asked for beside it, and is asked for more meanwhile', async () => {
    const it = await puppet(agent, { config: { outputModalities: ['text'] } })
    const log: string[] = []
    it.session.on('agent_start', () => log.push('start'))
    const reply = it.session.generateReply({ conversation: 'none', instructions: 'Sum up.' })
    await it.run()
    const whole = aside(reply.id)
    await it.say(...whole.slice(0, -1))
    it.session.sendMessage('Hello?')
    await it.run()
    expect(it.toldOf('response.create')).toHaveLength(2)
    await it.say(whole.at(-1)!)
    expect(await reply.done).toMatchObject({ text: 'In sum.' })
    expect(it.session.history.map((item) => item.type === 'message' && item.role)).toEqual(['user'])
    const { responses, absent } = it.session.state.conversation
    expect([responses, absent.size, it.session.state.turn.beside, log, it.errors]).toEqual([[], 0, [], [], []])
  })

  test('brings all else into it', async () => {
    const it = await puppet(agent, { config: { outputModalities: ['text'] } })
    const beside = it.session.generateReply({ conversation: 'none', instructions: 'Sum up.' })
    const reply = it.session.generateReply('Say hello.')
    await it.run()
    await it.say(...aside(reply.id))
    expect(await reply.done).toMatchObject({ text: 'In sum.' })
    expect(it.session.history).toHaveLength(1)
    expect(it.session.state.turn.beside.map(({ id }) => id)).toEqual([beside.id])
  })
})
