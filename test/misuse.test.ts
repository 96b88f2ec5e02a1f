/** Wrong calls are errors at the call; what goes wrong elsewhere hurts nothing else, and settles what waits. */
import { describe, expect, test } from 'vitest'
import { handoff, OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool, UserError } from '../src/index.ts'
import { callTool, lastWords, meanwhile, type Script, say, talk } from './talk.ts'

const agent = () => new RealtimeAgent({ name: 'A' })
const script: Script = () => [say('Yes.')]
const never = () => new Promise<never>(() => {})

test.each<[object, RegExp]>([
  [{ outputGuardrailSettings: { mode: 'hold-back' } }, /outputGuardrailSettings\.mode is one of monitor, holdback/],
  [{ outputGuardrails: { name: 'g' } }, /outputGuardrails is a list/],
  [{ inputGuardrails: [{ name: 'g' }] }, /inputGuardrails is a list/],
  [{ turns: 'push-to-talk' }, /turns is one of serverVad/],
  [{ interruption: { mode: 'confrim' } }, /interruption\.mode is one of/],
  [{ voiceChange: 'kep' }, /voiceChange is one of keep/],
  [{ approvalTimeoutMs: -1 }, /approvalTimeoutMs is a number above 0/],
  [{ transport: 'pigeon' }, /no transport 'pigeon': pass 'webrtc', 'websocket', 'auto', or a transport/],
  [{ config: { instructions: 'Be brief.' } }, /'instructions' belongs to the agent/],
  [{ reconnect: 3 }, /reconnect is false, or \{ attempts, timeoutMs \}/],
  [{ reconnect: true }, /reconnect is false, or \{ attempts, timeoutMs \}/],
  [{ reconnect: { attempts: Number.NaN } }, /reconnect\.attempts is a whole number from 0 on, or Infinity, not NaN/],
  [{ reconnect: { attempts: -1 } }, /reconnect\.attempts is a whole number from 0 on, or Infinity, not -1/],
  [{ reconnect: { attempts: 1.5 } }, /reconnect\.attempts is a whole number/],
  [{ reconnect: { attempts: '3' } }, /reconnect\.attempts is a whole number/],
  [{ reconnect: { timeoutMs: 0 } }, /reconnect\.timeoutMs is a number above 0, not 0/],
  [{ reconnect: { timeoutMs: Number.NaN } }, /reconnect\.timeoutMs is a number above 0, not NaN/],
  [{ reconnect: { timeoutMs: '500' } }, /reconnect\.timeoutMs is a number above 0/],
])('an option that is none: %j', (options, words) => {
  expect(() => new RealtimeSession(agent(), options as never)).toThrow(UserError)
  expect(() => new RealtimeSession(agent(), options as never)).toThrow(words)
})

test.each<[string, () => unknown]>([
  ['no agent', () => new RealtimeSession(undefined as never)],
  ['a tool that does nothing', () => tool({ name: 't', description: 'd' } as never)],
])('%s', (_, make) => {
  expect(make).toThrow(UserError)
})

test.each<unknown>(['AAAA', [1, 2], undefined, 5, new Float32Array(4)])('audio that is none: %j', async (audio) => {
  const it = await talk(agent(), script)
  expect(() => it.session.sendAudio(audio as never)).toThrow(UserError)
})

test.each<object | false>([false, {}, { attempts: 0 }, { attempts: Number.POSITIVE_INFINITY }, { timeoutMs: 0.5 }])(
  'reconnect may be %j',
  (reconnect) => {
    expect(new RealtimeSession(agent(), { reconnect }).options.reconnect).toBe(reconnect)
  },
)

