/** The normative orders of events, one ladder a test, as the real service sends them. */
import { expect, test } from 'vitest'
import type { ClientEvent, SessionConfig, TurnDetection } from '../src/protocol/events.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import { defaultTranscription } from '../src/server/rules/session-config.ts'
import { farCall, recording, written } from './far-call.ts'

const respond: ClientEvent = { type: 'response.create' }
const configure = (session: Partial<SessionConfig>): ClientEvent => ({
  type: 'session.update',
  session: { type: 'realtime', ...session },
})
const input = (fields: NonNullable<NonNullable<SessionConfig['audio']>['input']>) =>
  configure({ audio: { input: fields } })
const say = (text: string) => ({ type: 'say', text }) as const
const inWriting = configure({ output_modalities: ['text'] })

const opening = [
  'response.created',
  'response.output_item.added',
  'conversation.item.added',
  'response.content_part.added',
]
const closing = [
  'response.content_part.done',
  'conversation.item.done',
  'response.output_item.done',
  'response.done',
  'rate_limits.updated',
]
const spoken = [
  ...opening,
  'response.output_audio_transcript.delta',
  'response.output_audio.delta',
  'response.output_audio.done',
  'response.output_audio_transcript.done',
  ...closing,
]
const inText = [...opening, 'response.output_text.delta', 'response.output_text.done', ...closing]
const placed = ['conversation.item.added', 'conversation.item.done']
const committed = ['input_audio_buffer.committed', ...placed]
const transcribed = [
  'conversation.item.input_audio_transcription.delta',
  'conversation.item.input_audio_transcription.completed',
]

test('connecting', async () => {
  const far = await farCall()
  expect(far.ladder()).toEqual(['session.created'])
  await far.say([configure({ instructions: 'Be brief.' })], 1)
  expect(far.ladder()).toEqual(['session.updated'])
  expect(far.last('session.updated').session).toMatchObject({ type: 'realtime', instructions: 'Be brief.' })
})

test('a turn in writing', async () => {
  const far = await farCall()
  await far.say([inWriting], 1)
  far.ladder()
  await far.say([written('hello', 'u1')], 1)
  expect(far.ladder()).toEqual(placed)
  await far.say([{ ...respond, response: { metadata: { topic: 'greeting' } } }], 60_000)
  expect(far.ladder()).toEqual(inText)

  const created = far.last('response.created').response
  expect(created).toMatchObject({ status: 'in_progress', output: [], usage: null, metadata: { topic: 'greeting' } })
  expect(created.conversation_id).toMatch(/^conv_/)
  expect(far.last('response.output_item.added').item).toMatchObject({ status: 'in_progress', content: [] })
  const answer = far.all('conversation.item.added').at(-1)!
  expect(answer).toMatchObject({ previous_item_id: 'u1', item: far.last('response.output_item.added').item })
  expect(far.last('response.content_part.added').part).toEqual({ type: 'text', text: '' })
  expect(
    far
      .all('response.output_text.delta')
      .map(({ delta }) => delta)
      .join(''),
  ).toBe('Hello to you.')
  const { status, output, usage, metadata } = far.last('response.done').response
  expect(status).toBe('completed')
  expect(output).toMatchObject([{ status: 'completed', content: [{ type: 'output_text', text: 'Hello to you.' }] }])
  expect(metadata).toEqual({ topic: 'greeting' })
  expect(usage!.total_tokens).toBe(usage!.input_tokens! + usage!.output_tokens!)
})

