/** Components in a real browser, on a real session: what they show, how often they render, and what they leave behind. */
import { browserAudio } from 'parley-voice/browser'
import {
  RealtimeProvider,
  type RealtimeProviderProps,
  useAgentState,
  useAudioLevel,
  useCurrentAgent,
  useHistory,
  useMetrics,
  useMicrophone,
  useRealtime,
  useRealtimeEvent,
  useToolApprovals,
  useTranscript,
  useTranscriptItem,
} from 'parley-voice/react'
import { Profiler, type ReactNode, StrictMode, useEffect } from 'react'
import { flushSync } from 'react-dom'
import { createRoot, hydrateRoot, type Root } from 'react-dom/client'
import { RealtimeAgent, RealtimeSession, tool } from '../../src/index.ts'
import { until } from './hearing.page.ts'
import { type Leftovers, leftovers } from './leftovers.page.ts'
import { allow, unplug } from './unplug.page.ts'

const weather = tool({
  name: 'get_weather',
  description: 'Tells the weather.',
  execute: () => 'It is sunny.',
})
const refund = tool({
  name: 'refund_order',
  description: 'Refunds an order.',
  needsApproval: true,
  execute: () => 'It was refunded.',
})
const clerk = () => new RealtimeAgent({ name: 'Clerk', instructions: 'Be short.', tools: [weather, refund] })
export type Way = 'websocket' | 'webrtc'
const overWebSocket = { transport: 'websocket', apiKey: 'ek_test' } as const

type Probed = ReturnType<typeof probe>

/** What a component below the provider knows, for the test to look at. */
function probe() {
  const seen = {
    realtime: null as ReturnType<typeof useRealtime> | null,
    microphone: null as ReturnType<typeof useMicrophone> | null,
    approvals: null as ReturnType<typeof useToolApprovals> | null,
    transcript: [] as ReturnType<typeof useTranscript>,
    metrics: [] as ReturnType<typeof useMetrics>,
    agent: null as string | null,
    statuses: [] as string[],
    states: [] as string[],
    made: 0,
  }
  return seen
}

function noted(list: string[], value: string): void {
  if (list.at(-1) !== value) list.push(value)
}

function Probe({ seen }: { readonly seen: Probed }): ReactNode {
  seen.realtime = useRealtime()
  seen.microphone = useMicrophone()
  seen.approvals = useToolApprovals()
  seen.transcript = useTranscript()
  seen.metrics = useMetrics()
  seen.agent = useCurrentAgent()?.name ?? null
  noted(seen.statuses, seen.realtime.status)
  noted(seen.states, useAgentState())
  return (
    <ol>
      {seen.transcript.map(({ itemId, text }) => (
        <li key={itemId}>{text}</li>
      ))}
    </ol>
  )
}

/** Connects as soon as it is there. */
function Caller({ url, settled }: { readonly url: string; readonly settled: (error: unknown) => void }): null {
  const { connect } = useRealtime()
  // biome-ignore lint/correctness/useExhaustiveDependencies: once
  useEffect(() => {
    connect({ url }).then(() => settled(null), settled)
  }, [])
  return null
}

function mount(tree: ReactNode): Root {
  const root = createRoot(document.querySelector('#root')!)
  flushSync(() => root.render(tree))
  return root
}

/** Unmounts, and gives what is left once it had the time to go. */
async function unmount(root: Root): Promise<Leftovers> {
  root.unmount()
  return left()
}

async function left(): Promise<Leftovers> {
  const isNothing = () => Object.values(leftovers()).every((count) => count === 0)
  for (let n = 0; n < 200 && !isNothing(); n++) await task()
  return leftovers()
}

/** The end of a macrotask, without a timer. */
function task(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}

const isQuiet = ({ state }: RealtimeSession) =>
  state.link.at === 'live' && !state.turn.asked && !state.turn.given && !state.turn.owed.length && !state.playback.item

// ── one session ──────────────────────────────────────────────────────────────────────────────────────────────────────

let standing: Root | null = null

/** Under StrictMode, with a component that connects in an effect; it stands until `leave()`. */
export async function strict(url: string): Promise<{ made: number; status: string; settled: (string | null)[] }> {
  const seen = probe()
  const settled: (string | null)[] = []
  const createSession = () => {
    seen.made++
    return new RealtimeSession(clerk(), overWebSocket)
  }
  standing = mount(
    <StrictMode>
      <RealtimeProvider createSession={createSession}>
        <Probe seen={seen} />
        <Caller url={url} settled={(error) => settled.push(error === null ? null : String(error))} />
      </RealtimeProvider>
    </StrictMode>,
  )
  await until('it is connected', () => seen.realtime?.status === 'connected')
  for (let n = 0; n < 20; n++) await task()
  return { made: seen.made, status: seen.realtime!.status, settled }
}

