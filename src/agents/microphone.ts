import { formatOf } from '../protocol/audio.ts'
import type { Door } from '../session/door.ts'
import type { Talk } from '../session/talk.ts'
import { requireBytes } from './misuse.ts'

export interface Microphone extends Pick<Talk, 'use' | 'beginTurn' | 'endTurn'> {
  sendAudio(audio: ArrayBuffer | ArrayBufferView, commit: boolean): boolean
  mute(muted: boolean): void
  readonly muted: boolean
}

/** The byte of silence in each format. */
const silence: Readonly<Record<string, number>> = { 'audio/pcm': 0, 'audio/pcmu': 0xff, 'audio/pcma': 0xd5 }

/** Muted, it says silence for as long as it would have spoken: a turn that was begun ends, and the time goes on. */
/** `spoke`: of turns that nobody hears but the app, the sound is all that is known. */
export function microphone(door: Door, talking: Talk, changed: () => void, spoke: () => void): Microphone {
  let muted = false

  function quiet(length: number): Uint8Array {
    return new Uint8Array(length).fill(silence[formatOf(door.state.config, 'input').type ?? 'audio/pcm'] ?? 0)
  }

  function isByHand(): boolean {
    return door.state.config.audio?.input?.turn_detection === null && talking.policy !== 'pushToTalk'
  }

  return {
    use: talking.use,
    beginTurn: talking.beginTurn,
    endTurn: talking.endTurn,
    sendAudio(audio, commit) {
      requireBytes(audio)
      const isSent = talking.sendAudio(muted ? quiet(audio.byteLength) : bytesOf(audio))
      if (!muted && isByHand()) spoke()
      if (commit) door.feed({ type: 'sent', event: { type: 'input_audio_buffer.commit' } })
      return isSent
    },
    mute(wanted) {
      const isNew = muted !== wanted
      muted = wanted
      if (isNew) changed()
    },
    get muted() {
      return muted
    },
  }
}

function bytesOf(audio: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (!ArrayBuffer.isView(audio)) return new Uint8Array(audio)
  return new Uint8Array(audio.buffer, audio.byteOffset, audio.byteLength)
}
