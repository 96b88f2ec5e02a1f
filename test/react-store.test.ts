/** What components are shown never contradicts itself, whatever befalls the line and whatever is clicked. */
import { beforeAll, expect, test, vi } from 'vitest'
import { RealtimeAgent } from '../src/agents/agent.ts'
import { RealtimeSession } from '../src/agents/session.ts'
import { tool } from '../src/agents/tool.ts'
import { mulberry32 } from '../src/protocol/random.ts'
import { agentStateOf } from '../src/react/agent-state.ts'
import { type Store, storeOf } from '../src/react/store.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import { farEnd } from '../src/testing/far-end.ts'
import { type World, world } from '../src/testing/world.ts'
import type { Fault } from '../src/transports/memory.ts'

/** What may follow what; `closed` after `idle` would be a call that nobody began. */
const next: Readonly<Record<string, readonly string[]>> = {
  idle: ['connecting'],
  connecting: ['connected', 'closed'],
  connected: ['reconnecting', 'closed'],
  reconnecting: ['connected', 'closed'],
  closed: ['connecting'],
}
const agentStates: Readonly<Record<string, readonly string[]>> = {
  idle: ['idle'],
  connecting: ['idle'],
  connected: ['listening', 'thinking', 'speaking'],
  reconnecting: ['reconnecting'],
  closed: ['idle'],
}

const sky = tool({ name: 'sky', description: 'Tells the weather.', needsApproval: true, execute: () => 'sunny' })

function begun(w: World, fault: (nth: number) => Fault): { store: Store; shown: string[]; wrong: string[] } {
  const far = farEnd(w, {
    fault,
    brain: scripted(({ items }) =>
      items.at(-1)?.type === 'message'
        ? [{ type: 'call', name: 'sky', arguments: {} }]
        : [{ type: 'say', text: 'Sunny.' }],
    ),
  })
  const make = () => {
    const agent = new RealtimeAgent({ name: 'Clerk', tools: [sky] })
    return new RealtimeSession(agent, {
      transport: { dialer: () => far.dial },
      clock: w.clock,
      seed: 1,
      apiKey: 'a key',
    })
  }
  const store = storeOf(make, true)
  const shown: string[] = [store.status]
  const wrong: string[] = []
  const look = () => {
    const { status, cause } = store
    const state = agentStateOf(store)
    const last = shown.at(-1)!
    if (status !== last) {
      if (!next[last]!.includes(status)) wrong.push(`${last} → ${status}`)
      shown.push(status)
      if (status === 'connecting' && cause) wrong.push(`connecting with what was: ${cause.reason}`)
    }
    if (!agentStates[status]!.includes(state)) wrong.push(`${status} and ${state}`)
    if (status === 'closed' && !cause) wrong.push('closed without a cause')
    if ((status === 'connected' || status === 'idle') && cause) wrong.push(`${status} with a cause`)
    if (status !== 'connected' && status !== 'reconnecting' && store.session.pendingApprovals.length)
      wrong.push(`${status} and a call waits`)
  }
  store.subscribe(look)
  store.mounted()
  store.session.on('error', () => {})
  return { store, shown, wrong }
}

/** What a session loads when it is first connected takes real time: afterwards only the world's counts. */
beforeAll(async () => {
  const w = world()
  const { store } = begun(w, () => 'pass')
  void store.connect()
  await vi.waitFor(async () => {
    await w.settle(w.now() + 100)
    expect(store.status).toBe('connected')
  })
  store.close()
})

test.each(Array.from({ length: 40 }, (_, n) => n + 1))('no pair is impossible, and no step (seed %i)', async (seed) => {
  const chance = mulberry32(seed)
  const w = world(seed)
  const cuts = new Set(Array.from({ length: 6 }, () => Math.floor(chance() * 120)))
  const { store, shown, wrong } = begun(w, (nth) => (cuts.has(nth) ? 'cut' : 'pass'))
  const connecting: Promise<unknown>[] = []
  const clicks: readonly (() => unknown)[] = [
    () => connecting.push(store.connect().catch(String)),
    () => connecting.push(store.connect().catch(String)),
    () => store.session.sendMessage('What is the weather?'),
    () => store.session.sendMessage('What is the weather?'),
    () => store.session.interrupt(),
    () => store.session.pendingApprovals.map((item) => store.session.approve(item)),
    () => store.session.renew(),
    () => store.close(),
  ]
  clicks[0]!()
  for (let n = 0; n < 30; n++) {
    clicks[Math.floor(chance() * clicks.length)]!()
    await w.settle(w.now() + chance() * 1_500)
  }
  store.close()
  await Promise.all(connecting)
  expect({ wrong, status: store.status, steps: shown.length > 2 }).toEqual({ wrong: [], status: 'closed', steps: true })
})

test('a line that is lost is shown as such, with its cause, and is connected again', async () => {
  const w = world(1)
  const { store, shown } = begun(w, (nth) => (nth === 12 ? 'cut' : 'pass'))
  const causes: (string | undefined)[] = []
  store.subscribe(() => store.status === 'reconnecting' && causes.push(store.cause?.initiator))
  void store.connect()
  await w.settle(1_000)
  store.session.sendMessage('What is the weather?')
  await w.settle(20_000)
  expect(shown).toEqual(['idle', 'connecting', 'connected', 'reconnecting', 'connected'])
  expect(causes).toContain('network')
})
