/**
 * One call: it hears, takes turns and answers, in the time of a clock. The rules are `decide.ts`'s, a response is
 * `respond.ts`'s; here stands the talk: which turn ends when, and who speaks.
 */
import { decodeAlaw, decodeUlaw } from '../audio/g711.ts'
import { toSamples } from '../audio/pcm.ts'
import { type Resampler, resampler } from '../audio/resample.ts'
import { type Conversation, contentOf, empty, evolve, itemsOf, textOf } from '../conversation/conversation.ts'
import { msOf, rateOf } from '../protocol/audio.ts'
import { fromBase64 } from '../protocol/base64.ts'
import type { Clock } from '../protocol/clock.ts'
import { messageOf } from '../protocol/errors.ts'
import type {
  ClientEvent,
  Item,
  Message,
  ResponseCreateParams,
  ServerEvent,
  TurnDetection,
  Usage,
} from '../protocol/events.ts'
import { newId as idOf } from '../protocol/ids.ts'
import { type Answer, decide, inputBytes, inputFormat, refusal } from './decide.ts'
import { refusals } from './refusals.ts'
import { type Giving, give } from './respond.ts'
import type { Brain, Ears, Listening, Voice } from './senses.ts'
import { type AnySession, defaultSession } from './session-config.ts'
import { energyVad, turnDetector, type Vad } from './vad.ts'

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
  /** ms until the session expires. Default: 60 minutes. */
  readonly sessionMs?: number
  readonly vad?: () => Vad
}

export interface Call {
  hear(event: ClientEvent): void
  /** The line is gone: nothing more is emitted. */
  ended(): void
}

/** A turn that is being spoken. */
interface Turn {
  readonly item_id: string
  readonly listening: Listening
  readonly toEars: Resampler
}

