/**
 * Who may be interrupting. In confirm mode the speaker waits while it is not certain; then the agent is cut, as by any
 * barge-in, or it goes on from the same sample and the noise is taken out of the conversation. So that the far end decides
 * nothing by itself, it is told to leave interrupting and answering to us: `detectionSaid`.
 */
import { activeResponse } from '../conversation/conversation.ts'
import type { ServerEvent, SessionConfig, TranscriptionSessionConfig, TurnDetection } from '../protocol/events.ts'
import type { Candidate, Interruption } from './interruption-options.ts'
import { bargedIn, silence } from './playback.ts'
import { deletion, type Effect, inTurn, plain, type State, type Step, transmit, type Update } from './state.ts'
import { asked } from './turn.ts'

/** ms after the end of a turn within which it has words, or none. */
const wordsMs = 2_000
/** Whoever goes on for this many ms is no noise, whatever the words are. */
const longestMs = 10_000

type ServerVad = Extract<TurnDetection, { type: 'server_vad' }>
type Event<Type> = Extract<ServerEvent, { readonly type: Type }>

/** The far end says what the session is: its own defaults too. */
export function configTold(
  state: State,
  session: Partial<SessionConfig | TranscriptionSessionConfig> | undefined,
): State {
  const told = session?.audio?.input?.turn_detection
  const { detection: before } = state.interruption
  if (told === undefined) return state
  const { silence_duration_ms, prefix_padding_ms } = (told ?? {}) as Partial<ServerVad>
  const detection = {
    type: told === null ? null : told.type,
    silenceMs: msOr(before.silenceMs, silence_duration_ms),
    paddingMs: msOr(before.paddingMs, prefix_padding_ms),
  }
  const isSame = Object.entries(detection).every(([key, value]) => before[key as keyof typeof before] === value)
  return isSame ? state : withInterruption(state, { detection })
}

function msOr(before: number, told: unknown): number {
  return typeof told === 'number' && Number.isFinite(told) ? told : before
}

// ── somebody speaks ──────────────────────────────────────────────────────────────────────────────────────────────────

export function speechStarted(state: State, event: Event<'input_audio_buffer.speech_started'>, now: number): Step {
  const { policy, guarded, candidates, held } = state.interruption
  if (guarded.length) return [state, []]
  if (!policy || state.part.attached) return bargedIn(state)
  if (!interrupts(state) || !(isSpeaking(state) || held)) return [state, []]
  const { item_id, audio_start_ms: startMs } = event
  const until = now + (byWords(state) ? longestMs : policy.minMs + aroundSpeech(state).silenceMs)
  const one: Candidate = { item_id, startMs, isStopped: false, isCommitted: false, until }
  const next = withInterruption(state, { candidates: [...candidates, one], held: true })
  // A far end that plays cannot hold its breath: it goes on until it is cut.
  const isOn = held || state.playback.isFar
  return [next, isOn ? [] : [{ type: 'pause' }, { type: 'tell', notice: { type: 'audio_paused' } }]]
}

export function speechStopped(state: State, event: Event<'input_audio_buffer.speech_stopped'>, now: number): Step {
  const { item_id, audio_end_ms } = event
  const next = withInterruption(state, { stopped: item_id })
  const one = candidate(next, item_id)
  if (!one) return [next, []]
  if (byWords(next)) return [changed(next, { ...one, isStopped: true, until: now + wordsMs }), []]
  const { silenceMs, paddingMs } = aroundSpeech(next)
  const spokenMs = audio_end_ms - one.startMs - paddingMs - silenceMs
  return spokenMs < next.interruption.policy!.minMs ? refuted(next, one) : confirmed(next, one)
}

/** A turn that the far end heard end is answered when it is one; what the app commits, the app asks about. */
export function committed(state: State, item_id: string): Step {
  const { stopped, noises } = state.interruption
  const isHeard = stopped === item_id
  const next = isHeard ? withInterruption(state, { stopped: null }) : state
  if (noises.includes(item_id)) {
    return deleted(withInterruption(next, { noises: noises.filter((id) => id !== item_id) }), item_id)
  }
  const one = candidate(next, item_id)
  if (one) return isHeard ? [changed(next, { ...one, isCommitted: true }), []] : confirmed(next, one)
  return isHeard ? turned(next, item_id) : [next, []]
}

/** The app took back what is being said: it will not be heard to end. */
export function cleared(state: State): Step {
  const unheard = state.interruption.candidates.filter(({ isStopped }) => !isStopped)
  return inTurn([state, []], ...unheard.map((one) => (next: State) => refuted(next, one)))
}

export function heardWords(state: State, item_id: string, count: number, isIgnored: boolean, isFinal: boolean): Step {
  const one = candidate(state, item_id)
  if (!one || !byWords(state)) return [state, []]
  if (count >= state.interruption.policy!.minWords && !isIgnored) return confirmed(state, one)
  return isFinal ? refuted(state, one) : [state, []]
}

