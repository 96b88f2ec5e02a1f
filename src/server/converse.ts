/**
 * One call: it hears, takes turns and answers, in the time of a clock. What a client may say is decided by `decide.ts`;
 * what follows stands in `talk/`: turns are taken by `taking.ts` and answered by `answering.ts`, and `known.ts` knows
 * what was heard and said.
 */
import { fromBase64 } from '../protocol/base64.ts'
import type { Clock } from '../protocol/clock.ts'
import { messageOf } from '../protocol/errors.ts'
import type { ClientEvent, ResponseCreateParams, ServerEvent } from '../protocol/events.ts'
import { newId as idOf } from '../protocol/ids.ts'
import { type Answer, decide, isClose, refusal } from './rules/decide.ts'
import { refusals } from './rules/refusals.ts'
import { type AnySession, defaultSession, objectOf } from './rules/session-config.ts'
import type { Brain, Ears, Voice } from './senses.ts'
import { answering, type Outgoing, type OutgoingEvents } from './talk/answering.ts'
import { idling } from './talk/idling.ts'
import { knowing } from './talk/known.ts'
import { taking } from './talk/taking.ts'
import { detectionOf, type HeardTurn, hearing } from './turns/hearing.ts'
import { energyVad, type Vad } from './turns/vad.ts'

export interface ConverseOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly ears: Ears
  readonly brain: Brain
  readonly voice: Voice
  readonly emit: (event: ServerEvent) => void
  readonly hangUp: (code: number, reason: string) => void
  /** The config that the session begins with. */
  readonly session?: AnySession
  /** How many times faster than it is heard audio is sent. Default: 4. `Infinity`: all at once. */
  readonly pace?: number
  /** What the clock's zero is, in ms since 1970. */
  readonly epochMs?: number
  /** ms until the session expires. Default: 60 minutes. */
  readonly sessionMs?: number
  /** Makes a call's detector of turns; it is told the rate of the sound that comes, in Hz. */
  readonly vad?: (lineRate: number) => Vad
  /** For a line that carries the sound itself: no event has it then, and the server knows what was sent out. */
  readonly outgoing?: (told: OutgoingEvents) => Outgoing
}

export interface Call {
  hear(event: ClientEvent): void
  /** Takes sound of a line that carries it: PCM16 at 24 kHz, whole samples. */
  hearSound(bytes: Uint8Array): void
  /** The line is gone: nothing more is emitted. */
  ended(): void
}

