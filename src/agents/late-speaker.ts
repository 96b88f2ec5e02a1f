import type { MakeSpeaker, Speaker } from '../session/speaker.ts'

/** Which speaker it is to be is known when something is first to be heard. */
export function late(make: () => MakeSpeaker): MakeSpeaker {
  return (listener) => {
    let speaker: Speaker | null = null
    const made = () => {
      speaker ??= make()(listener)
      return speaker
    }
    return {
      play: (audio) => made().play(audio),
      hush: () => speaker?.hush() ?? [],
      pause: () => speaker?.pause?.(),
      resume: () => speaker?.resume?.(),
    }
  }
}
