/** What becomes of items while they are told, and after: deleted, cut off, brought with audio, told sentence by sentence. */
import { describe, expect, test } from 'vitest'
import { textOf } from '../src/conversation/conversation.ts'
import type { ClientEvent } from '../src/protocol/events.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import { defaultTranscription } from '../src/server/rules/session-config.ts'
import type { Utterance, Voice } from '../src/server/senses.ts'
import { toneVoice } from '../src/testing/senses.ts'
import { type FarCall, farCall, written } from './far-call.ts'

const respond: ClientEvent = { type: 'response.create' }
const inText: ClientEvent = { type: 'response.create', response: { output_modalities: ['text'] } }
const say = (text: string): Utterance => ({ type: 'say', text })
const call = (name: string, args = {}): Utterance => ({ type: 'call', name, arguments: args })
const retrieve = (item_id: string): ClientEvent => ({ type: 'conversation.item.retrieve', item_id })
const truncate = (item_id: string, audio_end_ms: number): ClientEvent => ({
  type: 'conversation.item.truncate',
  item_id,
  content_index: 0,
  audio_end_ms,
})
const answerOf = (far: FarCall) => (far.last('response.done').response.output![0] as { readonly id: string }).id
const bytes = (base64: string) => Buffer.from(base64, 'base64').length

describe('an answer is told sentence by sentence', () => {
  const text = 'Good  morning.\nIt is order no. 5.  It comes at 5 p.m. on Tuesday!\n'

  test('the voice has one sentence at a time, and the first is heard before the second is asked for', async () => {
    const log: string[] = []
    const voice: Voice = {
      rate: 24_000,
      speak(sentence) {
        log.push(sentence)
        return [new Int16Array(2_400)]
      },
    }
    const far = await farCall({ brain: scripted(() => [say(text)]), voice, pace: 1 })
    await far.say([respond], 50)
    expect(log).toEqual(['Good  morning.'])
    expect(far.all('response.output_audio.delta')).toHaveLength(1)
    await far.world.settle(10_000)
    expect(log).toEqual(['Good  morning.', 'It is order no. 5.', 'It comes at 5 p.m. on Tuesday!'])
    expect(far.last('response.output_audio_transcript.done').transcript).toBe(text)
    const deltas = far.all('response.output_audio_transcript.delta').map(({ delta }) => delta)
    expect(deltas.join('')).toBe(text)
  })

  test('in text, too, words and spaces are the brain’s own; texts that follow each other have a space between', async () => {
    const far = await farCall({ brain: scripted(() => [say(text), say('And?')]) })
    await far.say([inText])
    const deltas = far.all('response.output_text.delta').map(({ delta }) => delta)
    expect(deltas.join('')).toBe(`${text} And?`)
    expect(far.last('response.output_text.done').text).toBe(`${text} And?`)
  })
})

test('an item that is deleted while it is being told does not come back', async () => {
  const far = await farCall({ brain: scripted(() => [say('This takes a very long time to say.')]) })
  await far.say([written('hello', 'u1'), respond], 200)
  const { item_id } = far.last('response.output_audio.delta')
  await far.say([{ type: 'conversation.item.delete', item_id }], 1)
  far.ladder()
  await far.world.settle(60_000)
  expect(far.ladder()).toEqual([
    'response.output_audio.delta',
    'response.output_audio.done',
    'response.output_audio_transcript.done',
    'response.content_part.done',
    'response.output_item.done',
    'response.done',
    'rate_limits.updated',
  ])
  expect(far.last('response.done').response).toMatchObject({ status: 'completed', output: [{ id: item_id }] })
  await far.say([retrieve(item_id)], 1)
  expect(far.last('error').error.code).toBe('item_retrieve_invalid_item_id')
  await far.say([written('after', 'u2')], 1)
  expect(far.last('conversation.item.added').previous_item_id).toBe('u1')
})

test('a call that is cut off by the limit is closed, with the arguments so far', async () => {
  const far = await farCall({ brain: scripted(() => [call('look', { where: 'a place with a very long name' })]) })
  far.ladder()
  await far.say([{ type: 'response.create', response: { max_output_tokens: 5 } }])
  expect(far.ladder()).toEqual([
    'response.created',
    'response.output_item.added',
    'conversation.item.added',
    'response.function_call_arguments.delta',
    'response.function_call_arguments.done',
    'conversation.item.done',
    'response.output_item.done',
    'response.done',
    'rate_limits.updated',
  ])
  const cut = { type: 'function_call', name: 'look', arguments: '{"where":"a place wi', status: 'incomplete' }
  expect(far.last('response.function_call_arguments.done')).toMatchObject({ name: 'look', arguments: cut.arguments })
  expect(far.last('conversation.item.done').item).toMatchObject(cut)
  expect(far.last('response.output_item.done').item).toMatchObject(cut)
  expect(far.last('response.done').response).toMatchObject({ status: 'incomplete', output: [cut] })
})

