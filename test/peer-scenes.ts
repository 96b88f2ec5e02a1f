/** What the scenes of `peer-defects-*.test.ts` have in common. */
import { RealtimeAgent, type RealtimeItem } from '../src/index.ts'
import type { ClientEvent, SessionConfig } from '../src/protocol/events.ts'
import type { Loose } from './puppet.ts'

export function agentOf(options: Partial<ConstructorParameters<typeof RealtimeAgent>[0]> = {}): RealtimeAgent {
  return new RealtimeAgent({ name: 'A', instructions: 'You help.', ...options })
}

export function userItem(id: string, fields: object): object {
  return { id, type: 'message', role: 'user', status: 'completed', ...fields }
}

export function typesOf(events: readonly { readonly type: string }[]): readonly string[] {
  return events.map(({ type }) => type)
}

export function lastConfig(told: readonly ClientEvent[]): SessionConfig {
  return (told.findLast(({ type }) => type === 'session.update') as { session: SessionConfig }).session
}

export function outputsIn(told: readonly ClientEvent[]): readonly string[] {
  return told.flatMap((event) =>
    event.type === 'conversation.item.create' && event.item.type === 'function_call_output' ? [event.item.output] : [],
  )
}

export function asksIn(told: readonly ClientEvent[]): readonly ClientEvent[] {
  return told.filter(({ type }) => type === 'response.create')
}

export function textOf(item: RealtimeItem | undefined): string | undefined {
  if (item?.type !== 'message') return undefined
  return item.content
    .map((part) => ('text' in part ? part.text : 'transcript' in part ? part.transcript : 'image'))
    .join()
}

/** A far end whose own response comes first, and who refuses the one that is asked for. */
export function refusal(event: ClientEvent, fields: object = {}): Loose {
  return {
    type: 'error',
    error: {
      type: 'invalid_request_error',
      code: 'conversation_already_has_active_response',
      message: 'There is one already.',
      event_id: event.event_id,
      ...fields,
    },
  }
}