export async function leave(): Promise<Leftovers> {
  return unmount(standing!)
}

/** Agent and options are other objects at each of 50 renders, before, while and after it connects. */
export async function inline(
  url: string,
): Promise<{ sessions: number; created: number; keys: string[]; agent: string | null }> {
  const seen = probe()
  const sessions = new Set<RealtimeSession>()
  const keys: string[] = []
  let created = 0
  const render = (n: number) => {
    const key = () => {
      keys.push(`key ${n}`)
      return 'ek_test'
    }
    flushSync(() =>
      root.render(
        <RealtimeProvider
          agent={clerk()}
          options={{ transport: 'websocket', apiKey: key, config: { outputModalities: ['text'] } }}
        >
          <Probe seen={seen} />
        </RealtimeProvider>,
      ),
    )
    sessions.add(seen.realtime!.session)
  }
  const root = mount(null)
  standing = root
  for (let n = 0; n < 10; n++) render(n)
  seen.realtime!.session.on('transport_event', ({ type }) => {
    if (type === 'session.created') created++
  })
  const connecting = seen.realtime!.connect({ url })
  for (let n = 10; n < 40; n++) {
    render(n)
    await task()
  }
  await connecting
  for (let n = 40; n < 50; n++) render(n)
  await until('all is quiet', () => isQuiet(seen.realtime!.session))
  return { sessions: sessions.size, created, keys, agent: seen.agent }
}

// ── nothing is left ──────────────────────────────────────────────────────────────────────────────────────────────────

export interface Fuzzed {
  /** Runs that left something, that made more than one session, or whose `connect()` did not settle. */
  readonly wrong: readonly string[]
  /** How far `connect()` had come when the provider went. */
  readonly came: Readonly<Record<string, number>>
}

/**
 * Unmounts after 40 to 0 microtasks, macrotasks and timeouts of `connect()`, every other time under StrictMode. The browser
 * lets a page wait that gives up many sockets: those that come far are the first.
 */
export async function fuzz(url: string, transport: Way, apiKey: string): Promise<Fuzzed> {
  let runs = 0
  const wrong: string[] = []
  const came: Record<string, number> = {}
  const timeout = () => new Promise<void>((resolve) => setTimeout(resolve, transport === 'webrtc' ? 15 : 4))
  const waits = { timeouts: timeout, macrotasks: task, microtasks: () => Promise.resolve() }
  for (const [name, wait] of Object.entries(waits)) {
    for (let n = 40; n >= 0; n -= name === 'timeouts' ? 2 : 1) {
      const seen = probe()
      let settled = false
      const agent = new RealtimeAgent({ name: 'Clerk', instructions: async () => 'Be short.' })
      const options = { transport, apiKey: async () => apiKey }
      const tree = (
        <RealtimeProvider agent={agent} options={options}>
          <Probe seen={seen} />
          <Caller url={url} settled={() => (settled = true)} />
        </RealtimeProvider>
      )
      const root = mount(runs++ % 2 ? <StrictMode>{tree}</StrictMode> : tree)
      for (let waited = 0; waited < n; waited++) await wait()
      const at = seen.realtime!.session.state.link.at
      came[at] = (came[at] ?? 0) + 1
      const remains = await unmount(root)
      for (let waited = 0; waited < 50 && !settled; waited++) await task()
      const { link } = seen.realtime!.session.state
      const what = JSON.stringify({ remains, settled, link: link.at })
      if (!settled || link.at !== 'closed' || Object.values(remains).some((count) => count > 0))
        wrong.push(`${n} ${name}: ${what}`)
    }
  }
  return { wrong, came }
}

/** Closed while it connects, and connected again at once; then it leaves the far end's session for a new one. */
export async function again(url: string): Promise<{ first: string; statuses: string[] }> {
  return withProbe({ agent: clerk(), options: overWebSocket }, async (seen, session) => {
    const { connect, close } = seen.realtime!
    const connecting = connect({ url }).then(String, ({ message }: Error) => message)
    close()
    await Promise.all([connect({ url }), connect({ url })])
    await until('it is connected', () => seen.realtime!.status === 'connected')
    session.renew()
    await until('it is connected anew', () => seen.statuses.length > 4 && seen.realtime!.status === 'connected')
    return { first: await connecting, statuses: seen.statuses }
  })
}

