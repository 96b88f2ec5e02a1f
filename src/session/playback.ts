/** What was heard: cutting an answer off, and telling the far end where. */
import { activeResponse, itemOf } from '../conversation/conversation.ts'
import type { Cut } from '../conversation/retell.ts'
import type { AudioDelta, Item } from '../protocol/events.ts'
import { cutAt } from './far-playback.ts'
import { heardSoFar, moreCame } from './heard-so-far.ts'
import type { Heard } from './speaker.ts'
import { type Effect, type Input, inTurn, type State, type Step, transmit, withTurn } from './state.ts'
import { forgotten, withUnheard } from './unheard.ts'

/** Items that began to be heard are remembered while their response may be given: the last ones are enough. */
const mostBegun = 32

type Silenced = Extract<Input, { readonly type: 'silenced' }>

/** Audio goes straight to the speaker; the state changes only with the item that is heard. */
export function played(state: State, audio: AudioDelta): Step {
  const { item_id, response_id } = audio
  if (isBeside(state, response_id)) return [state, []]
  if (state.turn.cut.includes(response_id)) return moreCame(state, audio)
  const play: Effect = { type: 'play', audio }
  if (state.playback.item?.item_id === item_id) return [state, [play]]
  const { begun = [] } = state.playback
  const all = begun.includes(item_id) ? begun : [...begun.slice(1 - mostBegun), item_id]
  return [{ ...state, playback: { ...state.playback, item: { item_id, response_id }, begun: all } }, [play]]
}

/** A speaker that threw is told of once a response: nothing more of that one goes to it, and it counts as not heard. */
export function unplayable(state: State, response_id: string, error: unknown): Step {
  if (state.turn.cut.includes(response_id)) return [state, []]
  const { item, begun = [] } = state.playback
  const left = item?.response_id === response_id ? begun.filter((id) => id !== item.item_id) : begun
  const next = withCut({ ...state, playback: { ...state.playback, begun: left } }, [response_id])
  return [next, [{ type: 'tell', notice: { type: 'failed', error } }, { type: 'hush' }]]
}

export function drained(state: State): Step {
  return state.playback.item ? [{ ...state, playback: { ...state.playback, item: null } }, []] : [state, []]
}

/** The app silences the agent: what is given or still heard; else what was asked for and has not begun. */
export function interrupted(before: State, cancel: boolean): Step {
  const { asked } = before.turn
  const isQuiet = !activeResponse(before.conversation) && !before.playback.item
  if (!isQuiet) return silence(before, cancel)
  const state = withTurn(before, { owed: [], asked: asked && { ...asked, cut: true } })
  return inTurn([state, dropped(before)], (next) => silence(next, cancel))
}

/** What is given is cancelled, what is heard is hushed. */
export function silence(state: State, cancel: boolean): Step {
  const active = activeResponse(state.conversation)
  const cancelling = active && cancel && state.link.at === 'live' && !state.turn.cut.includes(active.id)
  const cancels = cancelling ? [transmit({ type: 'response.cancel', response_id: active.id })] : []
  return [cutOff(state), [...cancels, { type: 'hush' }]]
}

/** Those who wait for a response that will not be given are told. */
function dropped({ turn }: State): readonly Effect[] {
  const asks = [...turn.owed, ...(turn.asked ? [turn.asked.ask] : [])]
  const ids = asks.flatMap(({ id }) => id ?? [])
  return ids.length ? [{ type: 'tell', notice: { type: 'dropped', ids } }] : []
}

/** One response is heard no further; what is heard of another goes on. `heard`: what was held of it, and is dropped. */
export function cut(state: State, response_id: string, heard: readonly Heard[] = []): Step {
  if (state.turn.cut.includes(response_id)) return [state, []]
  const isActive = activeResponse(state.conversation)?.id === response_id
  const isHeard = state.playback.item?.response_id === response_id
  const isGiven = isActive || isBeside(state, response_id)
  if (!isGiven && !isHeard && !heard.length) return [state, []]
  const cancels = isGiven && state.link.at === 'live' ? [transmit({ type: 'response.cancel', response_id })] : []
  const next = withCut(state, [response_id])
  // Where the speaker falls silent, it says more exactly what was heard.
  return isHeard ? [next, [...cancels, { type: 'hush' }]] : inTurn([next, cancels], (after) => cutShort(after, heard))
}

