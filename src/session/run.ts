import type { Clock } from '../protocol/clock.ts'
import type { MakeSpeaker } from './speaker.ts'
import type { Call, Effect, Input, Notice, State } from './state.ts'
import { step } from './step.ts'
import type { Connection, Dial } from './transport.ts'
import { uplink } from './uplink.ts'

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
  /** How many bytes of microphone audio are kept until they are understood; what is older is let go. */
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
  const wakes: (() => void)[] = []
  const microphone = uplink(holdLimit)
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
        if (next.type === 'received') microphone.received(next.event, state)
        if (next.type === 'dropped') microphone.lost(state)
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
        if (effect.event.type === 'input_audio_buffer.commit') microphone.committing()
        return connection?.send(effect.event)
      case 'flush':
        for (const audio of microphone.retell()) connection?.append(audio)
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

  /** Audio never enters the state: it goes to the line, and waits here until it was understood. */
  function append(audio: Uint8Array): boolean {
    const kept = microphone.keep(audio)
    return state.link.at === 'live' ? (connection?.append(audio) ?? false) : kept
  }

  return {
    get state() {
      return state
    },
    feed,
    append,
  }
}
