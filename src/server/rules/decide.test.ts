/** The rules as tables: what is refused, with the code, the param and the words of the real service; and what is accepted. */
import { expect, test } from 'vitest'
import { type Conversation, empty, evolve } from '../../conversation/conversation.ts'
import type { ClientEvent, Item, ServerEvent } from '../../protocol/events.ts'
import { type Answer, type CallState, decide } from './decide.ts'
import { type AnySession, defaultSession, defaultTranscription } from './session-config.ts'

const message = (id: string, role: 'user' | 'assistant' | 'system', ...content: readonly object[]) =>
  ({ id, object: 'realtime.item', type: 'message', role, status: 'completed', content }) as Item

const written = message('item_user', 'user', { type: 'input_text', text: 'Hello' })
const spoken = message('item_agent', 'assistant', { type: 'output_audio', transcript: 'Hello you' })
const typed = message('item_text', 'assistant', { type: 'output_text', text: 'Hello' })

function held(...items: readonly Item[]): Conversation {
  return items.reduce<Conversation>(
    (after, item) => evolve(after, told({ type: 'conversation.item.added', previous_item_id: null, item })),
    empty,
  )
}

function answering(conversation: Conversation, id: string, conversation_id: string | null): Conversation {
  return evolve(
    conversation,
    told({ type: 'response.created', response: { id, status: 'in_progress', conversation_id } }),
  )
}

const told = (event: object) => ({ event_id: 'event_1', ...event }) as ServerEvent

const idle: CallState = {
  session: defaultSession('gpt-realtime-2.1'),
  conversation: empty,
  bufferedMs: 0,
  spoken: new Map(),
}
const talked: CallState = {
  ...idle,
  conversation: held(written, spoken, typed),
  spoken: new Map([['item_agent', 9_250.4]]),
}
const speaking: CallState = { ...talked, conversation: answering(talked.conversation, 'resp_1', 'conv_1') }
const beside: CallState = { ...talked, conversation: answering(talked.conversation, 'resp_2', null) }
const transcribing: CallState = { ...idle, session: defaultTranscription() }
const traced: CallState = { ...idle, session: { ...defaultSession('gpt-realtime-2.1'), tracing: 'auto' } }

function withInput(input: object): AnySession {
  const session = defaultSession('gpt-realtime-2.1')
  return { ...session, audio: { ...session.audio, input: { ...session.audio?.input, ...input } } }
}

const session = (fields: object) => ({ type: 'session.update', session: { type: 'realtime', ...fields } })
const input = (fields: object) => session({ audio: { input: fields } })
const vad = (fields: object) => input({ turn_detection: { type: 'server_vad', ...fields } })
const output = (fields: object) => session({ audio: { output: fields } })
const create = (item: unknown, rest = {}) => ({ type: 'conversation.item.create', item, ...rest })
const say = (role: string, ...content: readonly unknown[]) => create({ type: 'message', role, content })
const respond = (response: object) => ({ type: 'response.create', response })
const truncate = (item_id: string, audio_end_ms: unknown) => ({
  type: 'conversation.item.truncate',
  item_id,
  content_index: 0,
  audio_end_ms,
})

const ask = (state: CallState, event: object) => {
  let made = 0
  return decide(state, event as ClientEvent, (prefix) => `${prefix}${++made}`)
}

const reference = (id: string) => ({ type: 'item_reference', id })

function placed(previous_item_id: string | null, item: Item): readonly object[] {
  return [
    { type: 'conversation.item.added', previous_item_id, item },
    { type: 'conversation.item.done', previous_item_id, item },
  ]
}

function defaultVad(): object {
  return defaultSession('').audio?.input?.turn_detection ?? {}
}

/** "'a', 'b', and 'c'", as the service lists. */
function listed(words: readonly string[]): string {
  const quoted = words.map((word) => `'${word}'`)
  return quoted.length > 1 ? `${quoted.slice(0, -1).join(', ')}, and ${quoted.at(-1)}` : quoted.join('')
}

