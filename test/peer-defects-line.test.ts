/**
 * What goes wrong in the OpenAI Agents SDK's realtime part, as its user meets it, and that it cannot here: the line.
 * The numbers are those of a list of its defects; those of WebRTC and of telephones alone are not here, and W31 is in
 * `attached.test.ts`.
 */
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Link, RealtimeAgent, RealtimeSession, tool } from '../src/index.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import { farEnd, world } from '../src/testing/index.ts'
import { farSocket } from './far-socket.ts'
import { agentOf, typesOf, userItem } from './peer-scenes.ts'
import { began, type Loose, puppet } from './puppet.ts'
import { socketTalk } from './socket-talk.ts'
import { oneTurn, speak, tone } from './speaking.ts'
import { callTool, type Script, say, talk } from './talk.ts'

describe('W1: what the process was killed by does nothing to the call', () => {
  test.each<[string, Loose]>([
    [
      'spoken words without a transcript',
      { type: 'conversation.item.added', item: userItem('u', { content: [{ type: 'input_audio' }] }) },
    ],
    [
      'an MCP call without an output',
      { type: 'conversation.item.done', item: { id: 'm', type: 'mcp_call', name: 'x' } },
    ],
    [
      'MCP arguments that are no JSON',
      { type: 'response.mcp_call_arguments.done', item_id: 'm', output_index: 0, arguments: '{"a"' },
    ],
    [
      'a list of MCP tools without the tools',
      { type: 'conversation.item.done', item: { id: 'l', type: 'mcp_list_tools' } },
    ],
    ['an item that is none', { type: 'conversation.item.added', item: null }],
    ['a response that is none', { type: 'response.done', response: 7 }],
  ])('%s', async (_, event) => {
    const { ask, far } = await socketTalk(agentOf())
    far.lines[0]!.say(event)
    expect(await ask('Are you there?')).toBe('All is well.')
    expect(far.lines).toHaveLength(1)
  })

  test.each(['audio', 'transport_event', 'history_updated', 'agent_end'] as const)(
    'a listener of %s that throws',
    async (name) => {
      const errors: unknown[] = []
      const { ask, session, until } = await socketTalk(agentOf())
      session.on('error', ({ error }) => errors.push(error))
      session.on(name, () => {
        throw new Error('The app is broken.')
      })
      expect(await ask('Are you there?')).toBe('All is well.')
      await until(() => errors[0])
      expect(errors[0]).toMatchObject({
        message: `A listener of '${name}' failed.`,
        cause: { message: 'The app is broken.' },
      })
    },
  )
})

test('W2: an error of the far end that nobody listens for is written down, and nothing else', async () => {
  const { ask, far, session } = await socketTalk(agentOf())
  const written: unknown[][] = []
  const write = console.error
  console.error = (...words) => written.push(words)
  try {
    far.lines[0]!.say({ type: 'error', event_id: 'e', error: { type: 'server_error', code: 'x', message: 'Oh dear.' } })
    expect(await ask('Are you there?')).toBe('All is well.')
  } finally {
    console.error = write
  }
  expect(JSON.stringify(written)).toContain('Oh dear.')
  expect(session.state.link.at).toBe('live')
})

test('W3: a lost line is told and dialed again; the history, the agent and the tool that runs go on', async () => {
  let finish = (_output: string) => {}
  const slow = tool({
    name: 'slow',
    description: 'Slow.',
    execute: () => new Promise<string>((resolve) => (finish = resolve)),
  })
  const second = new RealtimeAgent({ name: 'Second', tools: [slow] })
  const script: Script = ({ items, tools }) => {
    const last = items.at(-1)
    if (last?.type === 'message') return [callTool(tools[0]!.name!)]
    return last?.type === 'function_call_output' && last.output === 'done' ? [say('It is done.')] : [say('Here I am.')]
  }
  let isCut = false
  const it = await talk(agentOf({ handoffs: [second] }), script, { fault: () => (isCut ? 'cut' : 'pass') })
  const links: string[] = []
  it.session.on('connection_change', ({ at }) => links.push(at))
  await it.say('the second one, please')
  it.session.sendMessage('do the slow thing')
  await it.run(2_000)
  isCut = true
  it.session.sendAudio(new Uint8Array(4_800))
  await it.run(1)
  isCut = false
  await it.run(100)
  finish('done')
  await it.run()
  expect(links).toEqual(['waiting', 'dialing', 'joining', 'live'])
  expect(it.session.currentAgent).toBe(second)
  expect(it.words).toEqual([
    'user: the second one, please',
    'call transfer_to_Second',
    'output {"assistant":"Second"}',
    'assistant: Here I am.',
    'user: do the slow thing',
    'call slow',
    'output done',
    'assistant: It is done.',
  ])
  expect(it.session.context.history).toEqual(it.session.history)
  expect(it.errors).toEqual([])
})

