/** What users of other SDKs find on a session: its transport, its options, its first agent. */
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, type TurnMetrics } from '../src/index.ts'
import type { SessionConfig } from '../src/protocol/events.ts'
import { farSocket } from './far-socket.ts'
import { began, puppet } from './puppet.ts'
import { lastWords, type Script, say, talk } from './talk.ts'

const agent = new RealtimeAgent({ name: 'Clerk', instructions: 'You help.' })

test('the options and the first agent can be asked for; another agent is what changing to it gives', async () => {
  const options = { model: 'gpt-realtime-mini' }
  const session = new RealtimeSession(agent, options)
  const second = new RealtimeAgent({ name: 'Second' })
  expect([session.options, session.initialAgent]).toEqual([options, agent])
  expect(await session.updateAgent(second)).toBe(second)
  expect([session.initialAgent, session.currentAgent]).toEqual([agent, second])
})

test('a turn that begins as soon as somebody listens to the metrics is measured', async () => {
  const turns: TurnMetrics[] = []
  const echo: Script = (thought) => [say(lastWords(thought))]
  const it = await talk(agent, echo, {
    before(session) {
      session.on('metrics', (turn) => turns.push(turn))
      session.sendMessage('one')
    },
  })
  await it.run()
  await it.say('two')
  // What measures is loaded beside the conversation.
  await vi.waitFor(() => expect(turns).toHaveLength(2))
  expect(turns.map(({ by, responses }) => [by, responses.length])).toEqual([
    ['text', 1],
    ['text', 1],
  ])
})

describe('session.transport, where none was given', () => {
  test('it takes events and listeners before the session is connected, and after', async () => {
    const far = await farSocket()
    const session = new RealtimeSession(agent, { apiKey: 'k', seed: 1, transport: 'websocket' })
    onTestFinished(() => session.close())
    onTestFinished(far.close)
    const { transport } = session
    const heard: string[] = []
    transport.on('*', ({ type }) => heard.push(String(type)))
    transport.on('connection_change', (status) => heard.push(status))
    transport.sendEvent({ type: 'input_audio_buffer.clear' })
    transport.mute(true)
    expect([transport.status, transport.muted, session.muted]).toEqual(['disconnected', true, true])
    const connecting = session.connect({ url: far.url })
    const line = await far.line()
    await line.hears(({ type }) => type === 'session.update')
    line.say({ type: 'session.updated', event_id: 'e', session: {} })
    await connecting
    transport.sendEvent({ type: 'conversation.item.delete', item_id: 'x' })
    await line.hears(({ type }) => type === 'conversation.item.delete')
    expect(session.transport).toBe(transport)
    expect(heard).toEqual(['connecting', 'session.updated', 'connected'])
    transport.close()
    expect([session.state.link.at, heard.at(-1)]).toEqual(['closed', 'disconnected'])
  })

  test('it speaks for a way of the app’s own that has no face', async () => {
    const it = await puppet(agent)
    const started: unknown[] = []
    const count = (turn: unknown) => started.push(turn)
    it.session.transport.on('turn_started', count)
    await it.say(began('r'))
    it.session.transport.off('turn_started', count)
    it.session.transport.interrupt()
    await it.say(began('r2'))
    expect(started).toHaveLength(1)
    expect(it.toldOf('response.cancel')).toMatchObject([{ response_id: 'r' }])
  })

  test('what it is told of the config holds', async () => {
    const it = await puppet(agent)
    it.session.transport.updateSessionConfig({ toolChoice: 'none' })
    await it.run()
    expect(it.toldOf('session.update').at(-1)).toMatchObject({
      session: { tool_choice: 'none', instructions: 'You help.' },
    })
  })
})

test('what a transport that is used alone was told of its config holds whenever it is connected', async () => {
  const far = await farSocket()
  const transport = new OpenAIRealtimeWebSocket({ url: far.url })
  onTestFinished(far.close)
  onTestFinished(() => transport.close())
  transport.updateSessionConfig({ toolChoice: 'none' })
  for (const nth of [0, 1]) {
    const connecting = transport.connect({ apiKey: 'k', initialSessionConfig: { instructions: 'Be brief.' } })
    const line = await far.line(nth)
    const update = await line.hears(({ type }) => type === 'session.update')
    expect(update['session']).toMatchObject({ instructions: 'Be brief.', tool_choice: 'none' })
    line.say({ type: 'session.updated', event_id: 'e', session: {} })
    await connecting
    transport.close()
  }
})

describe('a session.update that the app sends itself', () => {
  const configs = (it: Awaited<ReturnType<typeof puppet>>) =>
    it.toldOf('session.update').map(({ session }) => session as SessionConfig)

  async function connected(change: object, before = true) {
    const it = await puppet(agent)
    it.session.close()
    const send = () =>
      it.session.sendEvent({ type: 'session.update', session: { type: 'realtime', ...change } as never })
    if (before) send()
    const again = it.session.connect()
    await it.run(200)
    await again
    if (!before) send()
    await it.run()
    return it
  }

  test('before the session is connected, it is said with the join, and after a lost line again', async () => {
    const it = await connected({ max_output_tokens: 100 })
    expect(configs(it).at(-1)).toMatchObject({ max_output_tokens: 100, instructions: 'You help.' })
    await it.hangUp()
    await it.run(1_000)
    expect([it.lines(), configs(it).at(-1)?.max_output_tokens]).toEqual([3, 100])
  })

  test('it holds for the line after close(), too', async () => {
    const it = await connected({ max_output_tokens: 100, instructions: 'You sing.' }, false)
    it.session.close()
    const again = it.session.connect()
    await it.run(200)
    await again
    expect(configs(it).at(-1)).toMatchObject({ max_output_tokens: 100, instructions: 'You sing.' })
  })

  test('what it said for one agent is over when another takes over', async () => {
    const it = await connected({ max_output_tokens: 100, instructions: 'You sing.' }, false)
    const switched = it.session.updateAgent(new RealtimeAgent({ name: 'Second', instructions: 'You are second.' }))
    await it.run()
    await switched
    it.session.close()
    const again = it.session.connect()
    await it.run(200)
    await again
    expect(configs(it).at(-1)).toMatchObject({ max_output_tokens: 100, instructions: 'You are second.' })
  })

  test.each([
    ['by a name of its own', { event_id: 'mine' }],
    ['without a name', {}],
  ])('one that was sent %s and refused is not said again', async (_, name) => {
    const it = await puppet(agent, {
      answer({ event_id, ...event }) {
        if (event.type !== 'session.update' || !('max_output_tokens' in (event.session ?? {}))) return undefined
        return [{ type: 'error', error: { type: 'x', code: 'invalid_value', message: 'No.', event_id } }]
      },
    })
    it.session.sendEvent({
      ...name,
      type: 'session.update',
      session: { type: 'realtime', max_output_tokens: 1 },
    })
    await it.run()
    it.session.close()
    const again = it.session.connect()
    await it.run(200)
    await again
    expect(configs(it).at(-1)).not.toHaveProperty('max_output_tokens')
  })
})
