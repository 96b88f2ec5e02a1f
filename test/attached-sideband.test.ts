/** A session in Node that is attached to a caller's WebRTC call with the local server: real sockets, real sound. */
import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { readWav } from '../src/audio/wav.ts'
import { RealtimeAgent, RealtimeSession, type RealtimeSessionOptions, tool } from '../src/index.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import { type ServeOptions, type Server, serve } from '../src/server/listen.ts'
import type { Thought, Utterance } from '../src/server/senses.ts'
import { flite } from '../src/server/voice/flite.ts'
import { wordsIn } from '../src/testing/recognise.ts'
import { scriptedEars, toneVoice } from '../src/testing/senses.ts'
import { testWithEars } from './ears.ts'
import { notices } from './far-socket.ts'
import { earsFor } from './recognise-part.ts'
import { callTool, say } from './talk.ts'
import { type WebRtcPeer, webRtcPeer } from './webrtc-peer.ts'

const apiKey = 'sk-good'
const question = readWav(readFileSync('fixtures/caller/order.wav')).samples
const answer = 'Your order will come on Monday morning.'

/** Asks the tool, then says what it gave. */
function think({ items, tools }: Thought): readonly Utterance[] {
  const last = items.at(-1)
  if (last?.type === 'function_call_output') return [say(`Your order will come on ${last.output}.`)]
  return tools.length ? [callTool('look_up', { number: 12345 })] : [say('I cannot look it up.')]
}

interface Called {
  readonly server: Server
  readonly caller: WebRtcPeer
  readonly callId: string
}

async function called(options: ServeOptions = {}): Promise<Called> {
  const server = await serve({
    port: 0,
    apiKeys: [apiKey],
    ears: scriptedEars(['where is my order']),
    brain: scripted(think),
    voice: toneVoice(),
    ...options,
  })
  onTestFinished(() => server.close())
  let callId = ''
  const caller = await webRtcPeer({
    async exchange(offer) {
      const response = await fetch(`${server.callsUrl}?model=gpt-realtime-2.1`, {
        method: 'POST',
        headers: { 'content-type': 'application/sdp', authorization: `Bearer ${apiKey}` },
        body: offer,
      })
      callId = response.headers.get('location')?.split('/').at(-1) ?? ''
      return response.text()
    },
  })
  onTestFinished(() => caller.close())
  await caller.next('session.created')
  return { server, caller, callId }
}

interface Attached {
  readonly session: RealtimeSession
  /** The tool's runs: what each was given. */
  readonly runs: readonly unknown[]
  readonly errors: readonly unknown[]
  /** Resolves when it is so, now or after some change. */
  until<Found>(look: () => Found | undefined | false): Promise<Found>
}

async function attached(
  { server, callId }: Called,
  observe = false,
  options: Partial<RealtimeSessionOptions<unknown>> = {},
): Promise<Attached> {
  const runs: unknown[] = []
  const errors: unknown[] = []
  const lookUp = tool({
    name: 'look_up',
    description: 'Looks an order up.',
    parameters: { type: 'object', properties: { number: { type: 'number' } }, required: ['number'] },
    execute(args) {
      runs.push(args)
      return 'Monday morning'
    },
  })
  const agent = new RealtimeAgent({ name: 'Clerk', instructions: 'You know the orders.', tools: [lookUp] })
  const session = new RealtimeSession(agent, { transport: 'websocket', ...options })
  onTestFinished(() => session.close())
  const news = notices()
  session.subscribe(news.tell)
  session.on('error', ({ error }) => errors.push(error))
  await session.connect({ url: server.url, callId, apiKey, observe })
  return { session, runs, errors, until: (look) => news.until(() => look() || undefined) as never }
}

const transcriptOf = ({ events }: WebRtcPeer) =>
  events.filter(({ type }) => type === 'response.output_audio_transcript.done').map(({ transcript }) => transcript)
