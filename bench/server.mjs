/**
 * A bare far end in a process of its own, so that its work is not counted: it accepts any session, tells the next turns
 * of the call when asked, and counts the microphone audio that it gets.
 */
import { Sender, WebSocketServer } from 'ws'
import { frames } from './frames.mjs'

const appended = Buffer.from('input_audio_buffer.append')
const prepared = new Map()

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
server.on('listening', () => process.send(server.address().port))
server.on('connection', (socket) => {
  const say = (event) => socket.send(JSON.stringify(event))
  let turns = 0
  let appends = 0
  let wanted = Number.POSITIVE_INFINITY
  say({ type: 'session.created', event_id: 'event_created', session: { type: 'realtime' } })
  socket.on('message', (frame) => {
    if (frame.subarray(0, 64).includes(appended)) {
      if (++appends >= wanted) say({ type: 'bench.counted', appends })
      return
    }
    const event = JSON.parse(frame.toString())
    switch (event.type) {
      case 'session.update':
        return say({ ...event, type: 'session.updated', event_id: 'event_updated' })
      case 'bench.count':
        appends = 0
        wanted = event.until
        return say({ type: 'bench.counting' })
      case 'bench.play':
        play(socket, turns, event.turns, event.pieces)
        turns += event.turns
    }
  })
})
process.on('disconnect', () => process.exit())

/** Says so many turns as one run of bytes, made before: the far end must not be what a client waits for. */
function play(socket, from, turns, pieces) {
  const name = `${from} ${turns} ${pieces}`
  if (!prepared.has(name)) {
    const said = [...frames(from, turns, pieces), '{"type":"bench.end"}']
    prepared.set(
      name,
      Buffer.concat(said.flatMap((frame) => Sender.frame(Buffer.from(frame), { fin: true, opcode: 1 }))),
    )
  }
  socket._socket.write(prepared.get(name))
}
