/**
 * The session without its wires: what can happen to it, and what it then wants done. Pure; time comes in as `now`.
 * This file is the table of contents: the rules stand in `link.ts` (connecting), `turn.ts` (who speaks) and
 * `playback.ts` (what was heard). `run.ts` does what is wanted.
 */
import { evolve } from '../conversation/conversation.ts'
import { isAudio } from '../protocol/audio.ts'
import type { ClientEvent, RealtimeError, ServerEvent } from '../protocol/events.ts'
import { merge } from '../protocol/merge.ts'
import { dialed, dropped, ended, joined, opened, probed, refusedJoin, watched, woke } from './link.ts'
import { bargedIn, drained, interrupted, played, silenced } from './playback.ts'
import { type Input, inTurn, type State, type Step, transmit } from './state.ts'
import { acknowledged, answered, asked, began, called, pay, refused, ended as responseEnded, said } from './turn.ts'
import { addUsage } from './usage.ts'

export function step(state: State, input: Input, now: number): Step {
  return watched(state, decided(state, input, now), now)
}

function decided(state: State, input: Input, now: number): Step {
  switch (input.type) {
    case 'started':
      return state.link.at === 'closed' ? dialed(state, 0, now) : [state, []]
    case 'opened':
      return opened(state, now)
    case 'received':
      return isAudio(input.event) ? played(state, input.event) : received(state, input.event, now)
    case 'dropped':
      return dropped(state, input.cause, now)
    case 'woke':
      return woke(state, input.heardAt ?? Number.NEGATIVE_INFINITY, now)
    case 'said':
      return said(state, input.item, input.fields)
    case 'asked':
      return asked(state, input.params)
    case 'sent':
      return sent(state, input.event)
    case 'configured':
      return configured(state, input.config)
    case 'interrupted':
      return interrupted(state, input.cancel)
    case 'silenced':
      return silenced(state, input.heard)
    case 'unheard':
      return probed(state, now)
    case 'drained':
      return drained(state)
    case 'answered':
      return answered(state, input.item, input.respond)
    case 'ended':
      return ended(state)
  }
}

/** Every event is folded; these want something done besides. */
function received(before: State, event: ServerEvent, now: number): Step {
  const state = fold(before, event)
  switch (event.type) {
    case 'session.updated':
      return state.link.at === 'joining'
        ? inTurn(joined(state, now), (after) => called(after, null), pay)
        : [{ ...state, undo: null }, []]
    case 'conversation.item.added':
    case 'conversation.item.created':
    case 'conversation.item.done':
      return inTurn([acknowledged(state, event.item.id), []], pay)
    case 'response.created':
      return began(state, event.response)
    case 'response.output_item.done':
      return event.item.type === 'function_call' ? called(state, event.response_id) : [state, []]
    case 'response.done':
      return responseEnded(state, event.response)
    case 'input_audio_buffer.speech_started':
      return bargedIn(state)
    case 'error':
      return inTurn(refusedJoin(undone(state, event.error), event.error, now), (after) => refused(after, event.error))
    default:
      return [state, []]
  }
}

function fold(state: State, event: ServerEvent): State {
  const conversation = hear(state, event)
  const usage = addUsage(state.usage, event)
  return conversation === state.conversation && usage === state.usage ? state : { ...state, conversation, usage }
}

/**
 * The echo of what was retold at the join is no news: the items keep what they were, and their identity. What is placed
 * behind one of them comes after those that the far end was not told.
 */
function hear({ conversation, link }: State, event: ServerEvent): State['conversation'] {
  if (link.at !== 'live' || !('item' in event) || !('previous_item_id' in event)) return evolve(conversation, event)
  if (link.retold.has(event.item.id)) return conversation
  const previous_item_id = link.behind.get(event.previous_item_id ?? '')
  return evolve(conversation, previous_item_id ? { ...event, previous_item_id } : event)
}

function sent(state: State, event: ClientEvent): Step {
  if (event.type === 'session.update' && event.session.type === 'realtime') {
    const { type: _, ...change } = event.session
    return configured(state, merge(state.config, change))
  }
  if (state.link.at === 'live') return [state, [transmit(event)]]
  if (event.type === 'input_audio_buffer.commit') return [state, [{ type: 'mark' }]]
  return [{ ...state, unsent: [...state.unsent, event] }, []]
}

function configured(state: State, config: State['config']): Step {
  const event_id = `config_${state.ids}`
  const next = { ...state, config, ids: state.ids + 1 }
  if (state.link.at !== 'live') return [next, []]
  const undo = { event_id, config: state.config }
  return [{ ...next, undo }, [transmit({ type: 'session.update', event_id, session: { type: 'realtime', ...config } })]]
}

/** A refused update is not said again on the next line. */
function undone(state: State, { event_id }: RealtimeError): State {
  return state.undo && state.undo.event_id === event_id ? { ...state, config: state.undo.config, undo: null } : state
}
