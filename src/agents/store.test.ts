import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mulberry32 } from '../protocol/random.ts'
import type { RealtimeItem, RealtimeMessageItem } from '../session/history.ts'
import { world } from '../testing/world.ts'
import { type HistoryStore, keep, memoryStore } from './store.ts'

const item = (itemId: string, text = itemId, rest: Partial<RealtimeMessageItem> = {}): RealtimeItem => ({
  itemId,
  previousItemId: null,
  origin: 'live',
  type: 'message',
  role: 'user',
  status: 'completed',
  content: [{ type: 'input_text', text }],
  ...rest,
})
const [a, b, c] = [item('a'), item('b'), item('c')]
const never = (error: unknown) => {
  throw error
}

/** A store that says what is written to it, waits until it is let go, and fails when it is told to. */
function slow(items: readonly RealtimeItem[] = []) {
  const memory = memoryStore(items)
  const writes: [string, readonly string[]][] = []
  const waiting: (() => void)[] = []
  const far = { isSlow: false, failures: 0, isWrittenFirst: false, under: 0 }
  async function write(name: 'append' | 'replace', more: readonly RealtimeItem[]) {
    expect(++far.under).toBe(1)
    writes.push([name, more.map(({ itemId }) => itemId)])
    if (far.isSlow) await new Promise<void>((resolve) => waiting.push(resolve))
    far.under--
    const fails = far.failures-- > 0
    if (!fails || far.isWrittenFirst) await memory[name](more)
    if (fails) throw new Error('full')
  }
  const store: HistoryStore = {
    load: memory.load,
    append: (more) => write('append', more),
    replace: (all) => write('replace', all),
  }
  return { store, writes, far, next: () => waiting.shift()?.() }
}

test('a store appends each item once: one that is known is replaced where it stands', async () => {
  const store = memoryStore([a, b])
  await store.append([item('a', 'new'), c])
  expect(await store.load()).toEqual([item('a', 'new'), b, c])
  await store.append([c])
  expect(await store.load()).toEqual([item('a', 'new'), b, c])
  await store.replace([b])
  expect(await store.load()).toEqual([b])
})

test('only what changed is written; all is, where something left or came in between', async () => {
  const { store, writes } = slow()
  const kept = keep(store, { failed: never })
  for (const history of [[a], [a, b], [a, item('b', 'new')], [a, item('b', 'new'), c], [a, c], [item('x'), a, c], []]) {
    kept(history)
    await kept.flush()
    expect(await store.load()).toEqual(history)
  }
  expect(writes).toEqual([
    ['append', ['a']],
    ['append', ['b']],
    ['append', ['b']],
    ['append', ['c']],
    ['replace', ['a', 'c']],
    ['replace', ['x', 'a', 'c']],
    ['replace', []],
  ])
})

test('a history that says nothing new is not written', async () => {
  const { store, writes } = slow([a, b])
  const kept = keep(store, { failed: never, stored: [a, b] })
  kept([a, b])
  await kept.flush()
  kept([item('a', 'a', { origin: 'restored' }), { ...b }])
  await kept.flush()
  expect(writes).toEqual([])
})

test('what changes while one write is under way is written after it, together', async () => {
  const { store, writes, far, next } = slow()
  const w = world()
  far.isSlow = true
  const kept = keep(store, { failed: never })
  kept([a])
  await w.settle()
  kept([a, b])
  kept([a, item('b', 'new')])
  kept([a, item('b', 'newer'), c])
  await w.settle()
  expect(writes).toEqual([['append', ['a']]])
  next()
  await w.settle()
  next()
  await w.settle()
  expect(writes).toEqual([
    ['append', ['a']],
    ['append', ['b', 'c']],
  ])
  expect(await store.load()).toEqual([a, item('b', 'newer'), c])
})

