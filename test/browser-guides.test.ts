/** What the guides show of browsers is true: each snippet runs in one as it stands, and leaves nothing behind. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Server, serve } from '../src/server/index.ts'
import { scriptedEars, toneVoice } from '../src/testing/index.ts'
import { nothingLeft, openChromium, testWithChromium } from './browser/browser.ts'
import { nameOf, pathOf, snippetStage, snippets } from './snippets.ts'

type Guide = { run(url: string): Promise<void>; printed(): readonly string[]; close(): void }

const folder = 'out/browser-guides'
let server: Server
beforeAll(async () => {
  mkdirSync(folder, { recursive: true })
  server = await serve({ port: 0, pace: 40, voice: toneVoice({ msPerLetter: 2 }), ears: scriptedEars(['hello']) })
  vi.stubEnv('REALTIME_URL', server.url.replace('ws', 'http'))
  vi.stubEnv('OPENAI_API_KEY', 'sk-local')
})
afterAll(async () => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
  await server?.close()
})

/** As the route of the guide makes it. */
async function clientSecret(): Promise<string> {
  const stage = await snippetStage()
  try {
    const route = snippets.find(({ file, code }) => file === 'docs/browser.md' && code.includes('/client_secrets'))
    const { GET } = (await stage.load(pathOf(route!))) as { GET(): Promise<Response> }
    const answer = await GET()
    expect(answer.status).toBe(200)
    return await answer.text()
  } finally {
    await stage.close()
  }
}

test('the route of the guide makes a client secret', { timeout: 60_000 }, async () => {
  expect(await clientSecret()).toMatch(/^ek_/)
})

test('the sizes of the guide and the README are those that are held', () => {
  const held = [...readFileSync('test/size.test.ts', 'utf8').matchAll(/^ {2}(\w+): ([\d_]+),$/gm)]
  const ceilings = new Map(held.map(([, name = '', bytes = '']) => [name, Number(bytes.replace('_', '')) / 1_000]))
  const figures = (all: Iterable<RegExpMatchArray>) => [...all].map(([, figure]) => Number(figure))
  const [, weights = ''] = readFileSync('docs/browser.md', 'utf8').split('## What it weighs')
  const guide = weights.matchAll(/^\|.*\| +(\d+\.\d) +\|$/gm)
  expect(figures(guide).toSorted()).toEqual([...ceilings.values()].toSorted())
  const readme = readFileSync('README.md', 'utf8').matchAll(/(\d+(?:\.\d+)?) kB/gi)
  const named = ['entry', 'overWebRTC', 'react', 'browser'].map((name) => ceilings.get(name))
  expect(figures(readme)).toEqual(named)
})

const shown = snippets
  .filter(({ fence }) => fence === 'ts browser')
  .map((snippet) => [nameOf(snippet), snippet] as const)

test('each of them says what it prints', () => {
  expect(shown.filter(([, { prints }]) => prints.length === 0).map(([name]) => name)).toEqual([])
  expect(shown.length).toBeGreaterThan(5)
})

testWithChromium.each(shown)('%s runs as it stands', { timeout: 60_000 }, async (_, { file, line, code, prints }) => {
  const name = `${file.replace(/\W/g, '-')}-${line}`
  const ours = code
    .replace("from 'parley-voice'", "from '../../test/docs-parley.ts'")
    .replace('ws://127.0.0.1:8787/v1/realtime', server.url)
    .replace('http://127.0.0.1:8787/v1/realtime/calls', server.callsUrl)
  writeFileSync(`${folder}/${name}.ts`, ours)
  writeFileSync(
    `${folder}/${name}.page.ts`,
    `export { leftovers } from '../../test/browser/leftovers.page.ts'
import { far } from '../../test/docs-parley.ts'
const words: string[] = []
console.log = (...said) => void words.push(said.join(' '))
export const printed = () => words
export async function run(url: string) {
  far.url = url
  await import('./${name}.ts')
}
export const close = () => [...far.sessions, ...far.lines].forEach((one) => one.close())`,
  )
  const page = await openChromium<Guide>({
    script: `${folder}/${name}.page.ts`,
    files: { '/client-secret': await clientSecret() },
  })
  await page.run('run', server.url)
  await vi.waitFor(async () => expect(await page.run('printed')).toEqual(prints), { timeout: 20_000, interval: 100 })
  await page.run('close')
  await vi.waitFor(async () => expect(await page.leftovers()).toEqual(nothingLeft), { timeout: 10_000, interval: 100 })
  await vi.waitFor(() => expect(server.calls()).toBe(0), { timeout: 10_000 })
})
