/** Serves the built playground: a folder of few files, read once, so that no path leads out of it. */
import { readdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join } from 'node:path'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
}

/** The page may call any far end; all that it runs and shows comes from here. Worklets are made from blobs. */
const policy = [
  "default-src 'self'",
  "script-src 'self' blob: data: 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  'media-src blob: data: mediastream:',
  'connect-src *',
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Throws where the page was not built: the message says how to build it. */
export function pageIn(folder: string): (request: IncomingMessage, response: ServerResponse) => void {
  const files = filesIn(folder)
  return (request, response) => {
    const path = (request.url ?? '/').replace(/[?#].*/s, '')
    const name = path === '/' ? '/index.html' : path
    const body = files.get(name)
    if (!body) return void response.writeHead(404, { 'content-type': 'text/plain' }).end(`There is no ${path} here.\n`)
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end()
    response.writeHead(200, {
      'content-type': types[extname(name)] ?? 'application/octet-stream',
      'content-length': body.byteLength,
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      // Names below /assets/ carry a hash of what they hold.
      'cache-control': name.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    })
    response.end(request.method === 'HEAD' ? undefined : body)
  }
}

function filesIn(folder: string): ReadonlyMap<string, Buffer> {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    const names = entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
    const files = new Map(
      names.map((name) => [name.slice(folder.length).replaceAll('\\', '/').replace(/^\/?/, '/'), readFileSync(name)]),
    )
    if (files.has('/index.html')) return files
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  throw new Error(
    `The page is not built: there is no index.html in ${folder}. In a clone of the repository run: npm run build`,
  )
}
