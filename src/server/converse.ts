/**
 * One call: it hears, takes turns and answers, in the time of a clock. The rules are `decide.ts`'s, a response is
 * `respond.ts`'s; here stands the talk: which turn ends when, and who speaks.
 */
import { type Conversation, contentOf, empty, evolve, itemsOf, textOf } from '../conversation/conversation.ts'
import { charsPerMs, learned, type Rate, usualRate } from '../conversation/rate.ts'
import { type Cut, heardPart } from '../conversation/retell.ts'
import { fromBase64 } from '../protocol/base64.ts'
import type { Clock } from '../protocol/clock.ts'
import { messageOf } from '../protocol/errors.ts'
import type {
  ClientEvent,
  Item,
  ItemToCreate,
  Message,
  ResponseCreateParams,
  ServerEvent,
  Usage,
} from '../protocol/events.ts'
import { newId as idOf } from '../protocol/ids.ts'
import { recordings, withoutWords } from './recordings.ts'
import { type Giving, give } from './respond.ts'
import { type Answer, type CallState, decide, refusal } from './rules/decide.ts'
import { refusals } from './rules/refusals.ts'
import { type AnySession, defaultSession, objectOf } from './rules/session-config.ts'
import type { Brain, Ears, Voice } from './senses.ts'
import { detectionOf, type HeardTurn, hearing } from './turns/hearing.ts'
import { listener } from './turns/sound.ts'
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
  readonly vad?: () => Vad
  /** For a line that carries the sound itself: no event has it then, and the server knows what was sent out. */
  readonly outgoing?: (told: OutgoingEvents) => Outgoing
}

/** The sound that is on its way to the caller, as long as it is heard. */
export interface Outgoing {
  /** Something is being heard, or waits to be. */
  readonly isPlaying: boolean
  /** Takes the next sound of an item: PCM16 samples at 24 kHz. */
  play(response_id: string, item_id: string, samples: Int16Array): void
  /** No more sound comes of this response. */
  finish(response_id: string): void
  /** Forgets what was not sent: which response was being heard, and how much of each item that is not whole now. */
  clear(): {
    readonly response_id: string | null
    readonly cut: readonly { readonly item_id: string; readonly sentMs: number }[]
  }
}

export interface OutgoingEvents {
  /** The first packet of a response was sent. */
  readonly started: (response_id: string) => void
  /** All of it was sent, and heard. */
  readonly stopped: (response_id: string) => void
}

export interface Call {
  hear(event: ClientEvent): void
  /** Takes sound of a line that carries it: PCM16 at 24 kHz, whole samples. */
  hearSound(bytes: Uint8Array): void
  /** The line is gone: nothing more is emitted. */
  ended(): void
}

/** Bytes of audio that a call keeps for `conversation.item.retrieve`: five minutes and a half of PCM16. */
const recordingLimit = 16 * 1024 * 1024

