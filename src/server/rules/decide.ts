/** The rules: what the far end says to a client's event. Pure; whoever asks folds and sends what is answered. */
import { activeResponse, type Conversation, contentOf, itemsOf } from '../../conversation/conversation.ts'
import type { ClientEvent, Content, Item, KnownServerEvent, Message, Response } from '../../protocol/events.ts'
import { audio as checkAudio } from './checks.ts'
import { checkItem } from './item-checks.ts'
import { type Refusal, refusals } from './refusals.ts'
import { type AnySession, checkResponse, isRefusal, update } from './session-config.ts'

/** A server event that has no `event_id` yet. */
export type Answer = KnownServerEvent extends infer Event
  ? Event extends { readonly event_id: string }
    ? Omit<Event, 'event_id'>
    : Event
  : never

/** All that the rules look at. */
export interface CallState {
  readonly session: AnySession
  readonly conversation: Conversation
  /** Audio in the input buffer that no turn has taken yet, in ms. */
  readonly bufferedMs: number
  /** Audio of the assistant's items, in ms, as far as it was made. */
  readonly spoken: ReadonlyMap<string, number>
  /** The line carries the sound itself: it has an output buffer, which a client may clear. */
  readonly carriesSound?: boolean
}

export const supported = [
  'session.update',
  'session.close',
  'input_audio_buffer.append',
  'input_audio_buffer.commit',
  'input_audio_buffer.clear',
  'conversation.item.create',
  'conversation.item.truncate',
  'conversation.item.delete',
  'conversation.item.retrieve',
  'response.create',
  'response.cancel',
] as const

const namesItem: ReadonlySet<string> = new Set([
  'conversation.item.truncate',
  'conversation.item.delete',
  'conversation.item.retrieve',
])
const leastCommitMs = 100

/**
 * Answers an event. An answer without an `error` accepts it: what talk follows (a turn, a response, an end) is
 * `converse.ts`'s to give.
 */
export function decide(state: CallState, event: ClientEvent, newId: (prefix: string) => string): readonly Answer[] {
  const answer = rule(state, event, newId)
  return isRefusal(answer) ? [refusal(answer, event)] : (answer as readonly Answer[])
}

export function refusal(error: Refusal, event: { readonly event_id?: unknown } | null): Answer {
  const event_id = typeof event?.event_id === 'string' ? event.event_id : null
  return { type: 'error', error: { ...error, event_id } }
}

function rule(state: CallState, event: ClientEvent, newId: (prefix: string) => string): readonly Answer[] | Refusal {
  if (typeof event.type !== 'string') return refusals.noType()
  if (namesItem.has(event.type) && typeof (event as { item_id?: unknown }).item_id !== 'string') {
    return refusals.missing('item_id')
  }
  if (isClose(event)) return []
  switch (event.type) {
    case 'session.update': {
      const session = update(state.session, event.session, {
        hasSpoken: state.spoken.size > 0,
        isSpeaking: activeResponse(state.conversation) !== undefined,
      })
      return isRefusal(session) ? session : [{ type: 'session.updated', session }]
    }
    case 'input_audio_buffer.append':
      return typeof event.audio === 'string' ? (checkAudio(event.audio, 'audio') ?? []) : refusals.missing('audio')
    case 'input_audio_buffer.commit': {
      const { bufferedMs } = state
      return bufferedMs < leastCommitMs ? refusals.bufferTooSmall(bufferedMs) : []
    }
    case 'input_audio_buffer.clear':
      return [{ type: 'input_audio_buffer.cleared' }]
    case 'conversation.item.create':
      return create(state, event, newId)
    case 'conversation.item.delete':
      return has(state, event.item_id)
        ? [{ type: 'conversation.item.deleted', item_id: event.item_id }]
        : refusals.noItem('delete', event.item_id)
    case 'conversation.item.retrieve': {
      const item = itemsOf(state.conversation).find(({ id }) => id === event.item_id)
      return item ? [{ type: 'conversation.item.retrieved', item }] : refusals.noItem('retrieve', event.item_id)
    }
    case 'conversation.item.truncate':
      return truncate(state, event)
    case 'response.create':
      return respond(state, event)
    case 'response.cancel': {
      const { responses } = state.conversation
      const wanted = event.response_id ?? activeResponse(state.conversation)?.id
      return responses.some(({ id }) => id === wanted) ? [] : refusals.noActiveResponse()
    }
    case 'output_audio_buffer.clear':
      return state.carriesSound ? [] : refusals.unknownType(event.type, supported)
    default:
      return refusals.unknownType((event as { type: string }).type, supported)
  }
}

