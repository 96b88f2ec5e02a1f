import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type Plugin } from 'esbuild'
import { expect, test } from 'vitest'

/** Bytes, gzipped. A legitimate rise moves the ceiling in the commit that causes it. */
const ceiling = 14_000

test('the browser entry is small and knows no Node', async () => {
  const { metafile, outputFiles } = await build({
    entryPoints: ['src/index.ts'],
    bundle: true,
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
  const { contents, text } = outputFiles[0]!

  expect(outside, 'imports from Node').toEqual([])
  expect(packages, 'bundled packages').toEqual([])
  expect(text).not.toMatch(/['"`]node:|\bBuffer\b/)
  expect(gzipSync(contents, { level: 9 }).length).toBeLessThanOrEqual(ceiling)
})

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
