/** What a page loads: the sources bundled for browsers and made small, by chunk, raw and gzipped. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * Bundles `contents`, a module that stands in the project's root. `atOnce` is what is loaded with it; `chunk(file)` what
 * is loaded for that file when it is imported later, without what has been loaded before.
 */
export async function bundle(contents, external = []) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    stdin: { contents, resolveDir: root },
    bundle: true,
    splitting: true,
    outdir: 'out',
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['browser'],
    external: ['node:*', ...external],
    logLevel: 'silent',
    plugins: [importsOfSource],
  })
  const files = new Map(outputFiles.map((file) => [file.path, file]))
  const outputs = Object.entries(metafile.outputs)
  const first = withImports(outputs.find(([, { entryPoint }]) => entryPoint === '<stdin>')[0], metafile.outputs)
  const sum = (paths) => {
    const all = [...paths].map((path) => files.get(resolve(root, path)).contents)
    return {
      raw: all.reduce((bytes, { length }) => bytes + length, 0),
      gzipped: all.reduce((bytes, one) => bytes + gzipSync(one, { level: 9 }).length, 0),
    }
  }
  return {
    metafile,
    texts: outputFiles.map(({ text }) => text),
    atOnce: sum(first),
    chunk(...ends) {
      const entries = outputs.filter(([, { entryPoint }]) => ends.some((end) => entryPoint?.endsWith(end)))
      const later = new Set(entries.flatMap(([path]) => [...withImports(path, metafile.outputs)]))
      return sum([...later].filter((path) => !first.has(path)))
    },
  }
}

/** A chunk, and all that is loaded with it; what it loads later is not. */
function withImports(path, outputs, found = new Set()) {
  if (found.has(path)) return found
  found.add(path)
  for (const { path: next, kind, external } of outputs[path].imports) {
    if (kind !== 'dynamic-import' && !external) withImports(next, outputs, found)
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
