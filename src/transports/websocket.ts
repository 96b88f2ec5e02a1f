import { openWire } from '#socket'
import { messageOf, UserError } from '../protocol/errors.ts'
import { closedByUs } from '../session/closed.ts'
import type { Connection, ConnectOptions, Dial, Stage } from '../session/transport.ts'
import { realtimeUrl } from './address.ts'
import { closed, refused } from './causes.ts'
import { keyOf, whyUnopened } from './key.ts'
import { hiding, once } from './once.ts'
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
  /** ms between two pings, where the platform lets us ping (Node). Default: 20 000. */
  readonly heartbeatMs?: number | undefined
  /** Told of the socket of each connection. */
  readonly opened?: ((socket: SocketLike) => void) | undefined
}

/** A way to the far end over a WebSocket: in Node through `ws`, elsewhere through the platform's own. */
export function webSocket(options: WebSocketOptions = {}): Dial {
  const { bufferLimit = 320_000 } = options
  let hasOpened = false
  return (listener) => {
    const line = once(listener)
    let wire: Wire | null = null
    let key: string | null = null
    const hide = hiding(() => key)

    const hear: WireListener = {
      opened() {
        hasOpened = true
        line.opened()
      },
      received: (event) => event && line.received(hide.event(event)),
      refused: (status, body) => line.dropped(refused(status, hide.text(body))),
      closed: (code, reason) => line.dropped(closed(code, hide.text(reason), line.lastError())),
    }
    const known = (asked: string | null) => {
      key = asked
      return !line.isOver()
    }
    open(options, hear, known, line.reached).then(
      (opened) => {
        wire = opened
        if (!opened) return
        if (line.isOver()) opened.close()
        else options.opened?.(opened.socket)
      },
      (error: unknown) => line.dropped(whyUnopened(error, !hasOpened, hide.text)),
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
        line.dropped(closedByUs)
        wire?.close()
      },
    }
    return connection
  }
}

/**
 * Asks for the key, at each connection, and opens the socket; nothing when the connection was given up meanwhile: `known`
 * is told the key, and says whether it is still wanted.
 */
async function open(
  options: WebSocketOptions,
  hear: WireListener,
  known: (key: string | null) => boolean,
  reached: (stage: Stage) => void,
): Promise<Wire | null> {
  const {
    apiKey,
    organization,
    project,
    headers = {},
    useInsecureApiKey = false,
    createWebSocket,
    heartbeatMs,
  } = options
  const url = realtimeUrl(options)
  reached('key')
  const key = await keyOf(apiKey)
  if (!known(key)) return null
  if (!key && !options.url && !createWebSocket) {
    throw new UserError('There is no API key. Pass apiKey, or the url of a server that needs none.')
  }
  if (createWebSocket) {
    reached('socket')
    const socket = await createWebSocket({ url, apiKey: key })
    reached('answer')
    return wireOf(socket, hear)
  }
  reached('answer')
  try {
    return await openWire({ url, key, organization, project, headers, useInsecureApiKey, heartbeatMs }, hear)
  } catch (error) {
    throw new UserError(messageOf(error))
  }
}
