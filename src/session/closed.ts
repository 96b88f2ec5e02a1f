import type { Cause } from './transport.ts'

/** What `close()` leaves, of a session and of a line alike. */
export const closedByUs: Cause = {
  reason: 'The session was closed.',
  code: 'closed_by_us',
  fatal: true,
  initiator: 'us',
}
