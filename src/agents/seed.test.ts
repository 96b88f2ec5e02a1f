import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { empty, evolve } from '../conversation/conversation.ts'
import { heardPart, retell } from '../conversation/retell.ts'
import { UserError } from '../protocol/errors.ts'
import type { ServerEvent } from '../protocol/events.ts'
import { checkItem } from '../server/rules/item-checks.ts'
import { historian, type RealtimeContent, type RealtimeItem, type RealtimeItemInput } from '../session/history.ts'
import { checkSeed, type Revived, revive, toWire, whyUntold } from './seed.ts'

let ids = 0
const newId = (prefix: string) => `${prefix}${++ids}`
const message = (role: 'user' | 'assistant' | 'system', content: readonly RealtimeContent[], rest = {}) =>
  ({ type: 'message', itemId: 'i', role, content, ...rest }) as RealtimeItemInput
const heard = (transcript: string | null): RealtimeContent => ({ type: 'input_audio', transcript })
const spoken = (transcript: string | null): RealtimeContent => ({ type: 'output_audio', transcript })
const image = { type: 'input_image', image: 'data:image/png;base64,AAAA' } as const
const call = (rest: object) =>
  ({ type: 'function_call', itemId: 'i', callId: 'k', name: 'sky', arguments: '{}', ...rest }) as RealtimeItemInput
const mcp = { type: 'mcp_call', itemId: 'i', serverLabel: 'docs', name: 'find', arguments: '{}' } as const
const request = { ...mcp, type: 'mcp_approval_request' } as const

describe('what a far end is told', () => {
  test.each<[string, RealtimeItemInput, readonly object[]]>([
    ['what the user said', message('user', [heard('Hi.')]), [{ type: 'input_text', text: 'Hi.' }]],
    ['what the assistant said', message('assistant', [spoken('Hi.')]), [{ type: 'output_text', text: 'Hi.' }]],
    [
      'words in the wrong kind of part',
      message('assistant', [{ type: 'input_text', text: 'Hi.' }]),
      [{ type: 'output_text', text: 'Hi.' }],
    ],
    ['the system, spoken', message('system', [heard('Be kind.')]), [{ type: 'input_text', text: 'Be kind.' }]],
    [
      'an image with words',
      message('user', [{ type: 'input_text', text: 'Look.' }, image, heard(null)]),
      [
        { type: 'input_text', text: 'Look.' },
        { type: 'input_image', image_url: image.image },
      ],
    ],
    [
      'an answer that was cut off',
      message('assistant', [spoken('It is sunny today.')], { interrupted: true, heardMs: 500, heardText: 'It is…' }),
      [{ type: 'output_text', text: 'It is…' }],
    ],
    [
      'an answer that was cut off and rewritten',
      message('assistant', [spoken('Rain.')], { interrupted: true, heardMs: 500, heardText: 'It is…' }),
      [{ type: 'output_text', text: 'Rain.' }],
    ],
  ])('%s', (_, item, content) => {
    const told = toWire(item, newId)
    expect(told).toMatchObject([{ id: 'i', type: 'message', status: 'completed', content }])
    expect(told.map((one) => checkItem(one))).toEqual([null])
  })

  test('a call comes with its output, and one without says that it was not finished', () => {
    const [first, output] = toWire(call({ output: 'sunny' }), newId)
    expect(first).toMatchObject({ id: 'i', type: 'function_call', call_id: 'k', name: 'sky', arguments: '{}' })
    expect(output).toMatchObject({ type: 'function_call_output', call_id: 'k', output: 'sunny' })
    const unfinished = toWire(call({}), newId)
    expect(unfinished[1]).toMatchObject({ call_id: 'k', output: expect.stringContaining('not finished') })
    expect([first, output, ...unfinished].map((one) => checkItem(one))).toEqual([null, null, null, null])
  })

  test.each<[RealtimeItemInput, RegExp]>([
    [message('user', [heard(null)]), /no words/],
    [message('assistant', []), /no words/],
    [
      message('assistant', [spoken('Yes.')], { interrupted: true, heardMs: 0, heardText: '' }),
      /nothing of it was heard/,
    ],
    [message('assistant', [image]), /only a user can show images/],
    [message('user', [{ ...image, image: '' }]), /image is empty/],
    [call({ status: 'incomplete', arguments: '{"a' }), /cut off before it was whole/],
    [mcp, /MCP/],
    [request, /MCP/],
  ])('what cannot be told is left out, with the reason', (item, why) => {
    expect(toWire(item, newId)).toEqual([])
    expect(whyUntold(item)).toMatch(why)
    expect(checkSeed([message('user', [heard('Hi.')]), { ...item, itemId: 'x' }])?.message).toMatch(
      /^Item 1 \('x'\) cannot be told to a far end: /,
    )
    expect(checkSeed([item])).toBeInstanceOf(UserError)
  })

  test.each<[string, readonly unknown[], RegExp]>([
    ['an item of an unknown type', [{ type: 'poem' }], /its type is 'poem' and not message, function_call/],
    ['a message of nobody', [{ type: 'message', role: 'robot', content: [] }], /its role is 'robot' and not user/],
    [
      'a part without words',
      [message('user', [{ type: 'input_text' } as never])],
      /content is wrong at 0: its text is miss/,
    ],
    [
      'two of one id',
      [message('user', [heard('a')]), message('user', [heard('b')])],
      /Item 1 \('i'\).*another has its id/,
    ],
    ['an id that names the front', [{ ...message('user', [heard('a')]), itemId: 'root' }], /itemId may not be 'root'/],
    ['no item', [undefined], /Item 0 cannot/],
  ])('%s is rejected', (_, items, message) => {
    expect(checkSeed(items as RealtimeItemInput[])?.message).toMatch(message)
  })

  test('a history that can be told is not rejected', () => {
    expect(checkSeed([message('user', [heard('a')]), { ...call({}), itemId: 'j' }])).toBeNull()
  })
})

