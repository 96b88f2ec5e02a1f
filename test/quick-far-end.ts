/** A far end of the local server's rules whose senses cost next to nothing: for many thousands of calls. */
import { type Conversation, empty, evolve } from '../src/conversation/conversation.ts'
import type { ClientEvent, ServerEvent } from '../src/protocol/events.ts'
import { converse } from '../src/server/converse.ts'
import type { Brain, Ears, Voice } from '../src/server/senses.ts'
import type { Vad } from '../src/server/turns/vad.ts'
import type { Dial } from '../src/session/transport.ts'
import type { World } from '../src/testing/world.ts'
import { type Fault, memory } from '../src/transports/memory.ts'

export interface Line {
  /** What the far end holds. */
  conversation: Conversation
}

export interface QuickFarEnd {
  readonly dial: Dial
  readonly lines: readonly Line[]
}

export interface QuickOptions {
  readonly think: Brain['think']
  /** ms until a turn is understood. Asked for each. */
  readonly understandMs?: () => number
  readonly latency?: () => number
  readonly fault?: (nth: number) => Fault
  /** What a response makes is mirrored in the conversation's own events; `nothing`: nor is anything else. Default: true. */
  readonly mirrors?: boolean | 'nothing'
  /** Told of all that is said, either way, on any line. */
  readonly overheard?: (event: ClientEvent | ServerEvent) => void
}

/** G.711 µ-law, a frame every 100 ms: 300 ms of sound, then silence. */
export const loud: Uint8Array = new Uint8Array(800)
export const still: Uint8Array = new Uint8Array(800).fill(0xff)
export const speech: readonly Uint8Array[] = [loud, loud, loud, still, still, still]

const rate = 8_000
const vad = (): Vad => ({ rate, frame: 160, likelihood: ([first]) => (first ? 1 : 0) })

/** 40 ms a letter, of silence. */
const voice: Voice = { rate, speak: (sentence) => [new Int16Array(sentence.length * 320)] }

export function quickFarEnd(w: World, options: QuickOptions): QuickFarEnd {
  const { think, understandMs = () => 0, latency = () => 10, fault = () => 'pass' } = options
  const { mirrors = true, overheard = () => {} } = options
  const lines: Line[] = []
  let messages = 0
  let turns = 0
  const ears: Ears = {
    rate,
    listen: () => ({
      hear() {},
      finish: () => new Promise((resolve) => w.after(understandMs(), () => resolve(`turn ${turns++}`))),
      cancel() {},
    }),
  }
  const dial = memory({
    clock: w.clock,
    latency,
    fault: () => fault(messages++),
    accept: (wire) => {
      const line = { conversation: empty }
      const isMirror = mirrored()
      lines.push(line)
      const call = converse({
        clock: w.clock,
        random: w.random,
        ears,
        brain: { think },
        voice,
        vad,
        emit(event) {
          line.conversation = evolve(line.conversation, event)
          if (isMirror(event) && !mirrors) return
          if (isOfItem(event) && mirrors === 'nothing') return
          overheard(event)
          wire.send(event)
        },
        hangUp: (code, reason) => wire.close(code, reason),
      })
      return {
        received(event) {
          overheard(event)
          call.hear(event)
        },
        closed: () => call.ended(),
      }
    },
  })
  return { dial, lines }
}

const isOfItem = ({ type }: ServerEvent) => /^conversation\.item\.(added|created|done)$/.test(String(type))

/** Finds the events by which a line tells again, of the conversation, what a response has made. */
export function mirrored(): (event: ServerEvent) => boolean {
  const made = new Set<string>()
  return (event) => {
    if (event.type === 'response.output_item.added') made.add(event.item.id)
    return /^conversation\.item\./.test(String(event.type)) && 'item' in event && made.has(event.item.id)
  }
}
