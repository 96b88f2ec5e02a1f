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
  const isLater = ({ path }) => path === resolve(root, later)
  return { atOnce: sum(outputFiles.filter((file) => !isLater(file))), webSocket: sum(outputFiles.filter(isLater)) }
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
