import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Conversation, empty, evolve } from '../conversation/conversation.ts'
import { UserError } from '../protocol/errors.ts'
import type { Item, ServerEvent } from '../protocol/events.ts'
import { decide } from '../server/rules/decide.ts'
import { defaultSession } from '../server/rules/session-config.ts'
import { historian, type RealtimeItem, type RealtimeItemInput } from '../session/history.ts'
import { type Changes, changesBetween } from './history-changes.ts'

const say = (itemId: string, text: string, role: 'user' | 'assistant' | 'system' = 'user'): RealtimeItemInput => ({
  type: 'message',
  itemId,
  role,
  status: 'completed',
  content: [{ type: role === 'assistant' ? 'output_text' : 'input_text', text }],
})
const call = (itemId: string, output: string | null): RealtimeItemInput => ({
  type: 'function_call',
  itemId,
  status: 'completed',
  callId: `call_${itemId}`,
  name: 'sky',
  arguments: '{}',
  output,
})

/** A far end with the strict server's rules, which must refuse nothing. */
function farEnd() {
  let ids = 0
  const newId = (prefix: string) => `${prefix}new_${++ids}`
  let conversation: Conversation = empty
  const show = historian()
  const far = {
    newId,
    get items() {
      return conversation.items
    },
    get history(): readonly RealtimeItem[] {
      return show({ conversation, pending: [], cuts: {}, origins: new Map(), isTranscribed: true })
    },
    tell(event: object) {
      conversation = evolve(conversation, { event_id: 'e', ...event } as ServerEvent)
    },
    put(...items: readonly object[]) {
      for (const item of items) far.tell({ type: 'conversation.item.added', item, previous_item_id: null })
    },
    apply({ removed, created }: Changes) {
      const state = { session: defaultSession('m'), bufferedMs: 0, spoken: new Map() }
      const events = [...removed.map((item_id) => ({ type: 'conversation.item.delete' as const, item_id })), ...created]
      for (const event of events) {
        for (const answer of decide({ ...state, conversation }, event, newId)) {
          expect(answer).not.toHaveProperty('error')
          far.tell(answer)
        }
      }
    },
    become(after: readonly RealtimeItemInput[]): Changes {
      const changes = changesBetween(far.history, after, far)
      far.apply(changes)
      return changes
    },
  }
  return far
}
const start = (items: readonly RealtimeItemInput[]) => {
  const far = farEnd()
  far.become(items)
  return far
}
const count = ({ removed, created }: Changes) => removed.length + created.length
const said = (items: readonly RealtimeItemInput[]) =>
  items.map((item) => {
    if (item.type === 'message') return [item.role, item.content]
    return item.type === 'function_call' ? [item.name, item.arguments, item.output] : [item.type]
  })
const idsOf = (items: readonly RealtimeItemInput[]) => items.map(({ itemId }) => itemId)
const four = [say('a', 'A'), say('b', 'B', 'assistant'), call('c', 'sunny'), say('d', 'D')]

test('nothing is done where nothing is changed', () => {
  const far = start(four)
  expect(far.become(far.history)).toEqual({ removed: [], created: [] })
  expect(far.become(four)).toEqual({ removed: [], created: [] })
})

test('an item is put where it belongs: in front, in between, at the end; without an id it gets one', () => {
  const far = start(four)
  const { itemId: _, ...unnamed } = say('', 'front')
  const wanted = [unnamed, four[0]!, say('m', 'between'), ...four.slice(1), say('e', 'end', 'system')]
  const { removed, created } = far.become(wanted)
  expect(removed).toEqual([])
  expect(created.map(({ previous_item_id }) => previous_item_id)).toEqual(['root', 'a', 'd'])
  expect(said(far.history)).toEqual(said(wanted))
  expect(idsOf(far.history)).toEqual([expect.stringMatching(/^item_new_/), 'a', 'm', 'b', 'c', 'd', 'e'])
})

test('an item that is given twice is there twice', () => {
  const far = start(four)
  const wanted = [...four, four[0]!, four[2]!]
  expect(count(far.become(wanted))).toBe(3)
  expect(said(far.history)).toEqual(said(wanted))
})