export function converse(options: ConverseOptions): Call {
  const { clock, random, ears, brain, voice, outgoing } = options
  const { pace = 4, epochMs = 0, sessionMs = 60 * 60_000, vad = energyVad } = options
  const newId = (prefix: string) => idOf(prefix, random)
  const conversationId = newId('conv_')
  const beganAt = clock.now()
  const config = options.session ?? defaultSession('gpt-realtime-2.1')
  const named = {
    id: newId('sess_'),
    object: objectOf(config),
    expires_at: Math.floor((epochMs + beganAt + sessionMs) / 1000),
  }
  let current: AnySession = { ...config, ...named }
  let isOver = false
  const session = () => current
  const known = knowing(newId)
  const microphone = hearing({ clock, ears, vad, session, newId, started, stopped })
  const turns = taking({ known, microphone, session, emit })
  const idle = idling({ clock, session, microphone, timedOut })
  const answers = answering({
    ...{ clock, brain, voice, pace, newId, conversationId, known, session, emit, outgoing },
    understood: turns.understood,
    given: (restMs) => isOver || idle.begin(restMs),
  })

  function emit(answer: Answer): void {
    if (isOver) return
    const event = { event_id: newId('event_'), ...answer } as ServerEvent
    known.evolve(event)
    options.emit(onTheWire(event))
  }

  function hear(event: ClientEvent): void {
    if (isOver) return
    const decided = decidedOf(event)
    for (const answer of decided) emit(withAudio(answer))
    if (!decided.some(({ type }) => type === 'error')) act(event, decided)
  }

  function decidedOf(event: ClientEvent): readonly Answer[] {
    const { conversation, spoken } = known
    const { bufferedMs } = microphone
    const carriesSound = outgoing !== undefined
    try {
      return decide({ session: current, conversation, bufferedMs, spoken, carriesSound }, event, newId)
    } catch (error) {
      const message = messageOf(error)
      return [refusal({ type: 'invalid_request_error', code: 'invalid_value', message, param: null }, event)]
    }
  }

  function withAudio(answer: Answer): Answer {
    return answer.type === 'conversation.item.retrieved' ? { ...answer, item: known.withAudio(answer.item) } : answer
  }

  /** What follows when an event was accepted. */
  function act(event: ClientEvent, decided: readonly Answer[]): void {
    if (isClose(event)) return close()
    switch (event.type) {
      case 'session.update':
        return configured(decided)
      case 'input_audio_buffer.append':
        return microphone.write(fromBase64(event.audio))
      case 'input_audio_buffer.commit':
        return turns.commit(microphone.take())
      case 'input_audio_buffer.clear':
        return microphone.clear()
      case 'conversation.item.create':
        return turns.created(event.item, decided)
      case 'conversation.item.truncate':
        return known.truncated(event.item_id, event.audio_end_ms)
      case 'response.create':
        return respond(event.response ?? {})
      case 'response.cancel':
        return answers.cancel(event.response_id)
      case 'output_audio_buffer.clear':
        return answers.hush()
    }
  }

  function configured(decided: readonly Answer[]): void {
    const before = current
    for (const answer of decided) if (answer.type === 'session.updated') current = answer.session
    const was = [before.audio?.input?.format, before.audio?.input?.turn_detection]
    const is = [current.audio?.input?.format, current.audio?.input?.turn_detection]
    if (JSON.stringify(was) !== JSON.stringify(is)) microphone.configured()
    idle.configured()
  }

  function started(audio_start_ms: number, item_id: string): void {
    emit({ type: 'input_audio_buffer.speech_started', audio_start_ms, item_id })
    idle.stop()
    if (detectionOf(current)?.interrupt_response !== false) answers.interrupt()
  }

  function stopped(audio_end_ms: number, turn: HeardTurn): void {
    emit({ type: 'input_audio_buffer.speech_stopped', audio_end_ms, item_id: turn.item_id })
    turns.commit(turn)
    if (detectionOf(current)?.create_response !== false && !answers.isGiving) respond({})
  }

  function timedOut(audio_start_ms: number, audio_end_ms: number, silence: HeardTurn): void {
    emit({ type: 'input_audio_buffer.timeout_triggered', audio_start_ms, audio_end_ms, item_id: silence.item_id })
    turns.commit(silence)
    if (!answers.isGiving) respond({})
  }

  function respond(params: ResponseCreateParams): void {
    if (current.type !== 'realtime') return
    idle.stop()
    answers.respond(params)
  }

  const stopExpiry = clock.at(beganAt + sessionMs, () => {
    const expired = refusals.expired(Math.round(sessionMs / 60_000))
    emit(refusal(expired, null))
    options.hangUp(1001, expired.message)
  })

  function close(): void {
    options.hangUp(1000, 'The session was closed.')
    ended()
  }

  function ended(): void {
    if (isOver) return
    isOver = true
    stopExpiry()
    idle.stop()
    void microphone.end()
    answers.end()
  }

  emit({ type: 'session.created', session: current })
  return {
    hear,
    hearSound(bytes) {
      if (!isOver) microphone.writeSound(bytes)
    },
    ended,
  }
}

/** The fold knows the front of the conversation as `root`; the wire says that nothing stands before it. */
function onTheWire(event: ServerEvent): ServerEvent {
  return 'previous_item_id' in event && event.previous_item_id === 'root'
    ? ({ ...event, previous_item_id: null } as ServerEvent)
    : event
}
