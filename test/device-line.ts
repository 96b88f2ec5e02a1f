/** A line in the world's time whose microphone and speaker are real `lineMedia`, on devices that do as they are told. */
import type { Connection, Dial, Transport } from '../src/session/transport.ts'
import type { World } from '../src/testing/world.ts'
import { type LineMedia, lineMedia } from '../src/transports/media-devices.ts'

export interface DeviceLine extends Transport {
  readonly media: LineMedia
  /** Tracks that the microphone gave and nobody has let go. */
  open(): readonly MediaStreamTrack[]
  /** The next ones to ask for a microphone are refused, by the error's name; null: they are given one. */
  refuse(name: string | null): void
  /** The microphone in use is pulled out. */
  unplug(): void
  /** Sound that begins from now on may not play, or may. */
  block(isBlocked: boolean): void
  /** The last sound that was to begin was not let. */
  isSilenced(): boolean
}

/** The user takes `patience` ms to decide. */
export function deviceLine(w: World, dial: Dial, patience: () => number): DeviceLine {
  const tracks: MediaStreamTrack[] = []
  let refusal: string | null = null
  let isBlocked = false
  let isSilenced = false

  const mediaDevices = {
    async getUserMedia() {
      await new Promise<void>((decided) => w.after(patience(), decided))
      if (refusal) throw new DOMException('Words of the platform.', refusal)
      const track = trackMade()
      tracks.push(track)
      return { getAudioTracks: () => [track] } as unknown as MediaStream
    },
    enumerateDevices: async () => [],
  }
  const audioElement = {
    autoplay: false,
    srcObject: null,
    async play() {
      isSilenced = isBlocked
      if (isBlocked) throw new DOMException('Words of the platform.', 'NotAllowedError')
    },
  }
  const media = lineMedia({ mediaDevices, audioElement: audioElement as never })

  /** As a line over WebRTC does it: who may not be heard has no first line, and goes on with those after it. */
  function dialer(): Dial {
    let hasOpened = false
    media.begin()
    return (listener, config) => {
      let line: Connection | null = null
      let isOver = false
      listener.prompted?.(true)
      media
        .open()
        .catch((error) => {
          if (!hasOpened) throw error
        })
        .then(
          () => {
            listener.prompted?.(false)
            if (isOver) return
            line = dial(
              {
                ...listener,
                opened() {
                  hasOpened = true
                  media.hear(trackMade(), {} as MediaStream)
                  listener.opened()
                },
              },
              config,
            )
          },
          ({ state, message: reason }) => {
            if (!isOver) listener.dropped({ reason, code: `microphone_${state}`, fatal: true, initiator: 'us' })
          },
        )
      return {
        send: (event) => line?.send(event),
        append: (audio, wasHeld) => line?.append(audio, wasHeld) ?? false,
        close() {
          isOver = true
          if (line) line.close()
          else listener.dropped({ reason: 'It was closed.', code: null, fatal: true, initiator: 'us' })
        },
      }
    }
  }

  return {
    media,
    dialer,
    mute: media.mute,
    carriesAudio: 'maybe',
    taken: () => ({
      heard() {},
      tell() {},
      changed(before, after) {
        if (before.link.at !== 'closed' && after.link.at === 'closed') media.close()
      },
    }),
    open: () => tracks.filter(({ readyState }) => readyState === 'live'),
    refuse(name) {
      refusal = name
    },
    unplug() {
      const track = tracks.findLast(({ readyState }) => readyState === 'live')
      track?.stop()
      track?.dispatchEvent(new Event('ended'))
    },
    block(wanted) {
      isBlocked = wanted
    },
    isSilenced: () => isSilenced,
  }
}

function trackMade(): MediaStreamTrack {
  let readyState = 'live'
  return Object.assign(
    Object.defineProperty(new EventTarget(), 'readyState', { get: () => readyState }),
    { kind: 'audio', enabled: true, getSettings: () => ({ deviceId: 'the one on the desk' }) },
    {
      stop() {
        readyState = 'ended'
      },
    },
  ) as unknown as MediaStreamTrack
}