test('a spoken turn, the end of which is heard', async () => {
  const far = await farCall()
  await far.say([input({ transcription: { model: 'gpt-transcribe' } })], 1)
  far.ladder()
  await far.speak('ssttttts')
  expect(far.ladder()).toEqual(['input_audio_buffer.speech_started'])
  await far.speak('sss')
  await far.world.settle(far.world.now() + 60_000)
  const ladder = far.ladder()
  expect(ladder.filter((type) => !type.includes('transcription'))).toEqual([
    'input_audio_buffer.speech_stopped',
    ...committed,
    ...spoken,
  ])
  expect(ladder.filter((type) => type.includes('transcription'))).toEqual(transcribed)

  const { item_id, audio_start_ms } = far.last('input_audio_buffer.speech_started')
  const { audio_end_ms } = far.last('input_audio_buffer.speech_stopped')
  expect(audio_start_ms).toBe(0)
  expect(audio_end_ms).toBeGreaterThanOrEqual(900)
  expect(audio_end_ms).toBeLessThanOrEqual(1_000)
  expect(far.last('input_audio_buffer.speech_stopped').item_id).toBe(item_id)
  expect(far.last('input_audio_buffer.committed')).toMatchObject({ item_id, previous_item_id: null })
  expect(far.all('conversation.item.added')[0]!.item).toMatchObject({
    id: item_id,
    role: 'user',
    content: [{ type: 'input_audio', transcript: null }],
  })
  expect(far.last('conversation.item.input_audio_transcription.completed')).toMatchObject({
    item_id,
    transcript: 'hello there',
  })
  expect(far.last('response.content_part.added').part).toEqual({ type: 'audio', transcript: '' })
  expect(JSON.stringify(far.last('response.done'))).not.toContain('"audio":"')
})

test('audio times count what was written, over clear and commit', async () => {
  const far = await farCall()
  await far.speak('sssss')
  await far.say([{ type: 'input_audio_buffer.clear' }], 1)
  expect(far.ladder()).toEqual(['session.created', 'input_audio_buffer.cleared'])
  await far.speak('sssssttttt')
  expect(far.last('input_audio_buffer.speech_started').audio_start_ms).toBe(700)
})

test('a turn that the client commits', async () => {
  const far = await farCall()
  await far.say([input({ turn_detection: null, transcription: { model: 'gpt-transcribe' } })], 1)
  far.ladder()
  await far.speak('tttt')
  expect(far.ladder()).toEqual([])
  await far.say([{ type: 'input_audio_buffer.commit' }], 1_000)
  expect(far.ladder()).toEqual([...committed, ...transcribed])
  await far.say([respond], 60_000)
  expect(far.ladder()).toEqual(spoken)
  await far.say([{ type: 'input_audio_buffer.commit', event_id: 'again' }], 1)
  expect(far.last('error').error).toMatchObject({ code: 'input_audio_buffer_commit_empty', event_id: 'again' })
})

test('a whole recording in one event is heard as if it had been spoken', async () => {
  let samples = 0
  const ears = {
    rate: 16_000,
    listen: () => ({
      hear(audio: Int16Array) {
        samples += audio.length
      },
      finish: async () => '',
      cancel() {},
    }),
  }
  const far = await farCall({ ears })
  await far.say([recording('ssttttttssssssstttttsss')], 60_000)
  expect(far.ladder().filter((type) => type.startsWith('input_audio_buffer'))).toEqual([
    'input_audio_buffer.speech_started',
    'input_audio_buffer.speech_stopped',
    'input_audio_buffer.committed',
    'input_audio_buffer.speech_started',
    'input_audio_buffer.speech_stopped',
    'input_audio_buffer.committed',
  ])
  expect(samples / 16).toBeGreaterThan(1_100 + 2 * 300)
})

test('words are told as the ears have them', async () => {
  let tell: ((delta: string) => void) | undefined
  let finish: ((words: string) => void) | undefined
  const ears = {
    rate: 16_000,
    listen: () => ({
      hear() {},
      finish: () => new Promise<string>((resolve) => (finish = resolve)),
      cancel() {},
      set onPartial(listener: (delta: string) => void) {
        tell = listener
      },
    }),
  }
  const far = await farCall({ ears })
  const turn_detection = { type: 'server_vad', create_response: false } as const
  await far.say([input({ turn_detection, transcription: { model: 'gpt-transcribe' } })], 1)
  await far.speak('stttt')
  tell?.('where')
  await far.speak('ssss')
  tell?.(' is my')
  finish?.('where is my order')
  await far.speak('s')
  const deltas = far.all('conversation.item.input_audio_transcription.delta').map(({ delta }) => delta)
  expect(deltas).toEqual(['where', ' is my', ' order'])
  expect(far.ladder().slice(-6)).toEqual(
    [...committed, ...transcribed].slice(-5).toSpliced(0, 0, 'input_audio_buffer.speech_stopped'),
  )
})

