/** The little web server behind a browser test: one page, and the module that it runs, bundled from the sources. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

export interface PageOptions {
  /** The module that the page runs, from the root of the project: what it exports, the test can call. */
  readonly script: string
  /** Headers of the page itself: a content security policy, for one. */
  readonly headers?: Readonly<Record<string, string>>
  /** More that is served, by path: JavaScript where the path ends in `.js`. */
  readonly files?: Readonly<Record<string, string>>
}

/**
 * Records what comes in, with the frame of each block. Where the page's own thread holds the audio graph, Chromium shows a
 * block the frame of the one before: no block begins before the one before it has ended.
 */
const recorder = `registerProcessor('test-recorder', class extends AudioWorkletProcessor {
  end = 0
  process([[channel]]) {
    const frame = Math.max(currentFrame, this.end)
    this.end = frame + 128
    this.port.postMessage([frame, channel?.slice() ?? new Float32Array(128)])
    return true
  }
})`

/** Serves the page on 127.0.0.1, which browsers take for a secure place: microphones and worklets are allowed there. */
export async function servePage({
  script,
  headers = {},
  files,
}: PageOptions): Promise<{ readonly url: string; close(): Promise<void> }> {
  const served: Readonly<Record<string, string>> = { '/recorder.js': recorder, ...(await bundle(script)), ...files }
  const html = `<!doctype html><meta charset="utf-8"><title>${basename(script)}</title>
<link rel="icon" href="data:,"><div id="root"></div><script type="module" src="/bundled/page.js"></script>`
  const server = createServer(({ url = '/' }, response) => {
    const path = url.replace(/[?#].*/, '')
    if (path === '/') return response.writeHead(200, { 'content-type': 'text/html', ...headers }).end(html)
    const body = served[path]
    if (body === undefined) return response.writeHead(404).end()
    response.writeHead(200, { 'content-type': path.endsWith('.js') ? 'text/javascript' : 'text/plain' }).end(body)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

/** By the path under which it is served. Not minified: a stack trace should say something. */
async function bundle(script: string): Promise<Readonly<Record<string, string>>> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    stdin: {
      contents: `import * as counted from './test/browser/leftovers.page.ts'
import * as exported from './${script}'
Object.assign(globalThis, { exported, counted })`,
      resolveDir: root,
    },
    bundle: true,
    splitting: true,
    outdir: 'bundled',
    entryNames: 'page',
    write: false,
    format: 'esm',
    platform: 'browser',
    conditions: ['browser'],
    jsx: 'automatic',
    sourcemap: 'inline',
    define: { 'process.env.NODE_ENV': '"development"' },
    logLevel: 'silent',
    plugins: [sources],
  })
  return Object.fromEntries(outputFiles.map((file) => [`/bundled/${basename(file.path)}`, file.text]))
}

/** `#socket` and `parley-voice/…` as package.json resolves them in a browser, in the sources instead of `dist`. */
const sources: Plugin = {
  name: 'sources',
  setup({ onResolve }) {
    type Names = Record<string, string | Record<string, string>>
    const { imports, exports }: { imports: Names; exports: Names } = JSON.parse(
      readFileSync(resolve(root, 'package.json'), 'utf8'),
    )
    const sourceOf = (name: string, to: Names[string] | undefined) => {
      const file = typeof to === 'object' ? (to['browser'] ?? to['default']) : to
      if (!file) throw new Error(`package.json does not tell what ${name} is.`)
      return { path: resolve(root, file.replace('./dist/', './src/').replace(/\.js$/, '.ts')) }
    }
    onResolve({ filter: /^#/ }, ({ path }) => sourceOf(path, imports[path]))
    onResolve({ filter: /^parley-voice(\/|$)/ }, ({ path }) =>
      sourceOf(path, exports[path.replace('parley-voice', '.')]),
    )
  },
}
