import { expect, test } from 'vitest'
import { bundle } from '../bench/bundle.mjs'
import { calls, entry, named } from '../bench/size.mjs'

/** Bytes, gzipped. A legitimate rise moves a ceiling in the commit that causes it. */
const ceilings = {
  /** What a page loads that imports the session, agents and tools: enough to show itself, and to begin a call. */
  entry: 10_000,
  /** The same with both transports by name. */
  named: 14_600,
  /** What the first loads besides when it connects, by transport: the whole session. */
  overWebRTC: 48_300,
  overWebSocket: 45_100,
  /** What `parley-voice/react` adds to the entry. */
  react: 2_600,
  /** `parley-voice/browser`, by itself. */
  browser: 7_300,
}

const react = ['react', 'react/jsx-runtime']

test.each([
  ['a session', entry, ceilings.entry],
  ['a session and the transports by name', named, ceilings.named],
])('a page of %s loads little, and nothing of Node', async (_, contents, most) => {
  const page = await bundle(contents)
  const { metafile, texts, atOnce } = page
  const files = Object.entries(metafile.inputs)
  const outside = files.flatMap(([, { imports }]) => imports.filter(({ external }) => external).map(({ path }) => path))
  const packages = files.map(([path]) => path).filter((path) => path.includes('node_modules'))
  expect(outside, 'imports from Node').toEqual([])
  expect(packages, 'bundled packages').toEqual([])
  for (const text of texts) expect(text).not.toMatch(/['"`]node:|\bBuffer\b/)

  expect(atOnce.gzipped).toBeGreaterThan(5_000)
  expect(atOnce.gzipped).toBeLessThanOrEqual(most)
  const { webRTC, webSocket } = calls(page)
  for (const { gzipped } of [webRTC, webSocket]) expect(gzipped).toBeGreaterThan(20_000)
  expect(webRTC.gzipped).toBeLessThanOrEqual(ceilings.overWebRTC)
  expect(webSocket.gzipped).toBeLessThanOrEqual(ceilings.overWebSocket)
})

test('the React hooks and the audio of a page add little', async () => {
  const { atOnce } = await bundle(entry)
  const withHooks = await bundle(`${entry}\nexport * from './src/react/index.ts'`, react)
  const audio = await bundle("export * from './src/browser/index.ts'")
  expect(withHooks.atOnce.gzipped - atOnce.gzipped).toBeLessThanOrEqual(ceilings.react)
  expect(audio.atOnce.gzipped).toBeLessThanOrEqual(ceilings.browser)
})
