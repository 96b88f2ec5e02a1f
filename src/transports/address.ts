import { UserError } from '../protocol/errors.ts'
import type { ConnectOptions } from '../session/transport.ts'

/** The model that is asked for where the app names none. */
export const standard = 'gpt-realtime-2.1'

/** `wss://api.openai.com/v1/realtime?model=M` or `?call_id=C`; an address that was given keeps its own query. */
export function realtimeUrl({
  url = 'wss://api.openai.com/v1/realtime',
  model = standard,
  callId,
}: ConnectOptions): string {
  const [origin, path, query] = partsOf(url, 'wss')
  const to = origin.replace(/^http/i, 'ws') + path.replace(/\/calls\/?$/, '')
  if (callId) return to + withField(without(query, 'call_id'), 'call_id', callId)
  return to + (/[?&](model|intent|call_id)(=|&|$)/.test(query) ? query : withField(query, 'model', model))
}

/** Where a call is offered: `https://api.openai.com/v1/realtime/calls`. The address of a WebSocket is understood too. */
export function callsUrl(url = 'https://api.openai.com/v1/realtime/calls', model?: string): string {
  const [origin, path, query] = partsOf(url, 'https')
  const to = origin.replace(/^ws/i, 'http') + path.replace(/\/realtime\/?$/, '/realtime/calls')
  return to + (model === undefined || /[?&]model(=|&|$)/.test(query) ? query : withField(query, 'model', model))
}

/** Where the call is ended that was offered at `to`. */
export function hangUpUrl(to: string, callId: string): string {
  const [origin, path, query] = partsOf(to, 'https')
  return `${origin}${path.replace(/\/$/, '')}/${callId}/hangup${without(query, 'model')}`
}

/**
 * Origin, path and query, as text: React Native's own `URL` has getters only, and ends each path in a slash.
 *
 * @throws UserError
 */
function partsOf(url: string, scheme: string): readonly [string, string, string] {
  const [, origin, path, query = ''] =
    /^((?:ws|http)s?:\/\/[^/?#\s]+)([^?#\s]*)(\?[^#\s]*)?(?:#.*)?$/i.exec(url.trim()) ?? []
  if (origin) return [origin, path || '/', query]
  throw new UserError(`'${url}' is no address. Pass a whole one, such as ${scheme}://example.com/v1/realtime.`)
}

function withField(query: string, name: string, value: string): string {
  return `${query ? `${query}&` : '?'}${name}=${encodeURIComponent(value)}`
}

function without(query: string, name: string): string {
  const fields = query.slice(1).split('&')
  const rest = fields.filter((field) => field && field.split('=')[0] !== name)
  return rest.length ? `?${rest.join('&')}` : ''
}

/** What a standard key must not do; a client secret may. */
export function requireSecret(key: string | null, useInsecureApiKey: boolean): void {
  // A page's workers have no document; an app in React Native is read as easily as a page.
  const isPage = 'document' in globalThis || 'XMLHttpRequest' in globalThis
  if (isPage && key && !key.startsWith('ek_') && !useInsecureApiKey) {
    throw new UserError(
      'A standard API key must not reach a browser. Have your server make a client secret (it begins with ek_), or set useInsecureApiKey.',
    )
  }
}
