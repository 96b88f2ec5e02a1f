import { WebSocket } from 'ws'
import type { AudioDelta, ServerEvent } from '../protocol/events.ts'
import { parse } from '../protocol/parse.ts'
import { audioDelta, decoded, marker, searchedFrom } from './frame.ts'
import type { SocketLike, Wire, WireListener, WireRequest } from './wire.ts'

/** Opens a WebSocket of Node, with the key in a header, and without compression: audio does not compress. */
export function openWire(request: WireRequest, listener: WireListener): Wire {
  const { key, organization, project } = request
  const headers = {
    ...(key ? { Authorization: `Bearer ${key}` } : {}),
    ...(organization ? { 'OpenAI-Organization': organization } : {}),
    ...(project ? { 'OpenAI-Project': project } : {}),
    ...request.headers,
  }
  const socket = new WebSocket(request.url, { headers, perMessageDeflate: false, handshakeTimeout: 30_000 })
  let failure = ''
  socket.on('open', () => {
    listener.opened()
  })
  socket.on('message', (data, isBinary) => {
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
    listener.closed(code, reason.toString() || failure)
  })
  return {
    socket: socket as unknown as SocketLike,
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    base64: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
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
const backslash = 0x5c

function findAudio(frame: Buffer): AudioDelta | null {
  const at = frame.indexOf(marker)
  if (at < 0) return null
  const start = at + marker.length
  const end = frame.indexOf(quote, start)
  if (end < 0 || frame.subarray(start, end).includes(backslash)) return null
  const rest = frame.toString('utf8', 0, start) + frame.toString('utf8', end)
  return audioDelta(rest, () => {
    const base64 = frame.toString('latin1', start, end)
    const audio = Buffer.allocUnsafeSlow(Buffer.byteLength(base64, 'base64'))
    const written = audio.write(base64, 'base64')
    return new Uint8Array(audio.buffer, 0, written)
  })
}
