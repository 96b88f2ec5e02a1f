/** What a client may set takes effect: of one response, and of a session. */
import { expect, test } from 'vitest'
import { textOf } from '../src/conversation/conversation.ts'
import type { AudioInput, ClientEvent, ResponseCreateParams, SessionConfig } from '../src/protocol/events.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import { defaultTranscription } from '../src/server/rules/session-config.ts'
import type { Ears, Thought, Utterance, Voice } from '../src/server/senses.ts'
import { toneVoice } from '../src/testing/senses.ts'
import { type FarCall, farCall, written } from './far-call.ts'

const configure = (session: Partial<SessionConfig>): ClientEvent => ({
  type: 'session.update',
  session: { type: 'realtime', ...session },
})
const tool = (name: string) => ({ type: 'function', name, parameters: { type: 'object' } }) as const
const say = (text: string): Utterance => ({ type: 'say', text })
const call = (name: string): Utterance => ({ type: 'call', name, arguments: {} })

/** Senses that remember what they were asked. */
function recorded(answer: readonly Utterance[]) {
  const thoughts: Thought[] = []
  const asked: Parameters<Voice['speak']>[1][] = []
  const heard: Parameters<Ears['listen']>[0][] = []
  const tone = toneVoice({ msPerLetter: 60 })
  const voice: Voice = {
    rate: tone.rate,
    speak(sentence, how) {
      asked.push(how)
      return tone.speak(sentence, how)
    },
  }
  const brain = scripted((thought) => {
    thoughts.push(thought)
    return answer
  })
  const ears: Ears = {
    rate: 16_000,
    listen(how) {
      heard.push(how)
      return { hear() {}, finish: async () => 'where is my order', cancel() {} }
    },
  }
  return { thoughts, asked, heard, senses: { voice, brain, ears } }
}

function lengthOfSound(far: FarCall): number {
  return far.all('response.output_audio.delta').reduce((sum, { delta }) => sum + Buffer.from(delta, 'base64').length, 0)
}

// ── of one response ───────────────────────────────────────────────────────────────────────────────────────────────

/** What can be seen of one response. */
interface Seen {
  readonly thought: Thought | undefined
  readonly voices: readonly string[]
  readonly bytes: number
  readonly made: ReturnType<typeof madeBy>
  readonly items: readonly string[]
}

function madeBy(far: FarCall) {
  const { status, output = [], audio, conversation_id, ...rest } = far.last('response.done').response
  return { ...rest, status, output, audio: audio?.output, isInBand: conversation_id !== null }
}

const aside = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'an aside' }] } as const
const overrides: readonly (readonly [
  what: string,
  params: ResponseCreateParams,
  look: (seen: Seen) => unknown,
  usual: unknown,
  overridden: unknown,
])[] = [
  ['instructions', { instructions: 'Its own.' }, ({ thought }) => thought?.instructions, "The session's.", 'Its own.'],
  ['tools', { tools: [tool('b')] }, ({ thought }) => thought?.tools.map(({ name }) => name), ['a'], ['b']],
  ['no tools', { tools: [] }, ({ thought }) => thought?.tools.length, 1, 0],
  ['tool_choice', { tool_choice: 'none' }, ({ thought }) => thought?.toolChoice, 'auto', 'none'],
  [
    'a tool_choice by name',
    { tool_choice: { type: 'function', name: 'a' } },
    ({ thought }) => thought?.toolChoice,
    'auto',
    { type: 'function', name: 'a' },
  ],
  ['parallel_tool_calls', { parallel_tool_calls: false }, ({ made }) => made.output.length, 3, 2],
  [
    'output_modalities',
    { output_modalities: ['text'] },
    ({ made, voices }) => [made.output_modalities, made.output[0], voices.length],
    [['audio'], expect.objectContaining({ content: [{ type: 'output_audio', transcript: 'Hello to you.' }] }), 1],
    [['text'], expect.objectContaining({ content: [{ type: 'output_text', text: 'Hello to you.' }] }), 0],
  ],
  [
    'max_output_tokens',
    { max_output_tokens: 2 },
    ({ made }) => [made.max_output_tokens, made.status],
    ['inf', 'completed'],
    [2, 'incomplete'],
  ],
  [
    'audio.output.voice',
    { audio: { output: { voice: 'cedar' } } },
    ({ voices, made }) => [voices, made.audio?.voice],
    [['marin'], 'marin'],
    [['cedar'], 'cedar'],
  ],
  [
    'a voice of your own',
    { audio: { output: { voice: { id: 'voice_1' } } } },
    ({ voices }) => voices,
    ['marin'],
    ['voice_1'],
  ],
  [
    'audio.output.format',
    { audio: { output: { format: { type: 'audio/pcmu' } } } },
    ({ bytes, made }) => [bytes, made.audio?.format],
    [48 * 60 * 'Hello to you.'.length, { type: 'audio/pcm', rate: 24_000 }],
    [8 * 60 * 'Hello to you.'.length, { type: 'audio/pcmu' }],
  ],
  ['metadata', { metadata: { topic: 'aside' } }, ({ made }) => made.metadata, null, { topic: 'aside' }],
  ['input', { input: [aside] }, ({ thought }) => thought?.items.map(textOf), ['hello'], ['an aside']],
  [
    'an input that refers',
    { input: [{ type: 'item_reference', id: 'u1' }, aside] },
    ({ thought }) => thought?.items.map(textOf),
    ['hello'],
    ['hello', 'an aside'],
  ],
  ['an empty input', { input: [] }, ({ thought }) => thought?.items.length, 1, 0],
  [
    'conversation',
    { conversation: 'none' },
    ({ made, items }) => [made.isInBand, items.length > 1],
    [true, true],
    [false, false],
  ],
  [
    'an answer out of band, by instructions and input of its own',
    { conversation: 'none', instructions: 'Classify it.', input: [aside], output_modalities: ['text'] },
    ({ thought, voices }) => [thought?.instructions, thought?.items.map(textOf), voices.length],
    ["The session's.", ['hello'], 1],
    ['Classify it.', ['an aside'], 0],
  ],
]