test('a commit in the midst of speech takes the announced item, and nothing is heard to stop', async () => {
  const far = await farCall()
  await far.speak('sttttt')
  await far.say([{ type: 'input_audio_buffer.commit' }], 1)
  await far.speak('sssss')
  expect(far.ladder()).toEqual(['session.created', 'input_audio_buffer.speech_started', ...committed])
  expect(far.last('input_audio_buffer.committed').item_id).toBe(far.last('input_audio_buffer.speech_started').item_id)
})

test('a spoken turn that asks for no answer', async () => {
  const far = await farCall()
  const turn_detection = { type: 'server_vad', create_response: false, interrupt_response: false } as const
  await far.say([input({ turn_detection })], 1)
  far.ladder()
  await far.speak('sttttsssss')
  await far.world.settle(far.world.now() + 60_000)
  expect(far.ladder()).toEqual(['input_audio_buffer.speech_started', 'input_audio_buffer.speech_stopped', ...committed])
})

test('a message and two calls in one response, then their answers', async () => {
  const far = await farCall({
    brain: scripted(({ items }) =>
      items.at(-1)?.type === 'function_call_output'
        ? [say('Done.')]
        : [
            say('One moment.'),
            { type: 'call', name: 'sky', arguments: { city: 'Berlin' } },
            { type: 'call', name: 'wind', arguments: {} },
          ],
    ),
  })
  await far.say([inWriting, written('weather?')], 1)
  far.ladder()
  await far.say([respond], 60_000)
  const call = [
    'response.output_item.added',
    'conversation.item.added',
    'response.function_call_arguments.delta',
    'response.function_call_arguments.done',
    'conversation.item.done',
    'response.output_item.done',
  ]
  expect(far.ladder()).toEqual([...inText.slice(0, -2), ...call, ...call, 'response.done', 'rate_limits.updated'])
  expect(far.all('response.output_item.added').map(({ output_index }) => output_index)).toEqual([0, 1, 2])
  const begun = far.all('response.output_item.added')[1]!.item
  expect(begun).toMatchObject({ type: 'function_call', name: 'sky', arguments: '', status: 'in_progress' })
  const [sky, wind] = far.all('response.function_call_arguments.done')
  expect([sky!.name, sky!.arguments]).toEqual(['sky', '{"city":"Berlin"}'])
  expect(sky!.call_id).not.toBe(wind!.call_id)
  expect(far.last('response.done').response.output).toHaveLength(3)

  const outputs = [sky!, wind!].map(
    ({ call_id }): ClientEvent => ({
      type: 'conversation.item.create',
      item: { type: 'function_call_output', call_id, output: 'fine' },
    }),
  )
  await far.say([...outputs, respond], 60_000)
  expect(far.ladder()).toEqual([...placed, ...placed, ...inText])
})

test('a response that is cancelled closes what it began, with what was said', async () => {
  const far = await farCall({ brain: scripted(() => [say('This takes a very long time to say.')]) })
  await far.say([written('hello'), respond], 200)
  far.ladder()
  const said = far.all('response.output_audio.delta').length
  const { id } = far.last('response.created').response
  await far.say([{ type: 'response.cancel', response_id: id }], 60_000)
  expect(far.ladder()).toEqual(['response.output_audio.done', 'response.output_audio_transcript.done', ...closing])
  expect(far.all('response.output_audio.delta')).toHaveLength(said)
  const { status, status_details, output } = far.last('response.done').response
  expect([status, status_details]).toEqual(['cancelled', { type: 'cancelled', reason: 'client_cancelled' }])
  expect(output).toMatchObject([{ status: 'incomplete' }])
  await far.say([{ type: 'response.cancel', event_id: 'late' }], 1)
  expect(far.last('error').error).toMatchObject({ code: 'response_cancel_not_active', event_id: 'late' })
})

