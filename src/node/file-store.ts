/** A history in a file: one item a line, as JSON; a later line of the same item replaces the earlier one. */
import { appendFile, mkdir, open, readFile, rename, truncate } from 'node:fs/promises'
import { dirname } from 'node:path'
import { wrongIn } from '../agents/saved.ts'
import { appended, type HistoryStore } from '../agents/store.ts'
import type { RealtimeItem } from '../session/history.ts'

const lineFeed = 10

/**
 * Keeps a history in the file at `path` (JSON Lines, UTF-8), which one process writes at a time. A line that was half
 * written when the process ended is left out.
 *
 * Its methods reject with what the file system says; `load` moreover with an `Error` that names the line that is no item.
 */
export function fileStore(path: string): HistoryStore {
  let last: Promise<unknown> = Promise.resolve()
  /** The file ends in a whole line, as far as we know. */
  let isWhole = false

  /** One after the other, whatever became of the one before. */
  function next<Result>(go: () => Promise<Result>): Promise<Result> {
    const result = last.then(go, go)
    last = result.catch(() => {})
    return result
  }

  return {
    load: () => next(async () => appended([], parse(await read(path), path))),
    append: (items) =>
      next(async () => {
        if (items.length === 0) return
        if (!isWhole) await mend(path)
        isWhole = false
        await appendFile(path, linesOf(items))
        isWhole = true
      }),
    replace: (items) =>
      next(async () => {
        const lines = linesOf(items)
        await mkdir(dirname(path), { recursive: true })
        const beside = `${path}.new`
        const file = await open(beside, 'w')
        try {
          await file.writeFile(lines)
          await file.sync()
        } finally {
          await file.close()
        }
        await rename(beside, path)
        isWhole = true
      }),
  }
}

function linesOf(items: readonly RealtimeItem[]): string {
  return items.map((item) => `${JSON.stringify(item)}\n`).join('')
}

function parse(file: Buffer, path: string): readonly RealtimeItem[] {
  const lines = file.toString('utf8').split('\n')
  return lines.flatMap((line, n) => {
    if (line.trim() === '') return []
    const item = fromJson(line)
    if (item === undefined && n === lines.length - 1) return []
    const why = item === undefined ? 'it is no JSON' : wrongIn(item, true)
    if (why) throw new Error(`Line ${n + 1} of ${path} is no item of a history: ${why}.`)
    return [item as RealtimeItem]
  })
}

/** Makes the file end in a whole line: what was half written is cut off. */
async function mend(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const file = await read(path)
  const end = file.lastIndexOf(lineFeed) + 1
  if (end === file.length) return
  if (fromJson(file.toString('utf8', end)) === undefined) await truncate(path, end)
  else await appendFile(path, '\n')
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}

function fromJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
