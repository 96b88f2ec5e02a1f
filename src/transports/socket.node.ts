import { WebSocket } from 'ws'
import type { AudioDelta, ServerEvent } from '../protocol/events.ts'
import { parse } from '../protocol/parse.ts'
import { audioDelta, decoded, marker, searchedFrom } from './frame.ts'
import { appendOf, type SocketLike, type Wire, type WireListener, type WireRequest } from './wire.ts'

const heartbeatMs = 20_000

/** Opens a WebSocket of Node, with the key in a header, and without compression: audio does not compress. */
export function openWire(request: WireRequest, listener: WireListener): Wire {
  const { key, organization, project } = request
  const headers = {
    ...(key ? { Authorization: `Bearer ${key}` } : {}),
    ...(organization ? { 'OpenAI-Organization': organization } : {}),
    ...(project ? { 'OpenAI-Project': project } : {}),
    ...request.headers,
  }
  const socket = new WebSocket(request.url, {
    headers,
    perMessageDeflate: false,
    handshakeTimeout: 30_000,
    // A mask keeps what we send from being taken for HTTP by those between (RFC 6455, 10.3). JSON cannot be: it has no
    // line breaks of its own, and those in its strings are escaped. So a mask of zeros does, and costs nothing.
    generateMask: () => {},
  })
  let failure = ''
  let isAlive = true
  /** A line that broke without a word is found out: nothing came in answer to our last ping. */
  const heartbeat = setInterval(() => {
    if (!isAlive) {
      failure = `The far end did not answer a ping within ${heartbeatMs} ms.`
      return socket.terminate()
    }
    isAlive = false
    if (socket.readyState === WebSocket.OPEN) socket.ping()
  }, heartbeatMs)
  const heard = () => {
    isAlive = true
  }
  socket.on('pong', heard)
  socket.on('open', () => {
    heard()
    listener.opened()
  })
  socket.on('message', (data, isBinary) => {
    heard()
    listener.received(isBinary ? null : readFrame(bytesOf(data)))
  })
  socket.on('unexpected-response', (_request, response) => {
    let body = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => {
      if (body.length < 10_000) body += chunk
    })
    response.on('error', () => {})
    response.on('close', () => {
      listener.refused(response.statusCode ?? 0, body)
      socket.terminate()
    })
  })
  socket.on('error', (error) => {
    failure = error.message
  })
  socket.on('close', (code, reason) => {
    clearInterval(heartbeat)
    listener.closed(code, reason.toString() || failure)
  })
  return {
    socket: socket as unknown as SocketLike,
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    append: (audio) => {
      if (socket.readyState !== WebSocket.OPEN) return
      const base64 = Buffer.from(audio.buffer, audio.byteOffset, audio.byteLength).toString('base64')
      socket.send(Buffer.from(appendOf(base64), 'latin1'), { binary: false })
    },
    waiting: () => socket.bufferedAmount,
    close: () => socket.close(),
  }
}

function bytesOf(data: Buffer | ArrayBuffer | Buffer[]): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}

/** As `readText`, on the bytes of the frame: the audio is decoded straight from them. */
export function readFrame(frame: Buffer): ServerEvent | AudioDelta | null {
  const found = frame.length < searchedFrom ? null : findAudio(frame)
  return found ?? decoded(parse(frame.toString()))
}

const quote = 0x22
const markerBytes = Buffer.from(marker)

function findAudio(frame: Buffer): AudioDelta | null {
  const at = frame.indexOf(markerBytes)
  const start = at + markerBytes.length
  const end = at < 0 ? -1 : frame.indexOf(quote, start)
  if (end < 0) return null
  const base64 = frame.toString('latin1', start, end)
  return audioDelta(frame.toString('utf8', 0, at), base64, frame.toString('utf8', end + 1), decodeBase64)
}

/** Null for what is not base64 from end to end. */
function decodeBase64(base64: string): Uint8Array | null {
  const audio = Buffer.allocUnsafeSlow(Buffer.byteLength(base64, 'base64'))
  return audio.write(base64, 'base64') === audio.length ? new Uint8Array(audio.buffer) : null
}