const names = new Map([
  [idle, 'idle'],
  [talked, 'after an answer'],
  [speaking, 'while answering'],
  [beside, 'while answering out of band'],
  [transcribing, 'in a transcription'],
])
const stateOf = (state: CallState) => names.get(state) ?? `with ${state.bufferedMs} ms heard`

const clientEvents = [
  'session.update',
  'session.close',
  'input_audio_buffer.append',
  'input_audio_buffer.commit',
  'input_audio_buffer.clear',
  'conversation.item.create',
  'conversation.item.truncate',
  'conversation.item.delete',
  'conversation.item.retrieve',
  'response.create',
  'response.cancel',
]

type Row<More extends readonly unknown[]> = readonly [CallState, event: object, ...More]

const missing: readonly Row<[param: string]>[] = [
  [idle, { type: 'session.update' }, 'session'],
  [idle, { type: 'session.update', session: { instructions: 'Be brief.' } }, 'session.type'],
  [idle, session({ tools: [{ type: 'function' }] }), 'session.tools[0].name'],
  [idle, session({ tools: [{ type: 'mcp' }] }), 'session.tools[0].server_label'],
  [idle, output({ format: {} }), 'session.audio.output.format.type'],
  [idle, { type: 'input_audio_buffer.append' }, 'audio'],
  [idle, { type: 'input_audio_buffer.append', audio: [1, 2] }, 'audio'],
  [idle, create(undefined), 'item'],
  [idle, create({}), 'item.type'],
  [idle, create({ type: 'message', role: 'user' }), 'item.content'],
  [idle, say('user', { type: 'input_text', text: 'a' }, { type: 'input_text' }), 'item.content[1].text'],
  [idle, say('user', { type: 'input_image' }), 'item.content[0].image_url'],
  [idle, create({ type: 'function_call_output', output: '1' }), 'item.call_id'],
  [idle, create({ type: 'function_call_output', call_id: 'call_1', output: { a: 1 } }), 'item.output'],
  [idle, create({ type: 'function_call', name: 'a' }), 'item.arguments'],
  [idle, session({ tool_choice: { type: 'function' } }), 'session.tool_choice.name'],
  [idle, respond({ tool_choice: { type: 'function', name: '' } }), 'response.tool_choice.name'],
  [idle, respond({ input: [{ type: 'message', role: 'user' }] }), 'item.content'],
]

const unknown: readonly Row<[param: string]>[] = [
  [idle, session({ mood: 'merry' }), 'session.mood'],
  [idle, session({ voice: 'alloy' }), 'session.voice'],
  [idle, session(JSON.parse('{"__proto__":{"type":"realtime"}}')), 'session.__proto__'],
  [idle, vad({ patience: 9 }), 'session.audio.input.turn_detection.patience'],
  [
    idle,
    input({ turn_detection: { type: 'semantic_vad', idle_timeout_ms: 6_000 } }),
    'session.audio.input.turn_detection.idle_timeout_ms',
  ],
  [idle, session({ tools: [{ type: 'function', name: 'a', function: {} }] }), 'session.tools[0].function'],
  [transcribing, session({ type: 'transcription', instructions: 'Hi' }), 'session.instructions'],
  [idle, respond({ modalities: ['text'] }), 'response.modalities'],
  [idle, respond({ audio: { output: { speed: 1.2 } } }), 'response.audio.output.speed'],
  [idle, respond({ audio: { input: {} } }), 'response.audio.input'],
]

