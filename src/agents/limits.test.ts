import fc from 'fast-check'
import { expect, test } from 'vitest'
import { UserError } from '../protocol/errors.ts'
import { noUsage, type SessionUsage } from '../session/usage.ts'
import { world } from '../testing/world.ts'
import { type LimitReached, type Limits, type LimitsOptions, limits } from './limits.ts'

/** Limits in a world of their own, and what they told, with the time of it. */
function watched(given: Limits, options: Partial<LimitsOptions> = {}) {
  const { clock, settle, at, now } = world()
  const told: [time: number, what: string][] = []
  let timers = 0
  let set = 0
  const counting = {
    now: clock.now,
    at(time: number, run: () => void) {
      timers++
      set++
      const cancel = clock.at(time, () => {
        timers--
        run()
      })
      return () => {
        timers--
        cancel()
      }
    },
  }
  const tell = ({ kind, value, limit, isWarning }: LimitReached) => {
    told.push([now(), `${isWarning ? 'near' : 'over'}: ${kind} ${Number(value.toFixed(6))} of ${limit}`])
  }
  const watch = limits({
    limits: given,
    clock: counting,
    model: 'gpt-realtime-2.1',
    usage: () => noUsage,
    warn: tell,
    end: tell,
    ...options,
  })
  return { watch, told, settle, at, now, timers: () => timers, set: () => set }
}
const tokens = (totalTokens: number): SessionUsage => ({ ...noUsage, totalTokens })
const spoken = (outputAudioTokens: number): SessionUsage => ({
  ...tokens(outputAudioTokens),
  outputTokens: outputAudioTokens,
  outputAudioTokens,
})

test('a session that lasts too long is warned of once, and ended once', async () => {
  const { watch, told, settle, timers } = watched({ maxDurationMs: 60_000 })
  watch.started()
  await settle()
  expect(told).toEqual([
    [48_000, 'near: duration 48000 of 60000'],
    [60_000, 'over: duration 60000 of 60000'],
  ])
  expect(timers()).toBe(0)
})

test('the time starts when the session does, and a line that comes back does not start it anew', async () => {
  const { watch, told, settle, at } = watched({ maxDurationMs: 1_000 })
  at(500, watch.started)
  at(1_200, watch.started)
  await settle()
  expect(told.map(([time]) => time)).toEqual([1_300, 1_500])
})

test('a silence is warned of and ends the session, from the last that was said', async () => {
  const { watch, told, settle, at } = watched({ maxIdleMs: 1_000 })
  watch.started()
  at(300, watch.active)
  at(700, watch.active)
  await settle()
  expect(told).toEqual([
    [1_500, 'near: idle 800 of 1000'],
    [1_700, 'over: idle 1000 of 1000'],
  ])
})

test('each silence is warned of anew', async () => {
  const { watch, told, settle, at } = watched({ maxIdleMs: 1_000 })
  watch.started()
  at(900, watch.active)
  await settle()
  expect(told.map(([time, what]) => [time, what.slice(0, 4)])).toEqual([
    [800, 'near'],
    [1_700, 'near'],
    [1_900, 'over'],
  ])
})

test('no idle time runs while the agent speaks or a tool runs; it begins when that is over', async () => {
  const { watch, told, settle, at } = watched({ maxIdleMs: 1_000 })
  watch.started()
  at(100, () => watch.busy(true))
  at(5_000, () => watch.busy(false))
  at(5_900, () => watch.busy(false))
  await settle()
  expect(told.map(([time]) => time)).toEqual([5_800, 6_000])
})

test('a session that is busy when it starts is not idle', async () => {
  const { watch, told, settle, timers } = watched({ maxIdleMs: 1_000 })
  watch.busy(true)
  watch.started()
  await settle(50_000)
  expect([told, timers()]).toEqual([[], 0])
})

test('the agent may speak when the session has lasted long enough: it ends all the same', async () => {
  const { watch, told, settle } = watched({ maxDurationMs: 1_000, maxIdleMs: 600 })
  watch.started()
  watch.busy(true)
  await settle()
  expect(told.map(([, what]) => what)).toEqual(['near: duration 800 of 1000', 'over: duration 1000 of 1000'])
})

