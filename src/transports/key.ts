import { messageOf, UserError } from '../protocol/errors.ts'
import type { Cause, ConnectOptions } from '../session/transport.ts'
import { unopened } from './causes.ts'

/** What the app's own key function threw. */
class KeyError extends Error {
  override readonly cause: unknown

  constructor(cause: unknown) {
    super(messageOf(cause))
    this.cause = cause
  }
}

/** The key; a function is asked for it. Rejects with what `whyUnopened` understands. */
export async function keyOf(apiKey: ConnectOptions['apiKey']): Promise<string | null> {
  try {
    return (typeof apiKey === 'function' ? await apiKey() : apiKey) || null
  } catch (error) {
    throw new KeyError(error)
  }
}

/**
 * Why there is no line. A key that cannot be had ends the first connection at once, for the app is there to see to it; a
 * line that stood is dialed again, and the key may be had then.
 */
export function whyUnopened(error: unknown, isFirst: boolean, hide: (text: string) => string): Cause {
  const why = hide(messageOf(error))
  if (!(error instanceof KeyError)) return unopened(why, error instanceof UserError)
  return { ...unopened(why, isFirst || error.cause instanceof UserError), initiator: 'us', error: error.cause }
}
