import { type Conversation, empty, evolve } from '../conversation/conversation.ts'
import type { ServerEvent } from '../protocol/events.ts'
import { scripted } from '../server/brain/scripted.ts'
import { converse } from '../server/converse.ts'
import type { Brain, Ears, Voice } from '../server/senses.ts'
import type { Dial } from '../session/transport.ts'
import { type Fault, memory } from '../transports/memory.ts'
import { scriptedEars, toneVoice } from './senses.ts'
import type { World } from './world.ts'

export interface FarEndOptions {
  readonly brain?: Brain
  readonly ears?: Ears
  readonly voice?: Voice
  /** ms that a message takes, either way. Asked for each. */
  readonly latency?: () => number
  /** What befalls the nth message, counted over both directions and all lines. */
  readonly fault?: (nth: number) => Fault
  /** Told of every event that is sent, on any line. */
  readonly sent?: (event: ServerEvent) => void
}

export interface FarEnd {
  readonly dial: Dial
  /** What the far end holds, line by line. */
  readonly lines: readonly { readonly conversation: Conversation }[]
  /** How many messages have been sent so far, in both directions. */
  messages(): number
}

/** A far end made of the local server's own rules, in this process and in the world's time. */
export function farEnd(world: World, options: FarEndOptions = {}): FarEnd {
  const { brain = scripted(() => []), ears = scriptedEars([]), voice = toneVoice(), latency = () => 10 } = options
  const lines: { conversation: Conversation }[] = []
  let messages = 0

  const dial = memory({
    clock: world.clock,
    latency,
    fault: () => {
      const nth = messages++
      return options.fault?.(nth) ?? 'pass'
    },
    accept: (wire) => {
      const line = { conversation: empty }
      lines.push(line)
      const call = converse({
        clock: world.clock,
        random: world.random,
        ears,
        brain,
        voice,
        emit: (event) => {
          line.conversation = evolve(line.conversation, event)
          options.sent?.(event)
          wire.send(event)
        },
        hangUp: (code, reason) => wire.close(code, reason),
      })
      return { received: (event) => call.hear(event), closed: () => call.ended() }
    },
  })
  return { dial, lines, messages: () => messages }
}
