/** What a page must load: the browser entry, bundled and made small, raw and gzipped. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

export async function size() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['src/index.ts'],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    conditions: ['browser'],
    logLevel: 'silent',
    plugins: [importsOfSource],
  })
  const { contents } = outputFiles[0]
  return { raw: contents.length, gzipped: gzipSync(contents, { level: 9 }).length }
}

/** `#names` as package.json resolves them in a browser, in the sources instead of `dist`. */
const importsOfSource = {
  name: 'imports of package.json',
  setup({ onResolve }) {
    const { imports } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'))
    onResolve({ filter: /^#/ }, ({ path }) => {
      const to = imports[path].browser ?? imports[path].default
      return { path: resolve(root, to.replace('./dist/', './src/').replace(/\.js$/, '.ts')) }
    })
  },
}
