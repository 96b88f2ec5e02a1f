/** The docs are true: every snippet of the README and the guides is compiled, and run as it stands. */
import { existsSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { activeResponse } from '../src/conversation/conversation.ts'
import type { RealtimeSession } from '../src/index.ts'
import { type Server, serve } from '../src/server/index.ts'
import { scriptedEars, toneVoice } from '../src/testing/index.ts'
import { sentencesOf } from './sentences.ts'
import {
  fencesIn,
  nameOf,
  pages,
  pathOf,
  type Snippet,
  type Stage,
  snippetStage,
  snippets,
  typeErrors,
} from './snippets.ts'

type Parley = typeof import('./docs-parley.ts')

let server: Server
let stage: Stage
let parley: Parley

beforeAll(async () => {
  server = await serve({ port: 0, pace: 40, voice: toneVoice({ msPerLetter: 2 }), ears: scriptedEars(['hello']) })
  stage = await snippetStage()
  parley = (await stage.load('/test/docs-parley.ts')) as Parley
  parley.far.url = server.url
}, 60_000)

afterAll(async () => {
  await stage?.close()
  await server?.close()
})

describe('what a snippet is', () => {
  test('code in TypeScript is fenced as ts, and at most three are not run', () => {
    const fences = pages.flatMap(fencesIn)
    expect(fences.filter(({ fence }) => !/^(ts|ts no-run|ts browser|tsx|sh|json)$/.test(fence)).map(nameOf)).toEqual([])
    expect(snippets.filter(({ fence }) => fence === 'ts no-run').length).toBeLessThanOrEqual(3)
    expect(snippets.length).toBeGreaterThan(10)
  })

  test('it compiles by the options of this repository', { timeout: 60_000 }, () => {
    expect(typeErrors(snippets)).toEqual([])
  })

  test('one that does not compile is told with its page and line', { timeout: 60_000 }, () => {
    const wrong: Snippet = { file: 'docs/wrong.md', line: 7, code: 'const n: number = "x"\n', fence: 'ts', prints: [] }
    expect(typeErrors([wrong])).toEqual([expect.stringMatching(/^docs\/wrong\.md:7 Type 'string' is not assignable/)])
  })
})

describe('what the docs name is there', () => {
  test.each(pages)('the links of %s lead somewhere', (page) => {
    const text = readFileSync(page, 'utf8')
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
    for (const [link, path = '', anchor] of links) {
      const file = path ? posix.join(posix.dirname(page), path) : page
      expect(existsSync(file), link).toBe(true)
      if (anchor) expect(anchorsIn(file), link).toContain(anchor)
    }
  })

  const errors = readFileSync('docs/errors.md', 'utf8')
  const entries = ['index.ts', 'transports/socket.web.ts', 'browser/index.ts', 'react/index.ts', 'trace/index.ts']
  const sentences = sentencesOf(...entries.map((entry) => `src/${entry}`))
  test.each(sentences.map(({ file, words }) => [words, file]))('docs/errors.md has: %s (%s)', (words) => {
    expect(errors.includes(words.slice(0, 24).trim())).toBe(true)
  })
})

const runs = snippets.filter(({ fence }) => fence === 'ts').map((snippet) => [nameOf(snippet), snippet] as const)
test.each(runs)('%s runs as it stands', async (name, snippet) => {
  const printed: string[] = []
  const failures: unknown[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((...words) => void printed.push(words.join(' ')))
  const wrong = vi.spyOn(console, 'error').mockImplementation((...words) => void failures.push(words))
  const assertion = vi.spyOn(console, 'assert').mockImplementation((is, ...words) => {
    if (!is) failures.push(['an assertion failed', ...words])
  })
  const { sessions } = parley.far
  onTestFinished(() => {
    for (const session of sessions.splice(0)) session.close()
    log.mockRestore()
    wrong.mockRestore()
    assertion.mockRestore()
  })
  const run = async () => {
    await stage.load(pathOf(snippet))
    await Promise.all(sessions.map(quiet))
  }
  await inTime(run(), name)
  expect(failures, `${name} reports what nobody listened for`).toEqual([])
  if (snippet.prints.length) expect(printed, `${name} prints`).toEqual(snippet.prints)
})

/** Nobody speaks, no tool runs and nothing is owed; or it was closed. */
function quiet(session: RealtimeSession): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      const { link, conversation, pending, turn, playback } = session.state
      const owes = pending.length + turn.owed.length + turn.beside.length > 0 || turn.asked !== null
      const calls = conversation.calls.some(({ id }) => !turn.answered.includes(id))
      const speaks = activeResponse(conversation) !== undefined || playback.item !== null || turn.hearing
      if (link.at === 'closed' || (link.at === 'live' && !owes && !calls && !speaks)) resolve()
    }
    session.subscribe(look)
    look()
  })
}

async function inTime(work: Promise<void>, name: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} is not done after 10 seconds.`)), 10_000)
  })
  try {
    await Promise.race([work, late])
  } catch (cause) {
    throw new Error(`${name} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  } finally {
    clearTimeout(timer)
  }
}

/** As GitHub makes them of headings. */
function anchorsIn(file: string): readonly string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