async function answered(params: ResponseCreateParams | undefined): Promise<Seen> {
  const { thoughts, asked, senses } = recorded([say('Hello to you.'), call('a'), call('a')])
  const far = await farCall(senses)
  await far.say([configure({ instructions: "The session's.", tools: [tool('a')] }), written('hello', 'u1')], 1)
  await far.say([{ type: 'response.create', ...(params ? { response: params } : {}) }])
  const items = far.all('conversation.item.added').map(({ item }) => item.id)
  const voices = asked.map(({ name }) => name)
  return { thought: thoughts[0], voices, bytes: lengthOfSound(far), made: madeBy(far), items }
}

test.each(overrides)('response.create overrides %s', async (_, params, look, usual, overridden) => {
  expect(look(await answered(undefined))).toEqual(usual)
  expect(look(await answered(params))).toEqual(overridden)
})

test('what overrides one response leaves the next as the session has it', async () => {
  const { thoughts, asked, senses } = recorded([say('Hello.')])
  const far = await farCall(senses)
  await far.say([configure({ instructions: "The session's.", tools: [tool('a')] })], 1)
  const output = { voice: 'cedar', format: { type: 'audio/pcmu' } } as const
  const response = { instructions: 'Its own.', tools: [], tool_choice: 'none', audio: { output } } as const
  await far.say([{ type: 'response.create', response }])
  await far.say([{ type: 'response.create' }])
  expect(thoughts.at(-1)).toMatchObject({ instructions: "The session's.", tools: [{ name: 'a' }], toolChoice: 'auto' })
  expect(asked.map(({ name }) => name)).toEqual(['cedar', 'marin'])
  expect(far.last('response.done').response.audio?.output?.format).toEqual({ type: 'audio/pcm', rate: 24_000 })
})

// ── of a session ──────────────────────────────────────────────────────────────────────────────────────────────────

const input = (fields: AudioInput) => configure({ audio: { input: fields } })

test.each([
  ['high', 500],
  ['medium', 900],
  ['auto', 900],
  ['low', 1_800],
] as const)('semantic_vad that is %s waits for %i ms of silence', async (eagerness, ms) => {
  const far = await farCall()
  await far.say([input({ turn_detection: { type: 'semantic_vad', eagerness } })], 1)
  await far.speak('sstttttt')
  let silentMs = 0
  for (; silentMs < 4_000 && !far.all('input_audio_buffer.speech_stopped').length; silentMs += 100) {
    await far.speak('s')
  }
  expect(silentMs).toBeGreaterThanOrEqual(ms)
  expect(silentMs).toBeLessThanOrEqual(ms + 200)
})

test.each([0.5, 1, 1.5])('at a speed of %f the sound is as much shorter', async (speed) => {
  const { asked, senses } = recorded([say('Hello to you.')])
  const far = await farCall(senses)
  await far.say([configure({ audio: { output: { speed } } }), { type: 'response.create' }])
  expect(asked).toMatchObject([{ speed }])
  expect(lengthOfSound(far) / 48).toBeCloseTo((60 * 'Hello to you.'.length) / speed, -1)
})

