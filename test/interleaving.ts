/**
 * One random call: everything that can happen to a session with agents, at random moments, against the local server's
 * rules in the world's time. The same seed gives the same call.
 */

import type { ApprovalItem } from '../src/agents/approvals.ts'
import { type FunctionTool, RealtimeAgent, RealtimeSession, type Reply } from '../src/index.ts'
import { mulberry32 } from '../src/protocol/random.ts'
import type { Thought, Utterance } from '../src/server/senses.ts'
import { world } from '../src/testing/world.ts'
import type { Fault } from '../src/transports/memory.ts'
import { type Line, quickFarEnd, speech, still } from './quick-far-end.ts'

/** When the last thing is said; nothing befalls the call from outside after it, but for what is under way. */
const lastMs = 4_000

export interface Interleaving {
  readonly session: RealtimeSession
  readonly lines: readonly Line[]
  /** By call: how many times its tool ran. */
  readonly ran: ReadonlyMap<string, number>
  readonly errors: readonly string[]
  readonly settled: { readonly asked: number; readonly done: number }
  /** Calls whose tools have not ended. */
  readonly running: ReadonlySet<string>
  /** Calls that were running when the user interrupted, and that do not outlive that. */
  readonly cancelled: ReadonlySet<string>
  /** Pieces of audio of responses that the app had interrupted. */
  readonly stale: () => number
}

export interface Fate {
  /** The line holds; else it is lost once or twice. */
  readonly holds: boolean
  /** The far end mirrors what its responses make; `nothing`: nor what it is told. Default: true. */
  readonly mirrors?: boolean | 'nothing'
  /** Told of what the app does and of what is said on the line, for those who look for a cause. */
  readonly log?: (atMs: number, what: unknown) => void
  /** Called before the session connects. */
  readonly before?: (session: RealtimeSession) => void | Promise<void>
}

export async function interleave(seed: number, { holds, mirrors = true, log, before }: Fate): Promise<Interleaving> {
  const w = world(seed)
  const chance = dice(seed)
  const note = (what: unknown) => log?.(w.now(), what)
  const errors: string[] = []
  const ran = new Map<string, number>()
  const replies: Reply[] = []
  const settled = { asked: 0, done: 0 }
  const running = new Set<string>()
  const cancelled = new Set<string>()
  const interrupted = new Set<string>()
  let stale = 0

  const mind = dice(seed + 0.25)
  let isDead = false
  const faults = holds ? new Map<number, Fault>() : faultsOf(dice(seed + 0.5))
  const far = quickFarEnd(w, {
    think: (thought) => think(thought, mind, (ms) => new Promise((resolve) => w.after(ms, () => resolve()))),
    understandMs: () => mind.upTo(500),
    latency: chance.is(0.5) ? () => 10 : () => mind.upTo(150),
    fault: (nth) => {
      const fault = (w.now() < 2 * lastMs && faults.get(nth)) || 'pass'
      isDead ||= fault === 'lose'
      if (fault !== 'pass') note(`line: ${fault} at message ${nth}`)
      return fault
    },
    mirrors,
    overheard: note,
  })
  const session = new RealtimeSession(cast(), {
    clock: w.clock,
    seed: seed + 1_000_000,
    transport: { dialer: () => far.dial },
    reconnect: { timeoutMs: 3_000 },
    approvalTimeoutMs: 4_000,
    config: {
      audio: {
        input: {
          format: { type: 'audio/pcmu' },
          turnDetection: { type: 'server_vad', silence_duration_ms: 200, interrupt_response: chance.is(0.8) },
        },
        output: { format: { type: 'audio/pcmu' } },
      },
    },
  })
  session.on('error', ({ error }) => errors.push(error instanceof Error ? error.message : JSON.stringify(error)))
  session.on('agent_tool_start', (_context, _agent, _tool, { toolCall }) => running.add(toolCall.callId))
  session.on('agent_tool_end', (_context, _agent, _tool, _result, { toolCall }) => running.delete(toolCall.callId))
  session.on('audio_interrupted', () => {
    for (const { name, call_id } of session.state.conversation.calls) {
      if (name === 'cancelled' && running.has(call_id)) cancelled.add(call_id)
    }
  })
  session.on('audio', ({ responseId }) => {
    if (interrupted.has(responseId)) stale++
  })
  session.on('tool_approval_requested', (_context, _agent, { approvalItem }) => decide(approvalItem))

  /** Approved, rejected, or left until its time is up. */
  function decide(item: ApprovalItem): void {
    const verdict = chance.of(['approve', 'reject', 'leave'] as const)
    if (verdict === 'leave') return
    w.after(chance.upTo(2_000), () => {
      note(`app: ${verdict}`)
      if (session.pendingApprovals.some(({ callId }) => callId === item.callId)) session[verdict](item)
    })
  }

  /** Three agents that know each other, with tools of every kind. */
  function cast(): RealtimeAgent {
    const after = (ms: number, then: () => unknown) =>
      new Promise((resolve, reject) =>
        w.after(ms, () => {
          try {
            resolve(then())
          } catch (error) {
            reject(error)
          }
        }),
      )
    const counted =
      (execute: () => unknown): FunctionTool['invoke'] =>
      (_context, _input, { toolCall }) => {
        ran.set(toolCall.callId, (ran.get(toolCall.callId) ?? 0) + 1)
        return execute()
      }
    const made = (name: string, execute: () => unknown, manners: Partial<FunctionTool> = {}): FunctionTool => ({
      type: 'function',
      name,
      description: name,
      parameters: {},
      ...manners,
      invoke: counted(execute),
    })
    const late = () => chance.upTo(3_000)
    const slow = (then: (ms: number) => string, ms = late()) => after(ms, () => then(ms))
    const tools = [
      made('quick', () => 'quick'),
      made('slow', () => after(late(), () => 'slow')),
      made('slower', () => after(late(), () => ({ so: 'slow' }))),
      made('throws', () => after(chance.upTo(500), fail)),
      made('late', () => slow((ms) => (ms > 800 ? 'too late' : 'in time')), { timeoutMs: 800 }),
      made('cancelled', () => after(late(), () => 'not cancelled'), { onInterruption: 'cancel' }),
      made('approved', () => after(chance.upTo(300), () => 'approved'), { needsApproval: () => true }),
      made('idle', () => after(chance.upTo(500), () => 'idle'), { respond: 'when-idle' }),
      made('silent', () => after(chance.upTo(500), () => 'nothing to say'), { respond: 'silent' }),
    ]
    const agents = ['A', 'B', 'C'].map((name) => new RealtimeAgent({ name, instructions: `You are ${name}.`, tools }))
    for (const agent of agents) {
      ;(agent as { handoffs: readonly RealtimeAgent[] }).handoffs = agents.filter((other) => other !== agent)
    }
    return agents[0]!
  }

  function reply(options: Parameters<typeof session.generateReply>[0]): void {
    const one = session.generateReply(options)
    replies.push(one)
    settled.asked++
    one.done.then(
      () => settled.done++,
      () => settled.done++,
    )
  }

  /** A microphone stays open: by it a turn ends that was said again, and a dead line is found that owes nothing. */
  function listen(): void {
    session.sendAudio(still)
    if (w.now() < (isDead ? 24_000 : 2 * lastMs)) w.after(1_000, listen)
  }

  let said = 0
  const speak = () => {
    for (const [n, frame] of speech.entries()) w.after(n * 100, () => session.sendAudio(frame))
  }
  const deeds: Readonly<Record<string, () => void>> = {
    say: () => session.sendMessage(`text ${said++}`),
    speak,
    interrupt() {
      const { conversation, playback } = session.state
      for (const { id, conversation_id } of conversation.responses) if (conversation_id) interrupted.add(id)
      if (playback.item) interrupted.add(playback.item.response_id)
      session.interrupt()
    },
    reply: () => reply({ instructions: 'Say something.' }),
    plainReply: () => reply({}),
    beside: () => reply({ conversation: 'none', outputModalities: ['text'], tools: [], instructions: 'Sum up.' }),
    cancelReply: () => replies.length && chance.of(replies).cancel(),
    create: () => session.sendEvent({ type: 'response.create' }),
    createWith: () => session.sendEvent({ type: 'response.create', response: { instructions: 'Go on.' } }),
    renew: () => session.renew(),
  }
  const often = ['say', 'say', 'speak', 'speak', 'interrupt', 'reply', ...Object.keys(deeds)]
  const act = (name: string) => {
    note(`app: ${name}`)
    deeds[name]!()
  }

  if (before) await before(session)
  const connecting = session.connect()
  connecting.catch((error: unknown) => errors.push(`connect: ${String(error)}`))
  for (let left = 3 + chance.below(5); left > 0; left--) {
    const name = chance.of(often)
    w.at(chance.upTo(lastMs), () => act(name))
  }
  w.at(lastMs, () => act(chance.of(['say', 'say', 'speak'])))
  if (faults.size) w.at(lastMs + 600, listen)
  await w.settle(90_000)
  return { session, lines: far.lines, ran, errors, settled, running, cancelled, stale: () => stale }
}

