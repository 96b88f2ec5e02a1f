/** One call in the world's time: a caller who writes and one who speaks, an agent with two tools, and what must hold after. */
import { expect } from 'vitest'
import { RealtimeAgent } from '../src/agents/agent.ts'
import { RealtimeSession } from '../src/agents/session.ts'
import { tool } from '../src/agents/tool.ts'
import { itemsOf, textOf } from '../src/conversation/conversation.ts'
import { retell } from '../src/conversation/retell.ts'
import type { ServerEvent } from '../src/protocol/events.ts'
import { mulberry32 } from '../src/protocol/random.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import type { Thought, Utterance } from '../src/server/senses.ts'
import { type FarEnd, farEnd } from '../src/testing/far-end.ts'
import { scriptedEars, toneVoice } from '../src/testing/senses.ts'
import { type World, world } from '../src/testing/world.ts'
import type { Fault } from '../src/transports/memory.ts'

export interface Faults {
  readonly fault?: (nth: number) => Fault
  readonly latency?: (random: () => number) => number
  /** The microphone stays open after the question. */
  readonly openMicrophone?: boolean
}

export interface Scene {
  readonly world: World
  readonly session: RealtimeSession
  readonly far: FarEnd
  readonly ran: readonly string[]
  readonly errors: readonly unknown[]
  readonly sent: readonly ServerEvent[]
}

const question = 'what is the weather?'

/** Calls the tools that were not called yet; then says what they told; else says what was asked. */
function weather({ items }: Thought): readonly Utterance[] {
  const asked =
    items
      .filter((item) => item.type === 'message' && item.role === 'user')
      .map(textOf)
      .at(-1) ?? ''
  if (!asked.includes('weather')) return [{ type: 'say', text: `You said: ${asked}.` }]
  const called = items.flatMap((item) => (item.type === 'function_call' ? [item.name] : []))
  const missing = ['sky', 'wind'].filter((name) => !called.includes(name))
  if (missing.length) return missing.map((name) => ({ type: 'call', name, arguments: {} }))
  const told = items.flatMap((item) => (item.type === 'function_call_output' ? [item.output] : []))
  return [{ type: 'say', text: `It is ${told.toSorted().join(' and ')}.` }]
}

/** Plays a whole call: a greeting in writing, then the question, written or spoken. */
export async function play(how: 'written' | 'spoken', faults: Faults = {}, seed = 1): Promise<Scene> {
  const w = world(seed)
  const chance = mulberry32(seed + 1)
  const ran: string[] = []
  const errors: unknown[] = []
  const sent: ServerEvent[] = []
  const far = farEnd(w, {
    brain: scripted(weather),
    ears: scriptedEars([question]),
    voice: toneVoice(),
    latency: () => faults.latency?.(chance) ?? 10,
    haunted: true,
    ...(faults.fault ? { fault: faults.fault } : {}),
    sent: (event) => sent.push(event),
  })
  const slow = (name: string, output: string, ms: number) =>
    tool({
      name,
      description: `The ${name} now.`,
      execute: () => {
        ran.push(name)
        return new Promise((resolve) => w.after(ms, () => resolve(output)))
      },
    })
  const agent = new RealtimeAgent({ name: 'A', tools: [slow('sky', 'sunny', 1), slow('wind', 'calm', 200)] })
  const session = new RealtimeSession(agent, {
    clock: w.clock,
    seed,
    transport: { dialer: () => far.dial },
    reconnect: { timeoutMs: 5_000 },
    config: { audio: { input: { turnDetection: { type: 'server_vad', silence_duration_ms: 200 } } } },
  })
  session.on('error', ({ error }) => errors.push(error))

  let failure: unknown = null
  session.connect().catch((error: unknown) => {
    failure = error
  })
  session.sendMessage('hello')
  w.at(4_000, () =>
    how === 'written' ? session.sendMessage(question) : speak(w, session, faults.openMicrophone ? 400 : 12),
  )
  await w.settle(60_000)
  if (failure) throw failure
  return { world: w, session, far, ran, errors, sent }
}

/** Half a second of sound, then silence: a frame every 100 ms. */
function speak(w: World, session: RealtimeSession, frames: number): void {
  for (let frame = 0; frame < frames; frame++) {
    const isLoud = frame >= 2 && frame < 7
    w.after(frame * 100, () => session.sendAudio(isLoud ? tone : silence))
  }
}

const samples = 2_400
const tone = new Uint8Array(
  Int16Array.from({ length: samples }, (_, n) => 8_000 * Math.sin((2 * Math.PI * 300 * n) / 24_000)).buffer,
)
const silence = new Uint8Array(2 * samples)

/** What must hold after every call, whatever befell the line. */
export function holds({ session, far, ran, errors }: Scene, what: string): void {
  const { conversation, link, pending, turn } = session.state
  const items = itemsOf(conversation)
  expect(link.at, what).toBe('live')
  expect([...ran].sort(), `${what}: each tool runs once`).toEqual(['sky', 'wind'])
  const calls = items.flatMap((item) =>
    item.type === 'function_call' && item.status === 'completed' ? [item.call_id] : [],
  )
  const outputs = items.flatMap((item) => (item.type === 'function_call_output' ? [item.call_id] : []))
  expect(outputs.toSorted(), `${what}: every call is answered once`).toEqual(calls.toSorted())
  expect(errors, `${what}: nothing is refused`).toEqual([])
  expect(items.map(textOf).at(-1), what).toBe('It is calm and sunny.')
  expect(items.filter((item) => item.type === 'message' && item.role === 'user').map(textOf), what).toEqual([
    'hello',
    question,
  ])
  expect([pending, turn.owed, turn.asked], what).toEqual([[], [], null])
  const theirs = far.lines.at(-1)!.conversation
  expect(idsOf(theirs), `${what}: both ends hold the same`).toEqual(idsOf(conversation, session.state.playback.cuts))
}

/** What a far end that was told this conversation would hold: its items, in order, with their words. */
function idsOf(...told: Parameters<typeof retell>): readonly string[] {
  return retell(...told).map(({ item }) => `${item.id} ${textOf(item)}`)
}