/** What is said beside the conversation is not heard in it: who asked for it has its sound. */
function isBeside({ conversation }: State, response_id: string): boolean {
  return conversation.responses.some(({ id, conversation_id }) => id === response_id && conversation_id === null)
}

/** The user speaks. The far end cancels its response by itself, unless it was configured not to. */
export function bargedIn(state: State): Step {
  const detection = state.config.audio?.input?.turn_detection
  if (detection && detection.interrupt_response === false) return [state, []]
  // Where the far end plays, it falls silent by itself, and says so.
  return [cutOff(state), state.playback.isFar ? [] : [{ type: 'hush' }]]
}

/** The speaker fell silent. */
export function silenced(state: State, { heard, growing = [], charsPerMs }: Silenced, now: number): Step {
  if (state.playback.isFar) {
    const clears = state.link.at === 'live' ? [transmit({ type: 'output_audio_buffer.clear' })] : []
    return inTurn([state, clears], (next) => cutAt(next, now))
  }
  const { cuts } = state.playback
  const soFar = heardSoFar(state, growing, heard).map(
    ([item_id, cut]) => [item_id, { ...cut, ...paceOf(itemOf(state.conversation, item_id), charsPerMs) }] as const,
  )
  const playback = { ...state.playback, cuts: soFar.length ? { ...cuts, ...Object.fromEntries(soFar) } : cuts }
  const quiet = drained({ ...state, playback })
  const told: Effect = { type: 'tell', notice: { type: 'audio_interrupted' } }
  return heard.length
    ? inTurn(
        quiet,
        (next) => cutShort(next, heard, charsPerMs),
        (next) => [next, [told]],
      )
    : quiet
}

/**
 * These were not heard to their end. At most one truncate an item of the conversation, an integer, `0 < audio_end_ms <= received`,
 * never of what was heard to its end; what was not heard at all is deleted.
 */
function cutShort(state: State, heard: readonly Heard[], charsPerMs?: number): Step {
  if (!heard.length) return [state, []]
  const cuts: Record<string, Cut> = { ...state.playback.cuts }
  const truncates: Effect[] = []
  const unheard: string[] = []
  for (const { item_id, content_index, heardMs, receivedMs } of heard) {
    const item = itemOf(state.conversation, item_id)
    if (Object.hasOwn(cuts, item_id) || receivedMs < 1 || !item) continue
    const audio_end_ms = Math.min(Math.floor(heardMs), Math.floor(receivedMs))
    cuts[item_id] = { heardMs: audio_end_ms < 1 ? 0 : heardMs, receivedMs, ...paceOf(item, charsPerMs) }
    if (audio_end_ms < 1) unheard.push(item_id)
    // What this far end was told as text has no sound to truncate.
    else if (state.link.at === 'live' && !state.link.retold.has(item_id))
      truncates.push(transmit({ type: 'conversation.item.truncate', item_id, content_index, audio_end_ms }))
  }
  const next = withUnheard({ ...state, playback: { ...state.playback, cuts } }, unheard)
  return inTurn([next, truncates], forgotten)
}

/** Of what is still being given, words have come whose sound has not. */
function paceOf(item: Item | undefined, charsPerMs: number | undefined): Partial<Cut> {
  const isWhole = item?.type === 'message' && item.status !== 'in_progress' && item.status !== 'incomplete'
  return isWhole || charsPerMs === undefined ? {} : { charsPerMs }
}

/** Nobody waits for them to say something any more. */
function withCut(state: State, ids: readonly string[]): State {
  const { given, cut } = state.turn
  const isWaitedFor = given !== null && ids.includes(given.response_id)
  return withTurn(state, { cut: [...cut.slice(-7), ...ids], given: isWaitedFor ? { ...given, until: null } : given })
}

/** What is being given, and what is being heard, is heard no further. */
function cutOff(state: State): State {
  const ids = [activeResponse(state.conversation)?.id, state.playback.item?.response_id]
  const fresh = ids.filter(
    (id, n): id is string => id !== undefined && ids.indexOf(id) === n && !state.turn.cut.includes(id),
  )
  return fresh.length ? withCut(state, fresh) : state
}