/** Who spoke on is an interruption; who stopped and has no words is none. */
export function ripened(state: State, now: number): Step {
  const { candidates } = state.interruption
  const ripe = candidates.filter(({ until }) => until <= now)
  return inTurn([state, []], ...ripe.map((one) => (next: State) => decided(next, one)))
}

function decided(state: State, { item_id }: Candidate): Step {
  const one = candidate(state, item_id)
  if (!one) return [state, []]
  return one.isStopped ? refuted(state, one) : confirmed(state, one)
}

// ── what becomes of it ───────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Somebody interrupts. All others who spoke before are answered with them. What nobody may interrupt, and began after
 * they did, goes on.
 */
function confirmed(state: State, { item_id, isCommitted }: Candidate): Step {
  const { held, candidates, guarded } = state.interruption
  const others = held ? [] : candidates.filter((other) => other.item_id !== item_id)
  const next = withInterruption(state, { candidates: others, held: false })
  const cut: Step = held && !guarded.length ? silence(next, true) : [next, held ? resuming(next) : []]
  return isCommitted ? inTurn(cut, (after) => turned(after, item_id)) : cut
}

/** It was nothing: the speaker goes on, unless somebody else speaks. */
function refuted(state: State, { item_id, isCommitted, isStopped }: Candidate): Step {
  const { candidates, noises, held } = state.interruption
  const left = candidates.filter((other) => other.item_id !== item_id)
  const next = withInterruption(state, {
    candidates: left,
    held: held && left.length > 0,
    noises: isStopped || isCommitted || state.interruption.stopped === item_id ? [...noises, item_id] : noises,
  })
  const resumed: Step = [next, held && !left.length ? resuming(next) : []]
  if (!isCommitted) return resumed
  return inTurn(resumed, (after) => deleted(withInterruption(after, { noises }), item_id))
}

function resuming({ playback }: State): readonly Effect[] {
  return playback.isFar ? [] : [{ type: 'resume' }, { type: 'tell', notice: { type: 'audio_resumed' } }]
}

function deleted(state: State, item_id: string): Step {
  const next = { ...state, removed: [...state.removed, item_id] }
  return [next, state.link.at === 'live' ? [deletion(item_id)] : []]
}

/** A turn was taken. Where the far end does not answer it by itself, it is asked to. */
function turned(state: State, turn: string): Step {
  const detection = given(state)
  if (state.part.attached || detection === null || detection?.create_response === false) return [state, []]
  const active = activeResponse(state.conversation)
  // The far end answers no turn while it gives a response that it does not cancel; our own cancel may come too late.
  const isLeft = detection?.interrupt_response === false || !state.turn.cut.includes(active?.id ?? '')
  const isDeaf = active !== undefined && isLeft
  return state.interruption.policy || isDeaf ? asked(state, { ...plain, turn }) : [state, []]
}

/** The speaker fell silent, for whatever reason: there is nothing to go on with. */
export function unheld(state: State): State {
  return state.interruption.held ? withInterruption(state, { held: false }) : state
}

// ── what the far end is told ─────────────────────────────────────────────────────────────────────────────────────────

/** The config as it is said: what is left to us stands in it, where the app says how turns are detected. */
export function configSaid(state: State, config: Partial<SessionConfig>): Partial<SessionConfig> {
  const detection = config.audio?.input?.turn_detection
  const { policy } = state.interruption
  const isConfirming = policy !== null && !state.part.attached
  if (!detection || (!isConfirming && !isGuarding(state))) return config
  const turn_detection = { ...detection, ...left(isConfirming) }
  return { ...config, audio: { ...config.audio, input: { ...config.audio?.input, turn_detection } } }
}

function left(isAskingToo: boolean): Partial<TurnDetection> {
  return { interrupt_response: false, ...(isAskingToo ? { create_response: false } : {}) }
}

/** The far end is to leave interrupting to us: in confirm mode always, else while nobody may interrupt. */
function isLeft(state: State): boolean {
  const { policy, detection } = state.interruption
  const wanted = given(state)
  if (wanted === null || (wanted === undefined && detection.type === null)) return false
  return (policy !== null && !state.part.attached) || (isGuarding(state) && wanted?.interrupt_response !== false)
}

/** A line begins: the join says what is left to us where the app says how turns are detected. */
export function joining(state: State): State {
  return withInterruption(state, { spares: isLeft(state) && given(state) !== undefined })
}

/** Nobody may interrupt what was asked for, or is given or heard. */
export function isGuarding({ turn, interruption }: State): boolean {
  return interruption.guarded.length > 0 || (turn.asked?.ask.uninterruptible === true && !turn.asked.cut)
}