test("the ears are told the transcription's language and prompt", async () => {
  const { heard, senses } = recorded([])
  const far = await farCall(senses)
  await far.say([input({ transcription: { model: 'gpt-transcribe', language: 'en', prompt: 'orders' } })], 1)
  await far.speak('ssttttssss')
  expect(heard).toEqual([{ language: 'en', prompt: 'orders' }])
})

test.each([
  ['gpt-transcribe', { type: 'duration', seconds: expect.closeTo(0.9, 0) }],
  ['whisper-1', { type: 'duration', seconds: expect.closeTo(0.9, 0) }],
  [
    'gpt-4o-mini-transcribe',
    {
      type: 'tokens',
      input_tokens: expect.any(Number),
      output_tokens: 5,
      total_tokens: expect.any(Number),
      input_token_details: { text_tokens: 0, audio_tokens: expect.any(Number) },
    },
  ],
])('what %s heard is counted as it is charged', async (model, usage) => {
  const far = await farCall({ ...recorded([]).senses, session: defaultTranscription() })
  const transcription = { type: 'transcription', audio: { input: { transcription: { model } } } } as const
  await far.say([{ type: 'session.update', session: transcription }], 1)
  await far.speak('ssttttssss')
  await far.say([])
  const told = far.last('conversation.item.input_audio_transcription.completed').usage
  expect(told).toEqual(usage)
  if (told?.type !== 'tokens') return
  expect(told.input_tokens).toBeGreaterThanOrEqual(6)
  expect(told.input_token_details?.audio_tokens).toBe(told.input_tokens)
  expect(told.total_tokens).toBe(told.input_tokens + told.output_tokens)
})

test('what was heard is a token each 100 ms of what the answer took in, and what was said one each 50 ms', async () => {
  const far = await farCall(recorded([say('Hello to you.')]).senses)
  await far.say([{ type: 'response.create' }])
  const before = far.last('response.done').response.usage?.input_token_details?.audio_tokens
  await far.speak('ssttttttttttssss')
  await far.say([])
  const after = far.last('response.done').response.usage?.input_token_details?.audio_tokens
  expect(before).toBe(0)
  const saidMs = 60 * 'Hello to you.'.length
  const heardMs =
    far.last('input_audio_buffer.speech_stopped').audio_end_ms -
    far.last('input_audio_buffer.speech_started').audio_start_ms
  expect(after! - saidMs / 50).toBeGreaterThanOrEqual(heardMs / 100 - 1)
  expect(after! - saidMs / 50).toBeLessThanOrEqual(heardMs / 100 + 5)
})

test.each([
  [true, 'cancelled'],
  [false, 'completed'],
] as const)('with interrupt_response %s an answer that is spoken over is %s', async (interrupt_response, status) => {
  const far = await farCall({ ...recorded([say('A longer answer than most of them.')]).senses, pace: 1 })
  await far.say([input({ turn_detection: { type: 'server_vad', interrupt_response, create_response: false } })], 1)
  await far.say([{ type: 'response.create' }], 100)
  await far.speak('ssttttssss')
  await far.say([])
  expect(far.all('response.done').map(({ response }) => response.status)).toEqual([status])
})

test('of several answers, the one that is named is cancelled', async () => {
  const far = await farCall({ ...recorded([say('A longer answer than most of them.')]).senses, pace: 1 })
  const beside = { type: 'response.create', response: { conversation: 'none' } } as const
  await far.say([{ type: 'response.create' }, beside, beside], 100)
  const ids = far.all('response.created').map(({ response }) => response.id!)
  await far.say([{ type: 'response.cancel', response_id: ids[1]! }])
  const ends = far.all('response.done').map(({ response }) => [response.id, response.status])
  expect(Object.fromEntries(ends)).toEqual({
    [ids[0]!]: 'completed',
    [ids[1]!]: 'cancelled',
    [ids[2]!]: 'completed',
  })
})

// ── how much may be said ──────────────────────────────────────────────────────────────────────────────────────────

test.each([1, 2, 3, 7, 20])('of an answer no more than %i tokens are told, and counted', async (limit) => {
  for (const output_modalities of [['text'], ['audio']] as const) {
    for (const answer of [say('Extraordinarily long words are unnecessary here.'), call('a_tool_with_a_long_name')]) {
      const far = await farCall(
        recorded([answer, say('And more of it, and yet more of it, until nobody can hear it any longer at all.')])
          .senses,
      )
      const response = { max_output_tokens: limit, output_modalities }
      await far.say([{ type: 'response.create', response }])
      const { status, status_details, usage, output = [] } = far.last('response.done').response
      expect([status, status_details]).toEqual(['incomplete', { type: 'incomplete', reason: 'max_output_tokens' }])
      expect(usage?.output_tokens).toBe(limit)
      expect(output.at(-1)).toMatchObject({ status: 'incomplete' })
      const words = output.map((item) => (item.type === 'function_call' ? item.arguments : textOf(item))).join('')
      expect(words.length).toBeLessThanOrEqual(4 * limit)
      expect(words.length).toBeGreaterThan(0)
    }
  }
})

