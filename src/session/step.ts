/**
 * The session without its wires: what can happen to it, and what it then wants done. Pure; time comes in as `now`.
 * This file is the table of contents: the rules stand in `link.ts` (connecting), `turn.ts` (who speaks),
 * `playback.ts` (what was heard) and `interruption.ts` (who interrupts). `run.ts` does what is wanted.
 */
import { find } from '../conversation/order.ts'
import type { CreateItem } from '../conversation/retell.ts'
import { isAudio } from '../protocol/audio.ts'
import type { ClientEvent, ServerEvent } from '../protocol/events.ts'
import { merge } from '../protocol/merge.ts'
import { addUsage } from './adding-usage.ts'
import { besideIn } from './asks.ts'
import { echoed, hear, taken, without } from './echoes.ts'
import { bounded, faded, farSilenced, farTruncated, overheard, sounding } from './far-playback.ts'
import { tidied } from './forgetting.ts'
import { heardToEnd } from './heard-so-far.ts'
import {
  cleared,
  committed,
  configTold,
  heardWords,
  ripened,
  settled,
  speechStarted,
  speechStopped,
  unheld,
} from './interruption.ts'
import {
  accepted,
  configured,
  dropped,
  ended,
  joined,
  opened,
  probed,
  prompted,
  reached,
  refusedJoin,
  renewed,
  started,
  undone,
  watched,
  woke,
} from './link.ts'
import { cut, drained, interrupted, played, silenced, unplayable } from './playback.ts'
import { shaped } from './shape.ts'
import { deletion, type Input, inTurn, type State, type Step, transmit, withTurn } from './state.ts'
import {
  acknowledged,
  answered,
  asked,
  began,
  called,
  deferred,
  pay,
  refused,
  ended as responseEnded,
  said,
  spoke,
  unasked,
} from './turn.ts'
import { isGone, nearest, unheardIn } from './unheard.ts'

export function step(state: State, input: Input, now: number): Step {
  const next = decided(state, besideIn(input, state), now)
  // Most of what comes is sound, which changes nothing.
  if (next[0] === state) return next
  const [after, effects] = watched(state, settled(state, tidied(state, next)), now)
  return [shaped(state, after), effects]
}

function decided(state: State, input: Input, now: number): Step {
  switch (input.type) {
    case 'started':
      return state.link.at === 'closed' ? started(state, input, now) : [state, []]
    case 'opened':
      return opened(state, now, input.carriesAudio === true)
    case 'received':
      return isAudio(input.event) ? played(state, input.event) : received(state, input.event, now)
    case 'dropped':
      return dropped(state, input.cause, now)
    case 'woke':
      return inTurn(
        ripened(state, now),
        (next) => woke(next, input.heardAt ?? Number.NEGATIVE_INFINITY, now),
        (next) => (next.playback.item?.until ? inTurn(overheard(next, now), pay) : [next, []]),
      )
    case 'said':
      return said(state, input.item, input.fields)
    case 'asked':
      return asked(state, input.ask)
    case 'unasked':
      return unasked(state, input.id)
    case 'sent':
      return sent(state, input.event)
    case 'configured':
      return configured(state, input.config, input.id)
    case 'edited':
      return edited(state, input.removed, input.created)
    case 'interrupted':
      return interrupted(state, input.cancel)
    case 'silenced':
      return silenced(unheld(state), input, now)
    case 'heardWords':
      return heardWords(state, input.item_id, input.count, input.isIgnored, input.isFinal)
    case 'cut':
      return cut(state, input.response_id, input.heard)
    case 'prompted':
      return prompted(state, input.isOpen, now)
    case 'reached':
      return reached(state, input.stage)
    case 'unheard':
      return probed(state, now)
    case 'drained':
      return inTurn(drained(state), pay)
    case 'sounded':
      return [state, []]
    case 'unplayable':
      return unplayable(state, input.response_id, input.error)
    case 'answered':
      return answered(state, input.item, input.ask)
    case 'deferred':
      return deferred(state, input.call_id)
    case 'renewed':
      return renewed(state, now)
    case 'ended':
      return ended(state)
  }
}

