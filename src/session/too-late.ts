import type { Cause, Stage } from './transport.ts'

/** What is told of an attempt that came no farther: a code, whose it is, and what to do. */
const stages: Readonly<Record<Stage, readonly [string, Cause['initiator'], (ms: number) => string]>> = {
  key: ['key_timeout', 'us', (ms) => `apiKey gave no key within ${ms} ms. Does your route answer?`],
  microphone: [
    'microphone_timeout',
    'us',
    (ms) => `The microphone was not allowed within ${ms} ms, and not refused. Connect again, or write.`,
  ],
  offer: [
    'offer_timeout',
    'us',
    (ms) => `There was no offer within ${ms} ms. Do peerConnection and changePeerConnection settle?`,
  ],
  socket: ['socket_timeout', 'us', (ms) => `createWebSocket gave no socket within ${ms} ms. Does it settle?`],
  answer: [
    'timeout',
    'network',
    (ms) => `No connection within ${ms} ms. Is the address right, and can it be reached from here?`,
  ],
  way: [
    'ice_failed',
    'network',
    (ms) =>
      `The far end answered, but no way to it was found within ${ms} ms. Does a firewall hold UDP back? transport: 'auto' goes by WebSocket then.`,
  ],
  channel: [
    'channel_timeout',
    'far end',
    (ms) => `The far end is reached, but the data channel did not open within ${ms} ms.`,
  ],
}

export function tooLate(stage: Stage, ms: number): Cause {
  const [code, initiator, words] = stages[stage]
  return { reason: words(ms), code, fatal: false, initiator }
}