/** The conversation in short. */
const said = ({ session }: Attached) =>
  session.history.map((item) => {
    if (item.type === 'function_call') return `${item.name} → ${item.output}`
    if (item.type !== 'message') return item.type
    return `${item.role}: ${item.content.map((part) => ('transcript' in part ? part.transcript : '')).join('')}`
  })

testWithEars(
  'the tools of who is attached are the call’s, and the caller hears what they gave',
  async () => {
    const { ears, remove } = await earsFor(answer, 'I do not know that order. Please say its number again.')
    onTestFinished(remove)
    const call = await called({ voice: flite() })
    const it = await attached(call)
    await call.caller.speak(question)
    await call.caller.next('output_audio_buffer.stopped')
    expect(it.runs).toEqual([{ number: 12345 }])
    expect(transcriptOf(call.caller)).toEqual([answer])
    expect(await wordsIn(ears, call.caller.heard(), 24_000)).toBe('your order will come on monday morning')
    await it.until(() => it.session.history.at(-1)?.type === 'message')
    expect(said(it).slice(1)).toEqual(['look_up → Monday morning', `assistant: ${answer}`])
    expect(it.errors).toEqual([])
  },
  60_000,
)

test('who observes sees it all and runs nothing', async () => {
  const call = await called()
  const clerk = await attached(call)
  const watcher = await attached(call, true)
  await call.caller.speak(question)
  await call.caller.next('output_audio_buffer.stopped')
  await watcher.until(() => said(watcher).at(-1) === `assistant: ${answer}`)
  expect(said(watcher)).toEqual(said(clerk))
  expect([clerk.runs.length, watcher.runs.length]).toEqual([1, 0])
  expect(call.caller.events.filter(({ type }) => type === 'session.updated').length).toBe(1)
  expect([...clerk.errors, ...watcher.errors]).toEqual([])
})

test('alone, who observes leaves a call of a tool to others', async () => {
  const call = await called()
  call.caller.say({
    type: 'session.update',
    session: { type: 'realtime', tools: [{ type: 'function', name: 'look_up', parameters: { type: 'object' } }] },
  })
  await call.caller.next('session.updated')
  const watcher = await attached(call, true)
  call.caller.say({ type: 'response.create' })
  const made = await call.caller.next('response.function_call_arguments.done')
  await watcher.until(() => watcher.session.history.some(({ type }) => type === 'function_call'))
  await call.caller.next('response.done')
  const item = { type: 'function_call_output', call_id: made['call_id'], output: 'Friday' }
  call.caller.say({ type: 'conversation.item.create', item })
  await watcher.until(() => said(watcher).includes('look_up → Friday'))
  expect(watcher.runs).toEqual([])
})

test.for<readonly [what: string, end: (call: Called) => unknown, why: RegExp]>([
  ['the caller leaves', ({ caller }) => caller.close(), /The (connection|data channel) was closed/],
  ['the caller dies without a word', ({ caller }) => caller.vanish(), /nothing came from it for 9 s/],
  [
    'the call is hung up',
    ({ server, callId }) =>
      fetch(`${server.callsUrl}/${callId}/hangup`, { method: 'POST', headers: { authorization: `Bearer ${apiKey}` } }),
    /The call was hung up/,
  ],
])('when %s, the session is told why, finds no call any more, and is closed', async ([, end, why]) => {
  const call = await called()
  const it = await attached(call)
  const causes: string[] = []
  it.session.on('connection_change', (link) => 'cause' in link && link.cause && causes.push(link.cause.reason))
  await end(call)
  const cause = await it.until(() => {
    const { link } = it.session.state
    return link.at === 'closed' && link.cause
  })
  expect(cause).toMatchObject({ code: 404, initiator: 'far end', fatal: true })
  expect(cause?.reason).toMatch(/No call with the id 'rtc_\w+' stands: it has ended/)
  expect(causes[0]).toMatch(why)
  expect(call.server.calls()).toBe(0)
})