/** A provider that went takes nobody in; the app hears why. */
export async function late(url: string): Promise<{ message: string; left: Leftovers }> {
  const seen = probe()
  const root = mount(
    <RealtimeProvider agent={clerk()} options={overWebSocket}>
      <Probe seen={seen} />
    </RealtimeProvider>,
  )
  root.unmount()
  await task()
  const message = await seen.realtime!.connect({ url }).then(
    () => 'connected',
    (error: Error) => error.message,
  )
  return { message, left: await left() }
}

/** The app's own session outlives its provider. */
export async function given(url: string): Promise<{ before: string; after: string; shown: string }> {
  const seen = probe()
  const session = new RealtimeSession(clerk(), overWebSocket)
  const root = mount(
    <RealtimeProvider session={session}>
      <Probe seen={seen} />
    </RealtimeProvider>,
  )
  await session.connect({ url })
  const shown = seen.realtime!.status
  const before = session.state.link.at
  root.unmount()
  for (let n = 0; n < 10; n++) await task()
  const after = session.state.link.at
  session.close()
  return { before, after, shown }
}

// ── what is shown ────────────────────────────────────────────────────────────────────────────────────────────────────

async function withProbe<Result>(
  props: RealtimeProviderProps,
  use: (seen: Probed, session: RealtimeSession) => Promise<Result>,
  more: ReactNode = null,
): Promise<Result> {
  const seen = probe()
  const root = mount(
    <RealtimeProvider {...props}>
      <Probe seen={seen} />
      {more}
    </RealtimeProvider>,
  )
  try {
    return await use(seen, seen.realtime!.session)
  } finally {
    root.unmount()
  }
}

export interface Turn {
  readonly statuses: readonly string[]
  readonly states: readonly string[]
  readonly transcript: readonly (readonly [role: string, text: string])[]
  readonly html: string
  readonly metrics: number
}

/** A turn in writing with a tool; then it is closed, connected again, and another turn goes on from there. */
export async function turns(url: string): Promise<{ first: Turn; second: Turn }> {
  return withProbe({ agent: clerk(), options: overWebSocket }, async (seen, session) => {
    const turn = async (words: string): Promise<Turn> => {
      await seen.realtime!.connect({ url })
      let ends = 0
      session.on('agent_end', () => ends++)
      seen.realtime!.sendMessage(words)
      await until('it was answered', () => ends > 0 && isQuiet(session) && seen.states.at(-1) === 'listening')
      seen.realtime!.close()
      await until('it is closed', () => seen.realtime!.status === 'closed')
      const { statuses, states, transcript, metrics } = seen
      const html = document.querySelector('ol')!.textContent!
      Object.assign(seen, { statuses: [], states: [] })
      return {
        statuses,
        states,
        transcript: transcript.map(({ role, text }) => [role, text]),
        html,
        metrics: metrics.length,
      }
    }
    return { first: await turn('What is the weather?'), second: await turn('Thank you.') }
  })
}

/** A session that cannot connect: what the caller, and what the components hear. */
export async function refused(url: string): Promise<{ rejected: string; cause: string | null; statuses: string[] }> {
  return withProbe({ agent: clerk(), options: { ...overWebSocket, reconnect: false } }, async (seen) => {
    const rejected = await seen.realtime!.connect({ url }).then(
      () => 'nothing',
      (error: Error) => error.name,
    )
    await until('it is shown', () => seen.realtime!.status === 'closed')
    return { rejected, cause: seen.realtime!.cause?.reason ?? null, statuses: seen.statuses }
  })
}

/** What the agent's own functions throw is shown as the cause too. */
export async function thrown(url: string): Promise<{ cause: string | null; status: string }> {
  const agent = new RealtimeAgent({
    name: 'Clerk',
    instructions: () => {
      throw new Error('There are no instructions today.')
    },
  })
  return withProbe({ agent, options: overWebSocket }, async (seen) => {
    void seen.realtime!.connect({ url })
    await until('it is shown', () => seen.realtime!.status === 'closed')
    return { cause: seen.realtime!.cause?.reason ?? null, status: seen.realtime!.status }
  })
}