describe('W4: the end of a line', () => {
  test('is told with its code and its reason', async () => {
    const { session, far, until } = await socketTalk(agentOf(), { reconnect: false })
    const links: Link[] = []
    session.on('connection_change', (link) => links.push(link))
    far.lines[0]!.socket.close(4_321, 'Their words')
    await until(() => (session.state.link.at === 'closed' ? true : undefined))
    expect(links).toMatchObject([{ at: 'closed', cause: { code: 4_321, initiator: 'far end' } }])
    expect(JSON.stringify(links)).toContain('Their words')
  })

  test('that nobody told is noticed: a line that looks alive and carries nothing is left for another', async () => {
    let isDead = false
    const it = await talk(agentOf(), () => [say('Yes.')], { fault: () => (isDead ? 'lose' : 'pass') })
    isDead = true
    it.session.sendMessage('Are you there?')
    await it.run(100)
    isDead = false
    await it.run()
    expect(it.far.lines).toHaveLength(2)
    expect(it.words).toEqual(['user: Are you there?', 'assistant: Yes.'])
  })

  test('that comes after an hour is no end of the call', async () => {
    const it = await talk(agentOf(), ({ items }) => [say(`I know ${items.length} items.`)])
    await it.say('first')
    await it.run(61 * 60_000)
    expect([it.far.lines.length, it.session.state.link.at]).toEqual([2, 'live'])
    await it.say('second')
    expect(it.words.at(-1)).toBe('assistant: I know 3 items.')
    expect(it.errors).toEqual([])
  })
})

test('W7: muted means muted, before the line is there, and on the next one', async () => {
  const w = world(1)
  const heard: string[] = []
  let isCut = false
  const far = farEnd(w, {
    brain: scripted(() => [say('Yes.')]),
    sent: ({ type }) => heard.push(String(type)),
    fault: () => (isCut ? 'cut' : 'pass'),
  })
  const session = new RealtimeSession(agentOf(), { clock: w.clock, seed: 7, transport: { dialer: () => far.dial } })
  const turns = () => heard.filter((type) => type === 'input_audio_buffer.speech_started').length
  session.mute(true)
  const connecting = session.connect()
  await w.settle(1_000)
  await connecting
  await speak({ world: w, session }, oneTurn)
  isCut = true
  session.sendAudio(tone)
  await w.settle(w.now() + 1)
  isCut = false
  await w.settle(w.now() + 2_000)
  await speak({ world: w, session }, oneTurn)
  expect([session.muted, far.lines.length, turns()]).toEqual([true, 2, 0])
  session.mute(false)
  await speak({ world: w, session }, oneTurn)
  expect(turns()).toBe(1)
})

test('W28: connect() resolves when the config is accepted, and what was said before that is heard', async () => {
  const far = await farSocket()
  const session = new RealtimeSession(agentOf(), { apiKey: 'k', seed: 1 })
  onTestFinished(() => session.close())
  onTestFinished(far.close)
  expect(session.sendAudio(tone)).toBe(true)
  session.sendEvent({ type: 'input_audio_buffer.commit' })
  const log: string[] = []
  const connecting = session.connect({ url: far.url }).then(() => log.push('connected'))
  const line = await far.line()
  await line.hears(({ type }) => type === 'session.update')
  log.push('the far end has the config')
  line.say({ type: 'session.updated', event_id: 'e', session: {} })
  await connecting
  expect(log).toEqual(['the far end has the config', 'connected'])
  await line.hears(({ type }) => type === 'input_audio_buffer.commit')
  expect(typesOf(line.heard)).toEqual(['session.update', 'input_audio_buffer.append', 'input_audio_buffer.commit'])
})

test('W33: a session that was closed says so, and its next line is told of once', async () => {
  const it = await puppet(agentOf())
  const links: string[] = []
  const heard: string[] = []
  it.session.on('connection_change', ({ at }) => links.push(at))
  it.session.on('transport_event', ({ type }) => heard.push(String(type)))
  it.session.close()
  await it.say(began('late'))
  expect([links, heard]).toEqual([['closed'], []])
  const again = it.session.connect()
  await it.run(100)
  await again
  await it.say(began('r'))
  expect(links).toEqual(['closed', 'dialing', 'joining', 'live'])
  expect(heard).toEqual(['session.updated', 'response.created'])
})
