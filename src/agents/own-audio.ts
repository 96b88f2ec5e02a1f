import { formatOf, isG711, rateOf } from '../protocol/audio.ts'
import { UserError } from '../protocol/errors.ts'
import type { SessionConfig } from '../protocol/events.ts'
import { unheard } from '../session/devices.ts'
import { MediaError, type SessionAudio } from '../session/media.ts'
import type { State } from '../session/state.ts'
import { ConnectionError } from '../session/transport.ts'

/** The microphone that a session brings to lines that carry none: it speaks from the first such line to the end. */
export interface OwnAudio {
  /** Rejects with a `ConnectionError` that says what is with the microphone, or a `UserError` when the session does not speak PCM16. */
  start(config: Partial<SessionConfig>): Promise<void>
  changed(before: State, after: State): void
  stop(): void
}

export function ownAudio(
  audio: SessionAudio,
  send: (audio: Uint8Array) => void,
  failed: (error: unknown) => void,
): OwnAudio {
  let isOn = false

  async function start(config: Partial<SessionConfig>): Promise<void> {
    if (isOn) return
    const format = formatOf(config, 'input')
    if (isG711(format)) throw new UserError('The microphone of `audio` speaks PCM16: leave the input format as it is.')
    isOn = true
    await audio.start(send, rateOf(format), config).catch((error: unknown) => {
      throw error instanceof MediaError ? new ConnectionError(unheard(error)) : error
    })
  }

  function stop(): void {
    if (isOn) audio.stop()
    isOn = false
  }

  return {
    start,
    stop,
    changed(before, { link, playback, config }) {
      if (link.at === 'closed' && before.link.at !== 'closed') return stop()
      if (link.at === 'joining' && !playback.isFar) start(config).catch(failed)
    },
  }
}
