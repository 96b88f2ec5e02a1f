import { openWire } from '#socket'
import { messageOf, UserError } from '../protocol/errors.ts'
import type { AudioDelta, RealtimeError, ServerEvent } from '../protocol/events.ts'
import type { Cause, Connection, ConnectOptions, Dial, Listener } from '../session/transport.ts'
import { byUs, closed, refused, unopened } from './causes.ts'
import { type SocketLike, type Wire, type WireListener, wireOf } from './wire.ts'

export type { SocketLike } from './wire.ts'

export interface WebSocketOptions extends ConnectOptions {
  readonly organization?: string | undefined
  readonly project?: string | undefined
  /** Sent with the upgrade, where the platform can (Node). */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Makes the socket in our place: a proxy's, a worker's. It is given the address and the key. */
  readonly createWebSocket?:
    | ((request: { readonly url: string; readonly apiKey: string | null }) => SocketLike | Promise<SocketLike>)
    | undefined
  readonly useInsecureApiKey?: boolean | undefined
  /**
   * Bytes that may wait in the socket. While more do, microphone audio is dropped whole and `append` returns false: a
   * line that slow would only fall farther behind. All else is always sent. Default: 320 000, five seconds of PCM16 at
   * 24 kHz.
   */
  readonly bufferLimit?: number | undefined
  /** Told of the socket of each connection. */
  readonly opened?: ((socket: SocketLike) => void) | undefined
}

/** A way to the far end over a WebSocket: in Node through `ws`, elsewhere through the platform's own. */
export function webSocket(options: WebSocketOptions = {}): Dial {
  const { bufferLimit = 320_000 } = options
  return (listener) => {
    const line = once(listener)
    let wire: Wire | null = null
    let key: string | null = null
    /** A far end may repeat the key in what it says; it goes no farther than here. A short one hides nothing. */
    const hide = (text: string) => (key && key.length >= 8 ? text.replaceAll(key, '…') : text)

    const hear: WireListener = {
      opened: () => line.opened(),
      received: (event) => event && line.received(withoutKey(event, hide)),
      refused: (status, body) => line.dropped(refused(status, hide(body))),
      closed: (code, reason) => line.dropped(closed(code, hide(reason), line.lastError())),
    }
    const known = (asked: string | null) => {
      key = asked
      return !line.isOver()
    }
    open(options, hear, known).then(
      (opened) => {
        wire = opened
        if (!opened) return
        if (line.isOver()) opened.close()
        else options.opened?.(opened.socket)
      },
      (error: unknown) => line.dropped(unopened(hide(messageOf(error)), error instanceof UserError)),
    )

    const connection: Connection = {
      send(event) {
        if (!line.isOver()) wire?.send(JSON.stringify(event))
      },
      append(audio, wasHeld = false) {
        if (line.isOver() || !wire || (!wasHeld && wire.waiting() > bufferLimit)) return false
        wire.append(audio)
        return true
      },
      close() {
        line.dropped(byUs)
        wire?.close()
      },
    }
    return connection
  }
}

/** `wss://api.openai.com/v1/realtime?model=M` or `?call_id=C`; an address that was given keeps its own query. */
export function realtimeUrl({ url, model = 'gpt-realtime-2.1', callId }: ConnectOptions): string {
  const address = addressOf(url ?? 'wss://api.openai.com/v1/realtime')
  address.protocol = address.protocol.replace('http', 'ws')
  if (callId) address.searchParams.set('call_id', callId)
  else if (!['model', 'intent', 'call_id'].some((name) => address.searchParams.has(name))) {
    address.searchParams.set('model', model)
  }
  return address.href
}

function addressOf(url: string): URL {
  try {
    return new URL(url)
  } catch {
    throw new UserError(`'${url}' is no address. Pass a whole one, such as wss://example.com/v1/realtime.`)
  }
}

function withoutKey(event: ServerEvent | AudioDelta, hide: (text: string) => string): ServerEvent | AudioDelta {
  return event.type === 'error' ? { ...event, error: { ...event.error, message: hide(event.error.message) } } : event
}

/**
 * Asks for the key, at each connection, and opens the socket; nothing when the connection was given up meanwhile: `known`
 * is told the key, and says whether it is still wanted.
 */
async function open(
  options: WebSocketOptions,
  hear: WireListener,
  known: (key: string | null) => boolean,
): Promise<Wire | null> {
  const { apiKey, organization, project, headers = {}, useInsecureApiKey = false, createWebSocket } = options
  const url = realtimeUrl(options)
  const key = (typeof apiKey === 'function' ? await apiKey() : apiKey) || null
  if (!known(key)) return null
  if (!key && !options.url && !createWebSocket) {
    throw new UserError('There is no API key. Pass apiKey, or the url of a server that needs none.')
  }
  if (createWebSocket) return wireOf(await createWebSocket({ url, apiKey: key }), hear)
  try {
    return await openWire({ url, key, organization, project, headers, useInsecureApiKey }, hear)
  } catch (error) {
    throw new UserError(messageOf(error))
  }
}

interface Line extends Listener {
  isOver(): boolean
  lastError(): RealtimeError | null
}

/** One attempt: it opens at most once, ends once, and after its end nothing more is heard of it. */
function once(listener: Listener): Line {
  let over = false
  let up = false
  let lastError: RealtimeError | null = null
  return {
    isOver: () => over,
    lastError: () => lastError,
    opened() {
      if (over || up) return
      up = true
      listener.opened()
    },
    received(event: ServerEvent | AudioDelta) {
      if (over) return
      if (event.type === 'error') lastError = event.error
      listener.received(event)
    },
    dropped(cause: Cause) {
      if (over) return
      over = true
      listener.dropped(cause)
    },
  }
}