export async function approvals(url: string): Promise<{
  asked: string[]
  after: number
  answered: string
  rejected: string
  late: string
}> {
  return withProbe({ agent: clerk(), options: overWebSocket }, async (seen, session) => {
    await seen.realtime!.connect({ url })
    const request = async () => {
      seen.realtime!.sendMessage('Refund my order, please.')
      await until('it is asked', () => seen.approvals!.pending.length === 1)
      return seen.approvals!.pending[0]!
    }
    const output = async () => {
      const last = () => session.history.findLast((item) => item.type === 'function_call')
      await until('the call is answered', () => last()?.output != null && isQuiet(session))
      return last()!.output!
    }
    const item = await request()
    const asked = seen.approvals!.pending.map(({ name }) => name)
    seen.approvals!.approve(item)
    await until('nothing waits', () => seen.approvals!.pending.length === 0)
    const after = seen.approvals!.pending.length
    const answered = await output()
    let late = 'ignored'
    try {
      seen.approvals!.approve(item)
    } catch (error) {
      late = String(error)
    }
    seen.approvals!.reject(await request(), { message: 'Not today.' })
    return { asked, after, answered, rejected: await output(), late }
  })
}

/** Muted by the hook, and by the app beside it. */
export async function muting(): Promise<{ byHook: readonly boolean[]; byApp: boolean; noMedia: string }> {
  return withProbe({ agent: clerk(), options: overWebSocket }, async (seen, session) => {
    flushSync(() => seen.microphone!.mute(true))
    const byHook = [session.muted, seen.microphone!.muted]
    flushSync(() => session.mute(false))
    const noMedia = await seen.microphone!.selectDevice('any').then(String, ({ name }: Error) => name)
    return { byHook, byApp: seen.microphone!.muted, noMedia }
  })
}

/** An agent of another name takes over; one of the same does not. */
export async function agents(url: string): Promise<{ names: (string | null)[]; handoffs: number }> {
  const seen = probe()
  const root = mount(null)
  const render = (name: string) =>
    flushSync(() =>
      root.render(
        <RealtimeProvider agent={new RealtimeAgent({ name })} options={overWebSocket}>
          <Probe seen={seen} />
        </RealtimeProvider>,
      ),
    )
  const names: (string | null)[] = []
  let handoffs = 0
  render('Clerk')
  seen.realtime!.session.on('agent_handoff', () => handoffs++)
  await seen.realtime!.connect({ url })
  for (const name of ['Clerk', 'Tutor', 'Tutor', 'Clerk']) {
    render(name)
    await until(`${name} speaks`, () => seen.agent === name)
    names.push(seen.agent)
  }
  root.unmount()
  return { names, handoffs }
}

// ── who renders ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Renders {
  /** Changes of the growing message's words that the far end told. */
  readonly deltas: number
  /** Renders from the first of them to the last, by who renders. */
  readonly renders: Readonly<Record<string, number>>
  readonly states: readonly string[]
}

const counts: Record<string, number> = {}
const shownStates: string[] = []

function Counted({ id, children }: { readonly id: string; readonly children: ReactNode }): ReactNode {
  const onRender = (id: string) => {
    counts[id] = (counts[id] ?? 0) + 1
  }
  return (
    <Profiler id={id} onRender={onRender}>
      {children}
    </Profiler>
  )
}

function Row({ id }: { readonly id: string }): ReactNode {
  return <p>{useTranscriptItem(id)?.text}</p>
}

function List(): ReactNode {
  return useHistory((items) => items.map(({ itemId }) => itemId)).map((id, n) => (
    <Counted key={id} id={`row ${n}`}>
      <Row id={id} />
    </Counted>
  ))
}

function AgentState(): null {
  noted(shownStates, useAgentState())
  return null
}

const bystanders: Readonly<Record<string, () => ReactNode>> = {
  realtime: () => useRealtime().status,
  microphone: () => useMicrophone().state,
  approvals: () => useToolApprovals().pending.length,
  agent: () => useCurrentAgent()?.name,
  count: () => useHistory((items) => items.length),
  level: () => <i ref={useAudioLevel('output')} />,
  event: () => void useRealtimeEvent('audio_interrupted', () => {}),
}

