import { toBytes } from '../audio/pcm.ts'
import { resampler } from '../audio/resample.ts'
import type { Sound } from '../session/devices.ts'
import { MediaError } from '../session/media.ts'
import { type Source, sourceOf } from './devices.ts'
import { type Block, loadWorklets, microphoneName } from './worklet.ts'

export interface MicrophoneOptions {
  /** Runs at the device's rate; it is neither resumed nor closed. */
  readonly context: AudioContext
  /** Takes 20 ms at a time: PCM16 mono little-endian at `rate` Hz. Each array is its own. */
  readonly send: (audio: Uint8Array) => void
  readonly rate: number
  /** A device's id, or a stream or track of the app's own, which is never stopped. Default: the browser's choice. */
  readonly microphone?: Sound
  /** What is asked of the browser, besides echo cancellation, noise suppression and automatic gain. */
  readonly constraints?: MediaTrackConstraints | undefined
  readonly workletUrl?: string | undefined
  readonly muted?: boolean
  /** The track ended: it was unplugged, or its permission was taken back. Silence is sent until there is another. */
  readonly lost?: () => void
}

export interface OpenMicrophone {
  readonly track: MediaStreamTrack
  /** Speaks through another one from now on; rejects with a `MediaError`, and then the earlier one goes on. */
  use(microphone: Sound): Promise<void>
  /** Muted, it sends silence: the time goes on. */
  mute(muted: boolean): void
  /** Root mean square of the last 20 ms, 0 to 1. */
  level(): number
  close(): void
}

/** Opens a microphone and speaks through it until it is closed. Rejects with a `MediaError`. */
export async function openMicrophone(options: MicrophoneOptions): Promise<OpenMicrophone> {
  const { context, send, rate, microphone, constraints, lost } = options
  await loadWorklets(context, options.workletUrl)
  let { track, ours } = await sourceOf(microphone, constraints)
  if (context.state === 'closed') {
    if (ours) track.stop()
    throw new MediaError('The microphone came after its context was closed.', 'off')
  }
  let muted = options.muted ?? false
  let level = 0
  let isOpen = true
  /** Of several that are asked for at once, the last one is meant. */
  let last = Symbol()
  const toLine = resampler(context.sampleRate, rate)
  const node = new AudioWorkletNode(context, microphoneName, {
    numberOfOutputs: 0,
    channelCount: 1,
    channelCountMode: 'explicit',
  })
  node.port.onmessage = ({ data: [samples, loud] }: MessageEvent<Block>) => {
    if (!isOpen) return
    level = muted ? 0 : loud
    if (muted) samples.fill(0)
    const ready = toLine.push(samples)
    if (ready.length) send(toBytes(ready))
  }
  let source = plug({ track, ours })

  function plug(next: Source): MediaStreamAudioSourceNode {
    // A track of the app's own is muted here alone: whatever else hears it goes on hearing it.
    if (next.ours) next.track.enabled = !muted
    next.track.addEventListener('ended', ended)
    const made = context.createMediaStreamSource(new MediaStream([next.track]))
    made.connect(node)
    return made
  }

  function unplug(): void {
    track.removeEventListener('ended', ended)
    source.disconnect()
    if (ours) track.stop()
  }

  function ended(): void {
    lost?.()
  }

  return {
    get track() {
      return track
    },
    async use(wanted) {
      const mine = Symbol()
      last = mine
      const next = await sourceOf(wanted, constraints)
      if (next.track === track) return
      if (!isOpen || last !== mine) {
        if (next.ours) next.track.stop()
        return
      }
      const made = plug(next)
      unplug()
      ;({ track, ours } = next)
      source = made
    },
    mute(wanted) {
      muted = wanted
      if (ours) track.enabled = !muted
    },
    level: () => level,
    close() {
      if (!isOpen) return
      isOpen = false
      unplug()
      node.port.onmessage = null
      node.port.postMessage('end')
      level = 0
    },
  }
}