test('an item that was rewritten is another in its place; all others stay', () => {
  const far = start(four)
  const wanted = four.with(1, say('b', 'better', 'assistant'))
  expect(count(far.become(wanted))).toBe(2)
  expect(said(far.history)).toEqual(said(wanted))
  expect(idsOf(far.history)).toEqual(['a', expect.stringMatching(/^item_new_/), 'c', 'd'])
})

test('a call leaves with its output, wherever that stands', () => {
  const far = start([say('a', 'A'), call('c', null)].slice(0, 1))
  far.put(
    { id: 'c', type: 'function_call', call_id: 'k', name: 'sky', arguments: '{}', status: 'completed' },
    { id: 'm', type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hurry.' }] },
    { id: 'o', type: 'function_call_output', call_id: 'k', output: 'sunny' },
  )
  expect(far.become(far.history.filter(({ itemId }) => itemId !== 'c')).removed).toEqual(['c', 'o'])
  expect(idsOf(far.items.map(({ id }) => ({ itemId: id })) as never)).toEqual(['a', 'm'])
})

test('a call that got another output stays; the new output stands behind it', () => {
  const far = start(four)
  const [output] = far.items.flatMap((item) => (item.type === 'function_call_output' ? [item.id] : []))
  const { removed, created } = far.become(four.with(2, call('c', 'rainy')))
  expect(removed).toEqual([output])
  expect(created).toMatchObject([{ previous_item_id: 'c', item: { type: 'function_call_output', output: 'rainy' } }])
  expect(said(far.history)).toEqual(said(four.with(2, call('c', 'rainy'))))
})

test('what is put behind a call stands behind its output', () => {
  const far = start(four)
  const output = far.items[3]!.id
  expect(far.become(four.toSpliced(3, 0, say('x', 'X'))).created[0]!.previous_item_id).toBe(output)
})

test('a call that is told anew without an output is told that it was not finished', () => {
  const far = start([call('c', null)])
  expect(far.items.map(({ type }) => type)).toEqual(['function_call', 'function_call_output'])
  expect(far.history[0]).toMatchObject({ output: expect.stringContaining('not finished') })
})

test('what came since a snapshot was taken is not taken back', () => {
  const far = farEnd()
  const answer = { id: 'a', type: 'message', role: 'assistant', status: 'in_progress', content: [] }
  const transcript = (type: string, rest: object) =>
    far.tell({ type: `conversation.item.input_audio_transcription.${type}`, item_id: 's', content_index: 0, ...rest })
  far.put(
    { id: 's', type: 'message', role: 'user', content: [{ type: 'input_audio', transcript: null }] },
    { id: 'c', type: 'function_call', call_id: 'k', name: 'sky', arguments: '{}', status: 'completed' },
    answer,
  )
  transcript('delta', { delta: 'Where' })
  const snapshot = far.history
  transcript('completed', { transcript: 'Where is it?' })
  far.put({ id: 'o', type: 'function_call_output', call_id: 'k', output: 'sunny' })
  const content = [{ type: 'output_text', text: 'Here.' }]
  far.tell({ type: 'conversation.item.done', item: { ...answer, status: 'completed', content }, previous_item_id: 'o' })
  expect(changesBetween(far.history, snapshot, far)).toEqual({ removed: [], created: [] })
  const [spoken, ...others] = snapshot
  const corrected = { ...spoken, content: [{ type: 'input_text', text: 'Where is she?' }] } as RealtimeItem
  expect(count(changesBetween(far.history, [corrected, ...others], far))).toBe(2)
})

const untold = { id: 'm', type: 'mcp_call', server_label: 'docs', name: 'find', arguments: '{}', output: 'x' }

test('what cannot be told again stays, and the others move around it', () => {
  const far = start(four.slice(0, 2))
  far.put(untold)
  const [a, b, mcp] = far.history
  far.become([mcp!, a!, b!])
  expect(said(far.history)).toEqual(said([mcp!, a!, b!]))
  expect(far.items).toContainEqual(untold)
})

test.each<[string, readonly unknown[], RegExp]>([
  ['one that cannot be told', [{ ...say('x', ''), type: 'message' }], /Item 0 \('x'\).*no words/],
  [
    'a call of an MCP tool',
    [four[0], { ...call('m', 'x'), type: 'mcp_call', serverLabel: 'docs' }],
    /Item 1 \('m'\).*MCP/,
  ],
  ['one without a role', [{ type: 'message', content: [] }], /Item 0 cannot be told.*role is missing/],
  ['none at all', [null], /Item 0 cannot be told.*null/],
])('%s is the caller’s mistake, before anything is sent', (_, items, message) => {
  const far = start(four)
  const change = () => far.become(items as RealtimeItemInput[])
  expect(change).toThrow(UserError)
  expect(change).toThrow(message)
  expect(said(far.history)).toEqual(said(four))
})

// ── random histories ────────────────────────────────────────────────────────────────────────────────────────────

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'] as const
const word = fc.constantFrom('A', 'B')
const item = (itemId: string): fc.Arbitrary<RealtimeItemInput> =>
  fc.oneof(
    fc.tuple(word, fc.constantFrom('user', 'assistant', 'system')).map(([text, role]) => say(itemId, text, role)),
    word.map((output) => call(itemId, output)),
  )
const list = (maxLength: number) =>
  fc
    .shuffledSubarray([...names], { maxLength })
    .chain((ids) => fc.tuple(...ids.map(item)) as fc.Arbitrary<readonly RealtimeItemInput[]>)

/** What an item says that keeps its id as long as it lives. */
const unanswered = (one: RealtimeItemInput) => said([one.type === 'function_call' ? { ...one, output: null } : one])

/** A far end whose tools took their time: their outputs stand behind all else. */
function answeredLate(items: readonly RealtimeItemInput[]) {
  const { items: wire } = start(items)
  const isOutput = ({ type }: Item) => type === 'function_call_output'
  const far = farEnd()
  far.put(
    ...wire.filter((one) => !isOutput(one)),
    ...wire.filter(isOutput).map((one) => ({ ...one, id: `late_${one.id}` })),
  )
  return far
}

test('from any history to any other: the strict server refuses nothing, and holds exactly the other', () => {
  fc.assert(
    fc.property(list(7), list(7), list(7), fc.boolean(), (first, second, third, isLate) => {
      const far = isLate ? answeredLate(first) : start(first)
      for (const wanted of [second, third]) {
        const known = new Map(far.history.map((one) => [one.itemId, unanswered(one)]))
        far.become(wanted)
        expect(said(far.history)).toEqual(said(wanted))
        for (const one of far.history) expect(known.get(one.itemId) ?? unanswered(one)).toEqual(unanswered(one))
      }
    }),
    { seed: 3, numRuns: 600 },
  )
})

/** The least changes there can be: of all ways to keep some items in their order, the one that costs least. */
function least(before: readonly RealtimeItem[], after: readonly RealtimeItemInput[]): number {
  const cost = (one: RealtimeItemInput) => (one.type === 'function_call' ? 2 : 1)
  const all = [...before, ...after].reduce((sum, one) => sum + cost(one), 0)
  let best = all
  for (let chosen = 0; chosen < 2 ** before.length; chosen++) {
    const kept = before.filter((_, n) => chosen & (2 ** n))
    let at = 0
    let saved = 0
    for (const one of kept) {
      at = after.findIndex((other, n) => n >= at && other.itemId === one.itemId) + 1
      const other = after[at - 1]
      const [was, is] = [said([one])[0]!, other ? said([other])[0]! : null]
      if (at === 0 || !is) saved = Number.NEGATIVE_INFINITY
      else if (JSON.stringify(was) === JSON.stringify(is)) saved += 2 * cost(one)
      else if (one.type === 'function_call' && other?.type === 'function_call') saved += 2
      else saved = Number.NEGATIVE_INFINITY
      if (at === 0) break
    }
    best = Math.min(best, all - saved)
  }
  return best
}

test('no other changes are fewer', () => {
  fc.assert(
    fc.property(list(5), list(5), (first, second) => {
      const far = start(first)
      const { history } = far
      expect(count(far.become(second))).toBe(least(history, second))
    }),
    { seed: 5, numRuns: 400 },
  )
})

test('of two thousand items of which the last comes first, one is moved', () => {
  const many = Array.from({ length: 2_000 }, (_, n) => say(`m${n}`, `${n}`))
  const items = many.map(({ itemId }) => ({ id: itemId, type: 'message' }) as Item)
  const turned = [many.at(-1)!, ...many.slice(0, -1)]
  expect(count(changesBetween(many as RealtimeItem[], turned, { items, newId: (prefix) => `${prefix}x` }))).toBe(2)
})