test.each<[string, Limits, (amount: number) => SessionUsage, string[]]>([
  ['tokens', { maxTokens: 1_000 }, tokens, ['near: tokens 900 of 1000', 'over: tokens 1100 of 1000']],
  ['cost', { maxCost: 0.064 }, spoken, ['near: cost 0.0576 of 0.064', 'over: cost 0.0704 of 0.064']],
])('a session that used too much is warned of once, and ended once: %s', async (_, given, use, lines) => {
  const { watch, told, settle } = watched(given)
  watch.started()
  for (const amount of [700, 900, 950, 1_100, 1_200]) watch.used(use(amount))
  await settle()
  expect(told.map(([, what]) => what)).toEqual(lines)
})

test('tokens count where the far end does not add them up', () => {
  const { watch, told } = watched({ maxTokens: 100 })
  watch.started()
  watch.used({ ...noUsage, inputTokens: 60, outputTokens: 40 })
  expect(told.map(([, what]) => what)).toEqual(['over: tokens 100 of 100'])
})

test('what goes over a limit at once is not warned of besides', () => {
  const { watch, told, timers } = watched({ maxTokens: 100, maxDurationMs: 1_000 })
  watch.started()
  expect(timers()).toBe(1)
  watch.used(tokens(500))
  expect([told, timers()]).toEqual([[[0, 'over: tokens 500 of 100']], 0])
})

test('usage that did not change is not looked at twice', () => {
  const { watch } = watched({ maxTokens: 100, maxCost: 1 })
  let looks = 0
  const usage = {
    ...noUsage,
    get totalTokens() {
      looks++
      return 1
    },
  }
  watch.started()
  watch.used(usage)
  const once = looks
  watch.used(usage)
  expect([once > 0, looks]).toEqual([true, once])
})

test('what was used before the session started counts from its start', () => {
  const { watch, told } = watched({ maxTokens: 100, maxDurationMs: 1_000 }, { usage: () => tokens(90) })
  expect(told).toEqual([])
  watch.started()
  expect(told).toEqual([[0, 'near: tokens 90 of 100']])
})

test('of several limits each is warned of, the first to be reached ends the session, and nothing follows', async () => {
  const { watch, told, settle, at, timers } = watched({ maxDurationMs: 1_000, maxIdleMs: 900, maxTokens: 100 })
  watch.started()
  at(750, () => watch.used(tokens(80)))
  at(850, () => watch.used(tokens(100)))
  at(860, () => watch.used(tokens(200)))
  at(870, watch.active)
  at(880, () => watch.busy(true))
  at(890, () => watch.busy(false))
  at(895, watch.started)
  await settle()
  expect(told.map(([time, what]) => [time, what.split(' ').slice(0, 2).join(' ')])).toEqual([
    [720, 'near: idle'],
    [750, 'near: tokens'],
    [800, 'near: duration'],
    [850, 'over: tokens'],
  ])
  expect(timers()).toBe(0)
})

test.each<[string, number, number[]]>([
  ['early', 0.5, [500, 1_000]],
  ['never', 1, [1_000]],
])('the app says when it is warned: %s', async (_, warnAt, times) => {
  const { watch, told, settle } = watched({ maxDurationMs: 1_000, warnAt })
  watch.started()
  await settle()
  expect(told.map(([time]) => time)).toEqual(times)
})

test('a session that stopped has nothing on the clock, and may start anew', async () => {
  const { watch, told, settle, at, timers, now } = watched({ maxDurationMs: 1_000, maxIdleMs: 900, maxTokens: 5 })
  watch.started()
  at(850, watch.stopped)
  await settle()
  expect(told.splice(0).map(([time]) => time)).toEqual([720, 800])
  expect([timers(), now()]).toEqual([0, 850])
  watch.used(tokens(9))
  watch.busy(true)
  watch.busy(false)
  watch.active()
  expect([told, timers()]).toEqual([[], 0])
  watch.used(tokens(0))
  watch.started()
  await settle()
  expect(told.map(([time]) => time)).toEqual([1_570, 1_650, 1_750])
})

test('a session that is closed when it is warned is left alone', async () => {
  const { watch, told, settle, timers } = watched(
    { maxDurationMs: 1_000, maxTokens: 100 },
    { warn: () => watch.stopped(), usage: () => tokens(90) },
  )
  watch.started()
  expect(timers()).toBe(0)
  await settle()
  expect(told).toEqual([])
})

test('a session without limits has no timers, and one with limits has one, however much is said', async () => {
  const free = watched({})
  free.watch.started()
  free.watch.used(spoken(1e9))
  expect(free.timers()).toBe(0)
  const { watch, settle, at, timers, set } = watched({ maxDurationMs: 1e6, maxIdleMs: 1_000 })
  watch.busy(true)
  watch.started()
  expect(timers()).toBe(1)
  watch.busy(false)
  expect(timers()).toBe(1)
  for (let time = 0; time < 4_000; time++) {
    at(time, () => {
      watch.active()
      watch.used(tokens(time))
    })
  }
  await settle(3_999)
  expect(timers()).toBe(1)
  expect(set()).toBeLessThanOrEqual(9)
})

