import { expect, test } from 'vitest'
import type { ServerEvent } from '../protocol/events.ts'
import { type Replies, replies } from './replies.ts'

/** Replies without a session: what they are told is told here; the first is named `reply_1`. */
function bare(): Replies & {
  readonly cancels: readonly (readonly [string, string | null])[]
  tell(...events: object[]): void
} {
  const cancels: [string, string | null][] = []
  let ids = 0
  const answers = replies({
    newId: (prefix) => `${prefix}${++ids}`,
    ask() {},
    cancel: (id, response_id) => cancels.push([id, response_id]),
  })
  const tell = (...events: object[]) => {
    for (const event of events) answers.received(event as ServerEvent)
  }
  return { ...answers, cancels, tell }
}

const response = (id: string, more: object = {}) => ({
  id,
  conversation_id: 'c',
  metadata: { parley_reply: 'reply_1' },
  ...more,
})
const created = (id: string) => ({ type: 'response.created', response: response(id) })
const done = (id: string, output: readonly object[] = [], status = 'completed') => ({
  type: 'response.done',
  response: response(id, { status, output }),
})
const at = (item_id: string, content_index = 0, response_id = 'r') => ({
  response_id,
  item_id,
  output_index: 0,
  content_index,
})
const text = (delta: string, ...where: Parameters<typeof at>) => ({
  type: 'response.output_text.delta',
  ...at(...where),
  delta,
})
const message = (id: string, transcript: string) => ({
  id,
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_audio', transcript }],
})
const gone = {
  at: 'waiting',
  tries: 1,
  until: 1,
  cause: { reason: 'Gone.', code: null, fatal: false, initiator: 'network' },
} as const

test.each<[string, readonly object[], readonly object[], string]>([
  ['only when a part is told', [{ type: 'response.output_text.done', ...at('a'), text: 'all' }], [], 'all'],
  [
    'only when the response is done',
    [],
    [message('a', 'all'), { id: 'f', type: 'function_call_output', output: 'x' }],
    'all',
  ],
  [
    'in part before that',
    [
      { type: 'response.output_audio_transcript.delta', ...at('a'), delta: 'a' },
      { type: 'response.output_audio_transcript.done', ...at('a'), transcript: 'all' },
    ],
    [message('a', 'all')],
    'all',
  ],
  [
    'otherwise in the end',
    [text('some', 'a'), { type: 'response.output_text.done', ...at('a'), text: 'other' }],
    [message('a', 'other')],
    'some',
  ],
  [
    'in two parts and two messages',
    [text('1', 'a', 0), text('2', 'a', 1), text('3', 'b'), text('4', 'b')],
    [message('a', '12'), message('b', '34')],
    '12\n34',
  ],
  ['empty', [text('', 'a')], [message('a', '')], ''],
  ['in another response', [text('x', 'a', 0, 'q')], [], ''],
])('words that come %s are told once', async (_, events, output, words) => {
  const b = bare()
  const reply = b.generate()
  b.tell(created('r'), ...events, done('r', output))
  expect((await reply.done).text).toBe(words)
  expect((await copy(reply.text)).join('')).toBe(words)
})

test('the app has a copy of the sound', async () => {
  const b = bare()
  const { audio } = b.generate()
  const bytes = Uint8Array.of(1, 2, 3)
  b.tell(created('r'), { type: 'response.output_audio.delta', ...at('i'), delta: 'AQID', audio: bytes }, done('r'))
  const [mine] = await copy(audio)
  mine!.fill(0)
  expect([...bytes]).toEqual([1, 2, 3])
})

test('what a far end begins a second time is no part of the reply', async () => {
  const b = bare()
  const reply = b.generate()
  b.tell(created('r'), created('q'), text('other', 'x', 0, 'q'), done('q'), text('mine', 'a'), done('r'))
  expect(await reply.done).toMatchObject({ responseId: 'r', text: 'mine' })
})

test('where words came before it was asked for again, those of the last response count', async () => {
  const b = bare()
  const reply = b.generate()
  b.tell(created('r'), text('in writing', 'a'))
  b.retried('r')
  expect(reply.responseId).toBeNull()
  b.tell(done('r'), created('q'), text('aloud', 'b', 0, 'q'), done('q'))
  expect(await reply.done).toMatchObject({ responseId: 'q', text: 'aloud' })
  expect((await copy(reply.text)).join('')).toBe('in writing\naloud')
})

test('one that was cancelled is not waited for when it is asked for again', async () => {
  const b = bare()
  const reply = b.generate()
  b.tell(created('r'))
  reply.cancel()
  b.retried('r')
  expect(await reply.done).toMatchObject({ status: 'cancelled', response: null })
  b.tell(created('q'))
  expect(b.cancels).toEqual([
    ['reply_1', 'r'],
    ['reply_1', null],
    ['reply_1', 'q'],
  ])
})

test('one that was cancelled before it began is cut when it begins, once', async () => {
  const b = bare()
  const reply = b.generate()
  reply.cancel()
  expect(await reply.done).toMatchObject({ status: 'cancelled' })
  b.tell(created('r'), created('q'))
  expect(b.cancels).toEqual([
    ['reply_1', null],
    ['reply_1', 'r'],
  ])
})

test('no sound comes after it was cancelled, not to one who asks for it then either', async () => {
  const b = bare()
  const reply = b.generate()
  b.tell(created('r'))
  reply.cancel()
  reply.cancel()
  expect(await copy(reply.audio)).toEqual([])
  expect(b.cancels).toEqual([['reply_1', 'r']])
  b.tell(done('r', [], 'cancelled'))
  expect(await reply.done).toMatchObject({ status: 'cancelled', response: { id: 'r' } })
})

test('an error that names what has begun already is not its end', async () => {
  const b = bare()
  const reply = b.generate()
  b.tell(created('r'))
  expect(b.refused({ type: 'server_error', message: 'Slow.', event_id: reply.id })).toBe(false)
  b.tell(done('r'))
  expect(await reply.done).toMatchObject({ status: 'completed' })
})

test('what happens after its end is of no concern to it', async () => {
  const b = bare()
  const [given, dropped] = [b.generate(), b.generate()]
  b.tell(created('r'), text('all', 'a'), done('r'))
  b.dropped(dropped.id)
  b.tell(text(' too late', 'a'), done('r', [message('b', 'twice')], 'failed'))
  b.lost(gone, () => true)
  b.closed(gone.cause)
  given.cancel()
  expect(await given.done).toMatchObject({ status: 'completed', text: 'all' })
  expect(await dropped.done).toMatchObject({ status: 'cancelled' })
  expect(await copy(given.text)).toEqual(['all'])
  expect(await copy(given.audio)).toEqual([])
  expect(b.refused({ type: 'x', message: 'x', event_id: given.id })).toBe(false)
  expect(b.cancels).toEqual([])
})

test('a refusal of something else is left to the session', () => {
  const b = bare()
  b.generate()
  const error = { type: 'invalid_request_error', message: 'No.' }
  expect([b.refused(error), b.refused({ ...error, event_id: 'item_1' })]).toEqual([false, false])
})

async function copy<T>(from: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const piece of from) all.push(piece)
  return all
}