describe.each<[string, () => Pick<RealtimeSession, 'sendMessage'>]>([
  ['a session', () => new RealtimeSession(agent())],
  ['a transport alone', () => new OpenAIRealtimeWebSocket()],
])('%s', (_, make) => {
  test.each<unknown>([5, null, undefined, {}, { content: 'hello' }, { content: [5] }, { content: [null] }, ['hello']])(
    'is not told a message that is none: %j',
    (message) => {
      const one = make()
      expect(() => one.sendMessage(message as never)).toThrow(UserError)
      expect(() => one.sendMessage(message as never)).toThrow(/^sendMessage takes a text, or \{ content/)
    },
  )
})

test.each<unknown>([5, null, 'https://example.com/cat.png'])('an image that is none: %j', (image) => {
  expect(() => new RealtimeSession(agent()).addImage(image as never)).toThrow(/data URL/)
})

test('options that are given as undefined are those that are left out', async () => {
  const it = await talk(agent(), script, { reconnect: { attempts: undefined, timeoutMs: undefined } as never })
  await it.say('hello')
  expect(it.words.at(-1)).toBe('assistant: Yes.')
  expect(it.session.state.link).toMatchObject({ at: 'live' })
})

test('an event that is none, sent from within a listener, is told as an error; the call goes on', async () => {
  const it = await talk(agent(), script)
  it.session.on('agent_start', () => it.session.sendEvent({ type: 'session.update' } as never))
  it.session.on('agent_start', () => it.session.sendEvent(null as never))
  await it.say('hello')
  expect(it.words.at(-1)).toBe('assistant: Yes.')
  expect(it.errors.length).toBeGreaterThan(0)
})

describe('what never ends does not hold up what comes after it', () => {
  const stuck = () => new RealtimeAgent({ name: 'Stuck', instructions: never })

  test('instructions, while it connects: close() settles it', async () => {
    const it = await talk(agent(), script)
    const session = new RealtimeSession(stuck(), { transport: { dialer: () => it.far.dial } })
    const connecting = session.connect()
    session.close()
    await expect(meanwhile(it.world, connecting)).rejects.toThrow('It was closed while it was connecting.')
  })

  test('a handoff: close() answers it, and another is made afterwards', async () => {
    const b = handoff(new RealtimeAgent({ name: 'B' }), { onHandoff: never })
    const first = new RealtimeAgent({ name: 'A', handoffs: [b, new RealtimeAgent({ name: 'D' })] })
    const it = await talk(first, (thought) => {
      const to = thought.tools.find(({ name }) => name === `transfer_to_${lastWords(thought)}`)
      return to && thought.items.at(-1)?.type === 'message' ? [callTool(to.name!)] : [say('Here.')]
    })
    await it.say('B')
    it.session.close()
    await it.run(100)
    await meanwhile(it.world, it.session.connect())
    await it.say('D')
    expect(it.session.currentAgent.name).toBe('D')
    expect(it.words.filter((words) => words.startsWith('output'))).toEqual([
      'output The tool failed: It was cancelled: the session was closed.',
      'output {"assistant":"D"}',
    ])
  })

  test('an answer that was asked for where no session stands: close() rejects it', async () => {
    const session = new RealtimeSession(agent(), {})
    const reply = session.generateReply('Hello')
    session.close()
    await expect(reply.done).rejects.toMatchObject({ why: 'closed' })
  })
})

test('a tool does not run after close(), whatever it waited for', async () => {
  let open = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const ran: string[] = []
  const slow = { name: 'slow', run: () => gate.then(() => ({ behavior: { type: 'allow' as const } })) }
  const t = tool({ name: 't', description: 'd', inputGuardrails: [slow], execute: () => ran.push('t') })
  const it = await talk(new RealtimeAgent({ name: 'A', tools: [t] }), (thought) =>
    thought.items.at(-1)?.type === 'message' ? [callTool('t')] : [say('Done.')],
  )
  await it.say('go', 500)
  it.session.close()
  open()
  await it.run(1_000)
  expect(ran).toEqual([])
})

test('an approval of a call that was cancelled waits no more', async () => {
  const t = tool({ name: 't', description: 'd', needsApproval: true, onInterruption: 'cancel', execute: () => 'ran' })
  const it = await talk(new RealtimeAgent({ name: 'A', tools: [t] }), (thought) =>
    thought.items.at(-1)?.type === 'message' ? [callTool('t')] : [say('Done.')],
  )
  await it.say('go', 1_000)
  const [waiting] = it.session.pendingApprovals
  it.session.interrupt()
  await it.run(100)
  expect(it.session.pendingApprovals).toEqual([])
  expect(() => it.session.approve(waiting!)).toThrow(UserError)
})

test('what the app changed of the config holds for the next connection too', async () => {
  const it = await talk(agent(), script)
  const changed = it.session.updateConfig({ toolChoice: 'none' })
  await it.run(100)
  await changed
  it.session.close()
  await meanwhile(it.world, it.session.connect())
  expect(it.session.state.config.tool_choice).toBe('none')
})

test('an agent that takes over while another connects is the one that speaks', async () => {
  let release = (_: string) => {}
  const slow = new RealtimeAgent({ name: 'Slow', instructions: () => new Promise<string>((go) => (release = go)) })
  const b = new RealtimeAgent({ name: 'B', instructions: 'I am B.' })
  const it = await talk(agent(), script)
  const session = new RealtimeSession(slow, { clock: it.world.clock, transport: { dialer: () => it.far.dial } })
  const connecting = session.connect()
  await session.updateAgent(b)
  release('I am slow.')
  await meanwhile(it.world, connecting)
  expect([session.currentAgent.name, session.state.config.instructions]).toEqual(['B', 'I am B.'])
})

test('what the microphone heard before close() is not told to the next call', async () => {
  const it = await talk(agent(), script, { turns: 'pushToTalk' })
  it.session.beginTurn()
  it.session.sendAudio(new Uint8Array(48_000))
  it.session.close()
  await meanwhile(it.world, it.session.connect())
  await it.run(1_000)
  expect(it.session.history).toEqual([])
  it.session.beginTurn()
  expect(it.session.endTurn()).toBe(false)
})
