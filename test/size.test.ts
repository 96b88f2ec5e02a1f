import { expect, test } from 'vitest'
import { bundle } from '../bench/bundle.mjs'

/** Bytes, gzipped. A legitimate rise moves a ceiling in the commit that causes it. */
const ceilings = {
  /** What a page loads that imports the session, agents and tools: enough to show itself, and to begin a call. */
  entry: 11_900,
  /** What it loads besides when it connects, by transport: the whole session. */
  overWebRTC: 41_500,
  overWebSocket: 38_000,
  /** What `parley-voice/react` adds to the entry. */
  react: 2_700,
  /** `parley-voice/browser`, by itself. */
  browser: 6_800,
}

const root = "export { RealtimeAgent, RealtimeSession, tool } from './src/index.ts'"
const react = ['react', 'react/jsx-runtime']

test('a page loads little, and nothing of Node', async () => {
  const { metafile, texts, atOnce, chunk } = await bundle(root)
  const files = Object.entries(metafile.inputs)
  const outside = files.flatMap(([, { imports }]) => imports.filter(({ external }) => external).map(({ path }) => path))
  const packages = files.map(([path]) => path).filter((path) => path.includes('node_modules'))
  expect(outside, 'imports from Node').toEqual([])
  expect(packages, 'bundled packages').toEqual([])
  for (const text of texts) expect(text).not.toMatch(/['"`]node:|\bBuffer\b/)

  expect(atOnce.gzipped).toBeGreaterThan(5_000)
  expect(atOnce.gzipped).toBeLessThanOrEqual(ceilings.entry)
  const calls = {
    overWebRTC: chunk('agents/stage.ts', 'transports/webrtc.ts').gzipped,
    overWebSocket: chunk('agents/stage.ts', 'transports/websocket.ts').gzipped,
  }
  for (const [way, bytes] of Object.entries(calls)) {
    expect(bytes, way).toBeGreaterThan(20_000)
    expect(bytes, way).toBeLessThanOrEqual(ceilings[way as keyof typeof calls])
  }
})

test('the React hooks and the audio of a page add little', async () => {
  const { atOnce } = await bundle(root)
  const withHooks = await bundle(`${root}\nexport * from './src/react/index.ts'`, react)
  const audio = await bundle("export * from './src/browser/index.ts'")
  expect(withHooks.atOnce.gzipped - atOnce.gzipped).toBeLessThanOrEqual(ceilings.react)
  expect(audio.atOnce.gzipped).toBeLessThanOrEqual(ceilings.browser)
})
