/** One batch of calls, and what comes about around it in a given order. */
import { type FunctionTool, RealtimeAgent, RealtimeSession } from '../src/index.ts'
import type { ClientEvent, ServerEvent } from '../src/protocol/events.ts'
import type { Utterance } from '../src/server/senses.ts'
import { world } from '../src/testing/world.ts'
import type { Interleaving } from './interleaving.ts'
import { quickFarEnd, speech } from './quick-far-end.ts'

export type Deed = `tool ${number}` | 'done' | 'text' | 'speech' | 'interrupt'

export interface Batch {
  readonly name: string
  readonly apart: number
  /** What came about: the end of a response that was cut before is none. */
  readonly deeds: readonly Deed[]
  readonly call: Interleaving
  /** How many responses the agent spoke in after the calls. */
  readonly answers: number
  /** How many were asked for after the calls; and how many of these lost a race. */
  readonly creates: number
  readonly refused: number
  /** Nothing was being given when the last thing came about; and how many pieces of audio came after it. */
  readonly wasQuiet: boolean
  readonly heardAfter: number
}

export interface Order {
  readonly order: readonly Deed[]
  /** ms from one to the next. */
  readonly apart: number
  /** Who speaks cuts the agent off. */
  readonly cuts: boolean
}

/**
 * All orders of the tools' answers, the end of the response, and each choice of what may come between. In which order
 * the tools answer is another one each time: they are alike.
 */
export function orders(count: number): readonly (readonly Deed[])[] {
  const between = subsets<Deed>(['text', 'speech', 'interrupt'])
  const all = between.flatMap((some) => arrangements<Deed>([...Array<Deed>(count).fill('tool 0'), 'done', ...some]))
  const tools = arrangements<Deed>(Array.from({ length: count }, (_, n): Deed => `tool ${n}`))
  return all.map((order, n) => {
    const names = [...tools[n % tools.length]!]
    return order.map((deed) => (deed === 'tool 0' ? names.shift()! : deed))
  })
}

export async function batch({ order, apart, cuts }: Order): Promise<Batch> {
  const w = world(1)
  const errors: string[] = []
  const ran = new Map<string, number>()
  const answer = new Map<string, () => void>()
  const happened: Deed[] = []
  const count = order.filter((deed) => deed.startsWith('tool')).length
  const running = new Set<string>()
  let heard = 0
  let wasQuiet = false
  let end: (() => void) | null = null
  let creates = 0
  let refused = 0
  let answers = 0
  const overheard = (event: ClientEvent | ServerEvent) => {
    if (end === null) return
    if (event.type === 'response.create') creates++
    if (event.type === 'error') refused++
    if (event.type === 'response.output_item.added' && event.item.type === 'message') answers++
  }
  let isCalled = false

  async function* think(): AsyncGenerator<Utterance> {
    if (isCalled) return yield { type: 'say', text: 'So.' }
    isCalled = true
    for (let n = 0; n < count; n++) yield { type: 'call', name: `tool ${n}`.replace(' ', '_'), arguments: {} }
    await new Promise<void>((resolve) => {
      end = resolve
    })
  }
  const far = quickFarEnd(w, { think, overheard })
  const tools = Array.from(
    { length: count },
    (_, n): FunctionTool => ({
      type: 'function',
      name: `tool_${n}`,
      description: '',
      parameters: {},
      invoke(_context, _input, { toolCall: { callId } }) {
        ran.set(callId, (ran.get(callId) ?? 0) + 1)
        return new Promise((resolve) => answer.set(`tool ${n}`, () => resolve(`answer ${n}`)))
      },
    }),
  )
  const session = new RealtimeSession(new RealtimeAgent({ name: 'A', tools }), {
    clock: w.clock,
    seed: 2,
    transport: { dialer: () => far.dial },
    config: {
      audio: {
        input: {
          format: { type: 'audio/pcmu' },
          turnDetection: { type: 'server_vad', silence_duration_ms: 200, interrupt_response: cuts },
        },
        output: { format: { type: 'audio/pcmu' } },
      },
    },
  })
  session.on('error', ({ error }) => errors.push(error instanceof Error ? error.message : JSON.stringify(error)))
  session.on('agent_tool_start', (_context, _agent, _tool, { toolCall }) => running.add(toolCall.callId))
  session.on('agent_tool_end', (_context, _agent, _tool, _result, { toolCall }) => running.delete(toolCall.callId))
  session.on('audio', () => heard++)

  const deeds: Readonly<Record<string, () => void>> = {
    done: () => end?.(),
    text: () => session.sendMessage('And?'),
    speech() {
      for (const frame of speech) session.sendAudio(frame)
    },
    interrupt: () => session.interrupt(),
  }
  void session.connect()
  session.sendMessage('Go.')
  for (const [n, deed] of order.entries()) {
    w.at(1_000 + n * apart, () => {
      const isGiven = session.state.conversation.responses.length > 0
      wasQuiet = !isGiven
      heard = 0
      if (deed !== 'done' || isGiven) happened.push(deed)
      ;(deeds[deed] ?? answer.get(deed))!()
    })
  }
  await w.settle(60_000)
  const call = {
    session,
    lines: far.lines,
    ran,
    errors,
    settled: { asked: 0, done: 0 },
    running,
    cancelled: new Set<string>(),
    stale: () => 0,
  }
  const name = `${order.join(', ')}${cuts ? '' : ' (speech does not cut)'}`
  return { name, apart, deeds: happened, call, answers, creates, refused, wasQuiet, heardAfter: heard }
}

function subsets<T>(all: readonly T[]): readonly (readonly T[])[] {
  const [first, ...others] = all
  if (first === undefined) return [[]]
  return subsets(others).flatMap((some) => [some, [first, ...some]])
}

/** All orders of these; what is alike is not told apart. */
function arrangements<T>(all: readonly T[]): readonly (readonly T[])[] {
  if (all.length === 0) return [[]]
  return [...new Set(all)].flatMap((first) =>
    arrangements(all.toSpliced(all.indexOf(first), 1)).map((rest) => [first, ...rest]),
  )
}
