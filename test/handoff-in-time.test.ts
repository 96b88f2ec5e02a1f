/** An agent that is to take over, and whose own functions do not settle: the one of before stays, and whoever asked is told. */
import { describe, expect, test } from 'vitest'
import { RealtimeAgent, RealtimeSession } from '../src/index.ts'
import { world } from '../src/testing/index.ts'
import { hungTool, never } from './hung.ts'
import { callTool, lastWords, meanwhile, type Script, say, type Talk, type TalkOptions, talk } from './talk.ts'

const timeoutMs = 3_000
const inTime = { reconnect: { timeoutMs } }
const tooLate = /The config of 'Slow' was not there within 3000 ms\. Its instructions, an isEnabled, or an MCP server/

/** Transfers where the word is said, and tells what came of it. */
const router: Script = (thought) => {
  const { items, tools } = thought
  const last = items.at(-1)
  if (last?.type === 'function_call_output') return [say('So it is.')]
  const names = tools.flatMap(({ name }) => (name && lastWords(thought).includes(name) ? [name] : []))
  return names.length
    ? names.map((name) => callTool(name))
    : [say(`I have ${tools.map(({ name }) => name).join(', ')}.`)]
}

/** An agent whose instructions come when the test gives them. */
function slow(): {
  readonly agent: RealtimeAgent
  readonly settle: (text: string) => void
  readonly asked: () => number
} {
  let settle: (text: string) => void = () => {}
  let asked = 0
  const instructions = () => {
    asked++
    return new Promise<string>((resolve) => {
      settle = resolve
    })
  }
  return {
    agent: new RealtimeAgent({ name: 'Slow', instructions }),
    settle: (text) => settle(text),
    asked: () => asked,
  }
}

async function scene(handoffs: readonly RealtimeAgent[], options: TalkOptions<unknown> = {}) {
  const first = new RealtimeAgent({ name: 'First', instructions: 'You route.', handoffs: [...handoffs] })
  const it = await talk(first, router, { ...inTime, ...options })
  const tookOver: string[] = []
  it.session.on('agent_handoff', (_context, _before, { name }) => tookOver.push(name))
  return Object.assign(it, { first, tookOver })
}

const configs = ({ told }: Talk<unknown>) => told.filter(({ type }) => type === 'session.update').length

const server = {
  name: 'Far',
  connect: async () => {},
  close: async () => {},
  listTools: () => never,
  callTool: () => never,
}

describe('the model hands over', () => {
  test.each([
    ['whose instructions never settle', { instructions: () => never }],
    ['whose tool never says whether it is enabled', { tools: [hungTool] }],
    ['whose MCP server never tells its tools', { mcpServers: [server as never] }],
  ])(
    'to an agent %s: the model is told, goes on with the agent of before, and the app hears of it',
    async (_, hung) => {
      const it = await scene([new RealtimeAgent({ name: 'Slow', ...hung })])
      await it.say('transfer_to_Slow')
      expect(it.words).toEqual([
        'user: transfer_to_Slow',
        'call transfer_to_Slow',
        expect.stringMatching(/^output The tool failed: /),
        'assistant: So it is.',
      ])
      expect(it.words[2]).toMatch(tooLate)
      expect(it.errors).toHaveLength(1)
      expect(it.errors[0]).toMatchObject({ cause: { name: 'ConnectionError', cause: { code: 'config_timeout' } } })
      expect([it.session.currentAgent, it.tookOver, configs(it)]).toEqual([it.first, [], 1])
      await it.say('Who is it?')
      expect(it.words.at(-1)).toBe('assistant: I have transfer_to_Slow.')
    },
  )

  test('not before its time is up: one that takes long is waited for', async () => {
    const { agent, settle } = slow()
    const it = await scene([agent])
    await it.say('transfer_to_Slow', timeoutMs - 100)
    settle('You are slow.')
    await it.run()
    expect([it.session.currentAgent, it.tookOver, it.errors]).toEqual([agent, ['Slow'], []])
  })

  test('what comes too late changes nothing, and it may be handed over to that agent again', async () => {
    const { agent, settle, asked } = slow()
    const it = await scene([agent])
    await it.say('transfer_to_Slow')
    const before = it.told.length
    settle('You are slow.')
    await it.run()
    expect([it.told.length, it.session.currentAgent, it.tookOver]).toEqual([before, it.first, []])
    await it.say('transfer_to_Slow once more', 1_000)
    expect(asked()).toBe(2)
    settle('You are quick.')
    await it.run()
    expect([it.session.currentAgent, it.tookOver, it.errors.length]).toEqual([agent, ['Slow'], 1])
    expect(it.session.state.config.instructions).toBe('You are quick.')
  })

  test('twice in one breath, and the first hangs: the second is made', async () => {
    const quick = new RealtimeAgent({ name: 'Quick' })
    const it = await scene([slow().agent, quick])
    await it.say('transfer_to_Slow and transfer_to_Quick')
    const outputs = it.words.filter((words) => words.startsWith('output'))
    expect(outputs).toEqual([expect.stringMatching(tooLate), 'output {"assistant":"Quick"}'])
    expect([it.session.currentAgent, it.tookOver]).toEqual([quick, ['Quick']])
    expect(it.words.filter((words) => words === 'assistant: So it is.')).toHaveLength(1)
  })

  test('the session is closed meanwhile: nothing is left', async () => {
    const { agent, settle } = slow()
    const it = await scene([agent])
    await it.say('transfer_to_Slow', 1_000)
    it.session.close()
    await nothingIsLeft(it)
    settle('You are slow.')
    await it.run()
    expect([it.session.currentAgent, it.tookOver, it.errors]).toEqual([it.first, [], []])
  })
})

