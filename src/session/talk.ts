/** How turns are taken: the far end hears them, or the user holds a key, or the app commits. */
import { formatOf, msOf } from '../protocol/audio.ts'
import type { Clock } from '../protocol/clock.ts'
import { UserError } from '../protocol/errors.ts'
import type { SessionConfig, TurnDetection } from '../protocol/events.ts'
import { realClock } from './clock.ts'
import type { Door } from './door.ts'
import { isGuarding } from './interruption.ts'
import { plain } from './state.ts'

/**
 * `serverVad`, `semanticVad`: the far end hears where a turn begins and ends. `pushToTalk`: between `beginTurn()` and
 * `endTurn()`. `manual`: the app commits, and asks for a response.
 */
export type TurnPolicy = 'serverVad' | 'semanticVad' | 'pushToTalk' | 'manual'

export interface Talk {
  readonly policy: TurnPolicy | undefined
  /** A turn was begun by hand, and has not ended. */
  readonly speaking: boolean
  /** Changes how turns are taken, live. A turn that was begun is dropped. */
  use(policy: TurnPolicy): void
  /**
   * Begins a turn: the agent falls silent, and the microphone is heard. Where it has begun already, nothing happens.
   *
   * @throws UserError where turns are not taken by push-to-talk.
   */
  beginTurn(): void
  /**
   * Ends the turn and asks for an answer. Returns false, and nothing is asked for, where none was begun, or less than
   * 100 ms of it was sent: that is a key that was touched. So it is where the line carries the sound, and is down.
   */
  endTurn(): boolean
  /** The session ended: a turn that was begun is no more. */
  closed(): void
  /** Microphone audio. With push-to-talk, what is said outside a turn is not sent. Returns false when some was let go. */
  sendAudio(audio: Uint8Array): boolean
}

/** ms: a far end refuses to commit less. */
const leastMs = 100

const detections = { serverVad: 'server_vad', semanticVad: 'semantic_vad', pushToTalk: null, manual: null } as const

/**
 * The `turn_detection` of a policy: of what was given, all that this kind of detection knows stays.
 */
export function turnDetectionFor(policy: TurnPolicy, given?: TurnDetection | null): TurnDetection | null {
  const type = detections[policy]
  if (type === null) return null
  if (given?.type === type) return given
  const { create_response, interrupt_response } = given ?? {}
  return {
    type,
    ...(create_response === undefined ? {} : { create_response }),
    ...(interrupt_response === undefined ? {} : { interrupt_response }),
  }
}

/** The config with the turns of a policy. */
export function withTurns(
  config: Partial<SessionConfig>,
  policy: TurnPolicy,
  given: TurnDetection | null | undefined = config.audio?.input?.turn_detection,
): Partial<SessionConfig> {
  const { input } = config.audio ?? {}
  const turn_detection = turnDetectionFor(policy, given)
  return { ...config, audio: { ...config.audio, input: { ...input, turn_detection } } }
}

export function talk(
  door: Pick<Door, 'state' | 'feed' | 'append'>,
  begin?: TurnPolicy,
  clock: Pick<Clock, 'now'> = realClock,
): Talk {
  let policy = begin
  /** ms of the turn that were sent; null where none was begun. */
  let sentMs: number | null = null
  let begunAt = 0

  /** What was given for the far end's own detection, for when it is used again. */
  let detection: TurnDetection | null | undefined

  const clear = () => door.feed({ type: 'sent', event: { type: 'input_audio_buffer.clear' } })

  return {
    get policy() {
      return policy
    },
    get speaking() {
      return sentMs !== null
    },
    use(wanted) {
      if (sentMs !== null) clear()
      sentMs = null
      policy = wanted
      const { config } = door.state
      detection = config.audio?.input?.turn_detection ?? detection
      door.feed({ type: 'configured', config: withTurns(config, wanted, detection) })
    },
    beginTurn() {
      if (policy !== 'pushToTalk') throw new UserError("Turns are begun by hand with turns: 'pushToTalk' only.")
      if (sentMs !== null) return
      sentMs = 0
      begunAt = clock.now()
      if (!isGuarding(door.state)) door.feed({ type: 'interrupted', cancel: true })
      clear()
    },
    endTurn() {
      if (sentMs === null) return false
      const { playback, link } = door.state
      // What a line carries by itself is measured by the clock, and is not kept where there is no line.
      const isTurn = playback.isFar ? link.at === 'live' && clock.now() - begunAt >= leastMs : sentMs >= leastMs
      sentMs = null
      if (!isTurn) {
        clear()
        return false
      }
      door.feed({ type: 'sent', event: { type: 'input_audio_buffer.commit' } })
      door.feed({ type: 'asked', ask: plain })
      return true
    },
    closed() {
      sentMs = null
    },
    sendAudio(audio) {
      if (policy === 'pushToTalk' && sentMs === null) return true
      const isKept = door.append(audio)
      // While there is no line, what was let go is older; on a slow one, it is this.
      const isSent = isKept || door.state.link.at !== 'live'
      if (sentMs !== null && isSent) sentMs += msOf(audio.length, formatOf(door.state.config, 'input'))
      return isKept
    },
  }
}
