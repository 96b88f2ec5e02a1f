import type { Clock } from '../protocol/clock.ts'
import type { MakeSpeaker } from './speaker.ts'
import type { Call, Effect, Input, Notice, State } from './state.ts'
import { step } from './step.ts'
import type { Connection, Dial } from './transport.ts'

/** What a session needs of the world. */
export interface World {
  readonly clock: Clock
  readonly dial: Dial
  readonly speaker: MakeSpeaker
  /** Begins to answer a call. The answer comes back as one `answered`. */
  readonly call: (call: Call, response_id: string | null) => void
  readonly tell: (notice: Notice) => void
  /** One input has been dealt with. Only what is new in `after` differs from `before`. */
  readonly changed: (before: State, after: State, input: Input) => void
  /** How many bytes of microphone audio are held while there is no line; what is older is let go. */
  readonly holdLimit?: number
}

export interface Running {
  readonly state: State
  feed(input: Input): void
  /** Microphone audio. Returns false when some had to be let go. */
  append(audio: Uint8Array): boolean
}

/** Runs a session: feeds it what happens, does what it wants. The only place where anything is done. */
export function run(begin: State, world: World): Running {
  const { clock, holdLimit = 480_000 } = world
  const inputs: Input[] = []
  const held: Uint8Array[] = []
  const wakes: (() => void)[] = []
  let heldBytes = 0
  let state = begin
  let connection: Connection | null = null
  let current: symbol | null = null
  let running = false
  const speaker = world.speaker({ drained: () => feed({ type: 'drained' }) })

  /** One input at a time, each with all its effects, before the next. */
  function feed(input: Input): void {
    inputs.push(input)
    if (running) return
    running = true
    try {
      for (let next = inputs.shift(); next; next = inputs.shift()) {
        const before = state
        const [after, effects] = step(state, next, clock.now())
        state = after
        for (const effect of effects) perform(effect)
        world.changed(before, after, next)
      }
      if (state.link.at === 'closed') for (const cancel of wakes.splice(0)) cancel()
    } finally {
      running = false
    }
  }

  function perform(effect: Effect): void {
    switch (effect.type) {
      case 'dial':
        return dial()
      case 'hangUp':
        current = null
        return connection?.close()
      case 'transmit':
        return connection?.send(effect.event)
      case 'flush':
        for (const audio of held.splice(0)) connection?.append(audio)
        heldBytes = 0
        return
      case 'wake':
        wakes.push(clock.at(effect.at, () => feed({ type: 'woke' })))
        return
      case 'call':
        return world.call(effect.call, effect.response_id)
      case 'play':
        return speaker.play(effect.audio)
      case 'hush':
        return feed({ type: 'silenced', heard: speaker.hush() })
      case 'tell':
        return world.tell(effect.notice)
    }
  }

  /** A line is heard until it drops or another is dialed; what it says after that is not for us. */
  function dial(): void {
    const line = Symbol()
    current = line
    const hear = (input: Input) => {
      if (line !== current) return
      if (input.type === 'dropped') current = null
      feed(input)
    }
    connection = world.dial({
      opened: () => hear({ type: 'opened' }),
      received: (event) => hear({ type: 'received', event }),
      dropped: (cause) => hear({ type: 'dropped', cause }),
    })
  }

  /** Audio never enters the state: it goes to the line, or waits here for one. */
  function append(audio: Uint8Array): boolean {
    if (state.link.at === 'live') return connection?.append(audio) ?? false
    held.push(audio)
    heldBytes += audio.length
    while (heldBytes > holdLimit && held.length > 1) heldBytes -= held.shift()?.length ?? 0
    return heldBytes <= holdLimit
  }

  return {
    get state() {
      return state
    },
    feed,
    append,
  }
}
