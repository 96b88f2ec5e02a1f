/** The server behind the playground: the page, what it may know, and client secrets for it. Keys stay here. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import { messageOf } from '../protocol/errors.ts'
import { serve } from '../server/index.ts'
import { pageIn } from './page.ts'

export interface PlaygroundOptions {
  /** Where the built page is. */
  readonly folder: string
  readonly port: number
  readonly host: string
  /** Another compatible server. */
  readonly url?: string | undefined
  /** For OpenAI, or for the server at `url`: client secrets are made with it. */
  readonly key?: string | undefined
  readonly model?: string | undefined
}

export interface Playground {
  readonly url: string
  /** Who answers, in a few words. */
  readonly behind: string
  readonly missing: readonly string[]
  close(): Promise<void>
}

const openAi = 'https://api.openai.com/v1/realtime'
const bodyLimit = 256 * 1024
const mintMs = 15_000

/** Rejects when the page is not built, and when the port is taken. */
export async function playground(options: PlaygroundOptions): Promise<Playground> {
  const { folder, port, host, url, key, model = 'gpt-realtime-2.1' } = options
  const page = pageIn(folder)
  const far = key || url ? (url ?? openAi) : null
  const behind = far === null ? 'answered from this machine' : `answered by ${new URL(far).host}`

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? '').replace(/[?#].*/s, '')
    if (!path.startsWith('/playground/')) return page(request, response)
    if (!isOurs(request, host)) return refuse(response, 403, 'Only the page itself may ask for this.')
    if (path === '/playground/config') return reply(response, 200, config())
    if (path === '/playground/session') return mint(request, response)
    return refuse(response, 404, `There is no ${path} here.`)
  }

  /** What the page may know. `url`: null where it is the page's own origin. */
  function config(): object {
    const provider = far === null ? 'local' : new URL(far).host
    return { provider, model, url: far, needsSecret: mints !== null, missing: far === null ? server.missing : [] }
  }

  async function mint(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') return refuse(response, 405, 'POST the session config.')
    // No other page can send JSON here without being asked for permission first, which it is not given.
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
      return refuse(response, 415, 'Send the session config as application/json.')
    const session = await bodyOf(request)
    if (session === undefined) return refuse(response, 400, 'The body is no JSON object, or too long.')
    if (!mints) return refuse(response, 409, 'There is no key here, and none is needed.')
    const refused = (why: string) => refuse(response, 502, key ? why.replaceAll(key, '…') : why)
    try {
      const minted = await fetch(mints, {
        method: 'POST',
        headers: { ...(key ? { authorization: `Bearer ${key}` } : {}), 'content-type': 'application/json' },
        body: JSON.stringify({ session }),
        signal: AbortSignal.timeout(mintMs),
      })
      const told = (await minted.json().catch(() => null)) as Minted | null
      if (minted.ok && typeof told?.value === 'string') return reply(response, 200, { value: told.value })
      const why = told?.error?.message ?? 'no reason given'
      refused(`${new URL(mints).host} made no client secret (HTTP ${minted.status}): ${why}`)
    } catch (error) {
      refused(`${new URL(mints).host} could not be asked for a client secret: ${messageOf(error)}`)
    }
  }

  const server = await serve({
    port,
    host,
    page: (request, response) => {
      answer(request, response).catch(() => response.destroy())
    },
  })
  const mints = far === null ? secretsAt(server.url) : key ? secretsAt(far) : null
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${server.port}/`,
    behind,
    missing: far === null ? server.missing : [],
    close: server.close,
  }
}

interface Minted {
  readonly value?: unknown
  readonly error?: { readonly message?: string }
}

/**
 * Our own page, and no other: what a browser sends from elsewhere has another origin. A name that was made to point here
 * (DNS rebinding) is not ours either: only the host we were told to listen on, and addresses.
 */
function isOurs({ headers }: IncomingMessage, host: string): boolean {
  const { origin, host: asked = '' } = headers
  if (origin !== undefined && origin !== `http://${asked}`) return false
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') return false
  const name = asked.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return name === 'localhost' || name === host || isIP(name) !== 0
}

function secretsAt(far: string): string {
  const url = new URL(far.replace(/^ws/, 'http'))
  url.pathname = url.pathname.replace(/\/(?:calls\/?)?$/, '')
  return `${url.origin}${url.pathname}/client_secrets`
}

async function bodyOf(request: IncomingMessage): Promise<object | undefined> {
  let text = ''
  for await (const chunk of request) {
    text += String(chunk)
    if (text.length > bodyLimit) return
  }
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? body : undefined
  } catch {
    return
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}

function refuse(response: ServerResponse, status: number, message: string): void {
  reply(response, status, { error: message })
}
