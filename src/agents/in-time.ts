import { realClock } from '../session/clock.ts'
import { ConnectionError } from '../session/transport.ts'

/**
 * What the agent's own functions give; a `ConnectionError` where they give nothing within `ms`. By the machine's time: they
 * are the app's, and know nothing of the session's clock.
 */
export function inTime<Value>(coming: Promise<Value>, name: string, ms: number): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = realClock.at(realClock.now() + ms, () => {
      const reason = `The config of '${name}' was not there within ${ms} ms. Its instructions, an isEnabled, or an MCP server did not settle.`
      reject(new ConnectionError({ reason, code: 'config_timeout', fatal: true, initiator: 'us' }))
    })
    coming.then(resolve, reject).finally(cancel)
  })
}
