/**
 * What it costs to receive a call: the same frames through a bare socket, a bare client, and Parley. Each of these gives
 * back a sample: µs of CPU for so many turns. Run in `client.mjs`.
 */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { cpuUntil } from './measure.mjs'
import { connected } from './sessions.mjs'

/** Every frame as it comes, its payload dropped. */
export const wire = (url) => bare(url, isEnd)

/** The least that a client must do: parse each event, decode its audio. */
export const floor = (url) =>
  bare(url, (data) => {
    const event = JSON.parse(data.toString())
    if (event.type === 'response.output_audio.delta') Buffer.from(event.delta, 'base64')
    return event.type === 'bench.end'
  })

/** `OpenAIRealtimeWebSocket` alone, with listeners of all events and of audio. */
export const transport =
  (url) =>
  async ({ turns, pieces }) => {
    const { line } = await connected(url, 'transport')
    let bytes = 0
    const used = await cpuUntil((ended) => {
      line.on('audio', ({ data }) => (bytes += data.byteLength))
      line.on('*', ({ type }) => type === 'bench.end' && ended())
      line.sendEvent({ type: 'bench.play', turns, pieces })
    })
    line.close()
    if (bytes === 0) throw new Error('No audio was heard: the figure says nothing.')
    return used
  }

/** `RealtimeSession` with listeners of audio and history; the end is heard at its socket. */
export const session = (url) =>
  whole(url, (_, line, ended) => line.connectionState.websocket.on('message', (data) => isEnd(data) && ended()))

/** The same, and of every event of the wire besides. */
export const sessionAndEvents = (url) =>
  whole(url, (call, _, ended) => call.on('transport_event', ({ type }) => type === 'bench.end' && ended()))

/** Each sample is a line and a call of its own. */
const whole =
  (url, listen) =>
  async ({ turns, pieces }) => {
    const { call, line } = await connected(url, 'session')
    let bytes = 0
    let told = 0
    const used = await cpuUntil((ended) => {
      call.on('audio', ({ data }) => (bytes += data.byteLength))
      call.on('history_updated', (history) => (told = history.length))
      listen(call, line, ended)
      call.sendEvent({ type: 'bench.play', turns, pieces })
    })
    call.close()
    if (bytes === 0) throw new Error('No audio was heard: the figure says nothing.')
    if (told !== 2 * turns) throw new Error('The history lacks turns: the figure says nothing.')
    return used
  }

const bare =
  (url, isLast) =>
  async ({ turns, pieces }) => {
    const socket = new WebSocket(url, { perMessageDeflate: false })
    await once(socket, 'message')
    const used = await cpuUntil((ended) => {
      socket.on('message', (data) => isLast(data) && ended())
      socket.send(JSON.stringify({ type: 'bench.play', turns, pieces }))
    })
    socket.terminate()
    return used
  }

function isEnd(data) {
  return data.length < 64 && data.includes('bench.end')
}
