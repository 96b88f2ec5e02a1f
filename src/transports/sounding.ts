/** When an answer sounds here: the far end's word that it says it comes with the events, and its sound by another way. */
import type { Clock } from '../protocol/clock.ts'
import type { AudioDelta, ServerEvent } from '../protocol/events.ts'

/** ms between two looks. */
const everyMs = 10
/** ms after which nobody looks any more. */
const mostMs = 2_000
/** A frame that was played out less than so many ms ago is part of what sounds now. */
const freshMs = 40
/** Where the far end tells how loud its frames are, quieter ones are silence. */
const silence = 0.001

export interface Sounding {
  /** What the far end says through this receiver. */
  from(receiver: RTCRtpReceiver | undefined): void
  received(event: ServerEvent | AudioDelta): void
  stop(): void
}

/** `sounded` is told once of each response, when its first frame is played out; never, where the platform does not say. */
export function sounding(clock: Clock, sounded: (response_id: string) => void): Sounding {
  let receiver: RTCRtpReceiver | undefined
  /** When a frame was played out last that is not of the answer to come. */
  let played: number | undefined
  let cancel = () => {}

  function began(response_id: string): void {
    cancel()
    const end = clock.now() + mostMs
    const look = () => {
      const frame = last(receiver)
      const isPlaying = frame && (frame.timestamp !== played || age(frame) < freshMs)
      if (isPlaying && (frame.audioLevel ?? 1) > silence) return sounded(response_id)
      if (clock.now() < end) cancel = clock.at(clock.now() + everyMs, look)
    }
    if (receiver?.getSynchronizationSources) look()
  }

  return {
    from(one) {
      receiver = one
    },
    received(event) {
      switch (event.type) {
        case 'output_audio_buffer.started':
          return began(event.response_id)
        case 'output_audio_buffer.stopped':
        case 'output_audio_buffer.cleared':
          cancel()
          played = last(receiver)?.timestamp
          return
        case 'response.created':
          // Its first frame may be played out before the word that it began is here.
          played = last(receiver)?.timestamp
      }
    },
    stop: () => cancel(),
  }
}

/** ms. Where the platform counts from another time than it should, it is no number that is small. */
function age({ timestamp }: RTCRtpSynchronizationSource): number {
  return Math.abs(performance.timeOrigin + performance.now() - timestamp)
}

/** The frame that was played out last, and how loud it was. What a package has of this in a browser's place may throw. */
function last(receiver: RTCRtpReceiver | undefined): RTCRtpSynchronizationSource | undefined {
  try {
    return receiver?.getSynchronizationSources?.().sort((one, other) => other.timestamp - one.timestamp)[0]
  } catch {
    return undefined
  }
}
