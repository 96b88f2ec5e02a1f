/** What was heard: cutting an answer off, and telling the far end where. */
import { activeResponse } from '../conversation/conversation.ts'
import { find } from '../conversation/order.ts'
import type { Cut } from '../conversation/retell.ts'
import type { AudioDelta } from '../protocol/events.ts'
import type { Heard } from './speaker.ts'
import { type Effect, type State, type Step, transmit, withTurn } from './state.ts'

/** Audio goes straight to the speaker; the state changes only with the item that is heard. */
export function played(state: State, audio: AudioDelta): Step {
  const { item_id, response_id } = audio
  if (state.turn.cut.includes(response_id)) return [state, []]
  const play: Effect = { type: 'play', audio }
  if (state.playback.item?.item_id === item_id) return [state, [play]]
  return [{ ...state, playback: { ...state.playback, item: { item_id, response_id } } }, [play]]
}

export function drained(state: State): Step {
  return state.playback.item ? [{ ...state, playback: { ...state.playback, item: null } }, []] : [state, []]
}

/** The app silences the agent: what is given or still heard; else what was asked for and has not begun. */
export function interrupted(before: State, cancel: boolean): Step {
  const { asked, cut } = before.turn
  const active = activeResponse(before.conversation)
  const isQuiet = !active && !before.playback.item
  const state = isQuiet ? withTurn(before, { owed: [], asked: asked && { ...asked, cut: true } }) : before
  const cancelling = active && cancel && state.link.at === 'live' && !cut.includes(active.id)
  const cancels = cancelling ? [transmit({ type: 'response.cancel', response_id: active.id })] : []
  return [cutOff(state), [...dropped(isQuiet ? before : null), ...cancels, { type: 'hush' }]]
}

/** Those who wait for a response that will not be given are told. */
function dropped(state: State | null): readonly Effect[] {
  const asks = state ? [...state.turn.owed, ...(state.turn.asked ? [state.turn.asked.ask] : [])] : []
  const ids = asks.flatMap(({ id }) => id ?? [])
  return ids.length ? [{ type: 'tell', notice: { type: 'dropped', ids } }] : []
}

/** One response is heard no further; what is heard of another goes on. */
export function cut(state: State, response_id: string): Step {
  if (state.turn.cut.includes(response_id)) return [state, []]
  const isActive = activeResponse(state.conversation)?.id === response_id
  const isHeard = state.playback.item?.response_id === response_id
  if (!isActive && !isHeard) return [state, []]
  const cancels = isActive && state.link.at === 'live' ? [transmit({ type: 'response.cancel', response_id })] : []
  const next = withTurn(state, { cut: [...state.turn.cut.slice(-7), response_id] })
  return [next, [...cancels, ...(isHeard ? [{ type: 'hush' } as const] : [])]]
}

/** The user speaks. The far end cancels its response by itself, unless it was configured not to. */
export function bargedIn(state: State): Step {
  const detection = state.config.audio?.input?.turn_detection
  if (detection && detection.interrupt_response === false) return [state, []]
  return [cutOff(state), [{ type: 'hush' }]]
}

/**
 * The speaker fell silent. At most one truncate an item of the conversation, an integer, `0 < audio_end_ms <= received`, never of what was
 * heard to its end.
 */
export function silenced(state: State, heard: readonly Heard[]): Step {
  if (heard.length === 0) return drained(state)
  const cuts: Record<string, Cut> = { ...state.playback.cuts }
  const truncates: Effect[] = []
  for (const { item_id, content_index, heardMs, receivedMs } of heard) {
    if (Object.hasOwn(cuts, item_id) || receivedMs < 1 || find(state.conversation.items, item_id) < 0) continue
    cuts[item_id] = { heardMs, receivedMs }
    const audio_end_ms = Math.max(1, Math.min(Math.floor(heardMs), Math.floor(receivedMs)))
    if (state.link.at !== 'live') continue
    truncates.push(transmit({ type: 'conversation.item.truncate', item_id, content_index, audio_end_ms }))
  }
  return [
    { ...state, playback: { item: null, cuts } },
    [...truncates, { type: 'tell', notice: { type: 'audio_interrupted' } }],
  ]
}

/** What is being given, and what is being heard, is heard no further. */
function cutOff(state: State): State {
  const ids = [activeResponse(state.conversation)?.id, state.playback.item?.response_id]
  const fresh = ids.filter(
    (id, n): id is string => id !== undefined && ids.indexOf(id) === n && !state.turn.cut.includes(id),
  )
  return fresh.length ? withTurn(state, { cut: [...state.turn.cut.slice(-7), ...fresh] }) : state
}
