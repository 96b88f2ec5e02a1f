/** The local server: its sockets, and the calls that stand. Who is let in is `door.ts`'s, what is said `converse.ts`'s. */
import { randomInt } from 'node:crypto'
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { newId } from '../protocol/ids.ts'
import { mulberry32 } from '../protocol/random.ts'
import { realClock } from '../session/clock.ts'
import { brain as embeddedBrain } from './brain/brain.ts'
import { type Call, type ConverseOptions, converse } from './converse.ts'
import { admit, type DoorOptions, hear, paramsOf, pathOf } from './door.ts'
import { missingEars, pocketsphinx } from './ears/pocketsphinx.ts'
import { refuseUpgrade, respond } from './http.ts'
import { refusal } from './rules/decide.ts'
import { type Refusal, refusals } from './rules/refusals.ts'
import { secrets } from './secrets.ts'
import { flite } from './voice/flite.ts'
import { calls, callsPath } from './webrtc/calls.ts'

export interface ServeOptions
  extends DoorOptions,
    Partial<Pick<ConverseOptions, 'ears' | 'brain' | 'voice' | 'pace' | 'sessionMs' | 'vad'>> {
  /** Default: 8787. `0` picks a free one. */
  readonly port?: number
  /** Default: 127.0.0.1, this machine alone. */
  readonly host?: string
  /** PEM, both or none: with them the server speaks TLS. */
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly seed?: number
  /** ms between two pings of a WebSocket; a client of which nothing comes for three is let go. `Infinity`: never. Default: 20 000. */
  readonly pingMs?: number
  /** Answers what is asked for outside `/v1/`: a page of the same origin. */
  readonly page?: (request: IncomingMessage, response: ServerResponse) => void
}

export interface Server {
  /** Where a client connects to: `ws://127.0.0.1:8787/v1/realtime`. */
  readonly url: string
  /** Where a client posts its offer for a call over WebRTC: `http://127.0.0.1:8787/v1/realtime/calls`. */
  readonly callsUrl: string
  readonly port: number
  /** What the server cannot do here, and what to install: one sentence each. */
  readonly missing: readonly string[]
  /** How many calls stand, over WebSocket and over WebRTC. */
  calls(): number
  /** Ends all calls (1001) and stops listening. */
  close(): Promise<void>
}

/** What a timer can wait. */
const longestMs = 2 ** 31 - 1
/** Pings that may be without an answer: a machine that sleeps for a moment is not gone. */
const mostUnanswered = 2
/** Bytes that may wait for a client that does not read. Beyond it the call is ended (1013): it would eat the memory. */
const waitingLimit = 16 * 1024 * 1024

/**
 * Starts a local realtime server. Rejects when the port is taken, when `pace` or `pingMs` is not above 0, and when of
 * `cert` and `key` there is one alone.
 */
