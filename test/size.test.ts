import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type Metafile, type Plugin } from 'esbuild'
import { expect, test } from 'vitest'

/** Bytes, gzipped. A legitimate rise moves a ceiling in the commit that causes it. */
const ceilings = {
  /** What a page loads that imports the session, agents and tools. */
  entry: 34_500,
  /** What it loads besides when it connects over a WebSocket. */
  webSocket: 3_200,
}

test('a page loads little, and nothing of Node', async () => {
  const { metafile, outputFiles } = await build({
    stdin: { contents: "export { RealtimeAgent, RealtimeSession, tool } from './src/index.ts'", resolveDir: '.' },
    bundle: true,
    splitting: true,
    outdir: 'out',
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['browser'],
    external: ['node:*'],
    logLevel: 'silent',
    plugins: [importsOfSource],
  })
  const files = Object.entries(metafile.inputs)
  const outside = files.flatMap(([, { imports }]) => imports.filter(({ external }) => external).map(({ path }) => path))
  const packages = files.map(([path]) => path).filter((path) => path.includes('node_modules'))
  expect(outside, 'imports from Node').toEqual([])
  expect(packages, 'bundled packages').toEqual([])
  for (const { text } of outputFiles) expect(text).not.toMatch(/['"`]node:|\bBuffer\b/)

  const sizes = new Map(outputFiles.map(({ path, contents }) => [path, gzipSync(contents, { level: 9 }).length]))
  const sizeOf = (output: string) => sizes.get(resolve(output)) ?? 0
  const outputs = Object.entries(metafile.outputs)
  const [entry] = outputs.find(([, { entryPoint }]) => entryPoint === '<stdin>')!
  const [webSocket] = outputs.find(([, { entryPoint }]) => entryPoint?.endsWith('websocket.ts'))!
  const atOnce = [...withImports(entry, metafile)].reduce((sum, path) => sum + sizeOf(path), 0)
  expect(atOnce).toBeGreaterThan(5_000)
  expect(atOnce).toBeLessThanOrEqual(ceilings.entry)
  expect(sizeOf(webSocket)).toBeGreaterThan(1_000)
  expect(sizeOf(webSocket)).toBeLessThanOrEqual(ceilings.webSocket)
})

/** A chunk, and all that is loaded with it; what it loads later is not. */
function withImports(path: string, { outputs }: Metafile, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found
  found.add(path)
  for (const { path: next, kind } of outputs[path]!.imports)
    if (kind !== 'dynamic-import') withImports(next, { outputs } as Metafile, found)
  return found
}

/** `#names` as package.json resolves them in a browser, in the sources instead of `dist`. */
const importsOfSource: Plugin = {
  name: 'imports of package.json',
  setup({ onResolve }) {
    const { imports } = JSON.parse(readFileSync('package.json', 'utf8'))
    onResolve({ filter: /^#/ }, ({ path }) => {
      const to: string = imports[path].browser ?? imports[path].default
      return { path: resolve(to.replace('./dist/', './src/').replace(/\.js$/, '.ts')) }
    })
  },
}
