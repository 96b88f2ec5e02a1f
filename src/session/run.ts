import { formatOf } from '../protocol/audio.ts'
import type { Clock } from '../protocol/clock.ts'
import { UserError } from '../protocol/errors.ts'
import type { AudioDelta } from '../protocol/events.ts'
import { besideIn } from './asks.ts'
import { configSaid } from './interruption.ts'
import { isOfLine } from './observing.ts'
import type { Heard, MakeSpeaker } from './speaker.ts'
import { speechRate } from './speech-rate.ts'
import { alarm, type Call, type Effect, type Input, type Notice, type State, type Step } from './state.ts'
import { step } from './step.ts'
import type { Connection, Dial } from './transport.ts'
import { uplink } from './uplink.ts'

/** ms for which a far end may say nothing to a microphone that speaks, before it is asked whether it is there. */
const quietMs = 8_000

const carried =
  "The microphone's track carries the audio on this line: mute it, or change it with media.useMicrophone()."

const elsewhere = 'The session is attached to a call that stands already: its audio flows elsewhere.'

/** What a session needs of the world. */
export interface World {
  readonly clock: Clock
  readonly dial: Dial
  readonly speaker: MakeSpeaker
  /** Begins to answer a call. The answer comes back as one `answered`. */
  readonly call: (call: Call, response_id: string | null) => void
  readonly tell: (notice: Notice) => void
  /** One input has been dealt with. Only what is new in `after` differs from `before`. */
  readonly changed: (before: State, after: State, input: Input, now: number) => void
  /** Something has happened, and nothing of what it leads to has been done yet. */
  readonly happened?: (input: Input, now: number) => void
}

export interface Running {
  readonly state: State
  feed(input: Input): void
  /** Microphone audio. Returns false when some had to be let go. */
  append(audio: Uint8Array): boolean
}

/** Runs a session: feeds it what happens, does what it wants. The only place where anything is done. */
export function run(begin: State, world: World): Running {
  const { clock } = world
  const inputs: Input[] = []
  const microphone = uplink()
  const rate = speechRate()
  let alarmAt: number | null = null
  let cancelAlarm: (() => void) | null = null
  let heardAt = Number.NEGATIVE_INFINITY
  let state = begin
  let connection: Connection | null = null
  let current: symbol | null = null
  let running = false
  const speaker = world.speaker({
    drained: () => feed({ type: 'drained' }),
    sounded: ({ item_id, response_id }) => feed({ type: 'sounded', item_id, response_id }),
  })

  /** One input at a time, each with all its effects, before the next. */
  function feed(input: Input): void {
    inputs.push(input)
    if (running) return
    running = true
    const begun = state
    try {
      for (let next = inputs.shift(); next; next = inputs.shift()) {
        const before = state
        const now = clock.now()
        if (isOfLine(next)) heardAt = now
        const [after, effects] = stepped(next, now)
        state = after
        world.happened?.(next, now)
        if (next.type === 'received') {
          microphone.received(next.event, state)
          rate.received(next.event, formatOf(state.config, 'output'))
        }
        if (next.type === 'dropped') microphone.lost(state)
        if (next.type === 'ended') microphone.clearing()
        for (const effect of effects) attempt(effect)
        world.changed(before, after, besideIn(next, before), now)
      }
      if (state !== begun) setAlarm()
    } finally {
      running = false
    }
  }

  /** What cannot be made sense of changes nothing. */
  function stepped(input: Input, now: number): Step {
    try {
      return step(state, input, now)
    } catch (error) {
      return [state, [{ type: 'tell', notice: { type: 'failed', error } }]]
    }
  }

  function setAlarm(): void {
    const at = alarm(state)
    if (at === alarmAt) return
    alarmAt = at
    cancelAlarm?.()
    cancelAlarm = at === null ? null : clock.at(at, ring)
  }

  function ring(): void {
    alarmAt = null
    cancelAlarm = null
    feed({ type: 'woke', heardAt })
    setAlarm()
  }

  /** What a part of the app throws hurts none of the others. */
  function attempt(effect: Effect): void {
    try {
      perform(effect)
    } catch (error) {
      world.tell({ type: 'failed', error })
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
        if (effect.event.type === 'input_audio_buffer.clear' && !hearsTurns()) microphone.clearing()
        return connection?.send(effect.event)
      case 'flush':
        if (state.playback.isFar) return
        for (const audio of microphone.retell()) {
          if (audio) connection?.append(audio, true)
          else connection?.send({ type: 'input_audio_buffer.commit' })
        }
        return
      case 'mark':
        return microphone.committing()
      case 'takeBack':
        return microphone.clearing()
      case 'call':
        return world.call(effect.call, effect.response_id)
      case 'play':
        return play(effect.audio)
      case 'hush':
        return feed({ type: 'silenced', heard: hushed(), growing: rate.growing, charsPerMs: rate.charsPerMs })
      case 'pause':
        return speaker.pause?.()
      case 'resume':
        return speaker.resume?.()
      case 'tell':
        return world.tell(effect.notice)
    }
  }

  function play(audio: AudioDelta): void {
    try {
      speaker.play(audio)
    } catch (error) {
      feed({ type: 'unplayable', response_id: audio.response_id, error })
    }
  }

  /** The far end hears where turns end. */
  function hearsTurns(): boolean {
    return state.config.audio?.input?.turn_detection !== null
  }

  /** A speaker that cannot fall silent is taken to be silent: what waits for that would wait for ever. */
  function hushed(): readonly Heard[] {
    try {
      return speaker.hush()
    } catch (error) {
      world.tell({ type: 'failed', error })
      return []
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
    connection = world.dial(
      {
        opened: (carriesAudio) => hear({ type: 'opened', ...(carriesAudio ? { carriesAudio } : {}) }),
        prompted: (isOpen) => hear({ type: 'prompted', isOpen }),
        reached: (stage) => hear({ type: 'reached', stage }),
        received: (event) => hear({ type: 'received', event }),
        sounded: (response_id) => hear({ type: 'sounded', response_id }),
        dropped: (cause) => hear({ type: 'dropped', cause }),
      },
      configSaid(state, state.config),
    )
  }

  /** Audio never enters the state: it goes to the line, and waits here until it was understood. */
  function append(audio: Uint8Array): boolean {
    if (state.part.attached) throw new UserError(elsewhere)
    if (state.playback.isFar) throw new UserError(carried)
    if (state.link.at !== 'live') return microphone.keep(audio, state)
    if (!connection?.append(audio)) return false
    microphone.keep(audio, state)
    const now = clock.now()
    if (now - heardAt >= quietMs) feed({ type: 'unheard' })
    return true
  }

  return {
    get state() {
      return state
    },
    feed,
    append,
  }
}