export function converse(options: ConverseOptions): Call {
  const { clock, random, ears, pace = 4, epochMs = 0, sessionMs = 60 * 60_000, vad = energyVad } = options
  const newId = (prefix: string) => idOf(prefix, random)
  const conversationId = newId('conv_')
  const beganAt = clock.now()
  const config = options.session ?? defaultSession('gpt-realtime-2.1')
  const named = {
    id: newId('sess_'),
    object: objectOf(config),
    expires_at: Math.floor((epochMs + beganAt + sessionMs) / 1000),
  }
  let session: AnySession = { ...config, ...named }
  let conversation: Conversation = empty
  let isOver = false

  let giving: Giving | null = null
  const beside = new Map<string, Giving>()
  const spoken = new Map<string, number>()
  /** The words that the brain knows and the wire may not say: of the user's turns, and of answers that were cut off. */
  const heard = new Map<string, { words: string; ms: number }>()
  /** Answers that were cut off, as they were before: no more of their sound counts, and their words are gone. */
  const cut = new Map<string, { readonly words: string; readonly of: Omit<Cut, 'heardMs'> }>()
  let rate: Rate = usualRate
  const recorded = recordings(recordingLimit)
  let understanding: Promise<unknown> = Promise.resolve()
  let stopIdle: (() => void) | null = null
  const microphone = hearing({ clock, ears, vad, session: () => session, newId, started, stopped })
  const toLine = listener(24_000)
  /** The response of which no more is played: its sound was cleared. */
  let hushed: string | null = null
  const outgoing = options.outgoing?.({
    started: (response_id) => emit({ type: 'output_audio_buffer.started', response_id }),
    stopped(response_id) {
      emit({ type: 'output_audio_buffer.stopped', response_id })
      if (!giving) awaitIdle(0)
    },
  })

  function emit(answer: Answer): void {
    if (isOver) return
    const event = { event_id: newId('event_'), ...answer } as ServerEvent
    conversation = evolve(conversation, event)
    options.emit(onTheWire(event))
    if (event.type !== 'response.output_item.done') return
    const { item } = event
    if (cut.has(item.id)) forgetWords(item.id)
    else if (isWhole(item)) rate = learned(rate, textOf(item).length, spoken.get(item.id) ?? 0)
  }

  function hear(event: ClientEvent): void {
    if (isOver) return
    let answers: readonly Answer[]
    try {
      answers = decide(stateNow(), event, newId)
    } catch (error) {
      answers = [
        refusal(
          { type: 'invalid_request_error', code: 'invalid_value', message: messageOf(error), param: null },
          event,
        ),
      ]
    }
    for (const answer of answers) emit(withAudio(answer))
    if (!answers.some(({ type }) => type === 'error')) act(event, answers)
  }

  function stateNow(): CallState {
    const { bufferedMs } = microphone
    return { session, conversation, bufferedMs, spoken, carriesSound: outgoing !== undefined }
  }

  /** What follows when an event was accepted. */
  function act(event: ClientEvent, answers: readonly Answer[]): void {
    switch (event.type) {
      case 'session.update':
        return configured(answers)
      case 'input_audio_buffer.append':
        return microphone.write(fromBase64(event.audio))
      case 'input_audio_buffer.commit':
        return commit()
      case 'input_audio_buffer.clear':
        return microphone.clear()
      case 'conversation.item.create':
        return created(event.item, answers)
      case 'conversation.item.truncate':
        return truncated(event.item_id, event.audio_end_ms)
      case 'response.create':
        return respond(event.response ?? {})
      case 'response.cancel':
        return (beside.get(event.response_id ?? '') ?? giving)?.cancel('client_cancelled')
      case 'output_audio_buffer.clear':
        return hush()
    }
  }

  function withAudio(answer: Answer): Answer {
    return answer.type === 'conversation.item.retrieved' ? { ...answer, item: recorded.withAudio(answer.item) } : answer
  }

  function truncated(item_id: string, heardMs: number): void {
    const item = itemsOf(conversation).find(({ id }) => id === item_id)
    const pace = item && isWhole(item) ? {} : { charsPerMs: charsPerMs(rate) }
    const of = { receivedMs: spoken.get(item_id) ?? 0, ...pace }
    const whole = cut.get(item_id) ?? { words: item ? textOf(item) : '', of }
    cut.set(item_id, whole)
    heard.set(item_id, { words: heardPart(whole.words, { heardMs, ...whole.of }), ms: 0 })
    spoken.set(item_id, heardMs)
    recorded.truncate(item_id, heardMs)
    forgetWords(item_id)
  }

  function forgetWords(item_id: string): void {
    const item = withoutWords(conversation, item_id)
    if (item) conversation = evolve(conversation, { type: 'conversation.item.done', event_id: '', item })
  }

  function stands(item_id: string): boolean {
    return conversation.items.some(({ id }) => id === item_id)
  }

  function configured(answers: readonly Answer[]): void {
    const before = session
    for (const answer of answers) if (answer.type === 'session.updated') session = answer.session
    const was = [before.audio?.input?.format, before.audio?.input?.turn_detection]
    const is = [session.audio?.input?.format, session.audio?.input?.turn_detection]
    if (JSON.stringify(was) !== JSON.stringify(is)) microphone.configured()
    if (!idleOf(session)) stopIdle?.()
  }

  // ── hearing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  function started(audio_start_ms: number, item_id: string): void {
    emit({ type: 'input_audio_buffer.speech_started', audio_start_ms, item_id })
    stopIdle?.()
    if (detectionOf(session)?.interrupt_response === false) return
    hush(() => giving?.cancel('turn_detected'))
  }

  /** What the caller has not heard is not said: the buffer is cleared, and what was on its way is cut at what was sent. */
  function hush(cancel: () => void = () => {}): void {
    if (!outgoing?.isPlaying) return cancel()
    hushed = giving?.id ?? null
    const { response_id, cut: items } = outgoing.clear()
    cancel()
    if (response_id) emit({ type: 'output_audio_buffer.cleared', response_id })
    for (const { item_id, sentMs: audio_end_ms } of items) {
      if (!stands(item_id)) continue
      emit({ type: 'conversation.item.truncated', item_id, content_index: 0, audio_end_ms })
      truncated(item_id, audio_end_ms)
    }
  }

  function stopped(audio_end_ms: number, turn: HeardTurn): void {
    emit({ type: 'input_audio_buffer.speech_stopped', audio_end_ms, item_id: turn.item_id })
    commit(turn)
    if (session.type === 'realtime' && detectionOf(session)?.create_response !== false && !giving) respond({})
  }

  function commit(turn: HeardTurn = microphone.take()): void {
    const { item_id, ms, audio } = turn
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
    for (const piece of audio) recorded.add(item_id, piece)
    heard.set(item_id, { words: '', ms })
    understanding = Promise.all([understanding, transcribe(turn)])
  }

  /** A message may bring audio of its own; the item that was answered with has none. */
  function created(asked: ItemToCreate, answers: readonly Answer[]): void {
    const [answer] = answers
    if (answer?.type !== 'conversation.item.added' || asked.type !== 'message') return
    const { id: item_id } = answer.item
    const parts = contentOf(asked as Message)
    const sound = parts.filter((part) => part.type === 'input_audio' && part.audio)
    if (!sound.length) return
    const pieces = sound.map((part) => fromBase64(('audio' in part && part.audio) || ''))
    const turn = microphone.hearWhole(item_id, pieces)
    for (const piece of turn.audio) recorded.add(item_id, piece)
    heard.set(item_id, { words: textOf(answer.item), ms: turn.ms })
    understanding = Promise.all([understanding, transcribe(turn, parts.indexOf(sound[0]!))])
  }

  /** Words come by and by after the turn was taken, beside all else. */
  async function transcribe({ item_id, ms, words, follow }: HeardTurn, content_index = 0): Promise<void> {
    const { transcription } = session.audio?.input ?? {}
    const at = { item_id, content_index }
    let told = ''
    const tell = (delta: string) => {
      told += delta
      if (delta) emit({ type: 'conversation.item.input_audio_transcription.delta', ...at, delta })
    }
    if (transcription) follow(tell)
    const transcript = await words.catch((error: unknown) => {
      const failure = { type: 'server_error', code: 'transcription_failed', message: messageOf(error) }
      if (transcription) emit({ type: 'conversation.item.input_audio_transcription.failed', ...at, error: failure })
    })
    if (transcript === undefined) return
    heard.set(item_id, { words: transcript, ms })
    if (!transcription) return
    if (transcript.startsWith(told)) tell(transcript.slice(told.length))
    const usage = transcription.model?.startsWith('gpt-4o')
      ? tokensOf(transcript, ms)
      : ({ type: 'duration', seconds: ms / 1000 } as const)
    emit({ type: 'conversation.item.input_audio_transcription.completed', ...at, transcript, usage })
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
        if (event.type !== 'response.done') return
        emit({ type: 'rate_limits.updated', rate_limits: rateLimits })
        outgoing?.finish(event.response.id!)
      },
      newId,
      last: () => conversation.items.at(-1)?.id ?? null,
      stands,
      context: async () => {
        await understanding
        return contextOf(params)
      },
      carriesSound: outgoing !== undefined,
      spoke: (response_id, item_id, piece) => {
        if (cut.has(item_id) || hushed === response_id) return
        outgoing?.play(response_id, item_id, toLine.samples(piece))
        spoken.set(item_id, (spoken.get(item_id) ?? 0) + piece.ms)
        if (stands(item_id)) recorded.add(item_id, piece)
      },
      inputUsage,
    })
    if (inBand) giving = given
    else beside.set(given.id, given)
    given.over.then((audioMs) => {
      beside.delete(given.id)
      if (inBand && !giving && !outgoing?.isPlaying) awaitIdle(outgoing ? 0 : audioMs)
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
      part.type === 'input_audio' || part.type === 'output_audio' ? { ...part, transcript: known.words } : part,
    )
    return { ...item, content } as Message
  }

  /** An answer was heard out, and nobody says anything: the silence is a turn of its own. */
  function awaitIdle(audioMs: number): void {
    const idle = idleOf(session)
    if (!idle || isOver || microphone.isSpeaking) return
    const rest = (ms: number, then: () => void) => {
      const cancel = clock.at(clock.now() + ms, then)
      stopIdle = () => {
        stopIdle = null
        cancel()
      }
    }
    rest(audioMs * (1 - 1 / pace), () => {
      const audio_start_ms = Math.round(microphone.writtenMs)
      rest(idle, () => {
        stopIdle = null
        const silence = microphone.take()
        const audio_end_ms = Math.round(microphone.writtenMs)
        emit({ type: 'input_audio_buffer.timeout_triggered', audio_start_ms, audio_end_ms, item_id: silence.item_id })
        commit(silence)
        if (!giving) respond({})
      })
    })
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
    void microphone.end()
    giving?.cancel('client_cancelled')
    for (const response of beside.values()) response.cancel('client_cancelled')
  }

  emit({ type: 'session.created', session })
  return {
    hear,
    hearSound(bytes) {
      if (!isOver) microphone.writeSound(bytes)
    },
    ended,
  }
}

/** All of its words were put into sound. */
function isWhole(item: Item): boolean {
  return item.type === 'message' && item.status === 'completed'
}

function idleOf(session: AnySession): number | null | undefined {
  const how = detectionOf(session)
  return how?.type === 'server_vad' ? how.idle_timeout_ms : null
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
