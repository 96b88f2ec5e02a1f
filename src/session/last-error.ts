import type { RealtimeError } from '../protocol/events.ts'
import type { Cause } from './transport.ts'

/** The provider's error, as a cause has it: what is text, as it came. */
export function lastErrorOf({ code, message, type, param }: Partial<RealtimeError>): NonNullable<Cause['lastError']> {
  const fields = Object.entries({ code, message, type, param }).filter(([, said]) => typeof said === 'string')
  return { code: null, message: '', ...Object.fromEntries(fields) }
}
