/** A session with agents and the local server's rules at the other end, in the world's time. */

import type { AnyAgent } from '../src/agents/agent-shapes.ts'
import { textOf } from '../src/conversation/conversation.ts'
import { RealtimeSession, type RealtimeSessionOptions } from '../src/index.ts'
import type { ClientEvent, Item, ServerEvent } from '../src/protocol/events.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import type { Thought, Utterance } from '../src/server/senses.ts'
import type { Connection, Dial } from '../src/session/transport.ts'
import { type FarEnd, farEnd, scriptedEars, toneVoice, type World, world } from '../src/testing/index.ts'
import type { Fault } from '../src/transports/memory.ts'

export interface Talk<Context> {
  readonly world: World
  readonly session: RealtimeSession<Context>
  readonly far: FarEnd
  /** What the far end was told, on all lines. */
  readonly told: readonly ClientEvent[]
  /** What the far end told. */
  readonly heard: readonly ServerEvent[]
  /** What the app heard of errors. */
  readonly errors: readonly unknown[]
  /** Says something in writing, and lets the world run: for `ms`, or until nothing happens any more. */
  say(text: string, ms?: number): Promise<void>
  run(ms?: number): Promise<void>
  /** What the far end was told last: the events' types, without microphone audio. */
  toldTypes(): readonly string[]
  /** The conversation in short: who, and what. */
  readonly words: readonly string[]
}

export type Script = (thought: Thought) => readonly Utterance[]

export interface TalkOptions<Context> extends Partial<RealtimeSessionOptions<Context>> {
  readonly ears?: readonly string[]
  readonly fault?: (nth: number) => Fault
  readonly msPerLetter?: number
  /** Called before the session connects. */
  readonly before?: (session: RealtimeSession<Context>) => void
}

export const say = (text: string): Utterance => ({ type: 'say', text })
export const callTool = (name: string, args: Readonly<Record<string, unknown>> = {}): Utterance => ({
  type: 'call',
  name,
  arguments: args,
})

/** What the user said last. */
export function lastWords({ items }: Thought): string {
  const last = items.findLast((item) => item.type === 'message' && item.role === 'user')
  return last ? textOf(last) : ''
}

export async function talk<Context = unknown>(
  agent: AnyAgent<Context>,
  script: Script,
  { ears = [], fault, msPerLetter, before, ...options }: TalkOptions<Context> = {},
): Promise<Talk<Context>> {
  const w = world(1)
  const heard: ServerEvent[] = []
  const told: ClientEvent[] = []
  const errors: unknown[] = []
  const far = farEnd(w, {
    brain: scripted(script),
    ears: scriptedEars(ears),
    voice: toneVoice(msPerLetter === undefined ? {} : { msPerLetter }),
    sent: (event) => heard.push(event),
    ...(fault ? { fault } : {}),
  })
  const session = new RealtimeSession<Context>(agent, {
    clock: w.clock,
    seed: 7,
    transport: { dialer: () => overheard(far.dial, told) },
    ...options,
  } as never)
  session.on('error', ({ error }) => errors.push(error))
  before?.(session)
  await meanwhile(w, session.connect())
  let seen = told.length
  const it: Talk<Context> = {
    world: w,
    session,
    far,
    told,
    heard,
    errors,
    async say(text, ms) {
      session.sendMessage(text)
      await it.run(ms)
    },
    run: (ms) => w.settle(ms === undefined ? w.now() + 30_000 : w.now() + ms),
    toldTypes() {
      const types = told.slice(seen).map(({ type }) => type)
      seen = told.length
      return types.filter((type) => type !== 'input_audio_buffer.append')
    },
    get words() {
      return session.state.conversation.items.flatMap((item: Item) => {
        if (item.type === 'message') return [`${item.role}: ${textOf(item)}`]
        if (item.type === 'function_call') return [`call ${item.name}`]
        return item.type === 'function_call_output' ? [`output ${item.output}`] : []
      })
    },
  }
  return it
}

/** Lets the world's time go on until it is done: what is loaded then takes time of its own. */
export async function meanwhile<T>(w: World, work: Promise<T>): Promise<T> {
  let isOver = false
  const over = () => {
    isOver = true
  }
  work.then(over, over)
  while (!isOver) await w.settle(w.now() + 10)
  return work
}

/** A line that is overheard: what goes to the far end is noted. */
function overheard(dial: Dial, told: ClientEvent[]): Dial {
  return (listener): Connection => {
    const line = dial(listener)
    return {
      send(event) {
        told.push(event)
        line.send(event)
      },
      append: (audio, wasHeld) => line.append(audio, wasHeld),
      close: () => line.close(),
    }
  }
}
