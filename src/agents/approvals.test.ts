import { expect, test } from 'vitest'
import { UserError } from '../protocol/errors.ts'
import { world } from '../testing/world.ts'
import { type ApprovalItem, type ApprovalsOptions, approvals } from './approvals.ts'

const item = (callId: string, rest: Partial<ApprovalItem> = {}): ApprovalItem => ({
  type: 'function_approval',
  callId,
  itemId: `item_${callId}`,
  name: 'refund',
  arguments: '{"amount":5}',
  owner: 'Clerk',
  ...rest,
})

function made(options: Partial<ApprovalsOptions> = {}) {
  const w = world(1)
  const requested: string[] = []
  const it = approvals({
    clock: w.clock,
    timeoutMs: 60_000,
    requested: ({ callId }) => requested.push(callId),
    ...options,
  })
  return { w, requested, it }
}

test('the app is asked, and its verdict settles the call; what waits can be listed', async () => {
  const { it, requested } = made()
  const [one, two] = [it.ask(item('a')), it.ask(item('b'))]
  expect(requested).toEqual(['a', 'b'])
  expect(it.waiting.map(({ callId }) => callId)).toEqual(['a', 'b'])
  it.decide({ callId: 'b' }, { approved: false, message: 'No.' }, false)
  it.decide(item('a'), { approved: true }, false)
  expect(await Promise.all([one, two])).toEqual([{ approved: true }, { approved: false, message: 'No.' }])
  expect(it.waiting).toEqual([])
})

test('a verdict for all settles what comes later without asking, for that tool of that agent alone', async () => {
  const { it, requested } = made()
  const first = it.ask(item('a'))
  it.decide({ callId: 'a' }, { approved: true }, true)
  expect(await first).toEqual({ approved: true })
  expect(await it.ask(item('b', { arguments: '{"amount":9}' }))).toEqual({ approved: true })
  void it.ask(item('c', { name: 'close' }))
  void it.ask(item('d', { owner: 'Manager' }))
  expect(requested).toEqual(['a', 'c', 'd'])
})

test('a verdict is bound to the call and to its arguments', async () => {
  const { it } = made()
  void it.ask(item('a'))
  expect(() => it.decide({ callId: 'b' }, { approved: true }, false)).toThrow(UserError)
  expect(() => it.decide(item('a', { arguments: '{"amount":500}' }), { approved: true }, false)).toThrow(
    /other arguments/,
  )
  expect(it.waiting).toHaveLength(1)
  it.decide(item('a'), { approved: true }, false)
  expect(() => it.decide(item('a'), { approved: true }, false)).toThrow(/waits for no approval/)
})

test('what was cancelled before it is asked waits for nobody', async () => {
  const { it, requested } = made()
  expect(await it.ask(item('a'), undefined, AbortSignal.abort())).toEqual({
    approved: false,
    message: 'It was cancelled.',
  })
  expect([it.waiting, requested]).toEqual([[], []])
})

test('what waits is the same list until it changes, and the end of the session empties it at once', async () => {
  const lists: number[] = []
  const { it } = made({ changed: () => lists.push(it.waiting.length) })
  const verdicts = [it.ask(item('a')), it.ask(item('b'))]
  expect(it.waiting).toBe(it.waiting)
  it.closed('The app closed it.')
  await Promise.all(verdicts)
  expect(lists).toEqual([1, 2, 0])
})

test('when time is up it is denied', async () => {
  const { it, w } = made()
  const verdict = it.ask(item('a'))
  await w.settle(60_000)
  expect(await verdict).toEqual({ approved: false, message: 'Nobody approved this within 60 seconds.' })
  expect(() => it.decide({ callId: 'a' }, { approved: true }, false)).toThrow(/too old/)
})

test('what was decided once for all survives a restart', async () => {
  const { it } = made()
  void it.ask(item('a'))
  it.decide({ callId: 'a' }, { approved: false, message: 'Never.' }, true)
  const again = made({ saved: JSON.parse(JSON.stringify(it.save())) })
  expect(await again.it.ask(item('z'))).toEqual({ approved: false, message: 'Never.' })
  expect(again.requested).toEqual([])
})
