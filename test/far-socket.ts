/** A far end of raw sockets that does exactly what a test tells it to: well, badly, or not at all. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Cause, Listener } from '../src/session/transport.ts'

export interface FarLine {
  readonly request: IncomingMessage
  readonly socket: WebSocket
  /** What lies under the WebSocket. */
  readonly raw: Socket
  /** Every event that was heard, in order. */
  readonly heard: readonly Said[]
  /** Settles when the line is gone. */
  readonly ended: Promise<void>
  say(event: object): void
  /** Resolves with the first event heard, now or later, that is `wanted`. */
  hears(wanted: (event: Said) => boolean): Promise<Said>
}
export type Said = { readonly type: string } & Readonly<Record<string, unknown>>

export interface FarSocketOptions {
  /** Told of each line that opens. */
  readonly line?: (line: FarLine, nth: number) => void
  /** A ping is answered with a pong. Default: true. */
  readonly autoPong?: boolean
  /** Answers an upgrade in the place of a WebSocket, when it returns true. */
  readonly upgrade?: (socket: Socket, nth: number, request: IncomingMessage) => boolean
}

export interface FarSocket {
  readonly url: string
  readonly lines: readonly FarLine[]
  /** How many upgrades were asked for. */
  asked(): number
  /** The nth line, once it is there. */
  line(nth?: number): Promise<FarLine>
  close(): Promise<void>
}

export async function farSocket(options: FarSocketOptions = {}): Promise<FarSocket> {
  const lines: FarLine[] = []
  const news = notices()
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, autoPong: options.autoPong ?? true })
  const open = new Set<Socket>()
  let asked = 0
  const http = createServer()
  http.on('connection', (socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  http.on('upgrade', (request, socket: Socket, head) => {
    socket.on('error', () => {})
    const nth = asked++
    if (options.upgrade?.(socket, nth, request)) return
    sockets.handleUpgrade(request, socket, head, (client) => {
      const line = lineOf(client, request)
      lines.push(line)
      options.line?.(line, lines.length - 1)
      news.tell()
    })
  })
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/v1/realtime`,
    lines,
    asked: () => asked,
    line: (nth = 0) => news.until(() => lines[nth]),
    async close() {
      for (const socket of open) socket.destroy()
      await new Promise<void>((resolve) => {
        http.close(() => resolve())
      })
    },
  }
}

function lineOf(socket: WebSocket, request: IncomingMessage): FarLine {
  const heard: Said[] = []
  const news = notices()
  socket.on('error', () => {})
  socket.on('message', (data) => {
    heard.push(JSON.parse(String(data)))
    news.tell()
  })
  return {
    request,
    socket,
    raw: request.socket,
    heard,
    ended: new Promise((resolve) => {
      socket.on('close', () => resolve())
    }),
    say: (event) => socket.send(JSON.stringify(event)),
    hears: (wanted) => news.until(() => heard.find(wanted)),
  }
}

export interface Notices {
  tell(): void
  /** Resolves with what `look` finds, now or after some later `tell`. */
  until<Found>(look: () => Found | undefined): Promise<Found>
}

/** Waiting for something to come true, without asking the clock. */
export function notices(): Notices {
  const waiting = new Set<() => void>()
  return {
    tell() {
      for (const check of [...waiting]) check()
    },
    until: (look) =>
      new Promise((resolve) => {
        const check = () => {
          const found = look()
          if (found === undefined) return
          waiting.delete(check)
          resolve(found)
        }
        waiting.add(check)
        check()
      }),
  }
}

export type Told = { readonly opened: true } | { readonly received: Heard } | { readonly dropped: Cause }
type Heard = Parameters<Listener['received']>[0]

export interface Ear extends Listener {
  /** All that was told, in order. */
  readonly told: readonly Told[]
  events(): readonly Heard[]
  /** Resolve when it is so. */
  opening(): Promise<true>
  hearing(count: number): Promise<readonly Heard[]>
  dropping(): Promise<Cause>
}

/** Hears all that one connection tells. */
export function ear(): Ear {
  const told: Told[] = []
  const news = notices()
  const add = (what: Told) => {
    told.push(what)
    news.tell()
  }
  const events = () => told.flatMap((what) => ('received' in what ? [what.received] : []))
  return {
    told,
    events,
    opened: () => add({ opened: true }),
    received: (event) => add({ received: event }),
    dropped: (cause) => add({ dropped: cause }),
    opening: () => news.until(() => told.some((what) => 'opened' in what) || undefined),
    hearing: (count) => news.until(() => (events().length >= count ? events() : undefined)),
    dropping: () => news.until(() => told.flatMap((what) => ('dropped' in what ? [what.dropped] : []))[0]),
  }
}