const formats = ['audio/pcm', 'audio/pcmu', 'audio/pcma']
const voices = ['alloy', 'ash', 'ballad', 'coral', 'echo', 'sage', 'shimmer', 'verse', 'marin', 'cedar']
const itemTypes = ['message', 'function_call', 'function_call_output', 'mcp_approval_response']
const wrongValue: readonly Row<[param: string, value: string, supported: readonly string[]]>[] = [
  [idle, { type: 'call.begin' }, 'type', 'call.begin', clientEvents],
  [idle, { type: 'output_audio_buffer.clear' }, 'type', 'output_audio_buffer.clear', clientEvents],
  [idle, session({ type: 'telepathy' }), 'session.type', 'telepathy', ['realtime', 'transcription']],
  [idle, session({ tool_choice: 'any' }), 'session.tool_choice', 'any', ['none', 'auto', 'required']],
  [idle, session({ tools: [{ type: 'hammer' }] }), 'session.tools[0].type', 'hammer', ['function', 'mcp']],
  [idle, input({ format: { type: 'audio/pcm', rate: 16_000 } }), 'session.audio.input.format.rate', '16000', ['24000']],
  [idle, output({ format: { type: 'audio/mp3' } }), 'session.audio.output.format.type', 'audio/mp3', formats],
  [idle, output({ voice: 'nova' }), 'session.audio.output.voice', 'nova', voices],
  [idle, respond({ audio: { output: { voice: 'Marin' } } }), 'response.audio.output.voice', 'Marin', voices],
  [idle, vad({ type: 'none' }), 'session.audio.input.turn_detection.type', 'none', ['server_vad', 'semantic_vad']],
  [
    idle,
    input({ turn_detection: { type: 'semantic_vad', eagerness: 'max' } }),
    'session.audio.input.turn_detection.eagerness',
    'max',
    ['low', 'medium', 'high', 'auto'],
  ],
  [
    idle,
    input({ noise_reduction: { type: 'mid_field' } }),
    'session.audio.input.noise_reduction.type',
    'mid_field',
    ['near_field', 'far_field'],
  ],
  [idle, create({ type: 'reasoning' }), 'item.type', 'reasoning', itemTypes],
  [idle, create({ type: 'item_reference', id: 'item_user' }), 'item.type', 'item_reference', itemTypes],
  [idle, say('narrator'), 'item.role', 'narrator', ['user', 'assistant', 'system']],
  [
    idle,
    say('user', { type: 'output_text', text: 'Hi' }),
    'item.content[0].type',
    'output_text',
    ['input_text', 'input_audio', 'input_image'],
  ],
  [
    idle,
    say('assistant', { type: 'text', text: 'Hi' }),
    'item.content[0].type',
    'text',
    ['output_text', 'output_audio'],
  ],
  [idle, say('system', { type: 'input_audio' }), 'item.content[0].type', 'input_audio', ['input_text']],
  [idle, respond({ conversation: 'conv_9' }), 'response.conversation', 'conv_9', ['auto', 'none']],
]

const longKey = 'k'.repeat(65)
const longValue = 'v'.repeat(513)
const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`key ${n}`, '']))
const outOfRange: readonly Row<[param: string, value: string, range: string]>[] = [
  [idle, session({ max_output_tokens: 0 }), 'session.max_output_tokens', '0', 'an integer between 1 and 4096'],
  [idle, session({ max_output_tokens: 4_097 }), 'session.max_output_tokens', '4097', 'an integer between 1 and 4096'],
  [idle, output({ speed: 1.6 }), 'session.audio.output.speed', '1.6', 'a number between 0.25 and 1.5'],
  [idle, output({ speed: 0.2 }), 'session.audio.output.speed', '0.2', 'a number between 0.25 and 1.5'],
  [idle, vad({ threshold: 1.1 }), 'session.audio.input.turn_detection.threshold', '1.1', 'a number between 0 and 1'],
  [talked, truncate('item_agent', -1), 'audio_end_ms', '-1', 'an integer of at least 0'],
  [talked, truncate('item_agent', 0.5), 'audio_end_ms', '0.5', 'an integer of at least 0'],
  [talked, truncate('item_agent', undefined), 'audio_end_ms', 'undefined', 'an integer of at least 0'],
  [idle, respond({ metadata: pairs(17) }), 'response.metadata', '17 pairs', 'at most 16 pairs'],
  [idle, respond({ metadata: { [longKey]: '' } }), 'response.metadata', longKey, 'keys of at most 64 characters'],
  [
    idle,
    respond({ metadata: { k: longValue } }),
    'response.metadata.k',
    longValue,
    'a string of at most 512 characters',
  ],
]