// ── a history comes back as it was ──────────────────────────────────────────────────────────────────────────────

function shownOf({ conversation, cuts, origins }: Revived): readonly RealtimeItem[] {
  return historian()({ conversation, pending: [], cuts, origins, isTranscribed: false })
}
const added = (item: object) => ({ type: 'conversation.item.added', event_id: 'e', item }) as ServerEvent

/** A session's history with one of everything. */
function whole() {
  const items = [
    { id: 's', type: 'message', role: 'system', content: [{ type: 'input_text', text: 'Be brief.' }] },
    { id: 'u', type: 'message', role: 'user', status: 'completed', content: [heard('Hello.')] },
    { id: 'f', type: 'message', role: 'user', status: 'completed', content: [heard(null)] },
    {
      id: 'v',
      type: 'message',
      role: 'user',
      status: 'completed',
      content: [{ type: 'input_image', image_url: 'data:x' }],
    },
    { id: 'a', type: 'message', role: 'assistant', status: 'incomplete', content: [spoken('It is sunny today.')] },
    { id: 'b', type: 'message', role: 'assistant', status: 'completed', content: [spoken('Not a word heard.')] },
    { id: 'c', type: 'function_call', call_id: 'k', name: 'sky', arguments: '{}', status: 'completed' },
    { id: 'd', type: 'function_call', call_id: 'l', name: 'wind', arguments: '{}', status: 'completed' },
    { id: 'o', type: 'function_call_output', call_id: 'k', output: 'sunny' },
    {
      id: 'm',
      type: 'mcp_call',
      server_label: 'docs',
      name: 'find',
      arguments: '{}',
      output: null,
      error: { type: 'e' },
    },
    { id: 'q', type: 'mcp_approval_request', server_label: 'docs', name: 'find', arguments: '{}' },
    { id: 'p', type: 'mcp_approval_response', approval_request_id: 'q', approve: true },
    { id: 'n', type: 'message', role: 'user', status: 'completed', content: [heard(null)] },
  ]
  const failed = {
    type: 'conversation.item.input_audio_transcription.failed',
    event_id: 'e',
    item_id: 'f',
  } as ServerEvent
  const conversation = [...items.map(added), failed].reduce(evolve, empty)
  const cuts = { a: { heardMs: 731, receivedMs: 1_500 }, b: { heardMs: 0.2, receivedMs: 1_000 } }
  return { conversation, cuts, origins: new Map<string, 'restored'>() }
}

