/** What a transport tells of the session that speaks through it. */
import { isAudio } from '../protocol/audio.ts'
import type { AudioDelta, Item, ServerEvent } from '../protocol/events.ts'
import type { Emitter } from '../session/emitter.ts'
import type { Input, State } from '../session/state.ts'
import type { Transport } from '../session/transport.ts'
import type { SessionUsage } from '../session/usage.ts'

export type TransportStatus = 'connecting' | 'connected' | 'disconnected'

/** What a transport tells when it is used alone. */
export interface TransportEvents {
  /** Every event of the far end. */
  readonly '*': [event: ServerEvent | AudioDelta]
  readonly connection_change: [status: TransportStatus]
  readonly audio_done: []
  readonly audio_interrupted: []
  readonly audio_transcript_delta: [
    delta: { readonly type: 'transcript_delta'; itemId: string; delta: string; responseId: string },
  ]
  readonly function_call: [
    call: { readonly type: 'function_call'; id: string; callId: string; name: string; arguments: string },
  ]
  readonly item_update: [item: Item]
  readonly item_deleted: [item: { readonly itemId: string }]
  readonly turn_started: [turn: { readonly type: 'response_started'; readonly providerData: unknown }]
  readonly turn_done: [turn: { readonly type: 'response_done'; readonly response: unknown }]
  readonly usage_update: [usage: SessionUsage]
  readonly error: [error: { readonly type: 'error'; readonly error: unknown }]
}

/** Of a transport whose audio comes through the line as events. */
export interface AudioEvents extends TransportEvents {
  readonly audio: [audio: { readonly type: 'audio'; data: Uint8Array; responseId: string; itemId: string }]
}

export type Watcher = ReturnType<NonNullable<Transport['taken']>>

/** `failed` is told of errors; `closed`: the call is over, whoever ended it. */
export function watch(
  events: Emitter<AudioEvents>,
  failed: (error: unknown) => void,
  closed: () => void = () => {},
): Watcher {
  function changed(before: State, after: State, input: Input): void {
    if (input.type === 'received') received(input.event, after)
    if (statusOf(before) !== statusOf(after)) events.emit('connection_change', statusOf(after))
    if (before.usage !== after.usage) events.emit('usage_update', after.usage)
  }

  function received(event: ServerEvent | AudioDelta, { conversation }: State): void {
    events.emit('*', event)
    if (isAudio(event)) return
    switch (event.type) {
      case 'response.output_audio.done':
        return events.emit('audio_done')
      case 'response.output_audio_transcript.delta': {
        const { item_id: itemId, response_id: responseId, delta } = event
        return events.emit('audio_transcript_delta', { type: 'transcript_delta', itemId, delta, responseId })
      }
      case 'conversation.item.added':
      case 'conversation.item.done':
        return updated(event.item.id, conversation)
      case 'conversation.item.input_audio_transcription.completed':
        return updated(event.item_id, conversation)
      case 'conversation.item.deleted':
        return events.emit('item_deleted', { itemId: event.item_id })
      case 'response.created':
        return events.emit('turn_started', { type: 'response_started', providerData: event.response })
      case 'response.done':
        return events.emit('turn_done', { type: 'response_done', response: event.response })
    }
  }

  function updated(id: string, { items }: State['conversation']): void {
    const item = items.findLast((item) => item.id === id)
    if (item) events.emit('item_update', item)
  }

  return {
    heard: ({ audio: data, response_id: responseId, item_id: itemId }) =>
      events.emit('audio', { type: 'audio', data, responseId, itemId }),
    tell(notice) {
      if ('error' in notice) failed(notice.error)
      else if (notice.type === 'audio_interrupted') events.emit('audio_interrupted')
    },
    changed(before, after, input) {
      changed(before, after, input)
      if (before.link.at !== 'closed' && after.link.at === 'closed') closed()
    },
  }
}

export function statusOf({ link }: State): TransportStatus {
  if (link.at === 'live') return 'connected'
  return link.at === 'closed' ? 'disconnected' : 'connecting'
}
