/** What a transport tells of the session that speaks through it. */
import { isAudio } from '../protocol/audio.ts'
import type { AudioDelta, ServerEvent } from '../protocol/events.ts'
import type { Door } from '../session/door.ts'
import type { Emitter } from '../session/emitter.ts'
import type { Input, State } from '../session/state.ts'
import type { Transport } from '../session/transport.ts'
import { type AudioEvents, statusOf } from './watching.ts'

export type Watcher = ReturnType<NonNullable<Transport['taken']>>

export type Watch = typeof watch

/** `failed` is told of errors; `shown` gives items as the history has them; `closed`: the call is over, whoever ended it. */
export function watch(
  events: Emitter<AudioEvents>,
  failed: (error: unknown) => void,
  shown: Door['shown'],
  closed: () => void = () => {},
): Watcher {
  function changed(before: State, after: State, input: Input): void {
    if (input.type === 'received') received(input.event)
    if (statusOf(before) !== statusOf(after)) events.emit('connection_change', statusOf(after))
    if (before.usage !== after.usage) events.emit('usage_update', after.usage)
  }

  function received(event: ServerEvent | AudioDelta): void {
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
        return updated(event.item.id)
      case 'conversation.item.input_audio_transcription.completed':
        return updated(event.item_id)
      case 'conversation.item.deleted':
        return events.emit('item_deleted', { itemId: event.item_id })
      case 'response.created':
        return events.emit('turn_started', { type: 'response_started', providerData: event.response })
      case 'response.done':
        return events.emit('turn_done', { type: 'response_done', response: event.response })
    }
  }

  function updated(id: string): void {
    if (!events.has('item_update')) return
    const item = shown(id)
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