test('barge-in: what is being said ends, and the client says how much was heard', async () => {
  const far = await farCall({ brain: scripted(() => [say('This takes a very long time to say.')]) })
  await far.say([written('hello'), respond], 300)
  far.ladder()
  await far.speak('stt')
  expect(far.ladder()).toEqual([
    'response.output_audio.delta',
    'input_audio_buffer.speech_started',
    'response.output_audio.done',
    'response.output_audio_transcript.done',
    ...closing,
  ])
  const { status, status_details, output } = far.last('response.done').response
  expect([status, status_details]).toEqual(['cancelled', { type: 'cancelled', reason: 'turn_detected' }])
  const item_id = (output![0] as { id: string }).id
  const truncate = (audio_end_ms: number): ClientEvent => ({
    type: 'conversation.item.truncate',
    item_id,
    content_index: 0,
    audio_end_ms,
  })
  await far.say([truncate(250)], 1)
  expect(far.ladder()).toEqual(['conversation.item.truncated'])
  await far.say([truncate(251)], 1)
  expect(far.last('error').error).toMatchObject({
    code: 'invalid_value',
    param: 'audio_end_ms',
    message: 'Audio content of 250ms is already shorter than 251ms',
  })
  await far.speak('tttsss')
  await far.world.settle(far.world.now() + 60_000)
  expect(far.ladder()).toEqual(['error', 'input_audio_buffer.speech_stopped', ...committed, ...spoken])
})

test('a truncated item has lost its words', async () => {
  const far = await farCall()
  await far.say([written('hello'), respond], 60_000)
  const item_id = (far.last('response.done').response.output![0] as { id: string }).id
  await far.say([
    { type: 'conversation.item.truncate', item_id, content_index: 0, audio_end_ms: 100 },
    { type: 'conversation.item.retrieve', item_id },
  ])
  expect(JSON.stringify(far.last('conversation.item.retrieved').item)).not.toContain('Hello')
})

test('a response out of band stands beside the active one and leaves no trace', async () => {
  const far = await farCall({
    brain: scripted(({ instructions }) => [say(instructions === 'sum' ? 'A sum.' : 'A long answer to a question.')]),
  })
  await far.say([written('hello', 'u1'), respond], 100)
  far.ladder()
  const beside = {
    conversation: 'none',
    instructions: 'sum',
    output_modalities: ['text'],
    metadata: { why: 'sum' },
  } as const
  await far.say([{ type: 'response.create', response: beside }], 1)
  const ladder = far.ladder().filter((type) => !type.includes('audio'))
  expect(ladder).toEqual(inText.filter((type) => !type.startsWith('conversation.')))
  const done = far.last('response.done').response
  expect(done).toMatchObject({ conversation_id: null, metadata: { why: 'sum' }, status: 'completed' })
  await far.world.settle(far.world.now() + 60_000)
  expect(far.all('response.done')).toHaveLength(2)
  await far.say([{ type: 'conversation.item.retrieve', item_id: (done.output![0] as { id: string }).id }], 1)
  expect(far.last('error').error.code).toBe('item_retrieve_invalid_item_id')
})

test('a response is given to the input that it is asked with', async () => {
  const seen: string[][] = []
  const far = await farCall({
    brain: scripted(({ items }) => {
      seen.push(items.map((item) => JSON.stringify('content' in item ? item.content : null)))
      return []
    }),
  })
  const item = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'alone' }] } as const
  await far.say([written('one', 'u1'), written('two', 'u2')], 1)
  for (const given of [[], [item], [{ type: 'item_reference', id: 'u2' } as const]]) {
    await far.say([{ type: 'response.create', response: { conversation: 'none', input: given } }], 1_000)
  }
  expect(seen.map((items) => items.join().match(/one|two|alone/g) ?? [])).toEqual([[], ['alone'], ['two']])
})

test('nobody says anything: the silence is a turn of its own', async () => {
  const far = await farCall()
  await far.say([input({ turn_detection: { type: 'server_vad', idle_timeout_ms: 5_000 } }), written('hello')], 1)
  far.ladder()
  await far.say([respond], 5_500)
  expect(far.ladder()).toEqual(spoken)
  await far.world.settle(far.world.now() + 1_000)
  expect(far.ladder().slice(0, 5)).toEqual(['input_audio_buffer.timeout_triggered', ...committed, 'response.created'])
  expect(far.last('input_audio_buffer.timeout_triggered').item_id).toBe(
    far.last('input_audio_buffer.committed').item_id,
  )
})