/** The real service lists it among its events; the official types do not have it. */
export function isClose({ type }: { readonly type: string }): boolean {
  return type === 'session.close'
}

type Create = Extract<ClientEvent, { type: 'conversation.item.create' }>

function create(state: CallState, { item, previous_item_id }: Create, newId: (prefix: string) => string) {
  const refused = checkItem(item)
  if (refused) return refused
  const id = item.id ?? newId('item_')
  if (has(state, id)) return refusals.duplicateItem(id)
  if (previous_item_id && previous_item_id !== 'root' && !has(state, previous_item_id)) {
    return refusals.noPreviousItem(previous_item_id)
  }
  const previous = previous_item_id ?? state.conversation.items.at(-1)?.id ?? null
  const call = item.type === 'function_call' && !item.call_id ? { call_id: newId('call_') } : {}
  const content = item.type === 'message' ? { content: contentOf(item as Message).map(withoutAudio) } : {}
  const made = { ...item, ...call, ...content, id, object: 'realtime.item', status: 'completed' } as Item
  return [
    { type: 'conversation.item.added', previous_item_id: previous, item: made },
    { type: 'conversation.item.done', previous_item_id: previous, item: made },
  ] as const
}

/** The bytes are kept apart, and the words of what is heard come later. */
function withoutAudio(part: Content): Content {
  if (part.type !== 'input_audio' && part.type !== 'output_audio') return part
  const { audio: _, ...rest } = part
  return part.type === 'input_audio' ? { ...rest, type: part.type, transcript: part.transcript ?? null } : rest
}

type Truncate = Extract<ClientEvent, { type: 'conversation.item.truncate' }>

function truncate(state: CallState, { item_id, content_index, audio_end_ms }: Truncate): readonly Answer[] | Refusal {
  if (!has(state, item_id)) return refusals.noItem('truncate', item_id)
  const ms = state.spoken.get(item_id)
  if (ms === undefined) return refusals.notTruncatable()
  if (!Number.isInteger(audio_end_ms) || audio_end_ms < 0) {
    return refusals.outOfRange('audio_end_ms', audio_end_ms, 'an integer of at least 0')
  }
  if (!Number.isInteger(content_index)) return refusals.invalidType('content_index', 'an integer')
  if (content_index !== 0) return refusals.outOfRange('content_index', content_index, '0')
  if (audio_end_ms > Math.ceil(ms)) return refusals.tooShort(ms, audio_end_ms)
  return [{ type: 'conversation.item.truncated', item_id, content_index, audio_end_ms }]
}

type Respond = Extract<ClientEvent, { type: 'response.create' }>

function respond({ session, conversation }: CallState, { response }: Respond): readonly Answer[] | Refusal {
  if (session.type !== 'realtime') return refusals.transcriptionOnly()
  const refused = response === undefined ? null : checkResponse(response, 'response')
  if (refused) return refused
  for (const item of response?.input ?? []) {
    if (item.type === 'item_reference') {
      if (!conversation.items.some(({ id }) => id === item.id)) return refusals.noReference(item.id ?? '')
      continue
    }
    const wrong = checkItem(item)
    if (wrong) return wrong
  }
  const active: Response | undefined = activeResponse(conversation)
  return active && response?.conversation !== 'none' ? refusals.activeResponse(active.id) : []
}

function has({ conversation }: CallState, id: string): boolean {
  return conversation.items.some((item) => item.id === id)
}