export async function serve(options: ServeOptions = {}): Promise<Server> {
  const {
    port = 8787,
    host = '127.0.0.1',
    cert,
    key,
    pingMs = 20_000,
    seed = Math.floor(Math.random() * 2 ** 32),
  } = options
  if (!((options.pace ?? 1) > 0)) throw new Error(`pace is a number above 0, not ${options.pace}.`)
  if (!(pingMs > 0)) throw new Error(`pingMs is a number above 0, not ${pingMs}.`)
  if (cert && !key) throw new Error('serve() has a cert and no key. Pass both for TLS, or none.')
  if (key && !cert) throw new Error('serve() has a key and no cert. Pass both for TLS, or none.')
  const ears = options.ears ?? pocketsphinx()
  const brain = options.brain ?? embeddedBrain()
  const voice = options.voice ?? flite()
  const random = mulberry32(seed)
  const secretly = () => randomInt(2 ** 32) / 2 ** 32
  const kept = secrets(secretly)
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 32 * 1024 * 1024,
    handleProtocols: (asked) => (asked.has('realtime') ? 'realtime' : false),
  })
  const talk = {
    random,
    ears,
    brain,
    voice,
    epochMs: performance.timeOrigin,
    ...(options.pace === undefined ? {} : { pace: options.pace }),
    ...(options.sessionMs === undefined ? {} : { sessionMs: options.sessionMs }),
    ...(options.vad === undefined ? {} : { vad: options.vad }),
  }
  const overWebRtc = calls({
    clock: realClock,
    // A call's id opens its sideband: it must not be guessed.
    newId: (prefix) => newId(prefix, secretly),
    talk,
    admit: (request, asked) => admit(request, options, kept, asked),
  })
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (options.page && !/^\/v1(?:\/|$)/.test(pathOf(request))) return options.page(request, response)
    respond(request, response, options, kept, overWebRtc).catch(() => response.destroy())
  }
  const http = cert && key ? createHttps({ cert, key }, answer) : createHttp(answer)

  http.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    const path = pathOf(request)
    if (path !== '/v1/realtime') return refuseUpgrade(socket, 404, refusals.noPath(request.method ?? 'GET', path))
    const callId = paramsOf(request).get('call_id')
    if (callId !== null) return overWebRtc.attach(request, socket, head, callId)
    sockets.handleUpgrade(request, socket, head, (client) => begin(client, request))
  })

  function begin(client: WebSocket, request: IncomingMessage): void {
    const send = (event: object) => {
      if (client.readyState !== client.OPEN) return
      if (client.bufferedAmount <= waitingLimit) return client.send(JSON.stringify(event))
      client.close(1013, 'The client does not read what it is sent.')
      call?.ended()
    }
    let call: Call | null = null
    const refuse = (why: Refusal) => send({ event_id: newId('event_', random), ...refusal(why, null) })
    const refused = admit(request, options, kept)
    client.on('error', () => {})
    if ('refusal' in refused) {
      const { type, code } = refused.refusal
      refuse(refused.refusal)
      return client.close(refused.close, `${type}.${code}`)
    }
    const begun = converse({
      ...talk,
      clock: realClock,
      session: refused.session,
      emit: send,
      hangUp: (code, reason) => client.close(code, reason),
    })
    call = begun
    let unanswered = 0
    const isThere = () => {
      unanswered = 0
    }
    const ping = setInterval(
      () => {
        if (unanswered > mostUnanswered) return client.terminate()
        unanswered++
        client.ping()
      },
      Math.min(pingMs, longestMs),
    )
    client.on('pong', isThere)
    client.on('close', () => {
      clearInterval(ping)
      begun.ended()
    })
    client.on('message', (data: RawData, isBinary: boolean) => {
      isThere()
      if (client.readyState !== client.OPEN) return
      const refused = isBinary ? refusals.binary() : hear(begun, String(data))
      if (refused) refuse(refused)
    })
  }

  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen(port, host, resolve)
  })
  http.on('error', () => {})
  const bound = (http.address() as AddressInfo).port
  const lacking = options.ears ? null : await missingEars()
  const tls = cert && key ? 's' : ''
  const authority = `${host.includes(':') ? `[${host}]` : host}:${bound}`
  return {
    url: `ws${tls}://${authority}/v1/realtime`,
    callsUrl: `http${tls}://${authority}${callsPath}`,
    port: bound,
    missing: lacking ? [lacking] : [],
    calls: () => sockets.clients.size + overWebRtc.size,
    async close() {
      const stopped = new Promise<void>((resolve) => {
        http.close(() => resolve())
      })
      await Promise.all([overWebRtc.close(), ...[...sockets.clients].map(leave)])
      http.closeAllConnections()
      await stopped
    },
  }
}

/** Ends a call of a server that closes; a client that does not answer is left after half a second. */
function leave(client: WebSocket): Promise<void> {
  const late = setTimeout(() => client.terminate(), 500)
  return new Promise((resolve) => {
    client.once('close', () => {
      clearTimeout(late)
      resolve()
    })
    client.close(1001, 'The server is closing.')
  })
}