const idle = (change = {}) =>
  input({ turn_detection: { type: 'server_vad', idle_timeout_ms: 5_000, ...change } as TurnDetection })

test('the silence that is a turn begins where the answer was heard out', async () => {
  const far = await farCall({ pace: 4 })
  await far.say([idle(), written('hello'), respond], 1)
  await far.speak('s'.repeat(70))
  const { audio_start_ms, audio_end_ms } = far.last('input_audio_buffer.timeout_triggered')
  const [first] = far.all('response.created')
  const sound = far.all('response.output_audio.delta').filter(({ response_id }) => response_id === first!.response.id)
  const heardMs = sound.reduce((sum, { delta }) => sum + (delta.length * 3) / 4 / 48, 0)
  expect(Math.abs(audio_start_ms - heardMs)).toBeLessThanOrEqual(200)
  expect(audio_end_ms - audio_start_ms).toBeGreaterThanOrEqual(4_900)
  expect(audio_end_ms - audio_start_ms).toBeLessThanOrEqual(5_100)
})

test('there is no such turn while the user speaks, nor after it was turned off', async () => {
  const far = await farCall()
  await far.say([idle({ interrupt_response: false }), written('hello'), respond], 1)
  await far.speak(`ss${'t'.repeat(80)}`)
  expect(far.all('input_audio_buffer.timeout_triggered')).toEqual([])
  await far.speak('s'.repeat(10))
  await far.say([idle({ idle_timeout_ms: null })], 60_000)
  expect(far.all('input_audio_buffer.timeout_triggered')).toEqual([])
})

test('such a turn comes once, though the end of an answer and the end of its sound are told in one moment', async () => {
  const far = await farCall({
    outgoing({ stopped }) {
      let isPlaying = false
      const play = () => {
        isPlaying = true
      }
      const finish = (response_id: string) => {
        isPlaying = false
        stopped(response_id)
      }
      return {
        ...{ play, finish },
        clear: () => ({ response_id: null, cut: [] }),
        get isPlaying() {
          return isPlaying
        },
      }
    },
  })
  await far.say([idle(), written('hello'), respond], 7_000)
  expect(far.all('input_audio_buffer.timeout_triggered').length).toBe(1)
})

test('items are placed, retrieved and deleted', async () => {
  const far = await farCall()
  const at = (id: string, previous_item_id?: string) => ({
    ...written(id, id),
    ...(previous_item_id ? { previous_item_id } : {}),
  })
  await far.say([at('a'), at('b'), at('front', 'root'), at('after-a', 'a')] as ClientEvent[], 1)
  expect(far.all('conversation.item.added').map(({ item, previous_item_id }) => [item.id, previous_item_id])).toEqual([
    ['a', null],
    ['b', 'a'],
    ['front', null],
    ['after-a', 'a'],
  ])
  far.ladder()
  const item_id = 'b'
  await far.say(
    [
      { type: 'conversation.item.retrieve', item_id },
      { type: 'conversation.item.delete', item_id },
    ],
    1,
  )
  expect(far.ladder()).toEqual(['conversation.item.retrieved', 'conversation.item.deleted'])
  await far.say([{ type: 'conversation.item.delete', item_id, event_id: 'twice' }], 1)
  expect(far.last('error').error).toMatchObject({ code: 'item_delete_invalid_item_id', event_id: 'twice' })
})

test('spoken items are retrieved with their audio', async () => {
  const far = await farCall()
  await far.speak('sttttsssss')
  await far.world.settle(far.world.now() + 60_000)
  const user = far.last('input_audio_buffer.committed').item_id
  const answer = (far.last('response.done').response.output![0] as { id: string }).id
  const audioOf = async (item_id: string) => {
    await far.say([{ type: 'conversation.item.retrieve', item_id }], 1)
    const [part] = (far.last('conversation.item.retrieved').item as unknown as { content: { audio: string }[] }).content
    return Buffer.from(part!.audio, 'base64').length
  }
  const made = far.all('response.output_audio.delta').map(({ delta }) => Buffer.from(delta, 'base64').length)
  expect(await audioOf(answer)).toBe(made.reduce((sum, length) => sum + length, 0))
  expect(await audioOf(user)).toBeGreaterThanOrEqual(600 * 48)
})

