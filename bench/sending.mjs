/**
 * What it costs to send microphone audio, 20 ms of PCM16 at 24 kHz at a time: bare, and through Parley. Each of these
 * opens one line and gives back a sample of it: µs of CPU for the next so many frames. Run in `client.mjs`.
 *
 * A microphone has one frame each turn of the event loop; a recording, a telephone's buffer, and a call that went on
 * without its line have many: the second of each pair sends a second of audio in one turn.
 */
import { once } from 'node:events'
import { Sender, WebSocket } from 'ws'
import { lcg } from './frames.mjs'
import { cpuUntil } from './measure.mjs'
import { connected } from './sessions.mjs'

const frameBytes = 960
const aSecond = 50
const random = lcg(3)
const microphone = Uint8Array.from({ length: 50 * frameBytes }, () => random() * 256)

/** The least that one writes: an event as an object, made JSON. */
export async function upload(url, atOnce) {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  await once(socket, 'message')
  return microphoneOf(
    socket,
    (chunk) => {
      const audio = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('base64')
      socket.send(JSON.stringify({ type: 'input_audio_buffer.append', audio }))
    },
    atOnce,
  )
}

/** What the socket takes by itself: a frame that was made before, in one write. No client can do with less. */
export async function ready(url, atOnce) {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  await once(socket, 'message')
  const audio = Buffer.from(microphone.subarray(0, frameBytes)).toString('base64')
  const text = Buffer.from(JSON.stringify({ type: 'input_audio_buffer.append', audio }))
  const zeros = { fin: true, opcode: 1, mask: true, generateMask() {} }
  const frame = Buffer.concat(Sender.frame(text, zeros))
  return microphoneOf(socket, () => socket._socket.write(frame), atOnce)
}

/** `sendAudio` of `RealtimeSession`. */
export async function sendAudio(url, atOnce) {
  const { call, line } = await connected(url, 'session')
  return microphoneOf(line.connectionState.websocket, (chunk) => call.sendAudio(chunk), atOnce)
}

export const uploadAtOnce = (url) => upload(url, aSecond)
export const readyAtOnce = (url) => ready(url, aSecond)
export const sendAudioAtOnce = (url) => sendAudio(url, aSecond)

/** So many frames each turn of the event loop, until the far end has counted them all. */
function microphoneOf(socket, send, atOnce = 1) {
  let heard
  socket.on('message', (data) => heard?.(data))
  const until = (type) => new Promise((resolve) => (heard = (data) => data.includes(type) && resolve()))

  return async (frames) => {
    const counting = until('bench.counting')
    socket.send(JSON.stringify({ type: 'bench.count', until: frames }))
    await counting
    return cpuUntil((ended) => {
      until('bench.counted').then(ended)
      let sent = 0
      const next = () => {
        for (let n = 0; n < atOnce; n++) {
          const at = (sent % 50) * frameBytes
          send(microphone.subarray(at, at + frameBytes))
          sent++
        }
        if (sent < frames) setImmediate(next)
      }
      next()
    })
  }
}