/** Deltas grow one answer while others look on. */
export async function renders(url: string): Promise<Renders> {
  const seen = { realtime: null as ReturnType<typeof useRealtime> | null }
  const session = new RealtimeSession(clerk(), overWebSocket)
  const root = mount(
    <RealtimeProvider createSession={() => session}>
      <Counted id="state">
        <AgentState />
      </Counted>
      {Object.entries(bystanders).map(([id, Bystander]) => (
        <Counted key={id} id={id}>
          <Bystander />
        </Counted>
      ))}
      <List />
      <Connect seen={seen} />
    </RealtimeProvider>,
  )
  await seen.realtime!.connect({ url })
  let deltas = 0
  let ends = 0
  let first: Record<string, number> = {}
  let last: Record<string, number> = {}
  session.on('transport_event', ({ type }) => {
    if (type !== 'response.output_audio_transcript.delta') return
    if (deltas++ === 0) first = { ...counts }
    setTimeout(() => (last = { ...counts }))
  })
  session.on('agent_end', () => ends++)
  session.sendMessage('Tell me a story.')
  await until('it was answered', () => ends > 0 && deltas > 0 && isQuiet(session))
  await until('all is counted', () => Object.keys(last).length > 0)
  root.unmount()
  const between = Object.entries(last).map(([id, count]) => [id, count - (first[id] ?? 0)])
  return { deltas, renders: Object.fromEntries(between), states: shownStates }
}

function Connect({ seen }: { readonly seen: { realtime: ReturnType<typeof useRealtime> | null } }): null {
  seen.realtime = useRealtime()
  return null
}

export interface Devices {
  readonly before: string
  readonly during: string
  readonly kinds: readonly string[]
  readonly hasDevice: boolean
  readonly speaker: string
  readonly chosen: string
  readonly muted: readonly (boolean | undefined)[]
  readonly left: Leftovers
}

/** A real microphone and speaker, over either line. */
export async function devices(url: string, transport: Way, apiKey: string): Promise<Devices> {
  const seen = probe()
  const audio = transport === 'websocket' ? { audio: browserAudio() } : {}
  const session = new RealtimeSession(clerk(), { transport, apiKey, ...audio })
  const root = mount(
    <RealtimeProvider createSession={() => session}>
      <Probe seen={seen} />
    </RealtimeProvider>,
  )
  const before = seen.microphone!.state
  await seen.realtime!.connect({ url })
  await until('the microphone is on', () => seen.microphone!.state === 'on')
  await until('devices are shown', () => seen.microphone!.devices.some(({ label }) => label))
  const { state: during, devices, device } = seen.microphone!
  await until('the speaker is on', () => seen.microphone!.speaker === 'on')
  const { deviceId } = devices.find(({ kind, deviceId }) => kind === 'audioinput' && deviceId !== device)!
  await seen.microphone!.selectDevice(deviceId)
  await until('another is chosen', () => seen.microphone!.device !== device)
  seen.microphone!.mute(true)
  await until('muting shows', () => seen.microphone!.muted)
  const muted = [session.muted, session.media?.state.muted]
  const { speaker, state: chosen } = seen.microphone!
  const kinds = [...new Set(devices.map(({ kind }) => kind))].sort()
  return { before, during, kinds, hasDevice: device !== null, speaker, chosen, muted, left: await unmount(root) }
}

/** Nobody allows the microphone: what is shown when `connect()` has rejected. */
export async function forbidden(
  url: string,
  transport: Way,
  apiKey: string,
): Promise<{
  readonly status: string
  readonly state: string
  readonly problem: string | null
  readonly left: Leftovers
}> {
  const seen = probe()
  const audio = transport === 'websocket' ? { audio: browserAudio() } : {}
  const session = new RealtimeSession(clerk(), { transport, apiKey, ...audio })
  const root = mount(
    <RealtimeProvider createSession={() => session}>
      <Probe seen={seen} />
    </RealtimeProvider>,
  )
  await seen.realtime!.connect({ url }).catch(() => {})
  await until('it is closed', () => seen.realtime!.status === 'closed')
  const { state, problem } = seen.microphone!
  return { status: seen.realtime!.status, state, problem, left: await unmount(root) }
}

export interface Vanished {
  /** Of the microphone and of the speaker: what was chosen before the call, and what was used in it. */
  readonly chosen: readonly [microphone: string, speaker: string]
  readonly used: readonly [microphone: string | null, speaker: string | null]
  readonly states: readonly string[]
  /** What is used when they have gone, and whether they are still listed. */
  readonly later: readonly [microphone: string | null, speaker: string | null, isListed: boolean]
  readonly problem: string | null
  readonly left: Leftovers
}

