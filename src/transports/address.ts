import { UserError } from '../protocol/errors.ts'
import type { ConnectOptions } from '../session/transport.ts'

/** The model that is asked for where the app names none. */
export const standard = 'gpt-realtime-2.1'

/** `wss://api.openai.com/v1/realtime?model=M` or `?call_id=C`; an address that was given keeps its own query. */
export function realtimeUrl({ url, model = standard, callId }: ConnectOptions): string {
  const address = addressOf(url ?? 'wss://api.openai.com/v1/realtime', 'wss')
  address.protocol = address.protocol.replace('http', 'ws')
  address.pathname = address.pathname.replace(/\/calls\/?$/, '')
  if (callId) address.searchParams.set('call_id', callId)
  else if (!['model', 'intent', 'call_id'].some((name) => address.searchParams.has(name))) {
    address.searchParams.set('model', model)
  }
  return address.href
}

/** Where a call is offered: `https://api.openai.com/v1/realtime/calls`. The address of a WebSocket is understood too. */
export function callsUrl(url = 'https://api.openai.com/v1/realtime/calls', model?: string): string {
  const address = addressOf(url, 'https')
  address.protocol = address.protocol.replace('ws', 'http')
  address.pathname = address.pathname.replace(/\/realtime\/?$/, '/realtime/calls')
  if (model !== undefined && !address.searchParams.has('model')) address.searchParams.set('model', model)
  return address.href
}

/** Where the call is ended that was offered at `to`. */
export function hangUpUrl(to: string, callId: string): string {
  const address = new URL(to)
  address.pathname = `${address.pathname.replace(/\/$/, '')}/${callId}/hangup`
  address.searchParams.delete('model')
  return address.href
}

function addressOf(url: string, scheme: string): URL {
  try {
    return new URL(url)
  } catch {
    throw new UserError(`'${url}' is no address. Pass a whole one, such as ${scheme}://example.com/v1/realtime.`)
  }
}

/** What a standard key must not do; a client secret may. */
export function requireSecret(key: string | null, useInsecureApiKey: boolean): void {
  // A page's workers have no document; other platforms have neither.
  const isPage = 'document' in globalThis || 'XMLHttpRequest' in globalThis
  if (isPage && key && !key.startsWith('ek_') && !useInsecureApiKey) {
    throw new UserError(
      'A standard API key must not reach a browser. Have your server make a client secret (it begins with ek_), or set useInsecureApiKey.',
    )
  }
}
