/** A bare WebSocket to our server: what is said on it, each event held against the official schema. And a certificate. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClientOptions, WebSocket } from 'ws'
import { officialSchema } from './official-schema.ts'

/** A server event as it came: the tests look where they want to. */
export interface Told {
  readonly type: string
  readonly event_id: string
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any field of any event
  readonly [field: string]: any
}

/** What was said, in order, and what is yet to be said. */
export interface Mailbox {
  readonly events: readonly Told[]
  put(event: Told): void
  /** Nothing more will come. */
  end(): void
  /** The next event of this type that nobody asked for yet. Rejects when the line ends first. */
  next(type: string): Promise<Told>
}

export interface Line extends Pick<Mailbox, 'events' | 'next'> {
  readonly socket: WebSocket
  send(event: object | string | Uint8Array): void
  /** Says something, asks for an answer in text, and waits for it. */
  talk(words: string): Promise<string>
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
}

const wrongs: string[] = []
const official = officialSchema()

/** What our server says and the official types do not have, and why it is right. */
const exceptions: readonly { readonly wrong: RegExp; readonly because: string }[] = []

/** Remembers what is wrong with an event, but for the exceptions. */
function hold(event: { readonly type: string }): void {
  const wrong = official(event)
  if (wrong && !exceptions.some((exception) => exception.wrong.test(wrong))) wrongs.push(wrong)
}

/** What was wrong with events since this was last asked. */
export function wrongSoFar(): readonly string[] {
  return wrongs.splice(0)
}

export function mailbox(): Mailbox {
  const events: Told[] = []
  const taken = new Set<Told>()
  const waiting: (() => void)[] = []
  let over = false
  const wake = () => {
    for (const go of waiting.splice(0)) go()
  }

  async function next(type: string): Promise<Told> {
    for (;;) {
      const event = events.find((one) => one.type === type && !taken.has(one))
      if (event) {
        taken.add(event)
        return event
      }
      if (over) throw new Error(`The line ended before ${type}; it said ${events.map((one) => one.type).join(', ')}`)
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
  }
  function put(event: Told): void {
    hold(event)
    events.push(event)
    wake()
  }
  function end(): void {
    over = true
    wake()
  }
  return { events, put, end, next }
}

export function line(url: string, protocols: readonly string[] = [], options: ClientOptions = {}): Line {
  const socket = new WebSocket(url, [...protocols], options)
  const { events, put, end, next } = mailbox()
  socket.on('message', (data) => put(JSON.parse(String(data))))
  socket.on('error', () => {})
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => {
      end()
      resolve({ code, reason: String(reason) })
    })
  })

  function send(event: object | string | Uint8Array): void {
    const isRaw = typeof event === 'string' || event instanceof Uint8Array
    socket.send(isRaw ? event : JSON.stringify(event))
  }

  async function talk(words: string): Promise<string> {
    const metadata = { asked: words }
    send({
      type: 'conversation.item.create',
      item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: words }] },
    })
    send({ type: 'response.create', response: { output_modalities: ['text'], metadata } })
    for (;;) {
      const { response } = await next('response.done')
      if (response.metadata?.asked === words) return response.output[0]?.content[0]?.text
    }
  }

  return { socket, events, send, next, talk, closed }
}

/** A key and a certificate for this machine, valid for a day. */
export function certificate(): { readonly key: string; readonly cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'parley-tls-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  try {
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
    execFileSync('openssl', ['req', ...kind, '-keyout', key, '-out', cert, ...subject], { stdio: 'pipe' })
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
