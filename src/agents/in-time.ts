import type { Clock } from '../protocol/clock.ts'
import { realClock } from '../session/clock.ts'
import { ConnectionError } from '../session/transport.ts'

/**
 * What the agent's own functions give; a `ConnectionError` where they give nothing within `ms`, and `signal`'s reason where
 * that comes first. Default: by the machine's time, for they are the app's, and know nothing of the session's clock.
 */
export function inTime<Value>(
  coming: Promise<Value>,
  name: string,
  ms: number,
  clock: Clock = realClock,
  signal?: AbortSignal,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = clock.at(clock.now() + ms, () => {
      const reason = `The config of '${name}' was not there within ${ms} ms. Its instructions, an isEnabled, or an MCP server did not settle.`
      end(() => reject(new ConnectionError({ reason, code: 'config_timeout', fatal: true, initiator: 'us' })))
    })
    const ended = () => end(() => reject(signal?.reason))
    const end = (settle: () => void) => {
      cancel()
      signal?.removeEventListener('abort', ended)
      settle()
    }
    signal?.addEventListener('abort', ended)
    coming.then(
      (value) => end(() => resolve(value)),
      (error) => end(() => reject(error)),
    )
  })
}
