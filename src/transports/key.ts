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
    return keyIn(typeof apiKey === 'function' ? await apiKey() : apiKey)
  } catch (error) {
    throw new KeyError(error)
  }
}

/** A route that is not there answers all the same: with a page, with words, with JSON. None of them goes out as a key. */
function keyIn(given: unknown): string | null {
  const key = typeof given === 'string' ? given.trim() : given
  if (!key) return null
  if (typeof key === 'string' && /^[!-~]+$/.test(key) && !/[<{"]/.test(key)) return key
  throw new Error(`apiKey gave no key but ${shown(key)}. Does your route answer with the secret alone?`)
}

/** Its beginning, without what might be a secret. */
function shown(key: unknown): string {
  if (typeof key !== 'string') return `a value of type ${typeof key}`
  const words = key.replace(/[es]k[-_][\w-]+|[\w-]{16,}/g, '…').replace(/[\s\p{Cc}]+/gu, ' ')
  return words.length > 40 ? `'${words.slice(0, 39)}…'` : `'${words}'`
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