test('an answer that is as long as it may be is whole', async () => {
  const far = await farCall(recorded([say('Hello to you.')]).senses)
  const output_modalities = ['text'] as const
  await far.say([{ type: 'response.create', response: { output_modalities } }])
  const { output_tokens } = far.last('response.done').response.usage!
  await far.say([{ type: 'response.create', response: { output_modalities, max_output_tokens: output_tokens! } }])
  expect(far.last('response.done').response).toMatchObject({ status: 'completed', usage: { output_tokens } })
})

test('sound of any length is told to its last sample', async () => {
  let length = 0
  const voice: Voice = { rate: 24_000, speak: () => [new Int16Array(length)] }
  const far = await farCall({ ...recorded([say('Hello.')]).senses, voice })
  for (let n = 1; n <= 300; n++) {
    const before = lengthOfSound(far)
    length = 37 * n
    await far.say([{ type: 'response.create', response: { max_output_tokens: n % 2 ? 'inf' : 4_096 } }], 1_000)
    expect(far.last('response.done').response.status).toBe('completed')
    expect(lengthOfSound(far) - before).toBe(2 * length)
  }
})

// ── the session as it is told ─────────────────────────────────────────────────────────────────────────────────────

/** The keys of the official example of `session.created`, and `truncation`, which the wire has besides. */
const whole = {
  type: 'realtime',
  object: 'realtime.session',
  id: expect.stringMatching(/^sess_/),
  model: 'gpt-realtime-2.1',
  output_modalities: ['audio'],
  instructions: expect.any(String),
  tools: [],
  tool_choice: 'auto',
  max_output_tokens: 'inf',
  truncation: 'auto',
  tracing: null,
  prompt: null,
  expires_at: expect.any(Number),
  audio: {
    input: {
      format: { type: 'audio/pcm', rate: 24_000 },
      transcription: null,
      noise_reduction: null,
      turn_detection: {
        type: 'server_vad',
        threshold: 0.5,
        prefix_padding_ms: 300,
        silence_duration_ms: 200,
        idle_timeout_ms: null,
        create_response: true,
        interrupt_response: true,
      },
    },
    output: { format: { type: 'audio/pcm', rate: 24_000 }, voice: 'marin', speed: 1 },
  },
  include: null,
}

test('session.created is the session in full: null is what is not set', async () => {
  const far = await farCall()
  expect(far.last('session.created').session).toStrictEqual(whole)
})

test('what was set and is ended with null is null in session.updated, and all else is told too', async () => {
  const far = await farCall()
  const set = {
    noise_reduction: { type: 'near_field' },
    transcription: { model: 'gpt-transcribe' },
    turn_detection: { type: 'server_vad', idle_timeout_ms: 6_000 },
  } as const
  await far.say([input(set), configure({ prompt: { id: 'pmpt_1' } })], 1)
  expect(far.last('session.updated').session).toMatchObject({ audio: { input: set }, prompt: { id: 'pmpt_1' } })
  const ended = { noise_reduction: null, transcription: null, turn_detection: null }
  await far.say([input(ended), configure({ prompt: null, tracing: null })], 1)
  const { input: heard, ...audio } = whole.audio
  const session = { ...whole, audio: { ...audio, input: { ...heard, ...ended } } }
  expect(far.last('session.updated').session).toStrictEqual(session)
  await far.say([input({ turn_detection: { type: 'server_vad' } })], 1)
  expect(far.last('session.updated').session).toStrictEqual(whole)
})

test('a transcription session is told in full too', async () => {
  const far = await farCall({ session: defaultTranscription() })
  expect(far.last('session.created').session).toStrictEqual({
    type: 'transcription',
    object: 'realtime.transcription_session',
    id: whole.id,
    expires_at: whole.expires_at,
    audio: { input: { ...whole.audio.input, transcription: { model: 'gpt-transcribe' } } },
    include: null,
  })
})

// ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────────

test('session.close ends the call with 1000', async () => {
  const far = await farCall()
  far.ladder()
  await far.say([{ type: 'session.close' } as unknown as ClientEvent], 1)
  expect(far.ladder()).toEqual([])
  expect(far.closed).toMatchObject([{ code: 1000 }])
})
