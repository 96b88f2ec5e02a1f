import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keep } from '../agents/store.ts'
import type { RealtimeItem } from '../session/history.ts'
import { fileStore } from './file-store.ts'

const item = (itemId: string, text: string): RealtimeItem => ({
  itemId,
  previousItemId: null,
  origin: 'live',
  type: 'message',
  role: 'user',
  status: 'completed',
  content: [{ type: 'input_text', text }],
})
const [a, b, c] = [item('a', 'one\ntwo é'), item('b', 'two'), item('c', 'three 🙂')]

let folder: string
let files = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'history-'))
})
afterAll(() => rm(folder, { recursive: true }))
const fresh = () => join(folder, `${++files}`, 'history.jsonl')

test('a file that is not there is an empty history', async () => {
  expect(await fileStore(fresh()).load()).toEqual([])
})

test('what is appended stands in the file line by line, and is there for the next process', async () => {
  const path = fresh()
  const store = fileStore(path)
  await store.append([a, b])
  const before = await readFile(path, 'utf8')
  await store.append([])
  await store.append([c])
  const after = await readFile(path, 'utf8')
  expect(after).toBe(`${before}${JSON.stringify(c)}\n`)
  expect(after.split('\n')).toHaveLength(4)
  expect(await fileStore(path).load()).toEqual([a, b, c])
})

test('an item that is appended again replaces itself where it stands', async () => {
  const path = fresh()
  const store = fileStore(path)
  await store.append([a, b])
  await store.append([item('a', 'other')])
  expect(await fileStore(path).load()).toEqual([item('a', 'other'), b])
})

test('what replaces all is there whole, and nothing is left beside it', async () => {
  const path = fresh()
  const store = fileStore(path)
  await store.replace([a, b])
  await store.replace([c])
  expect(await readFile(path, 'utf8')).toBe(`${JSON.stringify(c)}\n`)
  expect(await readdir(join(path, '..'))).toEqual(['history.jsonl'])
  await store.append([a])
  expect(await store.load()).toEqual([c, a])
})

test('a replacement that fails leaves the file as it was', async () => {
  const path = fresh()
  await fileStore(path).append([a])
  const store = fileStore(path)
  const broken = Object.assign(
    { ...b },
    {
      toJSON: () => {
        throw new Error('no JSON')
      },
    },
  )
  await expect(store.replace([c, broken])).rejects.toThrow('no JSON')
  await mkdir(`${path}.new`)
  await expect(store.replace([c])).rejects.toThrow('EISDIR')
  expect(await store.load()).toEqual([a])
  await store.append([c])
  expect(await store.load()).toEqual([a, c])
})

test('a last line that was half written, at any byte, is left out, and what comes next is whole', async () => {
  const path = fresh()
  await fileStore(path).append([a, b])
  const whole = await readFile(path)
  const first = whole.indexOf(10) + 1
  for (let size = first; size <= whole.length; size++) {
    await writeFile(path, whole)
    await truncate(path, size)
    const rest = size >= whole.length - 1 ? [a, b] : [a]
    expect(await fileStore(path).load(), `${size} bytes`).toEqual(rest)
    await fileStore(path).append([c])
    expect(await fileStore(path).load(), `${size} bytes`).toEqual([...rest, c])
  }
})

test('after a write that failed the file is looked at again', async () => {
  const path = fresh()
  const store = fileStore(path)
  await store.append([a])
  const whole = await readFile(path)
  await rm(path)
  await mkdir(path)
  await expect(store.append([b])).rejects.toThrow('EISDIR')
  await rm(path, { recursive: true })
  await writeFile(path, Buffer.concat([whole, Buffer.from('{"itemId"')]))
  await store.append([c])
  expect(await store.load()).toEqual([a, c])
})

test.each<[string, string, RegExp]>([
  ['no JSON', '{"itemId":', /^Line 2 of .*history.jsonl is no item of a history: it is no JSON\.$/],
  ['no item', '{"itemId":"x"}', /^Line 2 of .*: its type is missing\.$/],
  ['no object', '7', /^Line 2 of .*: it is 7 and not an object\.$/],
])('a line in between that is %s is named', async (_, line, message) => {
  const path = fresh()
  const store = fileStore(path)
  await store.append([a])
  await appendFile(path, `${line}\n`)
  await store.append([b])
  await expect(store.load()).rejects.toThrow(message)
})

test('writes that were asked for together are done one after the other', async () => {
  const store = fileStore(fresh())
  const all = [store.append([a]), store.replace([b]), store.append([c]), store.append([item('b', 'new')]), store.load()]
  expect((await Promise.all(all)).at(-1)).toEqual([item('b', 'new'), c])
})

test('a history is kept in a file as it grows', async () => {
  const path = fresh()
  const kept = keep(fileStore(path), {
    failed: (error) => {
      throw error
    },
  })
  for (const history of [[a], [a, b], [a, item('b', 'new')], [c, a]]) {
    kept(history)
    await kept.flush()
    expect(await fileStore(path).load()).toEqual(history)
  }
})
