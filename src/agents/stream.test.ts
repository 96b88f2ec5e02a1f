import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stream } from './stream.ts'

test('whoever reads gets every piece in order, however reading and telling are mixed', async () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constant('push' as const) },
    { weight: 3, arbitrary: fc.nat(3) },
    { weight: 1, arbitrary: fc.constant('join' as const) },
  )
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.boolean(), fc.array(step, { maxLength: 40 }), async (kept, fails, steps) => {
      const { pieces, push, end } = stream<number>(kept)
      const readers: { read: AsyncIterator<number>; from: number; got: Promise<IteratorResult<number>>[] }[] = []
      let told = 0
      let isRead = false
      for (const what of steps) {
        if (what === 'push') push(told++)
        else if (what === 'join') {
          const from = kept || !isRead ? 0 : told
          readers.push({ read: pieces[Symbol.asyncIterator](), from, got: [] })
        } else {
          const reader = readers[what]
          reader?.got.push(reader.read.next())
          isRead ||= reader !== undefined
        }
      }
      const error = new Error('no more')
      end(fails ? error : undefined)
      push(-1)
      end(new Error('too late'))
      for (const { read, from, got } of readers) {
        const pending = got.slice(told - from)
        const known = await Promise.all(got.slice(0, told - from))
        expect(known.map(({ value }) => value)).toEqual(known.map((_, n) => from + n))
        for (const one of pending) {
          if (fails) await expect(one).rejects.toBe(error)
          else expect(await one).toEqual({ done: true, value: undefined })
        }
        if (pending.length) continue
        const rest: number[] = []
        const reading = (async () => {
          for await (const piece of { [Symbol.asyncIterator]: () => read }) rest.push(piece)
        })()
        if (fails) await expect(reading).rejects.toBe(error)
        else await reading
        expect(rest).toEqual(Array.from({ length: told - from - got.length }, (_, n) => from + got.length + n))
      }
    }),
    { seed: 3, numRuns: 500 },
  )
})

test('one who stops reading stops no other', async () => {
  const { pieces, push, end } = stream<string>(true)
  push('a')
  push('b')
  for await (const piece of pieces) {
    expect(piece).toBe('a')
    break
  }
  const stopped = pieces[Symbol.asyncIterator]()
  await stopped.return?.()
  end()
  expect(await stopped.next()).toEqual({ done: true, value: undefined })
  const all: string[] = []
  for await (const piece of pieces) all.push(piece)
  expect(all).toEqual(['a', 'b'])
})
