import { expect, test } from 'vitest'
import { closedByUs } from '../session/closed.ts'
import type { Cause, Connection, Dial, Listener } from '../session/transport.ts'
import { world } from '../testing/world.ts'
import { auto } from './auto.ts'

const cause = (change: Partial<Cause> = {}): Cause => ({
  reason: 'It failed.',
  code: 'ice_failed',
  fatal: false,
  initiator: 'network',
  ...change,
})

/** A way that does what the test says. */
function way(): { readonly dial: Dial; readonly lines: { listener: Listener; isClosed: boolean }[] } {
  const lines: { listener: Listener; isClosed: boolean }[] = []
  return {
    lines,
    dial(listener) {
      const line = { listener, isClosed: false }
      lines.push(line)
      return {
        send() {},
        append: () => true,
        close() {
          if (line.isClosed) return
          line.isClosed = true
          listener.dropped(closedByUs)
        },
      }
    },
  }
}

interface Scene {
  readonly w: ReturnType<typeof world>
  readonly first: ReturnType<typeof way>
  readonly second: ReturnType<typeof way>
  readonly told: unknown[]
  dial(): Connection
  asks(is: boolean): void
}

function scene(): Scene {
  const w = world(1)
  const [first, second] = [way(), way()]
  const told: unknown[] = []
  let isAsking = false
  const dial = auto({
    clock: w.clock,
    first: first.dial,
    second: async () => second.dial,
    asking: () => isAsking,
    fell: () => told.push('fell'),
  })
  const listener: Listener = {
    opened: (carriesAudio) => told.push(['opened', carriesAudio]),
    reached: (stage) => told.push(['reached', stage]),
    received: ({ type }) => told.push(String(type)),
    dropped: ({ code, fatal }) => told.push(['dropped', code, fatal]),
  }
  return {
    w,
    first,
    second,
    told,
    dial: () => dial(listener),
    asks(is) {
      isAsking = is
    },
  }
}

test('where the first way leads somewhere, the other is not even loaded', async () => {
  const { w, first, second, told, dial } = scene()
  dial()
  first.lines[0]!.listener.opened(true)
  await w.settle(60_000)
  first.lines[0]!.listener.dropped(cause())
  expect([told, second.lines.length]).toEqual([
    [
      ['opened', true],
      ['dropped', 'ice_failed', false],
    ],
    0,
  ])
  dial()
  expect([first.lines.length, second.lines.length]).toEqual([2, 0])
})

test.each<Partial<Cause>>([
  {},
  { code: 404, fatal: true, initiator: 'far end' },
  { code: 501, fatal: false, initiator: 'far end' },
  { code: 'sdp_refused', fatal: true },
  { code: null, fatal: true, initiator: 'us' },
])('where it does not (%j), the other takes its place at once, and stays', async (why) => {
  const { w, first, second, told, dial } = scene()
  dial()
  first.lines[0]!.listener.dropped(cause(why))
  await w.settle(1)
  second.lines[0]!.listener.opened()
  first.lines[0]!.listener.opened(true)
  second.lines[0]!.listener.dropped(cause({ code: 1006 }))
  expect(told).toEqual(['fell', ['opened', undefined], ['dropped', 1006, false]])
  dial()
  await w.settle(2)
  expect([first.lines.length, second.lines.length]).toEqual([1, 2])
})

test.each<Partial<Cause>>([
  { code: 401, fatal: true, initiator: 'far end' },
  { code: 403, fatal: true, initiator: 'far end' },
  { code: null, fatal: true, initiator: 'us', error: new Error('There is no key.') },
  { code: 'microphone_denied', fatal: true, initiator: 'us' },
  { code: 'microphone_missing', fatal: true, initiator: 'us' },
])('what another way cannot mend is told (%j)', async (why) => {
  const { w, first, second, told, dial } = scene()
  dial()
  first.lines[0]!.listener.dropped(cause(why))
  await w.settle(1)
  expect([told, second.lines.length]).toEqual([[['dropped', why.code, true]], 0])
})

test('a way that leads nowhere is left in time, but not while the user is asked', async () => {
  const { w, first, second, told, dial, asks } = scene()
  dial()
  asks(true)
  await w.settle(20_000)
  expect([told, second.lines.length]).toEqual([[], 0])
  asks(false)
  await w.settle(30_000)
  expect([told, first.lines[0]!.isClosed, second.lines.length]).toEqual([['fell'], true, 1])
})

test('a line that does not hold is the last of its way: it is dialed again over the other', async () => {
  const { w, first, second, told, dial } = scene()
  dial()
  first.lines[0]!.listener.opened(true)
  await w.settle(3_000)
  first.lines[0]!.listener.dropped(cause({ fatal: true }))
  expect(told).toEqual([['opened', true], 'fell', ['dropped', 'ice_failed', false]])
  dial()
  await w.settle(3_001)
  expect([first.lines.length, second.lines.length]).toEqual([1, 1])
})

test('how far an attempt has come is told of the way that is heard', async () => {
  const { w, first, second, told, dial } = scene()
  dial()
  first.lines[0]!.listener.reached?.('way')
  await w.settle(8_000)
  first.lines[0]!.listener.reached?.('channel')
  await w.settle(8_001)
  second.lines[0]!.listener.reached?.('answer')
  expect(told).toEqual([['reached', 'way'], 'fell', ['reached', 'answer']])
})

test.each(['before it opened', 'while the other is loaded', 'over the other'])(
  'closed %s: it drops once',
  async (when) => {
    const { w, first, second, told, dial } = scene()
    const line = dial()
    if (when !== 'before it opened') first.lines[0]!.listener.dropped(cause())
    if (when === 'over the other') await w.settle(1)
    line.close()
    line.close()
    await w.settle(30_000)
    expect(told.filter((what) => what !== 'fell')).toEqual([['dropped', 'closed_by_us', true]])
    expect([...first.lines, ...second.lines].filter(({ isClosed }) => !isClosed)).toEqual([])
  },
)