test('a limit that is infinite is none', async () => {
  const { watch, told, settle, timers } = watched({ maxDurationMs: Number.POSITIVE_INFINITY, maxTokens: 10 })
  watch.started()
  expect(timers()).toBe(0)
  await settle(1e12)
  expect(told).toEqual([])
})

test('times that cannot be written in full come due all the same', async () => {
  const { watch, told, settle, at } = watched({ maxDurationMs: 0.7, maxIdleMs: 0.3, warnAt: 0.1 })
  at(1_234.567, watch.started)
  at(1_234.667, watch.active)
  await settle()
  expect(told.map(([, what]) => what.slice(0, 10))).toEqual(['near: idle', 'near: dura', 'near: idle', 'over: idle'])
})

test('a session ends with the first silence that is too long, or with its time: to the ms', async () => {
  const plan = fc.record({
    idle: fc.integer({ min: 1, max: 60 }),
    duration: fc.integer({ min: 1, max: 400 }),
    said: fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 25 }),
  })
  await fc.assert(
    fc.asyncProperty(plan, async ({ idle, duration, said }) => {
      const times = said.map((time) => time + 0.5).sort((a, b) => a - b)
      const { watch, told, settle, at, timers } = watched({ maxIdleMs: idle, maxDurationMs: duration })
      for (const time of times) at(time, watch.active)
      watch.started()
      await settle()
      let last = 0
      for (const time of times) if (time <= last + idle) last = time
      const over = told.filter(([, what]) => what.startsWith('over'))
      expect(over.map(([time]) => time)).toEqual([Math.min(last + idle, duration)])
      expect(told.at(-1)).toEqual(over[0])
      expect(timers()).toBe(0)
    }),
    { seed: 11, numRuns: 200 },
  )
})

test.each<[string, Limits, Partial<LimitsOptions>?]>([
  ['a negative duration', { maxDurationMs: -1 }],
  ['no duration', { maxDurationMs: 0 }],
  ['a duration that is no number', { maxDurationMs: Number.NaN }],
  ['a negative silence', { maxIdleMs: -5 }],
  ['tokens in words', { maxTokens: 'many' as unknown as number }],
  ['a limit of null', { maxTokens: null as unknown as number }],
  ['a cost that is no number', { maxCost: Number.NaN }],
  ['a warning after the end', { maxTokens: 1, warnAt: 1.5 }],
  ['a warning at once', { maxTokens: 1, warnAt: 0 }],
  ['a goodbye that is no text', { goodbye: 7 as unknown as string }],
  ['a cost where the model has no price', { maxCost: 1 }, { model: 'a-model-of-tomorrow' }],
  [
    'a cost where the price is none',
    { maxCost: 1 },
    { model: 'own', prices: { own: { textInput: 1, audioInput: -1, textOutput: 1, audioOutput: 1 } } },
  ],
  [
    'a cost where the price of images is none',
    { maxCost: 1 },
    {
      model: 'own',
      prices: { own: { textInput: 1, audioInput: 1, imageInput: Number.NaN, textOutput: 1, audioOutput: 1 } },
    },
  ],
  ['a cost where only minutes have a price', { maxCost: 1 }, { model: 'own', prices: { own: { perMinute: 1 } } }],
])('refused: %s', (_, given, options) => {
  expect(() => watched(given, options)).toThrow(UserError)
})

test('a model without a list price is limited by the prices of the app', () => {
  const prices = { own: { textInput: 1, audioInput: 1, textOutput: 1, audioOutput: 1_000_000 } }
  const { watch, told } = watched({ maxCost: 5 }, { model: 'own', prices })
  watch.started()
  watch.used(spoken(5))
  expect(told.map(([, what]) => what)).toEqual(['over: cost 5 of 5'])
})

test('a model of transcription that has no price does not lift the limit on the cost', () => {
  const { watch, told } = watched({ maxCost: 0.064 })
  watch.started()
  const use = { totalTokens: 0, inputTokens: 0, outputTokens: 0, inputTextTokens: 0, inputAudioTokens: 0, seconds: 60 }
  watch.used({ ...spoken(1_000), transcription: { unknown: use } })
  expect(told.map(([, what]) => what)).toEqual(['over: cost 0.064 of 0.064'])
})