const wrongType: readonly Row<[param: string, expected: string]>[] = [
  [idle, session({ instructions: 7 }), 'session.instructions', 'a string'],
  [idle, session({ tools: {} }), 'session.tools', 'an array'],
  [idle, input({ format: 'pcm16' }), 'session.audio.input.format', 'an object'],
  [idle, output({ voice: 5 }), 'session.audio.output.voice', 'a string'],
  [idle, session({ tools: [{ type: 'function', name: 5 }] }), 'session.tools[0].name', 'a string'],
  [idle, vad({ create_response: 'yes' }), 'session.audio.input.turn_detection.create_response', 'a boolean'],
  [idle, say('user', 'Hello'), 'item.content[0]', 'an object'],
  [idle, respond({ input: {} }), 'response.input', 'an array'],
]

const commit = { type: 'input_audio_buffer.commit' }
const tooSmall = (ms: string) =>
  `Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has ${ms}ms of audio.`
const named = (name: string) => ({
  tools: [
    { type: 'function', name: 'a' },
    { type: 'function', name },
  ],
})
const pattern = "Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
const inWords: readonly Row<[code: string | null, param: string | null, words: string]>[] = [
  [idle, {}, 'invalid_event', 'type', "Missing required parameter: 'type'."],
  [idle, { type: 5 }, 'invalid_event', 'type', "Missing required parameter: 'type'."],
  ...[['text', 'audio'], ['audio', 'text'], [], ['video'], 'audio'].map(
    (output_modalities) =>
      [
        idle,
        session({ output_modalities }),
        'invalid_value',
        'session.output_modalities',
        "Invalid modalities. Supported combinations are: ['text'] and ['audio'].",
      ] as const,
  ),
  [
    idle,
    session({ model: 'gpt-realtime-2.1-mini' }),
    'invalid_value',
    'session.model',
    "A session's model cannot be changed.",
  ],
  [idle, session({ type: 'transcription' }), 'invalid_value', 'session.type', "A session's type cannot be changed."],
  [transcribing, session({}), 'invalid_value', 'session.type', "A session's type cannot be changed."],
  [
    talked,
    output({ voice: 'cedar' }),
    'cannot_update_voice',
    'session.audio.output.voice',
    "Cannot update a conversation's voice if assistant audio is present.",
  ],
  [
    idle,
    { type: 'input_audio_buffer.append', audio: '<wav>' },
    'invalid_value',
    'audio',
    'Invalid audio: expected base64-encoded audio bytes.',
  ],
  ...['look up', 'pos.add', 'é', 'a/b', 'a\n'].map((name) => {
    const words = `Invalid 'session.tools[1].name': string does not match pattern. ${pattern}`
    return [idle, session(named(name)), 'invalid_value', 'session.tools[1].name', words] as const
  }),
  [
    idle,
    respond(named('look up')),
    'invalid_value',
    'response.tools[1].name',
    `Invalid 'response.tools[1].name': string does not match pattern. ${pattern}`,
  ],
  [
    idle,
    session(named('n'.repeat(65))),
    'string_above_max_length',
    'session.tools[1].name',
    "Invalid 'session.tools[1].name': string too long. Expected a string with maximum length 64, but got a string with length 65 instead.",
  ],
  [
    idle,
    create({ ...written, id: '' }),
    'empty_string',
    'item.id',
    "Invalid 'item.id': empty string. Expected a string with minimum length 1, but got an empty string instead.",
  ],
  [
    idle,
    create({ ...written, id: 'i'.repeat(33) }),
    'string_above_max_length',
    'item.id',
    "Invalid 'item.id': string too long. Expected a string with maximum length 32, but got a string with length 33 instead.",
  ],
  [idle, commit, 'input_audio_buffer_commit_empty', null, tooSmall('0.00')],
  [{ ...idle, bufferedMs: 99.958 }, commit, 'input_audio_buffer_commit_empty', null, tooSmall('99.96')],
  [
    talked,
    create({ ...written }),
    'invalid_value',
    'item.id',
    "Error creating item: an item with id 'item_user' already exists.",
  ],
  [
    idle,
    create({ ...written, id: 'root' }),
    'invalid_value',
    'item.id',
    "Error creating item: 'root' names the front of the conversation.",
  ],
  [
    idle,
    say('user', { type: 'input_audio', audio: '<wav>' }),
    'invalid_value',
    'item.content[0].audio',
    'Invalid audio: expected base64-encoded audio bytes.',
  ],
  [
    talked,
    create({ ...written, id: 'item_new' }, { previous_item_id: 'item_gone' }),
    'item_not_found',
    'previous_item_id',
    "Error creating item: the previous item with id 'item_gone' does not exist.",
  ],
  ...(['delete', 'retrieve', 'truncate'] as const).map(
    (what) =>
      [
        talked,
        { ...truncate('x', 0), type: `conversation.item.${what}` },
        `item_${what}_invalid_item_id`,
        'item_id',
        `Error ${what.slice(0, -1)}ing item: the item with id 'x' does not exist.`,
      ] as const,
  ),
  [talked, truncate('item_user', 0), null, null, 'Only model output audio messages can be truncated'],
  [talked, truncate('item_text', 0), null, null, 'Only model output audio messages can be truncated'],
  [
    talked,
    truncate('item_agent', 57_340),
    'invalid_value',
    'audio_end_ms',
    'Audio content of 9250ms is already shorter than 57340ms',
  ],
  [
    speaking,
    { type: 'response.create' },
    'conversation_already_has_active_response',
    null,
    'Conversation already has an active response in progress: resp_1. Wait until the response is finished before creating a new one.',
  ],
  [transcribing, { type: 'response.create' }, 'invalid_value', 'type', 'A transcription session gives no responses.'],
  ...(
    [
      [idle, {}],
      [beside, {}],
      [speaking, { response_id: 'resp_0' }],
    ] as const
  ).map(
    ([state, which]) =>
      [
        state,
        { type: 'response.cancel', ...which },
        'response_cancel_not_active',
        null,
        'Cancellation failed: no active response found',
      ] as const,
  ),
  [
    talked,
    respond({ input: [{ type: 'item_reference', id: 'item_gone' }] }),
    'item_not_found',
    'response.input',
    "Error creating response: the item with id 'item_gone' does not exist.",
  ],
]