test.each([
  [false, ['a']],
  [true, ['a', 'b']],
])('with parallel_tool_calls %s, an answer makes the calls %j', async (parallel_tool_calls, names) => {
  const far = await farCall({ brain: scripted(() => [call('a'), call('b')]) })
  await far.say([{ type: 'session.update', session: { type: 'realtime', parallel_tool_calls } }, respond])
  const { status, output } = far.last('response.done').response
  expect(status).toBe('completed')
  expect(output!.map((item) => 'name' in item && item.name)).toEqual(names)
})

describe('an answer that is cut off', () => {
  const words = 'One two three four five six seven eight nine ten.'

  /** A far end, and what its brain knew of the last answer each time it was asked. */
  async function talk() {
    const known: string[] = []
    const brain = scripted(({ items }) => {
      const last = items.at(-1)
      known.push(last ? textOf(last) : '')
      return [say(words)]
    })
    return { far: await farCall({ brain, voice: toneVoice({ msPerLetter: 20 }) }), known }
  }

  test('twice is cut off where it was cut off last', async () => {
    const { far, known } = await talk()
    await far.say([respond])
    const id = answerOf(far)
    await far.say([truncate(id, 500), respond])
    await far.say([{ type: 'conversation.item.delete', item_id: answerOf(far) }, truncate(id, 280), respond])
    expect(known).toEqual(['', 'One two three four five…', 'One two three…'])
  })

  test('while it is said has no more sound and no words', async () => {
    const { far, known } = await talk()
    await far.say([respond], 60)
    const { item_id } = far.last('response.output_audio.delta')
    await far.say([truncate(item_id, 100)])
    expect(far.last('response.done').response.status).toBe('completed')
    await far.say([retrieve(item_id), truncate(item_id, 101)], 1)
    const { item } = far.last('conversation.item.retrieved') as unknown as { item: { content: { audio: string }[] } }
    expect(item.content).toEqual([{ type: 'output_audio', audio: expect.any(String) }])
    expect(bytes(item.content[0]!.audio)).toBe(100 * 48)
    expect(far.last('error').error).toMatchObject({ code: 'invalid_value', param: 'audio_end_ms' })
    await far.say([respond])
    expect(known.at(-1)).not.toContain('ten')
  })
})

describe('a message that brings audio', () => {
  const audio = Buffer.from(Int16Array.from({ length: 4_800 }, (_, n) => 20 * n).buffer).toString('base64')
  const spoken: ClientEvent = {
    type: 'conversation.item.create',
    item: {
      id: 'u1',
      type: 'message',
      role: 'user',
      content: [
        { type: 'input_text', text: 'Listen: ' },
        { type: 'input_audio', audio },
      ],
    },
  }

  test('is heard; the brain has its words, and it is retrieved with its audio', async () => {
    const known: string[] = []
    let samples = 0
    const far = await farCall({
      brain: scripted(({ items }) => {
        known.push(items.map(textOf).join('|'))
        return []
      }),
      ears: {
        rate: 16_000,
        listen: () => ({
          hear(piece) {
            samples += piece.length
          },
          finish: async () => 'where is my order',
          cancel() {},
        }),
      },
    })
    await far.say([spoken, respond, retrieve('u1')])
    expect(JSON.stringify(far.all('conversation.item.added')[0])).not.toContain('"audio"')
    expect(known).toEqual(['Listen: where is my order'])
    expect(samples).toBe(3_200)
    expect(far.last('conversation.item.retrieved').item).toMatchObject({
      content: [{ type: 'input_text' }, { type: 'input_audio', transcript: null, audio }],
    })
  })

  test('is transcribed in its place, where transcription is on', async () => {
    const far = await farCall({ session: defaultTranscription() })
    await far.say([spoken])
    expect(far.last('conversation.item.input_audio_transcription.completed')).toMatchObject({
      item_id: 'u1',
      content_index: 1,
      transcript: 'hello there',
    })
  })
})

test('a session keeps its name and its end, whatever a client says', async () => {
  for (const session of [undefined, defaultTranscription()]) {
    const far = await farCall(session ? { session } : {})
    const { id, object, expires_at, type } = far.last('session.created').session
    const change = { type, id: 'sess_mine', object: 'mine', expires_at: 5 } as unknown as { type: 'realtime' }
    await far.say([{ type: 'session.update', session: change }], 1)
    expect(far.last('session.updated').session).toMatchObject({ id, object, expires_at })
    expect(id).toMatch(/^sess_/)
  }
})
