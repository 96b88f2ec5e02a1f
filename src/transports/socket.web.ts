import { UserError } from '../protocol/errors.ts'
import { requireSecret } from './address.ts'
import { type SocketLike, type Wire, type WireListener, type WireRequest, wireOf } from './wire.ts'

/** Opens the platform's WebSocket: no headers there, so that the key travels as a subprotocol. */
export function openWire(
  { url, key, organization, project, useInsecureApiKey }: WireRequest,
  listener: WireListener,
): Wire {
  requireSecret(key, useInsecureApiKey)
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
