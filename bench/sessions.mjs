/** Parley, connected to the bench's far end, or to nothing but our hands. */
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession } from 'parley-voice'

const agent = new RealtimeAgent({ name: 'bench' })

/** A `transport` alone, or a `session` over it. An error that either tells ends the bench. */
export async function connected(url, kind) {
  const clock = listenersClock()
  const line = new OpenAIRealtimeWebSocket({ url, clock })
  const call = kind === 'session' ? new RealtimeSession(agent, { transport: line, clock }) : line
  call.on('error', ({ error }) => {
    setImmediate(() => {
      throw new Error('An error came, so the figure would say nothing.', { cause: error })
    })
  })
  call.on(kind === 'session' ? 'agent_end' : 'turn_done', clock.heard)
  await call.connect()
  return { line, call }
}

/** A session without a wire: `hear` gives it an event, and `sent` is called with each that it sends. */
export async function inHand({ tools = [], sent = () => {} } = {}) {
  let listener
  const dialer = () => (heard) => {
    listener = heard
    return { send: sent, append: () => true, close() {} }
  }
  const clock = listenersClock()
  const call = new RealtimeSession(new RealtimeAgent({ name: 'bench', tools }), { transport: { dialer }, clock })
  call.on('agent_end', clock.heard)
  const connecting = call.connect()
  while (!listener) await new Promise(setImmediate)
  listener.opened()
  listener.received({ type: 'session.updated', event_id: 'event_joined', session: {} })
  await connecting
  return { call, hear: (event) => listener.received(event) }
}

/**
 * The far end tells in milliseconds what takes minutes to hear. This clock leaps over each answer when it is told whole,
 * so that the next question does not interrupt it, as it would not in a call.
 */
function listenersClock() {
  const answerMs = 15_000
  let leapt = 0
  const now = () => performance.now() + leapt
  return {
    now,
    at(time, run) {
      const timer = setTimeout(run, Math.max(0, time - now()))
      return () => clearTimeout(timer)
    },
    heard: () => (leapt += answerMs),
  }
}
