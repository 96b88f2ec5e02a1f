/** One call with the local server's rules, in the world's time: what is said to it, and what it says, checked. */
import { expect } from 'vitest'
import type { ClientEvent, KnownServerEvent, ServerEvent } from '../src/protocol/events.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import { type ConverseOptions, converse } from '../src/server/converse.ts'
import { scriptedEars, toneVoice } from '../src/testing/senses.ts'
import { type World, world } from '../src/testing/world.ts'
import { officialSchema } from './official-schema.ts'

const official = officialSchema()

export interface FarCall {
  readonly world: World
  /** All that was sent so far. */
  readonly events: readonly KnownServerEvent[]
  readonly closed: readonly { readonly code: number; readonly reason: string }[]
  /** Says events, one after the other, and lets the world run: to its rest, or for `ms`. */
  say(events: readonly ClientEvent[], ms?: number): Promise<void>
  /** Audio at the pace of speech: 100 ms of `t`one or `s`ilence a letter. */
  speak(letters: string): Promise<void>
  /** The types that were sent since the last time, deltas of one kind that follow each other being one. */
  ladder(): readonly string[]
  last<Type extends KnownServerEvent['type']>(type: Type): Extract<KnownServerEvent, { readonly type: Type }>
  all<Type extends KnownServerEvent['type']>(type: Type): readonly Extract<KnownServerEvent, { readonly type: Type }>[]
}

/** Begins a call. Every event that it sends is held against the official schema. */
export async function farCall(options: Partial<ConverseOptions> = {}): Promise<FarCall> {
  const w = world(1)
  const events: KnownServerEvent[] = []
  const closed: { code: number; reason: string }[] = []
  let told = 0
  const call = converse({
    clock: w.clock,
    random: w.random,
    ears: scriptedEars(['hello there']),
    brain: scripted(() => [{ type: 'say', text: 'Hello to you.' }]),
    voice: toneVoice(),
    emit: (event: ServerEvent) => {
      expect(official(event as KnownServerEvent), JSON.stringify(event).slice(0, 500)).toBeNull()
      events.push(event as KnownServerEvent)
    },
    hangUp: (code, reason) => closed.push({ code, reason }),
    ...options,
  })
  const far: FarCall = {
    world: w,
    events,
    closed,
    async say(said, ms) {
      for (const event of said) call.hear(event)
      await w.settle(ms === undefined ? w.now() + 600_000 : w.now() + ms)
    },
    async speak(letters) {
      for (const letter of letters) {
        call.hear(recording(letter))
        await w.settle(w.now() + 100)
      }
    },
    ladder() {
      const types = events.slice(told).map(({ type }) => type)
      told = events.length
      return types.filter((type, n) => !(type.endsWith('.delta') && isRepeated(types, n)))
    },
    last(type) {
      const found = far.all(type).at(-1)
      if (!found) throw new Error(`No ${type} was sent.`)
      return found
    },
    all: (type) => events.filter((event) => event.type === type) as never,
  }
  await w.settle(1)
  return far
}

/** Transcript and audio of one part come interleaved: each kind counts once until something else comes. */
function isRepeated(types: readonly string[], at: number): boolean {
  for (let n = at - 1; n >= 0 && types[n]!.endsWith('.delta'); n--) if (types[n] === types[at]) return true
  return false
}

/** Audio in one event: 100 ms of `t`one or `s`ilence a letter. */
export function recording(letters: string): ClientEvent {
  const pieces = [...letters].map((letter) => (letter === 't' ? tone : silence))
  return { type: 'input_audio_buffer.append', audio: Buffer.concat(pieces).toString('base64') }
}

const samples = 2_400
const tone = Buffer.from(
  Int16Array.from({ length: samples }, (_, n) => 8_000 * Math.sin((2 * Math.PI * 300 * n) / 24_000)).buffer,
)
const silence = Buffer.alloc(2 * samples)

/** A message of the user, in writing. */
export function written(text: string, id?: string): ClientEvent {
  const item = { type: 'message', role: 'user', content: [{ type: 'input_text', text }] } as const
  return { type: 'conversation.item.create', item: id ? { ...item, id } : item }
}
