import { isAscii } from 'node:buffer'
import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import { frameReader, parsedWhole, type ReadFrame, searchedFrom } from './frame.ts'
import { appendOf, type SocketLike, type Wire, type WireListener, type WireRequest } from './wire.ts'

/** Opens a WebSocket of Node, with the key in a header, and without compression: audio does not compress. */
export function openWire(request: WireRequest, listener: WireListener): Wire {
  const { key, organization, project, heartbeatMs = 20_000 } = request
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
    // What is no UTF-8 is no reason to lose a call: a frame that makes no sense is passed over.
    skipUTF8Validation: true,
    // A mask keeps what we send from being taken for HTTP by those between (RFC 6455, 10.3). JSON cannot be: it has no
    // line breaks of its own, and those in its strings are escaped. So a mask of zeros does, and costs nothing.
    generateMask: () => {},
  })
  const read = bytesReader()
  let raw: Duplex | null = null
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
  socket.on('upgrade', (response) => {
    raw = response.socket
  })
  socket.on('open', () => {
    heard()
    listener.opened()
  })
  socket.on('message', (data, isBinary) => {
    heard()
    listener.received(isBinary ? null : read(bytesOf(data)))
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
  let isCorked = false

  /**
   * What is sent in one turn of the event loop is one write, unless it is much: the socket says how much it takes. Behind
   * what waits already, frames are one write anyway.
   */
  function writeSoon(line: Duplex, frame: Buffer): void {
    if (!isCorked && line.writableLength === 0) {
      isCorked = true
      line.cork()
      process.nextTick(uncork)
    }
    line.write(frame)
    if (line.writableLength >= mostCorked) uncork()
  }

  function uncork(): void {
    if (!isCorked) return
    isCorked = false
    raw?.uncork()
  }

  return {
    socket: socket as unknown as SocketLike,
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    append: (audio) => {
      if (socket.readyState !== WebSocket.OPEN) return
      const base64 = Buffer.from(audio.buffer, audio.byteOffset, audio.byteLength).toString('base64')
      const frame = raw && frameOf(base64)
      if (raw && frame) writeSoon(raw, frame)
      else socket.send(appendOf(base64))
    },
    // What we hold back until the turn ends does not wait for the far end.
    waiting: () => (isCorked ? 0 : socket.bufferedAmount),
    close: () => socket.close(),
  }
}

const [begin, end] = appendOf('|')
  .split('|')
  .map((text) => Buffer.from(text)) as [Buffer, Buffer]
/** Of a client's frame whose length takes two bytes: what kind it is, how long, and a mask of zeros. */
const frameHead = 8
/** Bytes of frames that wait for the end of a turn of the event loop. */
const mostCorked = 65_536

/**
 * Microphone audio, fifty times a second, is one ready frame and one write: `ws` would write the head of a frame and its
 * body apart. Null where its length does not take two bytes.
 */
function frameOf(base64: string): Buffer | null {
  const length = begin.length + base64.length + end.length
  if (length < 126 || length > 65_535) return null
  const frame = Buffer.allocUnsafe(frameHead + length)
  frame.writeUInt32BE(0x81fe_0000 + length, 0)
  frame.writeUInt32BE(0, 4)
  frame.set(begin, frameHead)
  frame.write(base64, frameHead + begin.length, 'latin1')
  frame.set(end, frame.length - end.length)
  return frame
}

function bytesOf(data: Buffer | ArrayBuffer | Buffer[]): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}

/**
 * Reads the frames of one line. Node takes the low byte of each letter for base64, so that audio is looked for only where
 * no letter has another.
 */
export function bytesReader(): ReadFrame<Buffer> {
  const read = frameReader(decodeBase64)
  return (frame) => {
    if (frame.length < searchedFrom) return read(frame.toString())
    return isAscii(frame) ? read(frame.toString('latin1')) : parsedWhole(frame.toString())
  }
}

/** Null for what is not base64 from end to end: a letter that Node passes over leaves fewer bytes than letters promise. */
function decodeBase64(base64: string): Uint8Array | null {
  const letters = base64.length - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0)
  if (letters % 4 === 1 || base64.includes('\\')) return null
  const audio = Buffer.allocUnsafeSlow((letters * 3) >> 2)
  return audio.write(base64, 'base64') === audio.length ? new Uint8Array(audio.buffer) : null
}