/** Every event is folded; these want something done besides. */
function received(before: State, event: ServerEvent, now: number): Step {
  const state = fold(before, event)
  switch (event.type) {
    case 'session.created':
      return [configTold(state, event.session), []]
    case 'session.updated': {
      const told = configTold(state, event.session)
      return told.link.at === 'joining'
        ? inTurn(joined(told, now), (after) => called(after, null), pay)
        : accepted(told)
    }
    case 'conversation.item.added':
    case 'conversation.item.created':
    case 'conversation.item.done':
      return inTurn([acknowledged(echoed(state), event.item.id), []], pay)
    case 'response.created':
      return began(state, event.response, now)
    case 'response.output_item.added':
      return [state.turn.given?.response_id === event.response_id ? spoke(state) : state, []]
    case 'conversation.item.deleted':
      return [forgot(state, event.item_id), []]
    case 'response.output_item.done':
      return event.item.type === 'function_call' ? called(state, event.response_id) : [state, []]
    case 'response.done':
      return inTurn(unheardIn(heardToEnd(state, event.response), event.response), (next) =>
        responseEnded(bounded(next, now), event.response),
      )
    case 'input_audio_buffer.speech_started':
      return speechStarted(withTurn(state, { hearing: true }), event, now)
    case 'input_audio_buffer.speech_stopped':
      return speechStopped(withTurn(state, { hearing: false }), event, now)
    case 'input_audio_buffer.committed':
      return committed(heardTurn(state), event.item_id)
    case 'input_audio_buffer.cleared':
      return cleared(state)
    case 'output_audio_buffer.started':
      return sounding(state, event.response_id, now)
    case 'output_audio_buffer.stopped':
      return inTurn(faded(state, event.response_id, now), pay)
    case 'output_audio_buffer.cleared':
      return inTurn(farSilenced(state, event.response_id, now), pay)
    case 'conversation.item.truncated':
      return farTruncated(state, event.item_id, event.audio_end_ms)
    case 'error':
      return inTurn(refusedJoin(undone(state, event.error), event.error, now), (after) => refused(after, event.error))
    default:
      return [state, []]
  }
}

function fold(state: State, event: ServerEvent): State {
  // What was unheard is deleted at the far end alone.
  const isOurs = event.type === 'conversation.item.deleted' && isGone(state, event.item_id)
  const conversation = isOurs ? state.conversation : hear(state, event)
  const usage = addUsage(state.usage, event, state.config.audio?.input?.transcription?.model)
  return conversation === state.conversation && usage === state.usage ? state : { ...state, conversation, usage }
}

function sent(state: State, event: ClientEvent): Step {
  if (event.type === 'session.update' && event.session?.type === 'realtime') {
    const { type: _, ...change } = event.session
    return configured(state, merge(state.config, change), event.event_id)
  }
  if (event.type === 'response.create' && event.response?.conversation !== 'none') {
    return asked(state, { id: event.event_id ?? null, params: event.response ?? {} })
  }
  if (state.link.at === 'live') return [state, [transmit(event)]]
  if (event.type === 'input_audio_buffer.commit') return [state, [{ type: 'mark' }]]
  if (event.type === 'input_audio_buffer.clear') return [state, [{ type: 'takeBack' }]]
  return [{ ...state, unsent: [...state.unsent, event] }, []]
}

/** A far end that hears turns by itself may answer this one by itself. */
function heardTurn(state: State): State {
  const detection = state.config.audio?.input?.turn_detection
  const isLeftToUs = detection === null || detection?.create_response === false || state.interruption.policy !== null
  return isLeftToUs ? state : withTurn(state, { heard: true })
}

/** History was edited. What is deleted stays away, also where the line is lost before the far end has done it. */
function edited(before: State, ids: readonly string[], asked: State['pending']): Step {
  const isLive = before.link.at === 'live'
  const created = isLive ? asked.map((event) => behindTold(before, event)) : asked
  const [ours, removed] = [true, false].map((is) => ids.filter((id) => isGone(before, id) === is))
  const state = ours!.reduce(without, before)
  const said = isLive ? state.pending : state.pending.filter(({ item }) => !removed!.includes(item.id))
  const next = { ...state, removed: [...state.removed, ...removed!], pending: [...said, ...created] }
  return [taken(next), isLive ? [...removed!.map(deletion), ...created.map(transmit)] : []]
}

/** The far end places it behind an item that it has. */
function behindTold(state: State, event: CreateItem): CreateItem {
  const { previous_item_id: previous } = event
  if (!previous || !isGone(state, previous)) return event
  return { ...event, previous_item_id: nearest(state, find(state.conversation.items, previous)) ?? 'root' }
}

function forgot(state: State, item_id: string): State {
  return state.removed.includes(item_id) ? { ...state, removed: state.removed.filter((id) => id !== item_id) } : state
}
