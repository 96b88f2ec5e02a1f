import type { RealtimeError, StatusDetails } from '../protocol/events.ts'
import type { Cause } from '../session/transport.ts'

/** Rejects `reply.done`: no reply will come, or no more of it. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError'
  readonly why: 'failed' | 'refused' | 'lost' | 'closed'
  /** The far end's error, or the cause of the lost line. */
  override readonly cause: RealtimeError | NonNullable<StatusDetails['error']> | Cause | null
  /** As the far end ended the response. */
  readonly status_details: StatusDetails | null
  readonly responseId: string | null

  constructor(
    why: ReplyError['why'],
    message: string,
    { cause, responseId = null, status_details = null }: ReplyErrorDetails,
  ) {
    super(message)
    this.why = why
    this.cause = cause
    this.responseId = responseId
    this.status_details = status_details
  }
}

export type ReplyErrorDetails = Pick<ReplyError, 'cause'> & Partial<Pick<ReplyError, 'status_details' | 'responseId'>>
