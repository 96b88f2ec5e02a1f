import { expect, test } from 'vitest'
import { UserError } from '../protocol/errors.ts'
import type { RealtimeItem } from '../session/history.ts'
import { restore, save } from './saved.ts'

const placed = { previousItemId: null, origin: 'live' } as const
const history: readonly RealtimeItem[] = [
  {
    ...placed,
    type: 'message',
    itemId: 'u',
    role: 'user',
    status: 'completed',
    content: [
      { type: 'input_text', text: 'Look.' },
      { type: 'input_image', image: 'data:image/png;base64,AAAA' },
      { type: 'input_audio', transcript: null },
    ],
    transcriptStatus: 'failed',
  },
  {
    ...placed,
    type: 'message',
    itemId: 'a',
    previousItemId: 'u',
    role: 'assistant',
    status: 'incomplete',
    content: [{ type: 'output_audio', transcript: 'It is sunny.' }],
    transcriptStatus: 'final',
    interrupted: true,
    heardMs: 731,
    heardText: 'It is…',
  },
  {
    ...placed,
    type: 'function_call',
    itemId: 'c',
    status: 'completed',
    callId: 'k',
    name: 'sky',
    arguments: '{}',
    output: null,
  },
  {
    ...placed,
    type: 'mcp_call',
    itemId: 'm',
    status: 'failed',
    serverLabel: 'docs',
    name: 'find',
    arguments: '{}',
    output: null,
    error: { type: 'http_error', code: 500, message: 'no' },
  },
  {
    ...placed,
    type: 'mcp_approval_request',
    itemId: 'q',
    status: 'completed',
    serverLabel: 'docs',
    name: 'find',
    arguments: '{}',
    approved: true,
  },
]
const approvals = { always: [{ owner: 'Guide', name: 'sky', verdict: { approved: true } }] }

test('what was saved comes back through JSON as it was', () => {
  for (const parts of [{ history }, { history, approvals }, { history: [] }]) {
    const saved = save(parts)
    expect(saved).toEqual({ version: 1, ...parts })
    expect(restore(JSON.parse(JSON.stringify(saved)))).toEqual(saved)
  }
})

test('a history alone is restored too', () => {
  expect(restore(history)).toEqual({ version: 1, history })
})

test('what a later release adds to it stays', () => {
  const more = { ...save({ history: [{ ...history[0]!, ...{ mood: 'good' } }] }), agent: 'Guide' }
  expect(restore(JSON.parse(JSON.stringify(more)))).toEqual(more)
})

const [user, answer, call, mcp, request] = history
const [, ...others] = history
test.each<[string, unknown, string]>([
  ['JSON that was not parsed', JSON.stringify(save({ history })), 'is text. Parse it first: JSON.parse(text).'],
  ['nothing', undefined, 'The saved session is undefined and not an object.'],
  ['null', null, 'The saved session is null and not an object.'],
  ['a number', 7, 'The saved session is 7 and not an object.'],
  ['no version', { history }, "The saved session's version is missing"],
  ['another version', { version: 2, history }, 'version is 2 and not 1, the one that this release reads'],
  ['no history', { version: 1 }, 'its history is missing'],
  ['a history that is none', { version: 1, history: {} }, 'its history is an object and not an array'],
  ['an item that is none', [null], 'history[0]: it is null and not an object'],
  ['an item of another type', [{ ...user, type: 'poem' }], "history[0]: its type is 'poem' and not message, "],
  ['an item of a type that every object knows', [{ ...user, type: 'toString' }], "its type is 'toString' and not"],
  ['an item without an id', [user, { ...answer, itemId: undefined }], 'history[1]: its itemId is missing'],
  ['an item with an empty id', [{ ...user, itemId: '' }], "its itemId may not be ''"],
  ['an item with a number for an id', [{ ...user, itemId: 5 }], 'its itemId is 5 and not a string'],
  ['two items with one id', [user, ...others, user], "history[5]: another item has its id, 'u'"],
  ['an item without its place', [{ ...user, previousItemId: undefined }], 'its previousItemId is missing'],
  ['an item without a status', [{ ...user, status: undefined }], 'its status is missing'],
  ['an item from elsewhere', [{ ...user, origin: 'mars' }], "its origin is 'mars' and not live, seeded, restored"],
  ['a message of nobody', [{ ...user, role: 'robot' }], "its role is 'robot' and not user, assistant, system"],
  ['a message without parts', [{ ...user, content: 'Hi.' }], "its content is 'Hi.' and not an array"],
  ['a part of another type', [{ ...user, content: [{ type: 'x' }] }], "its content is wrong at 0: its type is 'x'"],
  [
    'a part without words',
    [{ ...user, content: [{ type: 'input_text', text: 'a' }, { type: 'output_text' }] }],
    'its content is wrong at 1: its text is missing',
  ],
  ['audio without a transcript', [{ ...user, content: [{ type: 'input_audio' }] }], 'its transcript is missing'],
  [
    'an image without one',
    [{ ...user, content: [{ type: 'input_image', image: 3 }] }],
    'its image is 3 and not a string',
  ],
  ['an unknown state of words', [{ ...user, transcriptStatus: 'lost' }], "its transcriptStatus is 'lost' and not"],
  ['a time in words', [{ ...answer, heardMs: 'long' }], "its heardMs is 'long' and not a number"],
  ['heard words that are none', [{ ...answer, heardText: 1 }], 'its heardText is 1 and not a string'],
  ['an interruption that was none', [{ ...answer, interrupted: 'no' }], "its interrupted is 'no' and not true"],
  ['a call without its id', [{ ...call, callId: undefined }], 'its callId is missing'],
  ['a call without a name', [{ ...call, name: undefined }], 'its name is missing'],
  ['arguments that were parsed', [{ ...call, arguments: {} }], 'its arguments is an object and not a string'],
  ['an output that was parsed', [{ ...call, output: [] }], 'its output is an array and not a string'],
  ['an MCP call of no server', [{ ...mcp, serverLabel: undefined }], 'its serverLabel is missing'],
  ['an MCP error in words', [{ ...mcp, error: 'no' }], "its error is 'no' and not an object"],
  ['a decision that is none', [{ ...request, approved: 'yes' }], "its approved is 'yes' and not a boolean"],
])('%s is the caller’s mistake, and the message says what is wrong', (_, json, message) => {
  expect(() => restore(json)).toThrow(UserError)
  expect(() => restore(json)).toThrow(message)
})