const refused: typeof inWords = [
  ...missing.map(([state, event, param]) => {
    return [state, event, 'missing_required_parameter', param, `Missing required parameter: '${param}'.`] as const
  }),
  ...unknown.map(([state, event, param]) => {
    return [state, event, 'unknown_parameter', param, `Unknown parameter: '${param}'.`] as const
  }),
  ...wrongValue.map(([state, event, param, value, supported]) => {
    const words = `Invalid value: '${value}'. Supported values are: ${listed(supported)}.`
    return [state, event, 'invalid_value', param, words] as const
  }),
  ...outOfRange.map(([state, event, param, value, range]) => {
    return [state, event, 'invalid_value', param, `Invalid value: ${value}. Expected ${range}.`] as const
  }),
  ...wrongType.map(([state, event, param, expected]) => {
    return [state, event, 'invalid_type', param, `Invalid type for '${param}': expected ${expected}.`] as const
  }),
  ...inWords,
]

for (const [state, event, code, param, words] of refused) {
  test(`${stateOf(state)}, ${JSON.stringify(event).slice(0, 150)} is refused: ${words.slice(0, 80)}`, () => {
    const error = { type: 'invalid_request_error', code, param, message: words }
    expect(ask(state, event)).toEqual([{ type: 'error', error: { ...error, event_id: null } }])
    const named = { ...event, event_id: 'mine_7' }
    expect(ask(state, named)).toEqual([{ type: 'error', error: { ...error, event_id: 'mine_7' } }])
  })
}

