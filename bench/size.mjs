/** What a page must load: the browser entry, bundled and made small, raw and gzipped. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

export async function size() {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    stdin: { contents: "export { RealtimeAgent, RealtimeSession, tool } from './src/index.ts'", resolveDir: root },
    bundle: true,
    splitting: true,
    outdir: 'out',
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['browser'],
    logLevel: 'silent',
    plugins: [importsOfSource],
  })
  const later = Object.keys(metafile.outputs).find((path) =>
    metafile.outputs[path].entryPoint?.endsWith('websocket.ts'),
  )
  const sum = (files) => ({
    raw: files.reduce((bytes, { contents }) => bytes + contents.length, 0),
    gzipped: files.reduce((bytes, { contents }) => bytes + gzipSync(contents, { level: 9 }).length, 0),
  })
  const entry = Object.keys(metafile.outputs).find((path) => metafile.outputs[path].entryPoint === '<stdin>')
  const first = new Set([...withImports(entry, metafile.outputs)].map((path) => resolve(root, path)))
  return {
    atOnce: sum(outputFiles.filter(({ path }) => first.has(path))),
    webSocket: sum(outputFiles.filter(({ path }) => path === resolve(root, later))),
  }
}

/** A chunk, and all that is loaded with it; what it loads later is not. */
function withImports(path, outputs, found = new Set()) {
  if (found.has(path)) return found
  found.add(path)
  for (const { path: next, kind } of outputs[path].imports) {
    if (kind !== 'dynamic-import') withImports(next, outputs, found)
  }
  return found
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
