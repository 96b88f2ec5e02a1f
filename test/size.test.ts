import { expect, test } from 'vitest'
import { bundle } from '../bench/bundle.mjs'

/** Bytes, gzipped. A legitimate rise moves a ceiling in the commit that causes it. */
const ceilings = {
  /** What a page loads that imports the session, agents and tools. */
  entry: 34_500,
  /** What it loads besides when it connects over a WebSocket. */
  webSocket: 3_200,
}

test('a page loads little, and nothing of Node', async () => {
  const { metafile, texts, atOnce, chunk } = await bundle(
    "export { RealtimeAgent, RealtimeSession, tool } from './src/index.ts'",
  )
  const files = Object.entries(metafile.inputs)
  const outside = files.flatMap(([, { imports }]) => imports.filter(({ external }) => external).map(({ path }) => path))
  const packages = files.map(([path]) => path).filter((path) => path.includes('node_modules'))
  expect(outside, 'imports from Node').toEqual([])
  expect(packages, 'bundled packages').toEqual([])
  for (const text of texts) expect(text).not.toMatch(/['"`]node:|\bBuffer\b/)

  expect(atOnce.gzipped).toBeGreaterThan(5_000)
  expect(atOnce.gzipped).toBeLessThanOrEqual(ceilings.entry)
  const webSocket = chunk('transports/websocket.ts').gzipped
  expect(webSocket).toBeGreaterThan(1_000)
  expect(webSocket).toBeLessThanOrEqual(ceilings.webSocket)
})
