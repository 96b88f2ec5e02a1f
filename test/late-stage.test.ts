/** In a page, what stands behind a session is loaded when it is connected: the same scenes, and what is asked before. */
import { describe, expect, test, vi } from 'vitest'
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, restored, seeded } from '../src/index.ts'
import type { TraceEntry } from '../src/session/observing.ts'
import { spans, type Tracer } from '../src/telemetry/index.ts'
import { type Recorder, record, replay } from '../src/trace/index.ts'
import { lastWords, meanwhile, type Script, say, talk } from './talk.ts'

vi.mock('#backstage', () => import('../src/agents/backstage.web.ts'))

await import('./session.test.ts')
await import('./session-face.test.ts')

const echo: Script = (thought) => [say(`You said ${lastWords(thought)}.`)]
const agent = new RealtimeAgent({ name: 'A' })

describe('before it is connected', () => {
  test('what is said, muted, asked for and sent is done in order when it is', async () => {
    const replies: string[] = []
    const it = await talk(agent, echo, {
      before(session) {
        session.sendMessage('one', {}, { triggerResponse: false })
        const content = [{ type: 'input_text', text: 'two' }] as const
        session.sendEvent({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } })
        session.mute(true)
        const reply = session.generateReply({ instructions: 'Say it.' })
        reply.done.then(({ text }) => replies.push(reply.id, text))
      },
    })
    await it.run()
    expect(it.session.muted).toBe(true)
    expect(it.words).toEqual(['user: one', 'user: two', 'assistant: You said two.'])
    expect(replies).toEqual([expect.stringMatching(/^reply_/), 'You said two.'])
    expect(it.errors).toEqual([])
  })

  test('the words and the sound of a reply come as they do later', async () => {
    const pieces: string[] = []
    let bytes = 0
    const it = await talk(agent, () => [say('Well.')], {
      before(session) {
        const { text, audio } = session.generateReply()
        void (async () => {
          for await (const piece of text) pieces.push(piece)
        })()
        void (async () => {
          for await (const piece of audio) bytes += piece.length
        })()
      },
    })
    await it.run()
    expect(pieces.join('')).toBe('Well.')
    expect(bytes).toBeGreaterThan(0)
  })

  test('a reply that is cancelled is not asked for', async () => {
    let end: unknown
    const it = await talk(agent, echo, {
      before(session) {
        const reply = session.generateReply()
        reply.done.then((how) => (end = how.status))
        reply.cancel()
      },
    })
    await it.run()
    expect(end).toBe('cancelled')
    expect(it.words).toEqual([])
  })

  test('who subscribes and observes is told of all that comes, until they leave', async () => {
    let told = 0
    const seen: TraceEntry[] = []
    const left: TraceEntry[] = []
    const it = await talk(agent, echo, {
      before(session) {
        session.subscribe(() => told++)
        session.mute(true)
        session.mute(false)
        session.observe((entry) => seen.push(entry))
        session.observe((entry) => left.push(entry))()
      },
    })
    expect(told).toBeGreaterThan(2)
    expect(seen.some((entry) => 'input' in entry && entry.input.type === 'opened')).toBe(true)
    expect(left).toEqual([])
    expect(it.errors).toEqual([])
  })

  test('what cannot be done is told as an event, and the rest is done', async () => {
    const it = await talk(agent, echo, {
      before(session) {
        session.updateHistory([{ type: 'message', role: 'user', content: [] }] as never)
        session.beginTurn()
        session.sendMessage('two')
      },
    })
    await it.run()
    expect(it.errors).toHaveLength(2)
    expect(it.words).toEqual(['user: two', 'assistant: You said two.'])
  })

  test('the state is that of one who was never connected, and a history that it begins with is shown and saved', () => {
    const start = seeded([{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello.' }] }])
    const session = new RealtimeSession(agent, { start })
    expect(session.state.link).toEqual({ at: 'closed', cause: null })
    expect(session.history).toMatchObject([{ role: 'user', content: [{ text: 'Hello.' }], origin: 'seeded' }])
    expect(restored(JSON.parse(JSON.stringify(session.save()))).history).toMatchObject([{ role: 'user' }])
    expect([session.pendingApprovals, session.availableMcpTools]).toEqual([[], []])
    expect(session.currentAgent).toBe(agent)
    expect(session.context.history).toEqual(session.history)
    expect(session.context.usage).toMatchObject({ requests: 0 })
  })

  test('the config and the next agent need no connection', async () => {
    const next = new RealtimeAgent({ name: 'B', instructions: 'Be B.' })
    const session = new RealtimeSession(agent)
    expect(await session.updateAgent(next)).toBe(next)
    expect(session.currentAgent).toBe(next)
    expect(await session.getInitialSessionConfig()).toMatchObject({ type: 'realtime', instructions: 'Be B.' })
  })

  test('an answer that was asked for is taken back by interrupt()', async () => {
    const it = await talk(agent, echo, {
      before(session) {
        session.sendMessage('one')
        session.interrupt()
      },
    })
    await it.run()
    expect(it.words).toEqual(['user: one'])
  })

  test('a change of the history begins with what the changes before have made of it', async () => {
    const message = (text: string) =>
      ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] }) as const
    const it = await talk(agent, echo, {
      before(session) {
        session.sendMessage('one', {}, { triggerResponse: false })
        session.updateHistory((history) => [...history, message('two')])
        session.updateHistory((history) => [...history, message('three')])
      },
    })
    await it.run()
    expect(it.words).toEqual(['user: one', 'user: two', 'user: three'])
    expect(it.errors).toEqual([])
  })

  test('what is no audio, and what waits for no approval, is said at once', () => {
    const session = new RealtimeSession(agent)
    expect(() => session.sendAudio(new Float32Array(480))).toThrow('sendAudio takes PCM16 or G.711')
    expect(() => session.sendAudio('AAAA' as never)).toThrow('sendAudio takes an ArrayBuffer')
    expect(() => session.approve({ callId: 'c' })).toThrow("The call 'c' waits for no approval")
  })

  test('a reply that cannot be asked for rejects, and is told', async () => {
    const failures: unknown[] = []
    const it = await talk(agent, echo, {
      before(session) {
        const { done, text } = session.generateReply({ metadata: { key: 'x'.repeat(600) } })
        done.catch((error) => failures.push(error))
        text[Symbol.asyncIterator]()
          .next()
          .catch((error) => failures.push(error))
      },
    })
    await it.run()
    expect(failures.map(String)).toEqual(Array(2).fill(expect.stringContaining('at most 512 characters')))
    expect(it.errors).toHaveLength(1)
  })

  test('close() ends the replies that wait: they are not asked for when it is connected', async () => {
    const failures: unknown[] = []
    const it = await talk(agent, echo, {
      before(session) {
        session.generateReply().done.catch((error) => failures.push(error))
        session.close()
      },
    })
    expect(failures).toMatchObject([{ name: 'ReplyError', why: 'closed' }])
    await it.run()
    expect(it.words).toEqual([])
    expect(it.errors).toEqual([])
    const session = new RealtimeSession(agent)
    const { done } = session.generateReply()
    session.close()
    await expect(done).rejects.toMatchObject({ why: 'closed' })
  })

  test('the microphone that it brings is muted at once, and one that the app speaks for is not asked', () => {
    const muted: boolean[] = []
    const audio = { mute: (is: boolean) => muted.push(is), state: {} } as never
    const session = new RealtimeSession(agent, { transport: 'websocket', audio })
    session.mute(true)
    expect([session.muted, muted]).toEqual([true, [true]])
    const other = new RealtimeSession(agent, { transport: new OpenAIRealtimeWebSocket() })
    other.mute(true)
    expect(other.muted).toBe(true)
  })

  test('a trace that begins before is played again to the same state', async () => {
    let recorder!: Recorder
    const it = await talk(agent, echo, {
      seed: 99,
      reconnect: { attempts: 2, timeoutMs: 5_000 },
      before: (session) => (recorder = record(session)) && undefined,
    })
    await it.say('hello')
    const again = replay(recorder.text())
    expect(again.problems).toEqual([])
    expect(again.steps.at(-1)!.state).toEqual(it.session.state)
    expect(again.begin.reconnect).toEqual({ attempts: 2, timeoutMs: 5_000 })
    const { state } = new RealtimeSession(agent, { reconnect: false })
    expect(state.reconnect.attempts).toBe(0)
  })

  test('close() gives up a connect() whose parts are still being loaded; another may follow', async () => {
    const it = await talk(agent, echo)
    const session = new RealtimeSession(agent, { clock: it.world.clock, transport: { dialer: () => it.far.dial } })
    const connecting = session.connect()
    session.close()
    await expect(connecting).rejects.toThrow('It was closed while it was connecting.')
    await meanwhile(it.world, session.connect())
    expect(session.state.link.at).toBe('live')
  })
})

test('spans of OpenTelemetry that are begun before it is connected tell its first turn', async () => {
  const told: string[] = []
  const tracer: Tracer = {
    startSpan: (name) => ({
      setAttributes: () => {},
      setStatus: () => {},
      addEvent: () => {},
      end: () => void told.push(name),
    }),
  }
  const it = await talk(agent, echo, { before: (session) => void spans(session, { tracer }) })
  await it.say('one')
  it.session.close()
  expect(told).toEqual(['chat gpt-realtime-2.1', 'invoke_agent A', 'parley.session'])
})
