/**
 * Microphone and speaker of a way whose lines are not loaded yet: the same object before the first call and in all of
 * them. What is chosen before is asked of the real ones, which keep it until there is a call.
 */
import type { Media } from '../session/media.ts'
import { mediaNews } from '../session/media-news.ts'

export interface EarlyMedia {
  readonly media: Media
  /** It speaks for these from now on; what was chosen is chosen of them too. */
  follow(real: Media): void
  mute(muted: boolean): void
}

export function earlyMedia(load: () => Promise<Media>): EarlyMedia {
  const news = mediaNews()
  let real: Media | null = null
  let leave = () => {}
  /** What was chosen last, and how to choose it of another. */
  const chosen: { [what: string]: (media: Media) => Promise<void> } = {}

  async function choose(what: string, how: (media: Media) => Promise<void>): Promise<void> {
    await how(real ?? (await load()))
    chosen[what] = how
  }

  return {
    media: {
      get state() {
        return news.state
      },
      subscribe: news.subscribe,
      // To list them is no reason to load anything.
      devices: async () => real?.devices() ?? platform()?.enumerateDevices() ?? (await load()).devices(),
      useMicrophone: (sound) => choose('microphone', (media) => media.useMicrophone(sound)),
      useSpeaker: (id) => choose('speaker', (media) => media.useSpeaker(id)),
      resumeAudio: async () => real?.resumeAudio(),
      levels: () => real?.levels() ?? { input: 0, output: 0 },
    },
    follow(next) {
      if (real === next) return
      leave()
      real = next
      leave = next.subscribe(() => news.tell(next.state))
      news.tell(next.state)
      // What cannot be had here is told when the call asks for it.
      for (const how of Object.values(chosen)) how(next).catch(() => {})
    },
    mute(muted) {
      if (!real) news.tell({ muted })
    },
  }
}

function platform(): MediaDevices | undefined {
  return (globalThis.navigator as Navigator | undefined)?.mediaDevices
}
