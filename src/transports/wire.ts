import { toBase64 } from '../protocol/base64.ts'
import type { AudioDelta, ServerEvent } from '../protocol/events.ts'
import { frameReader } from './frame.ts'

/** The part of a WebSocket that is used; every runtime's has it. */
export interface SocketLike {
  readonly readyState: number
  readonly bufferedAmount: number
  send(data: string): void
  close(code?: number, reason?: string): void
  addEventListener(type: string, listener: (event: never) => void): void
}

/** One socket, as `websocket.ts` uses it. */
export interface Wire {
  readonly socket: SocketLike
  send(text: string): void
  /** Sends microphone audio, the platform's fastest way. */
  append(audio: Uint8Array): void
  /** Bytes that wait to be sent. */
  waiting(): number
  close(): void
}

export interface WireListener {
  opened(): void
  /** A frame; null when it was no event. */
  received(event: ServerEvent | AudioDelta | null): void
  /** The far end answered with HTTP instead of a socket. */
  refused(status: number, body: string): void
  /** Last, and once. `code` 1006 when the line broke. */
  closed(code: number, reason: string): void
}

export interface WireRequest {
  readonly url: string
  readonly key: string | null
  readonly organization: string | undefined
  readonly project: string | undefined
  /** Only where the platform lets us send headers. */
  readonly headers: Readonly<Record<string, string>>
  /** A standard key is allowed in a browser. */
  readonly useInsecureApiKey: boolean
  /** ms between two pings, where the platform lets us ping (Node). Default: 20 000. */
  readonly heartbeatMs?: number | undefined
}

/** A frame of microphone audio. Base64 needs no escapes, so that the frame is joined instead of being stringified. */
export function appendOf(base64: string): string {
  return `{"type":"input_audio_buffer.append","audio":"${base64}"}`
}

const openState = 1

/** Speaks through a WebSocket as the platform, or the app, has made it. */
export function wireOf(socket: SocketLike, listener: WireListener): Wire {
  const read = frameReader()
  socket.addEventListener('open', () => listener.opened())
  socket.addEventListener('message', ({ data }: { data: unknown }) => {
    listener.received(typeof data === 'string' ? read(data) : null)
  })
  socket.addEventListener('close', ({ code, reason }: { code?: number; reason?: string }) => {
    listener.closed(code ?? 1006, reason ?? '')
  })
  // The close that follows says as much as there is to say; without a listener the platform would report it.
  socket.addEventListener('error', () => {})
  if (socket.readyState === openState) listener.opened()
  if (socket.readyState > openState) queueMicrotask(() => listener.closed(1006, 'The socket was closed already.'))
  const send = (text: string) => {
    if (socket.readyState === openState) socket.send(text)
  }
  return {
    socket,
    send,
    append: (audio) => send(appendOf(toBase64(audio))),
    waiting: () => socket.bufferedAmount,
    close: () => socket.close(),
  }
}
