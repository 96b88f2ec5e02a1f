import type { AudioDelta, RealtimeError, ServerEvent } from '../protocol/events.ts'
import type { Cause, Listener, Stage } from '../session/transport.ts'

export interface Line extends Required<Listener> {
  isOver(): boolean
  lastError(): RealtimeError | null
}

/** One attempt: it opens at most once, ends once, and after its end nothing more is heard of it. */
export function once(listener: Listener): Line {
  let over = false
  let up = false
  let lastError: RealtimeError | null = null
  return {
    isOver: () => over,
    lastError: () => lastError,
    opened(carriesAudio?: boolean) {
      if (over || up) return
      up = true
      if (carriesAudio) listener.opened(true)
      else listener.opened()
    },
    prompted(isOpen: boolean) {
      if (!over && !up) listener.prompted?.(isOpen)
    },
    reached(stage: Stage) {
      if (!over && !up) listener.reached?.(stage)
    },
    received(event: ServerEvent | AudioDelta) {
      if (over) return
      if (event.type === 'error') lastError = event.error
      listener.received(event)
    },
    sounded(response_id: string) {
      if (!over) listener.sounded?.(response_id)
    },
    dropped(cause: Cause) {
      if (over) return
      over = true
      listener.dropped(cause)
    },
  }
}

/** A far end may repeat the key in what it says; it goes no farther than the line. A short one hides nothing. */
export function hiding(key: () => string | null): {
  text(text: string): string
  event(event: ServerEvent | AudioDelta): ServerEvent | AudioDelta
} {
  const text = (said: string) => {
    const secret = key()
    return secret && secret.length >= 8 ? said.replaceAll(secret, '…') : said
  }
  return {
    text,
    event: (event) =>
      event.type === 'error' ? { ...event, error: { ...event.error, message: text(event.error.message) } } : event,
  }
}