/** As a session shows it whose last turn was spoken when nobody transcribed any more. */
function shownLive(): readonly RealtimeItem[] {
  const { conversation, ...rest } = whole()
  const show = historian()
  const before = { ...conversation, items: conversation.items.slice(0, -1) }
  show({ ...rest, conversation: before, pending: [], isTranscribed: true })
  return show({ ...rest, conversation, pending: [], isTranscribed: false })
}

test('a history is the same again, and says that it was restored', () => {
  const before = shownLive()
  const transcripts = before.flatMap((item) => (item.type === 'message' ? (item.transcriptStatus ?? []) : []))
  expect(transcripts).toEqual(['final', 'failed', 'final', 'final', 'off'])
  const revived = revive(JSON.parse(JSON.stringify(before)), newId)
  expect(shownOf(revived)).toEqual(before.map((item) => ({ ...item, origin: 'restored' })))
  expect(shownOf(revive(before, newId, 'seeded')).map(({ origin }) => origin)).toEqual(before.map(() => 'seeded'))
})

test('a far end is told the same of it as before', () => {
  const told = ({ conversation, cuts }: Pick<Revived, 'conversation' | 'cuts'>) => {
    const items = retell(conversation, cuts).map(({ item }) => {
      const { id, status: _, ...rest } = item as { id: string; status?: string }
      return [item.type === 'function_call_output' ? `output ${item.call_id}` : id, rest] as const
    })
    return Object.fromEntries(items)
  }
  expect(Object.keys(told(whole()))).toEqual(['s', 'u', 'v', 'a', 'c', 'd', 'output k'])
  expect(told(whole())['a']).toMatchObject({ content: [{ type: 'output_text', text: 'It is…' }] })
  expect(told(revive(shownLive(), newId))).toEqual(told(whole()))
})

test('a call that was not answered is open again, and one that was cut off is not', () => {
  const { conversation } = revive([call({ output: 'x' }), { ...call({ callId: 'l' }), itemId: 'j' }], newId)
  expect(conversation.calls.map(({ call_id }) => call_id)).toEqual(['l'])
  expect(revive([call({ status: 'in_progress', arguments: '{' })], newId).conversation.calls).toEqual([])
})

test('the words that were heard of an answer are the same again, wherever it was cut off', () => {
  const words = fc
    .array(fc.constantFrom('a', 'it', 'sunny', 'Lisbon.', 'é'), { maxLength: 8 })
    .map((all) => all.join(' '))
  fc.assert(
    fc.property(
      words,
      fc.double({ min: 0, max: 3_000, noNaN: true }),
      fc.integer({ min: 1, max: 3_000 }),
      (said, ms, of) => {
        const cut = { heardMs: Math.min(ms, of), receivedMs: of }
        const conversation = evolve(
          empty,
          added({ id: 'a', type: 'message', role: 'assistant', content: [spoken(said)] }),
        )
        const before = shownOf({ conversation, cuts: { a: cut }, origins: new Map() })
        expect(before[0]).toMatchObject({ heardText: heardPart(said, cut) })
        const after = shownOf(revive(before, newId))
        expect(after).toEqual(before.map((item) => ({ ...item, origin: 'restored' })))
      },
    ),
    { seed: 11, numRuns: 500 },
  )
})
