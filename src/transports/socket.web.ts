import { UserError } from '../protocol/errors.ts'
import { type SocketLike, type Wire, type WireListener, type WireRequest, wireOf } from './wire.ts'

/** Opens the platform's WebSocket: no headers there, so that the key travels as a subprotocol. */
export function openWire(
  { url, key, organization, project, useInsecureApiKey }: WireRequest,
  listener: WireListener,
): Wire {
  // A page's workers have no document; other platforms have neither.
  const isPage = 'document' in globalThis || 'XMLHttpRequest' in globalThis
  if (isPage && key && !key.startsWith('ek_') && !useInsecureApiKey) {
    throw new UserError(
      'A standard API key must not reach a browser. Have your server make a client secret (it begins with ek_), or set useInsecureApiKey.',
    )
  }
  const Socket = (globalThis as { WebSocket?: new (url: string, protocols: string[]) => SocketLike }).WebSocket
  if (!Socket) throw new UserError('This platform has no WebSocket. Pass createWebSocket.')
  const protocols = [
    'realtime',
    ...(key ? [`openai-insecure-api-key.${key}`] : []),
    ...(organization ? [`openai-organization.${organization}`] : []),
    ...(project ? [`openai-project.${project}`] : []),
  ]
  return wireOf(new Socket(url, protocols), listener)
}