test('an append holds 15 MiB and not a byte more', () => {
  const append = (bytes: number) => ask(idle, { type: 'input_audio_buffer.append', audio: 'A'.repeat((bytes * 4) / 3) })
  const most = 15 * 1024 * 1024
  expect(append(most)).toEqual([])
  expect(append(most + 3)).toMatchObject([
    {
      type: 'error',
      error: { code: 'invalid_value', param: 'audio', message: 'Invalid audio: an event may hold at most 15 MiB.' },
    },
  ])
})

const accepted: readonly (readonly [what: string, CallState, event: object, answers: readonly object[]])[] = [
  ['a commit of 100 ms', { ...idle, bufferedMs: 100 }, commit, []],
  ['an append of nothing', idle, { type: 'input_audio_buffer.append', audio: '' }, []],
  ['a clear', idle, { type: 'input_audio_buffer.clear' }, [{ type: 'input_audio_buffer.cleared' }]],
  [
    'a message without an id gets one, and stands at the end',
    talked,
    say('user', { type: 'input_text', text: 'And?' }),
    placed('item_text', message('item_1', 'user', { type: 'input_text', text: 'And?' })),
  ],
  [
    'a message at the front of all',
    talked,
    create({ ...written, id: 'item_first' }, { previous_item_id: 'root' }),
    placed('root', { ...written, id: 'item_first' }),
  ],
  [
    'a message behind another',
    talked,
    create({ ...written, id: 'item_second' }, { previous_item_id: 'item_user' }),
    placed('item_user', { ...written, id: 'item_second' }),
  ],
  ['the first message of all', idle, create({ ...written }), placed(null, written)],
  [
    'a message with audio, which is not told back,',
    idle,
    say('user', { type: 'input_audio', audio: 'AAAA' }, { type: 'input_audio', audio: 'AAAA', transcript: 'Hm.' }),
    placed(
      null,
      message('item_1', 'user', { type: 'input_audio', transcript: null }, { type: 'input_audio', transcript: 'Hm.' }),
    ),
  ],
  [
    'an output of a call',
    idle,
    create({ type: 'function_call_output', call_id: 'call_1', output: '' }),
    placed(null, {
      id: 'item_1',
      object: 'realtime.item',
      type: 'function_call_output',
      status: 'completed',
      call_id: 'call_1',
      output: '',
    }),
  ],
  [
    'a delete',
    talked,
    { type: 'conversation.item.delete', item_id: 'item_user' },
    [{ type: 'conversation.item.deleted', item_id: 'item_user' }],
  ],
  [
    'a retrieve',
    talked,
    { type: 'conversation.item.retrieve', item_id: 'item_agent' },
    [{ type: 'conversation.item.retrieved', item: spoken }],
  ],
  ...[0, 9_250].map(
    (audio_end_ms) =>
      [
        `a truncate at ${audio_end_ms} ms of 9250`,
        talked,
        truncate('item_agent', audio_end_ms),
        [{ type: 'conversation.item.truncated', item_id: 'item_agent', content_index: 0, audio_end_ms }],
      ] as const,
  ),
  ['a response', talked, { type: 'response.create' }, []],
  ['a response beside the active one', speaking, respond({ conversation: 'none' }), []],
  ['a response while one is given out of band', beside, { type: 'response.create' }, []],
  ['a response to items and references', talked, respond({ input: [written, reference('item_user')] }), []],
  ['a response to nothing', talked, respond({ input: [] }), []],
  ['metadata at its limits', idle, respond({ metadata: { ...pairs(15), ['k'.repeat(64)]: 'v'.repeat(512) } }), []],
  ['a cancel of the active response', speaking, { type: 'response.cancel' }, []],
  ['a cancel of it by name', speaking, { type: 'response.cancel', response_id: 'resp_1' }, []],
  ['a cancel of one out of band by name', beside, { type: 'response.cancel', response_id: 'resp_2' }, []],
]

test.each(accepted)('%s is accepted', (_, state, event, answers) => {
  expect(ask(state, event)).toEqual(answers)
})

