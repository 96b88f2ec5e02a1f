/** What can be heard of a transport. */
import type { AudioDelta, ServerEvent } from '../protocol/events.ts'
import type { RealtimeItem } from '../session/history.ts'
import type { State } from '../session/state.ts'
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
  /** As `history` has it. */
  readonly item_update: [item: RealtimeItem]
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

export function statusOf({ link }: State): TransportStatus {
  if (link.at === 'live') return 'connected'
  return link.at === 'closed' ? 'disconnected' : 'connecting'
}