export function converse(options: ConverseOptions): Call {
  const { clock, random, ears, pace = 4, sessionMs = 60 * 60_000, vad = energyVad } = options
  const newId = (prefix: string) => idOf(prefix, random)
  const conversationId = newId('conv_')
  const beganAt = clock.now()
  let session: AnySession = options.session ?? defaultSession('gpt-realtime-2.1')
  let conversation: Conversation = empty
  let isOver = false

  /** Audio of the buffer that no turn has taken, with where it ends, in bytes since the call began. */
  let buffer: Uint8Array[] = []
  let buffered = 0
  let written = 0
  let turn: Turn | null = null
  let giving: Giving | null = null
  const beside = new Map<string, Giving>()
  const spoken = new Map<string, number>()
  /** What was heard of the user's items: words, and how long. The wire may never say the words. */
  const heard = new Map<string, { words: string; ms: number }>()
  let understanding: Promise<unknown> = Promise.resolve()
  let stopIdle: (() => void) | null = null

  let toVad = resampler(rateOf(inputFormat(session)), vad().rate)
  let detector = turnDetector(vad(), settings)

  function emit(answer: Answer): void {
    if (isOver) return
    const event = { event_id: newId('event_'), ...answer } as ServerEvent
    conversation = evolve(conversation, event)
    options.emit(onTheWire(event))
  }

  function hear(event: ClientEvent): void {
    if (isOver) return
    let answers: readonly Answer[]
    try {
      answers = decide({ session, conversation, buffered, spoken }, event, newId)
    } catch (error) {
      answers = [
        refusal(
          { type: 'invalid_request_error', code: 'invalid_value', message: messageOf(error), param: null },
          event,
        ),
      ]
    }
    for (const answer of answers) emit(answer)
    if (!answers.some(({ type }) => type === 'error')) act(event, answers)
  }

  /** What follows when an event was accepted. */
  function act(event: ClientEvent, answers: readonly Answer[]): void {
    switch (event.type) {
      case 'session.update':
        return configured(answers)
      case 'input_audio_buffer.append':
        return listen(fromBase64(event.audio))
      case 'input_audio_buffer.commit':
        return commit()
      case 'input_audio_buffer.clear':
        turn?.listening.cancel()
        turn = null
        detector.reset()
        return takeBuffer()
      case 'conversation.item.truncate':
        spoken.set(event.item_id, event.audio_end_ms)
        return
      case 'response.create':
        return respond(event.response ?? {})
      case 'response.cancel':
        return (beside.get(event.response_id ?? '') ?? giving)?.cancel('client_cancelled')
    }
  }

  function configured(answers: readonly Answer[]): void {
    const before = session
    for (const answer of answers) if (answer.type === 'session.updated') session = answer.session
    const was = [before.audio?.input?.format, before.audio?.input?.turn_detection]
    const is = [session.audio?.input?.format, session.audio?.input?.turn_detection]
    if (JSON.stringify(was) === JSON.stringify(is)) return
    const detecting = vad()
    toVad = resampler(rateOf(inputFormat(session)), detecting.rate)
    const at = Math.round(msOf(written, inputFormat(session)))
    detector = turnDetector(detecting, settings, at)
  }

  function detection(): TurnDetection | null {
    return session.audio?.input?.turn_detection ?? null
  }

  /**
   * `semantic_vad` knows when a sentence is complete; this server does not. It waits by `eagerness` alone: a longer
   * silence than `server_vad`'s, since a pause in a thought is no end.
   */
  function settings() {
    const how = detection()
    if (how?.type === 'semantic_vad') {
      const silenceMs = { high: 500, medium: 900, auto: 900, low: 1_800 }[how.eagerness ?? 'auto']
      return { threshold: 0.5, prefixMs: 300, silenceMs }
    }
    return {
      threshold: how?.threshold ?? 0.5,
      prefixMs: how?.prefix_padding_ms ?? 300,
      silenceMs: how?.silence_duration_ms ?? 200,
    }
  }

  // ── hearing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  function listen(bytes: Uint8Array): void {
    buffer.push(bytes)
    buffered += bytes.length
    written += bytes.length
    const samples = decode(bytes)
    if (!detection()) return
    for (const what of detector.hear(toVad.push(samples))) {
      if (what.type === 'started') started(what.at)
      else stopped(what.at)
    }
    if (turn) tellEars(turn, samples)
    else forgetSilence()
  }

  /** Of silence, only what a turn may begin with is kept. */
  function forgetSilence(): void {
    const kept = inputBytes(session, settings().prefixMs + 200)
    let size = buffer.reduce((sum, { length }) => sum + length, 0)
    while (buffer.length > 1 && size - buffer[0]!.length >= kept) size -= buffer.shift()!.length
  }

  function started(audio_start_ms: number): void {
    const item_id = newId('item_')
    emit({ type: 'input_audio_buffer.speech_started', audio_start_ms, item_id })
    stopIdle?.()
    if (detection()?.interrupt_response !== false) giving?.cancel('turn_detected')
    turn = beginTurn(item_id)
    for (const piece of buffer.slice(0, -1)) tellEars(turn, decode(piece))
  }

  function stopped(audio_end_ms: number): void {
    if (!turn) return
    emit({ type: 'input_audio_buffer.speech_stopped', audio_end_ms, item_id: turn.item_id })
    commit()
    if (session.type === 'realtime' && detection()?.create_response !== false && !giving) respond({})
  }

  function beginTurn(item_id: string): Turn {
    const { language, prompt } = session.audio?.input?.transcription ?? {}
    const listening = ears.listen({ language, prompt })
    return { item_id, listening, toEars: resampler(rateOf(inputFormat(session)), ears.rate) }
  }

  function tellEars({ listening, toEars }: Turn, samples: Int16Array): void {
    listening.hear(toEars.push(samples))
  }

  function commit(): void {
    const ending = turn ?? beginTurn(newId('item_'))
    if (!turn) for (const piece of buffer) tellEars(ending, decode(piece))
    turn = null
    detector.reset()
    const ms = msOf(buffered, inputFormat(session))
    takeBuffer()
    commitTurn(ending, ms)
  }

  function commitTurn({ item_id, listening, toEars }: Turn, ms: number): void {
    const previous_item_id = conversation.items.at(-1)?.id ?? null
    const item: Item = {
      id: item_id,
      object: 'realtime.item',
      type: 'message',
      role: 'user',
      status: 'completed',
      content: [{ type: 'input_audio', transcript: null }],
    }
    emit({ type: 'input_audio_buffer.committed', previous_item_id, item_id })
    emit({ type: 'conversation.item.added', previous_item_id, item })
    emit({ type: 'conversation.item.done', previous_item_id, item })
    heard.set(item_id, { words: '', ms })
    listening.hear(toEars.flush())
    const words = listening.finish().then(
      (transcript) => transcribed(item_id, transcript, ms),
      (error: unknown) => notTranscribed(item_id, messageOf(error)),
    )
    understanding = Promise.all([understanding, words])
  }

  function transcribed(item_id: string, transcript: string, ms: number): void {
    heard.set(item_id, { words: transcript, ms })
    const { transcription } = session.audio?.input ?? {}
    if (!transcription) return
    const at = { item_id, content_index: 0 }
    if (transcript) emit({ type: 'conversation.item.input_audio_transcription.delta', ...at, delta: transcript })
    const usage = transcription.model?.startsWith('gpt-4o')
      ? tokensOf(transcript, ms)
      : ({ type: 'duration', seconds: ms / 1000 } as const)
    emit({ type: 'conversation.item.input_audio_transcription.completed', ...at, transcript, usage })
  }

  function notTranscribed(item_id: string, message: string): void {
    if (!session.audio?.input?.transcription) return
    const error = { type: 'server_error', code: 'transcription_failed', message }
    emit({ type: 'conversation.item.input_audio_transcription.failed', item_id, content_index: 0, error })
  }

  function takeBuffer(): void {
    buffer = []
    buffered = 0
  }

  function decode(bytes: Uint8Array): Int16Array {
    const { type } = inputFormat(session)
    if (type === 'audio/pcmu') return decodeUlaw(bytes)
    return type === 'audio/pcma' ? decodeAlaw(bytes) : toSamples(bytes)
  }

  // ── answering ────────────────────────────────────────────────────────────────────────────────────────────────────

  function respond(params: ResponseCreateParams): void {
    if (session.type !== 'realtime') return
    stopIdle?.()
    const inBand = params.conversation !== 'none'
    const given = give({
      clock,
      brain: options.brain,
      voice: options.voice,
      pace,
      session,
      params,
      conversationId,
      emit: (event) => {
        if (inBand && event.type === 'response.done') giving = null
        emit(event)
        if (event.type === 'response.done') emit({ type: 'rate_limits.updated', rate_limits: rateLimits })
      },
      newId,
      last: () => conversation.items.at(-1)?.id ?? null,
      context: async () => {
        await understanding
        return contextOf(params)
      },
      spoke: (item_id, ms) => spoken.set(item_id, ms),
      inputUsage,
    })
    if (inBand) giving = given
    else beside.set(given.id, given)
    given.over.then((audioMs) => {
      beside.delete(given.id)
      if (inBand && !giving) awaitIdle(audioMs)
    })
  }

  /** The items that the brain is to answer; spoken ones with the words that were heard. */
  function contextOf({ input }: ResponseCreateParams): readonly Item[] {
    const items = itemsOf(conversation).map(inWords)
    if (!input) return items
    return input.flatMap((item) => {
      if (item.type !== 'item_reference') return [{ ...item, id: item.id ?? newId('item_') } as Item]
      return items.filter(({ id }) => id === item.id)
    })
  }

  function inWords(item: Item): Item {
    const known = heard.get(item.id)
    if (!known || item.type !== 'message') return item
    const content = contentOf(item).map((part) =>
      part.type === 'input_audio' ? { ...part, transcript: known.words } : part,
    )
    return { ...item, content } as Message
  }

  /** An answer was heard out, and nobody says anything: the silence is a turn of its own. */
  function awaitIdle(audioMs: number): void {
    const how = detection()
    const idle = how?.type === 'server_vad' ? how.idle_timeout_ms : null
    if (!idle || isOver) return
    const from = Math.round(msOf(written, inputFormat(session)))
    const cancel = clock.at(clock.now() + audioMs * (1 - 1 / pace) + idle, () => {
      stopIdle = null
      const item_id = newId('item_')
      const audio_end_ms = Math.round(msOf(written, inputFormat(session)))
      emit({ type: 'input_audio_buffer.timeout_triggered', audio_start_ms: from, audio_end_ms, item_id })
      takeBuffer()
      commitTurn(beginTurn(item_id), 0)
      if (!giving) respond({})
    })
    stopIdle = () => {
      stopIdle = null
      cancel()
    }
  }

  function inputUsage(items: readonly Item[]): NonNullable<Usage['input_token_details']> {
    const config = session.type === 'realtime' ? `${session.instructions}${JSON.stringify(session.tools ?? [])}` : ''
    const text = items.reduce((sum, item) => sum + (heard.has(item.id) ? 0 : textOf(item).length), config.length)
    const audio = items.reduce((sum, { id }) => sum + (heard.get(id)?.ms ?? 0) / 100 + (spoken.get(id) ?? 0) / 50, 0)
    return { text_tokens: Math.ceil(text / 4), audio_tokens: Math.ceil(audio), image_tokens: 0, cached_tokens: 0 }
  }

  const stopExpiry = clock.at(beganAt + sessionMs, () => {
    const expired = refusals.expired(Math.round(sessionMs / 60_000))
    emit(refusal(expired, null))
    options.hangUp(1001, expired.message)
  })

  function ended(): void {
    if (isOver) return
    isOver = true
    stopExpiry()
    stopIdle?.()
    turn?.listening.cancel()
    giving?.cancel('client_cancelled')
    for (const response of beside.values()) response.cancel('client_cancelled')
  }

  const began = { id: newId('sess_'), object: 'realtime.session', expires_at: Math.floor((beganAt + sessionMs) / 1000) }
  emit({ type: 'session.created', session: { ...session, ...began } })
  return { hear, ended }
}

const rateLimits = [
  { name: 'requests', limit: 1_000_000, remaining: 1_000_000, reset_seconds: 0 },
  { name: 'tokens', limit: 1_000_000, remaining: 1_000_000, reset_seconds: 0 },
] as const

function tokensOf(transcript: string, ms: number) {
  const input_tokens = Math.ceil(ms / 100)
  const output_tokens = Math.ceil(transcript.length / 4)
  const input_token_details = { audio_tokens: input_tokens, text_tokens: 0 }
  return {
    type: 'tokens',
    input_tokens,
    output_tokens,
    total_tokens: input_tokens + output_tokens,
    input_token_details,
  } as const
}

/** The fold knows the front of the conversation as `root`; the wire says that nothing stands before it. */
function onTheWire(event: ServerEvent): ServerEvent {
  return 'previous_item_id' in event && event.previous_item_id === 'root'
    ? ({ ...event, previous_item_id: null } as ServerEvent)
    : event
}