/**
 * What follows whatever happened: who is guarded now, and that the far end knows; and that a speaker does not wait for
 * somebody who cannot be heard any more.
 */
export function settled(before: State, [after, effects]: Step): Step {
  if (after === before) return [after, effects]
  const guarded = guardedIn(after)
  const next = guarded === after.interruption.guarded ? after : withInterruption(after, { guarded })
  const isLost = before.link.at === 'live' && after.link.at !== 'live'
  const [state, more] = isLost ? released(next) : given(next) === null ? cleared(next) : [next, []]
  const [last, update] = spared(state)
  if (!more.length && !update.length) return [last, effects]
  const first = effects.findIndex(isForThem)
  return [last, [...effects.toSpliced(first < 0 ? effects.length : first, 0, ...update), ...more]]
}

/** An order upon which the far end may hear somebody, or speak. */
function isForThem(effect: Effect): boolean {
  return effect.type === 'flush' || (effect.type === 'transmit' && effect.event.type === 'response.create')
}

function guardedIn({ turn, playback, conversation, interruption }: State): Interruption['guarded'] {
  const { given, cut } = turn
  const { guarded } = interruption
  const isNew = given?.ask.uninterruptible && !guarded.includes(given.response_id)
  if (!guarded.length && !isNew) return guarded
  const left = (isNew ? [...guarded, given.response_id] : guarded).filter(
    (id) => !cut.includes(id) && (playback.item !== null || conversation.responses.some((one) => one.id === id)),
  )
  return left.length === guarded.length && !isNew ? guarded : left
}

function released(state: State): Step {
  const { held, candidates, stopped, noises } = state.interruption
  if (!candidates.length && stopped === null && !noises.length) return [state, []]
  const next = withInterruption(state, { candidates: [], held: false, stopped: null, noises: [] })
  return [next, held ? resuming(next) : []]
}

/**
 * A change of the config that changes nothing of the app's; it comes before the sound or the response that it is for.
 * What was said has to be unsaid by name: a detection of the same kind keeps what it is not told.
 */
function spared(state: State): Step {
  const spares = isLeft(state)
  const { policy, detection, spares: before } = state.interruption
  if (state.link.at !== 'live' || spares === before) return [state, []]
  const next = withInterruption(state, { spares })
  const type = given(state)?.type ?? detection.type
  if (given(state) === null || type === null) return [next, []]
  const event_id = `spare_${state.ids}`
  const update: Update = { event_id, config: state.config, before: state.config }
  const is = spares ? left(policy !== null) : { interrupt_response: true }
  const turn_detection = { type, ...given(state), ...is } as TurnDetection
  const session = { type: 'realtime', audio: { input: { turn_detection } } } as const
  return [
    { ...next, ids: state.ids + 1, updates: [...state.updates, update] },
    [transmit({ type: 'session.update', event_id, session })],
  ]
}

// ── what is known ────────────────────────────────────────────────────────────────────────────────────────────────────

export function withInterruption(state: State, change: Partial<Interruption>): State {
  return { ...state, interruption: { ...state.interruption, ...change } }
}

function candidate({ interruption }: State, item_id: string): Candidate | undefined {
  return interruption.candidates.find((one) => one.item_id === item_id)
}

function changed(state: State, one: Candidate): State {
  const candidates = state.interruption.candidates.map((other) => (other.item_id === one.item_id ? one : other))
  return withInterruption(state, { candidates })
}

/** The agent is heard, or about to be. */
function isSpeaking({ conversation, playback, turn }: State): boolean {
  const active = activeResponse(conversation)
  return (
    playback.item !== null ||
    (turn.asked !== null && !turn.asked.cut) ||
    (active !== undefined && !turn.cut.includes(active.id))
  )
}

/** What the app says about turns; undefined where it says nothing. */
function given({ config }: State): TurnDetection | null | undefined {
  return config.audio?.input?.turn_detection
}

function interrupts(state: State): boolean {
  const detection = given(state)
  return detection !== null && detection?.interrupt_response !== false
}

/** Words decide, where there will be some. */
function byWords({ interruption, config }: State): boolean {
  return (interruption.policy?.minWords ?? 0) > 0 && Boolean(config.audio?.input?.transcription)
}

/**
 * What is no speech in a turn, in ms: the silence after which the far end says that it has ended, and the padding with
 * which it begins. What the app says stands; what it leaves open is as the far end said.
 */
function aroundSpeech(state: State): { readonly silenceMs: number; readonly paddingMs: number } {
  const told = state.interruption.detection
  const wanted = given(state)
  if ((wanted ?? told).type !== 'server_vad') return { silenceMs: 0, paddingMs: 0 }
  const { silence_duration_ms = told.silenceMs, prefix_padding_ms = told.paddingMs } = (wanted ??
    {}) as Partial<ServerVad>
  return { silenceMs: silence_duration_ms, paddingMs: prefix_padding_ms }
}
