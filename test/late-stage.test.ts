/** In a page, what stands behind a session is loaded when it is connected: the same scenes, and what is asked before. */
import { describe, expect, test, vi } from 'vitest'
import { RealtimeAgent, RealtimeSession, restored, seeded } from '../src/index.ts'
import type { TraceEntry } from '../src/session/observing.ts'
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
