import { type Media, type MediaState, mediaOff } from './media.ts'

/** What is known of microphone and speaker, and who is told of each change. */
export interface MediaNews extends Pick<Media, 'state' | 'subscribe'> {
  tell(change: Partial<MediaState>): void
}

/** A subscriber that throws hurts nobody else. */
export function mediaNews(state: MediaState = mediaOff): MediaNews {
  const listeners = new Set<() => void>()
  return {
    get state() {
      return state
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    tell(change) {
      if (Object.entries(change).every(([key, value]) => state[key as keyof MediaState] === value)) return
      state = { ...state, ...change }
      for (const listener of [...listeners]) {
        try {
          listener()
        } catch (cause) {
          console.error(new Error('A subscriber of the media failed.', { cause }))
        }
      }
    },
  }
}
