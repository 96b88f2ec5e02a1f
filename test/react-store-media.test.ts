/** What components are shown of microphone and speaker never contradicts what they are shown of the call. */
import { expect, test } from 'vitest'
import { RealtimeAgent } from '../src/agents/agent.ts'
import { RealtimeSession } from '../src/agents/session.ts'
import { mulberry32 } from '../src/protocol/random.ts'
import { type Store, storeOf } from '../src/react/store.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import type { MediaState } from '../src/session/media.ts'
import { farEnd } from '../src/testing/far-end.ts'
import { type World, world } from '../src/testing/world.ts'
import type { Fault } from '../src/transports/memory.ts'
import { type DeviceLine, deviceLine } from './device-line.ts'
import { say } from './talk.ts'

interface Shown {
  readonly store: Store
  readonly line: DeviceLine
  /** Chosen while there was no call: what hindered the last one is no matter any more. */
  choose(): Promise<void>
  readonly seen: ReadonlySet<string>
  readonly wrong: readonly string[]
}

/** It cannot be had, and why is told. */
const hindered: readonly MediaState['microphone'][] = ['denied', 'missing', 'busy', 'insecure', 'lost']
const refused = hindered.filter((one) => one !== 'lost')

/** Where the microphone may be while the call is there: `off` is for no call, and whoever asks is connecting. */
const may: Readonly<Record<Store['status'], readonly MediaState['microphone'][]>> = {
  idle: ['off'],
  connecting: ['off', 'asking', 'on', ...hindered],
  connected: ['on', ...hindered],
  reconnecting: ['asking', 'on', ...hindered],
  closed: ['off', ...refused],
}

function begun(w: World, fault: (nth: number) => Fault, patience: () => number): Shown {
  const far = farEnd(w, { fault, brain: scripted(() => [say('Sunny.')]) })
  const line = deviceLine(w, far.dial, patience)
  const make = () =>
    new RealtimeSession(new RealtimeAgent({ name: 'Clerk' }), { transport: line, clock: w.clock, seed: 1, apiKey: 'k' })
  const store = storeOf(make, true)
  const seen = new Set<string>()
  const wrong: string[] = []
  let isChosen = false

  function look(): void {
    const { status, cause, session } = store
    const { microphone, problem, speaker, muted, inputDevice } = session.media!.state
    const pair = `${status} and ${microphone}, ${speaker}, ${problem}`
    const require = (isRight: boolean, law: string) => isRight || wrong.push(`${law}: ${pair}, ${cause?.code}`)
    if (status !== 'closed') isChosen = false
    seen.add(`${status} ${microphone}`).add(speaker).add(`${cause?.code}`)
    require(may[status].includes(microphone), 'the microphone is where the call is')
    require((problem !== null) === hindered.includes(microphone), 'what hinders it is told')
    require((inputDevice !== null) === (microphone === 'on'), 'a device is in use while it is heard')
    const why = /^microphone_(.*)/.exec(String(cause?.code))?.[1]
    if (status === 'closed' && why && !isChosen) require(microphone === why, 'why there is no call stays')
    if (status === 'connected')
      require(speaker === (line.isSilenced() ? 'blocked' : 'on'), 'blocked while it is blocked')
    if (status === 'closed' || status === 'idle') require(speaker === 'off', 'nothing sounds without a call')
    require(muted === session.muted, 'muted is muted')
    require(line.open().every(({ enabled }) => enabled !== muted), 'what is muted says nothing')
    if (status === 'closed') require(line.open().length === 0, 'nothing is left open')
  }

  // Components are rendered when what has happened is done.
  const told = () => queueMicrotask(look)
  store.subscribe(told)
  store.mounted()
  store.session.media!.subscribe(told)
  store.session.on('error', () => {})
  return {
    store,
    line,
    async choose() {
      if (store.status === 'closed') isChosen = true
      await line.media.useMicrophone('the one on the desk').catch(() => {})
    },
    seen,
    wrong,
  }
}

const seenOfAll = new Set<string>()

test.each(Array.from({ length: 60 }, (_, n) => n + 1))('no pair is impossible (seed %i)', async (seed) => {
  const chance = mulberry32(seed)
  const w = world(seed)
  const cuts = new Set(Array.from({ length: 6 }, () => Math.floor(chance() * 150)))
  const { store, line, choose, seen, wrong } = begun(
    w,
    (nth) => (cuts.has(nth) ? 'cut' : 'pass'),
    () => chance() * 800,
  )
  const waits: Promise<unknown>[] = []
  const connect = () => waits.push(store.connect().catch(String))
  const refusals = ['NotAllowedError', 'NotFoundError', 'NotReadableError', null, null, null]
  const clicks: readonly (() => unknown)[] = [
    connect,
    connect,
    connect,
    () => store.session.sendMessage('What is the weather?'),
    () => store.close(),
    () => store.session.mute(chance() < 0.5),
    () => waits.push(choose()),
    () => waits.push(store.session.media!.resumeAudio().catch(String)),
    () => line.refuse(refusals[Math.floor(chance() * refusals.length)]!),
    () => line.block(chance() < 0.5),
    () => line.unplug(),
  ]
  connect()
  for (let n = 0; n < 50; n++) {
    clicks[Math.floor(chance() * clicks.length)]!()
    await w.settle(w.now() + chance() * 1_000)
  }
  store.close()
  await w.settle(w.now() + 2_000)
  await Promise.all(waits)
  for (const one of seen) seenOfAll.add(one)
  expect({ wrong, status: store.status, open: line.open().length }).toEqual({ wrong: [], status: 'closed', open: 0 })
})

test('all of it has come', () => {
  expect([...seenOfAll]).toEqual(
    expect.arrayContaining([
      'connecting asking',
      'connected on',
      'connected lost',
      'reconnecting on',
      'reconnecting asking',
      'closed denied',
      'closed missing',
      'closed off',
      'microphone_denied',
      'microphone_missing',
      'microphone_busy',
      'blocked',
    ]),
  )
})
