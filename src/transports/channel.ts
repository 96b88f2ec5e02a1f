import { messageOf } from '../protocol/errors.ts'
import type { RealtimeError } from '../protocol/events.ts'
import type { Listener } from '../session/transport.ts'

/** Sends, or says why not. `most`: bytes that the channel takes at once. */
export function sent(channel: RTCDataChannel, text: string, most: number | null | undefined): string | null {
  const tooMuch = tooLarge(text, most)
  if (tooMuch) return tooMuch
  try {
    channel.send(text)
    return null
  } catch (error) {
    return `The event could not be sent: ${messageOf(error)}`
  }
}

function tooLarge(text: string, most: number | null | undefined): string | null {
  if (!most || text.length * 3 <= most) return null
  const bytes = new TextEncoder().encode(text).length
  return bytes > most ? `The event has ${bytes} bytes, and the data channel takes ${most}. Send less at once.` : null
}

/** What the channel does not take is refused as the far end refuses: the core knows what that means for each event. */
export function refuse(listener: Listener, message: string, event_id: string | undefined): void {
  const named = event_id === undefined ? {} : { event_id }
  const error = {
    type: 'invalid_request_error',
    code: 'message_not_sent',
    message,
    param: null,
    ...named,
  } as RealtimeError
  listener.received({ type: 'error', event_id: 'local', error })
}