export interface Dice {
  is(likely: number): boolean
  below(n: number): number
  upTo(ms: number): number
  of<T>(all: readonly T[]): T
}

export function dice(seed: number): Dice {
  const random = mulberry32(Math.floor(seed * 4_096))
  const below = (n: number) => Math.floor(random() * n)
  return { is: (likely) => random() < likely, below, upTo: (ms) => random() * ms, of: (all) => all[below(all.length)]! }
}

/** The line is cut, or carries nothing any more, at one or two messages. */
function faultsOf(chance: Dice): ReadonlyMap<number, Fault> {
  const faults = new Map<number, Fault>()
  for (let left = 1 + chance.below(2); left > 0; left--) faults.set(chance.below(250), chance.is(0.75) ? 'cut' : 'lose')
  return faults
}

/** Speaks, calls one to four tools, hands over, or does two of these; after a few calls for one turn it only speaks. */
async function* think(
  { items, tools }: Thought,
  chance: Dice,
  rest: (ms: number) => Promise<void>,
): AsyncGenerator<Utterance> {
  const words: Utterance = { type: 'say', text: 'So it is, my dear.'.slice(0, 4 + chance.below(14)) }
  const turn = items.slice(items.findLastIndex((item) => item.type === 'message' && item.role === 'user') + 1)
  const called = turn.filter(({ type }) => type === 'function_call').length
  if (chance.is(0.5)) await rest(chance.upTo(300))
  const isWorking = tools.length > 0 && called < 4 && chance.is(called ? 0.25 : 0.6)
  if (!isWorking) return yield words
  if (chance.is(0.2)) yield words
  const names = tools.flatMap(({ name }) => name ?? [])
  const [handoffs, others] = [true, false].map((is) => names.filter((name) => name.startsWith('transfer_') === is))
  for (let left = 1 + chance.below(4); left > 0; left--) {
    const from = handoffs!.length && chance.is(0.15) ? handoffs! : others!
    if (from.length) yield { type: 'call', name: chance.of(from), arguments: {} }
    if (chance.is(0.3)) await rest(chance.upTo(200))
  }
}

function fail(): never {
  throw new Error('It is broken.')
}