test('an item is written when it comes and when it is told to its end; a flush writes what is there', async () => {
  const { store, writes } = slow()
  const kept = keep(store, { failed: never })
  const w = world()
  const growing = (text: string) => item('g', text, { status: 'in_progress' })
  for (const text of ['', 'Good', 'Good day', 'Good day to']) {
    kept([a, growing(text)])
    await w.settle()
  }
  expect(writes).toEqual([['append', ['a', 'g']]])
  await kept.flush()
  expect(await store.load()).toEqual([a, growing('Good day to')])
  kept([a, growing('Good day to you')])
  await w.settle()
  kept([a, item('g', 'Good day to you.')])
  await w.settle()
  expect(await store.load()).toEqual([a, item('g', 'Good day to you.')])
  expect(writes).toHaveLength(3)
  const heard = (words: string | null, transcriptStatus: 'pending' | 'final') =>
    item('h', '', { content: [{ type: 'input_audio', transcript: words }], transcriptStatus })
  for (const one of [heard(null, 'pending'), heard('Wh', 'pending'), heard('What?', 'final')]) {
    kept([a, item('g', 'Good day to you.'), one])
    await w.settle()
  }
  expect(writes.slice(3)).toEqual([
    ['append', ['h']],
    ['append', ['h']],
  ])
})

test('a failure is told, and the next change is another try: with all that may be missing', async () => {
  const { store, writes, far } = slow()
  const errors: unknown[] = []
  const kept = keep(store, { failed: (error) => errors.push(error) })
  const w = world()
  far.failures = 1
  kept([a, b])
  await w.settle()
  expect(errors).toEqual([new Error('full')])
  expect(await store.load()).toEqual([])
  kept([a, b, c])
  await w.settle()
  expect(await store.load()).toEqual([a, b, c])
  far.failures = 1
  kept([a, c])
  await w.settle()
  kept([a, c, item('d')])
  await w.settle()
  expect(await store.load()).toEqual([a, c, item('d')])
  expect(writes.map(([name]) => name)).toEqual(['append', 'append', 'replace', 'replace'])
  expect(errors).toHaveLength(2)
})

test('what a failed write may have left behind is taken away', async () => {
  const { store, far } = slow()
  const kept = keep(store, { failed: () => {} })
  far.failures = 1
  far.isWrittenFirst = true
  kept([a, b])
  await kept.flush()
  kept([a])
  await kept.flush()
  expect(await store.load()).toEqual([a])
})

test('what changed while a write failed is written without waiting for another change', async () => {
  const { store, far, next } = slow()
  const errors: unknown[] = []
  const kept = keep(store, { failed: (error) => errors.push(error) })
  const w = world()
  far.isSlow = true
  far.failures = 1
  kept([a])
  await w.settle()
  kept([a, b])
  next()
  await w.settle()
  next()
  await w.settle()
  expect(errors).toHaveLength(1)
  expect(await store.load()).toEqual([a, b])
})

test('a store that throws at once is as one that rejects', async () => {
  const errors: unknown[] = []
  const refuse = () => {
    throw new Error('closed')
  }
  const kept = keep({ load: refuse, append: refuse, replace: refuse }, { failed: (error) => errors.push(error) })
  kept([a])
  await kept.flush()
  expect(errors[0]).toEqual(new Error('closed'))
})

test('whatever happens to the history and to the store, its last state is kept', async () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  const list = fc
    .shuffledSubarray(names)
    .chain((ids) => fc.tuple(...ids.map((id) => fc.constantFrom('x', 'y').map((text) => item(id, text)))))
  await fc.assert(
    fc.asyncProperty(fc.array(list, { minLength: 1, maxLength: 12 }), fc.nat(), async (histories, seed) => {
      const random = mulberry32(seed)
      const { store, far, next } = slow()
      const w = world()
      far.isSlow = true
      const kept = keep(store, { failed: () => {} })
      for (const history of histories) {
        if (random() < 0.3) far.failures = 1
        far.isWrittenFirst = random() < 0.5
        kept(history)
        for (let n = random() * 3; n > 1; n--) {
          await w.settle()
          next()
        }
      }
      far.isSlow = false
      far.failures = 0
      const last = [...histories.at(-1)!]
      const flushed = [kept(last), kept.flush()][1]
      for (let n = 0; n < 3; n++) {
        await w.settle()
        next()
      }
      await flushed
      expect(await store.load()).toEqual(last)
    }),
    { seed: 2, numRuns: 150 },
  )
})