const tool = { type: 'function', name: 'look_up', parameters: { type: 'object' } }
const updates: readonly (readonly [what: string, CallState, change: object, effect: object])[] = [
  ['instructions alone change', idle, { instructions: 'Be brief.' }, { instructions: 'Be brief.' }],
  ['empty instructions clear them', idle, { instructions: '' }, { instructions: '' }],
  ['tools are set', idle, { tools: [tool] }, { tools: [tool] }],
  [
    'no tools clear them',
    { ...idle, session: { ...idle.session, tools: [tool] } as AnySession },
    { tools: [] },
    { tools: [] },
  ],
  ['the same model is no change', idle, { model: 'gpt-realtime-2.1' }, {}],
  ['the same voice is no change, even after it was heard', talked, { audio: { output: { voice: 'marin' } } }, {}],
  ['a limit at its ends', idle, { max_output_tokens: 4_096 }, { max_output_tokens: 4_096 }],
  ['no limit', idle, { max_output_tokens: 'inf' }, { max_output_tokens: 'inf' }],
  ['a name of its own is no change', idle, { id: 'sess_mine', object: 'mine', expires_at: 5 }, {}],
]

test.each(updates)('%s in session.updated, which says the session in full', (_, state, change, effect) => {
  expect(ask(state, { ...session(change), event_id: 'mine' })).toEqual([
    { type: 'session.updated', session: { ...state.session, ...effect } },
  ])
})

/** The service is not known to refuse these, so that nothing here does. */
const unproven: readonly (readonly [what: string, change: object])[] = [
  ['two tools of one name', { tools: [tool, tool] }],
  ['a tool_choice that names no tool', { tool_choice: { type: 'function', name: 'nothing' } }],
  ['a tool_choice of a server that is not there', { tool_choice: { type: 'mcp', server_label: 'docs' } }],
  ['a tool with a name of 64 letters', { tools: [{ ...tool, name: 'n'.repeat(64) }] }],
  ['a tool with digits and dashes first', { tools: [{ ...tool, name: '-1_a' }] }],
  ['a custom voice', { audio: { output: { voice: { id: 'voice_1234' } } } }],
]

test.each(unproven)('%s is accepted, in a session and in a response', (_, change) => {
  expect(ask(idle, session(change))).toMatchObject([{ type: 'session.updated', session: change }])
  expect(ask(idle, respond(change))).toEqual([])
})

test.each(voices)('the voice %s is accepted', (voice) => {
  expect(ask(idle, output({ voice }))).toMatchObject([{ type: 'session.updated' }])
})

test('an id of 32 letters is accepted', () => {
  const id = 'i'.repeat(32)
  expect(ask(idle, create({ ...written, id }))).toMatchObject([{ item: { id } }, { item: { id } }])
})

const heard: readonly (readonly [what: string, change: object, effect: object])[] = [
  ['null ends turn detection', { turn_detection: null }, { turn_detection: null }],
  [
    'one setting of turn detection leaves the others',
    { turn_detection: { type: 'server_vad', silence_duration_ms: 500 } },
    { turn_detection: { ...defaultVad(), silence_duration_ms: 500 } },
  ],
  [
    'semantic_vad replaces server_vad whole',
    { turn_detection: { type: 'semantic_vad' } },
    {
      turn_detection: {
        type: 'semantic_vad',
        eagerness: 'auto',
        create_response: true,
        interrupt_response: true,
      },
    },
  ],
  ['G.711 has no rate', { format: { type: 'audio/pcmu' } }, { format: { type: 'audio/pcmu' } }],
  [
    'a transcription begins',
    { transcription: { model: 'gpt-transcribe', language: 'en' } },
    { transcription: { model: 'gpt-transcribe', language: 'en' } },
  ],
]

test.each(heard)('%s', (_, change, effect) => {
  const [answer] = ask(idle, input(change)) as [Extract<Answer, { type: 'session.updated' }>]
  expect(answer.session).toEqual(withInput(effect))
})