test('a response that has said enough is incomplete', async () => {
  const far = await farCall({ brain: scripted(() => [say('This is much longer than that.')]) })
  await far.say([inWriting, written('hello')], 1)
  far.ladder()
  await far.say([{ type: 'response.create', response: { max_output_tokens: 4 } }], 1_000)
  expect(far.ladder()).toEqual(inText)
  const { status, status_details, output } = far.last('response.done').response
  expect([status, status_details]).toEqual(['incomplete', { type: 'incomplete', reason: 'max_output_tokens' }])
  expect(output).toMatchObject([{ status: 'incomplete' }])
})

test('a response that fails is done, and says why', async () => {
  const far = await farCall({
    brain: scripted(() => {
      throw new Error('No thought came.')
    }),
  })
  await far.say([written('hello')], 1)
  far.ladder()
  await far.say([respond], 1_000)
  expect(far.ladder()).toEqual(['response.created', 'response.done', 'rate_limits.updated'])
  expect(far.last('response.done').response).toMatchObject({
    status: 'failed',
    status_details: { type: 'failed', error: { message: 'No thought came.' } },
  })
})

test('words that cannot be had are said to be missing', async () => {
  const far = await farCall({
    ears: {
      rate: 16_000,
      listen: () => ({ hear() {}, finish: () => Promise.reject(new Error('There are no ears.')), cancel() {} }),
    },
  })
  const turn_detection = { type: 'server_vad', create_response: false } as const
  await far.say([input({ transcription: { model: 'gpt-transcribe' }, turn_detection })], 1)
  await far.speak('sttttsssss')
  expect(far.ladder().at(-1)).toBe('conversation.item.input_audio_transcription.failed')
  expect(far.last('conversation.item.input_audio_transcription.failed').error.message).toBe('There are no ears.')
})

test('a transcription session hears turns and gives no responses', async () => {
  const far = await farCall({ session: defaultTranscription() })
  await far.speak('sttttsssss')
  expect(far.ladder()).toEqual([
    'session.created',
    'input_audio_buffer.speech_started',
    'input_audio_buffer.speech_stopped',
    ...committed,
    ...transcribed,
  ])
  await far.say([respond], 1)
  expect(far.ladder()).toEqual(['error'])
})

test.each(['audio/pcmu', 'audio/pcma'] as const)('%s: 8 kHz, a byte a sample, both ways', async (type) => {
  const far = await farCall()
  await far.say([
    configure({ audio: { input: { format: { type } }, output: { format: { type } } } }),
    written('hi'),
    respond,
  ])
  const bytes = far.all('response.output_audio.delta').map(({ delta }) => Buffer.from(delta, 'base64').length)
  const ms = 60 * 'Hello to you.'.length
  expect(bytes.reduce((sum, length) => sum + length, 0)).toBe(8 * ms)
})

test('audio comes faster than it is heard, by the pace', async () => {
  for (const [pace, most] of [
    [4, 780 / 4],
    [1, 780],
    [Number.POSITIVE_INFINITY, 0],
  ] as const) {
    const far = await farCall({ pace })
    const began = far.world.now()
    await far.say([written('hello'), respond], 0)
    let doneAt = far.world.now()
    while (!far.all('response.done').length) {
      await far.world.settle(far.world.now() + 5)
      doneAt = far.world.now()
    }
    expect(doneAt - began).toBeGreaterThanOrEqual(most * 0.7)
    expect(doneAt - began).toBeLessThanOrEqual(most + 10)
  }
})

test('the session expires', async () => {
  const far = await farCall({ sessionMs: 60_000 })
  far.ladder()
  await far.world.settle(61_000)
  expect(far.ladder()).toEqual(['error'])
  expect(far.last('error').error).toMatchObject({
    code: 'session_expired',
    message: 'Your session hit the maximum duration of 1 minutes.',
  })
  expect(far.closed).toMatchObject([{ code: 1001 }])
})
