import { type Conversation, empty, evolve } from '../conversation/conversation.ts'
import type { ClientEvent, ServerEvent } from '../protocol/events.ts'
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
  /** Lines that are dead go on speaking: they open again, repeat what they said last, and drop again. */
  readonly haunted?: boolean
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
      /** Items that were put to the front: on the wire nothing stands before them, which others say of the end. */
      const first = new Set<string>()
      lines.push(line)
      const call = converse({
        clock: world.clock,
        random: world.random,
        ears,
        brain,
        voice,
        emit: (event) => {
          const isFirst = 'item' in event && first.has(event.item.id)
          line.conversation = evolve(
            line.conversation,
            isFirst ? ({ ...event, previous_item_id: 'root' } as ServerEvent) : event,
          )
          options.sent?.(event)
          wire.send(event)
        },
        hangUp: (code, reason) => wire.close(code, reason),
      })
      return {
        received(event) {
          const { type, item, previous_item_id } = event as Extract<ClientEvent, { type: 'conversation.item.create' }>
          if (type === 'conversation.item.create' && previous_item_id === 'root' && item?.id) first.add(item.id)
          call.hear(event)
        },
        closed: () => call.ended(),
      }
    },
  })
  return { dial: options.haunted ? haunt(dial, world) : dial, lines, messages: () => messages }
}

/** A transport that breaks its promise: nothing that a dead line says may be heard. */
function haunt(dial: Dial, world: World): Dial {
  return (listener) => {
    const last: Parameters<typeof listener.received>[0][] = []
    return dial({
      opened: () => listener.opened(),
      received: (event) => {
        last.push(event)
        listener.received(event)
      },
      dropped: (cause) => {
        listener.dropped(cause)
        for (const ms of [1, 130, 400, 1_500]) {
          world.after(ms, () => {
            listener.opened()
            for (const event of last.slice(-8)) listener.received(event)
            listener.dropped(cause)
          })
        }
      },
    })
  }
}