describe('the app lets another agent speak', () => {
  test('which never settles: updateAgent() rejects by a name, and nothing has changed', async () => {
    const { agent, settle } = slow()
    const it = await scene([])
    const error = await meanwhile(it.world, failureOf(it.session.updateAgent(agent)))
    expect(error).toMatchObject({ name: 'ConnectionError', message: expect.stringMatching(tooLate) })
    expect(error).toMatchObject({ cause: { code: 'config_timeout', initiator: 'us' } })
    settle('You are slow.')
    await it.run()
    expect([it.session.currentAgent, it.tookOver, configs(it), it.errors]).toEqual([it.first, [], 1, []])
    expect(it.session.state.link.at).toBe('live')
  })

  test('and a third after it: that one takes over once the time of the first is up', async () => {
    const quick = new RealtimeAgent({ name: 'Quick', instructions: 'Be quick.' })
    const it = await scene([])
    const log: string[] = []
    const updates = [slow().agent, quick].map((agent) =>
      it.session.updateAgent(agent).then(
        ({ name }) => log.push(name),
        () => log.push('failed'),
      ),
    )
    await meanwhile(it.world, Promise.all(updates))
    expect(log).toEqual(['failed', 'Quick'])
    expect([it.session.currentAgent, it.tookOver]).toEqual([quick, ['Quick']])
    expect(it.session.state.config.instructions).toBe('Be quick.')
  })

  test('and closes the session meanwhile: all who waited are told at once, and nobody takes over', async () => {
    const it = await scene([])
    const agents = [slow().agent, new RealtimeAgent({ name: 'Quick' })]
    const updates = agents.map((agent) => failureOf(it.session.updateAgent(agent)))
    await it.run(100)
    it.session.close()
    for (const update of updates) expect(String(await update)).toBe('Error: The session ended: The session was closed.')
    await nothingIsLeft(it)
    expect([it.session.currentAgent, it.tookOver]).toEqual([it.first, []])
    await meanwhile(it.world, it.session.connect())
    const next = new RealtimeAgent({ name: 'Next' })
    expect(await meanwhile(it.world, it.session.updateAgent(next))).toBe(next)
  })

  test('the line is lost for good meanwhile: it rejects', async () => {
    const it = await scene([], { reconnect: { timeoutMs, attempts: 0 }, fault: (nth) => (nth > 8 ? 'cut' : 'pass') })
    const update = failureOf(it.session.updateAgent(slow().agent))
    it.session.sendMessage('Hello.')
    it.session.sendMessage('Hello?')
    it.session.sendMessage('Is anybody there?')
    expect(String(await meanwhile(it.world, update))).toMatch(/^Error: The session ended: /)
    expect(it.world.now()).toBeLessThan(timeoutMs)
  })

  test.each([
    ['and it hangs: it rejects in time', false],
    ['and closes it: it rejects at once', true],
  ])('before the session is connected, %s', async (_, closes) => {
    const w = world(1)
    const first = new RealtimeAgent({ name: 'First' })
    const session = new RealtimeSession(first, { ...inTime, clock: w.clock, apiKey: 'ek_secret' })
    const update = failureOf(session.updateAgent(slow().agent))
    if (closes) session.close()
    expect(String(await meanwhile(w, update))).toMatch(closes ? /The session ended/ : tooLate)
    const at = w.now()
    await w.settle()
    expect([session.currentAgent, w.now(), at < timeoutMs]).toEqual([first, at, closes])
  })
})

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => 'It did not fail.',
    (error: unknown) => error,
  )

/** A timer that was forgotten would move the world's time on. */
async function nothingIsLeft({ world: w }: Talk<unknown>): Promise<void> {
  const at = w.now()
  await w.settle()
  expect(w.now() - at).toBeLessThan(500)
}