test.each(['transcription', 'noise_reduction'] as const)('null ends %s', (what) => {
  const on = { ...idle, session: withInput({ [what]: {} }) }
  const [answer] = ask(on, input({ [what]: null })) as [Extract<Answer, { type: 'session.updated' }>]
  expect(answer.session).toEqual(withInput({ [what]: null }))
  expect(answer.session.audio?.input?.[what]).toBeNull()
})

test('an update with one fault is discarded whole', () => {
  const before = structuredClone(idle.session)
  expect(ask(idle, session({ instructions: 'Be brief.', tools: [tool], mood: 'merry' }))).toMatchObject([
    { type: 'error', error: { code: 'unknown_parameter' } },
  ])
  expect(idle.session).toEqual(before)
})

/** What is of a wrong type would come back in the answer, and the official types do not have it. */
const ofWrongType: readonly Row<[code: string, param: string]>[] = [
  [idle, session({ metadata: { a: 'b' } }), 'unknown_parameter', 'session.metadata'],
  [idle, session({ conversation: 'none' }), 'unknown_parameter', 'session.conversation'],
  [idle, session({ input: [] }), 'unknown_parameter', 'session.input'],
  [idle, session({ id: 5 }), 'invalid_type', 'session.id'],
  [idle, session({ expires_at: 'never' }), 'invalid_type', 'session.expires_at'],
  [idle, session({ include: 5 }), 'invalid_type', 'session.include'],
  [idle, session({ reasoning: 5 }), 'invalid_type', 'session.reasoning'],
  [idle, session({ reasoning: { effort: 'utmost' } }), 'invalid_value', 'session.reasoning.effort'],
  [idle, session({ prompt: 5 }), 'invalid_type', 'session.prompt'],
  [idle, session({ truncation: 'always' }), 'invalid_value', 'session.truncation'],
  [idle, session({ tracing: 5 }), 'invalid_type', 'session.tracing'],
  [idle, session({ max_output_tokens: 1.5 }), 'invalid_value', 'session.max_output_tokens'],
  [
    idle,
    input({ transcription: { model: 'gpt-live-transcribe' }, turn_detection: { type: 'server_vad' } }),
    'invalid_value',
    'session.audio.input.turn_detection',
  ],
  [idle, create({ ...written, id: 5 }), 'invalid_type', 'item.id'],
  [idle, say('user', { type: 'input_audio', audio: 5 }), 'invalid_type', 'item.content[0].audio'],
  [idle, create({ type: 'function_call', call_id: 5, name: 'a', arguments: '{}' }), 'invalid_type', 'item.call_id'],
  [
    idle,
    create({ type: 'mcp_approval_response', id: 'a', approve: true }),
    'missing_required_parameter',
    'item.approval_request_id',
  ],
  [talked, { ...truncate('item_agent', 0), content_index: 'x' }, 'invalid_type', 'content_index'],
  [talked, { ...truncate('item_agent', 0), content_index: 7 }, 'invalid_value', 'content_index'],
  [talked, { type: 'conversation.item.delete' }, 'missing_required_parameter', 'item_id'],
  [idle, respond({ input: [null] }), 'invalid_type', 'response.input[0]'],
  [speaking, output({ speed: 1.2 }), 'invalid_value', 'session.audio.output.speed'],
  [traced, session({ tracing: null }), 'invalid_value', 'session.tracing'],
]

for (const [state, event, code, param] of ofWrongType) {
  test(`${stateOf(state)}, ${JSON.stringify(event).slice(0, 150)} is refused for its ${param}`, () => {
    expect(ask(state, event)).toMatchObject([{ type: 'error', error: { code, param } }])
  })
}

test('a call that is put into the history without a call id gets one', () => {
  expect(ask(idle, create({ type: 'function_call', name: 'a', arguments: '{}' }))).toMatchObject([
    { item: { call_id: expect.stringMatching(/^call_/) } },
    { item: { call_id: expect.stringMatching(/^call_/) } },
  ])
})
