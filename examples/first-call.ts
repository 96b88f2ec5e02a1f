/**
 * An agent with one tool, talked to in writing. First start the local server: `node dist/cli/main.js serve`.
 * Run it in this folder with Node 22.18 or newer: `node examples/first-call.ts`.
 */
import { RealtimeAgent, RealtimeSession, tool } from 'parley-voice'

const lookUpOrder = tool({
  name: 'look_up_order',
  description: 'Looks up an order by its number.',
  parameters: { type: 'object', properties: { number: { type: 'integer' } }, required: ['number'] },
  execute: ({ number }) => `Order ${number} was shipped yesterday.`,
})
const clerk = new RealtimeAgent({ name: 'Clerk', instructions: 'Help with orders.', tools: [lookUpOrder] })
const session = new RealtimeSession(clerk, { transport: 'websocket' })

session.on('agent_end', (_context, _agent, words) => {
  console.log(words)
  session.close()
})
await session.connect({ url: 'ws://127.0.0.1:8787/v1/realtime', apiKey: 'local' })
session.sendMessage('Where is my order number 42?')