/** Both devices are chosen before the call, and are unplugged in it. */
export async function vanished(url: string, transport: Way, apiKey: string): Promise<Vanished> {
  await allow()
  const seen = probe()
  const states: string[] = []
  const audio = transport === 'websocket' ? { audio: browserAudio() } : {}
  const session = new RealtimeSession(clerk(), { transport, apiKey, ...audio })
  const root = mount(
    <RealtimeProvider createSession={() => session}>
      <Probe seen={seen} />
    </RealtimeProvider>,
  )
  const face = () => seen.microphone!
  const ids = (kind: string) => face().devices.flatMap((one) => (one.kind === kind ? one.deviceId : []))
  await until('the devices are shown', () => ids('audioinput').length > 1 && ids('audiooutput').length > 1)
  const chosen = [ids('audioinput').at(-1)!, ids('audiooutput').at(-1)!] as const
  await face().selectDevice(chosen[0])
  await face().selectSpeaker(chosen[1])
  await seen.realtime!.connect({ url })
  await until('both are on', () => face().state === 'on' && face().speaker === 'on')
  const used = [face().device, face().speakerDevice] as const
  session.media!.subscribe(() => noted(states, session.media!.state.microphone))
  for (const id of chosen) unplug(id)
  await until('others are used', () => face().state === 'on' && face().speakerDevice === null)
  const isListed = () => face().devices.some(({ deviceId }) => chosen.includes(deviceId))
  await until('they are not listed', () => !isListed())
  const { device, speakerDevice, problem } = face()
  return {
    chosen,
    used,
    states: [...states],
    later: [device, speakerDevice, isListed()],
    problem,
    left: await unmount(root),
  }
}

function Meter({ which, told }: { readonly which: 'input' | 'output'; readonly told: number[] }): ReactNode {
  return <i id={which} ref={useAudioLevel(which, (level) => told.push(level))} />
}

export interface Levels {
  readonly loudest: number
  readonly shown: number
  readonly renders: number
  /** Frames that were asked for at once, at most. */
  readonly loops: number
  readonly afterwards: number
  readonly reported: readonly string[]
}

/** One that throws at each frame. */
function Broken(): ReactNode {
  const listen = () => {
    throw new Error('mine')
  }
  return <i ref={useAudioLevel('input', listen)} />
}

/** Two meters of the microphone, which hears a tone, and one of the speaker; beside one that throws. */
export async function levels(url: string): Promise<Levels> {
  const asked = new Set<number>()
  let loops = 0
  const { requestAnimationFrame, cancelAnimationFrame } = window
  window.requestAnimationFrame = (run) => {
    const id = requestAnimationFrame((now) => {
      asked.delete(id)
      run(now)
    })
    asked.add(id)
    loops = Math.max(loops, asked.size)
    return id
  }
  window.cancelAnimationFrame = (id) => {
    asked.delete(id)
    cancelAnimationFrame(id)
  }
  const reported: string[] = []
  const { error } = console
  console.error = ({ message, cause }: Error) => void reported.push(`${message}: ${(cause as Error).message}`)
  const told: number[] = []
  const session = new RealtimeSession(clerk(), { ...overWebSocket, audio: browserAudio() })
  const root = mount(
    <RealtimeProvider createSession={() => session}>
      <Counted id="meters">
        <Broken />
        <Meter which="input" told={told} />
        <Meter which="input" told={told} />
        <Meter which="output" told={[]} />
      </Counted>
    </RealtimeProvider>,
  )
  await session.connect({ url })
  await until('it is heard', () => told.some((level) => level > 0.05))
  const shown = () => Number(document.querySelector<HTMLElement>('#input')!.style.getPropertyValue('--audio-level'))
  await until('it is shown', () => shown() > 0.05)
  const result = { loudest: Math.max(...told), shown: shown(), renders: counts['meters'] ?? 0, loops }
  root.unmount()
  console.error = error
  return { ...result, afterwards: asked.size, reported }
}

/** What a server rendered is taken over without a complaint, and then shows the session. */
export async function hydrated(html: string): Promise<{ before: string; agent: string }> {
  const container = document.querySelector('#root')!
  container.innerHTML = html
  const { App } = await import('./react-app.tsx')
  const before = container.textContent!
  const root = hydrateRoot(container, <App />)
  await until('it is taken over', () => container.textContent!.includes('Clerk'))
  const agent = container.textContent!
  root.unmount()
  return { before, agent }
}
