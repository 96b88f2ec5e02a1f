/** The ways to the far end that have a name. What makes their lines is loaded when one is first dialed. */
import type { Clock } from '../protocol/clock.ts'
import type { Media } from '../session/media.ts'
import { type ConnectOptions, type Dial, partIn, type Transport } from '../session/transport.ts'
import { part } from '../transports/late.ts'
import type { WebRTC } from '../transports/webrtc.ts'
import { earlyMedia } from './early-media.ts'

/** `auto`: WebRTC, and a WebSocket where that cannot be had or does not hold. */
export type Way = 'webrtc' | 'websocket' | 'auto'

/** `audio`: what has the microphone and the speaker where the line has not. */
export function wayOf(wanted: Way | undefined, clock: Clock, audio?: Media): Transport {
  const way = wanted ?? (isThere() ? 'webrtc' : 'websocket')
  if (way === 'websocket' || (way === 'auto' && !isThere())) return { dialer: webSocket }
  return overWebRTC(way, wanted === undefined, clock, audio)
}

const isThere = () => 'RTCPeerConnection' in globalThis

async function webSocket(options: ConnectOptions): Promise<Dial> {
  return (await part(import('../transports/websocket.ts'))).webSocket(options)
}

function overWebRTC(way: 'webrtc' | 'auto', isChosenByUs: boolean, clock: Clock, audio: Media | undefined): Transport {
  let lines: WebRTC | null = null
  let isMuted = false
  let isFallen = false

  async function loaded(): Promise<WebRTC> {
    const { webRTC } = await part(import('../transports/webrtc.ts'))
    lines ??= webRTC({ clock })
    lines.mute(isMuted)
    early.follow(lines.media)
    return lines
  }

  const early = earlyMedia(async () => (await loaded()).media)

  return {
    carriesAudio: way === 'webrtc' || 'maybe',
    get media() {
      return isFallen && !audio ? null : early.media
    },
    mute(muted) {
      isMuted = muted
      lines?.mute(muted)
      early.mute(muted)
    },
    async dialer(options) {
      isFallen = false
      // What stands already is joined beside its audio.
      if (partIn(options).attached && (isChosenByUs || way === 'auto')) return webSocket(options)
      const first = (await loaded()).dialer(options)
      if (way === 'webrtc') return first
      const { auto } = await part(import('../transports/auto.ts'))
      return auto({
        clock,
        first,
        second: () => webSocket(options),
        asking: () => lines?.media.state.microphone === 'asking',
        fell() {
          isFallen = true
          lines?.close()
          if (audio) early.follow(audio)
        },
      })
    },
    taken: () => ({
      heard() {},
      tell() {},
      changed(before, after) {
        if (before.link.at !== 'closed' && after.link.at === 'closed') lines?.close()
      },
    }),
  }
}
