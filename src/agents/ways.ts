/** The ways to the far end that have a name. What makes their lines is loaded when one is first dialed. */
import type { Clock } from '../protocol/clock.ts'
import { type ConnectOptions, type Dial, partIn, type Transport } from '../session/transport.ts'
import type { WebRTC } from '../transports/webrtc.ts'

/** `auto`: WebRTC, and a WebSocket where that cannot be had or does not hold. */
export type Way = 'webrtc' | 'websocket' | 'auto'

export function wayOf(wanted: Way | undefined, clock: Clock): Transport {
  const way = wanted ?? (isThere() ? 'webrtc' : 'websocket')
  if (way === 'websocket' || (way === 'auto' && !isThere())) return { dialer: webSocket }
  return overWebRTC(way, wanted === undefined, clock)
}

const isThere = () => 'RTCPeerConnection' in globalThis

async function webSocket(options: ConnectOptions): Promise<Dial> {
  return (await import('../transports/websocket.ts')).webSocket(options)
}

function overWebRTC(way: 'webrtc' | 'auto', isChosenByUs: boolean, clock: Clock): Transport {
  let lines: WebRTC | null = null
  let isMuted = false
  let isFallen = false

  async function loaded(): Promise<WebRTC> {
    const { webRTC } = await import('../transports/webrtc.ts')
    lines ??= webRTC({ clock })
    lines.mute(isMuted)
    return lines
  }

  return {
    carriesAudio: way === 'webrtc' || 'maybe',
    get media() {
      return isFallen ? null : (lines?.media ?? null)
    },
    mute(muted) {
      isMuted = muted
      lines?.mute(muted)
    },
    async dialer(options) {
      isFallen = false
      // What stands already is joined beside its audio.
      if (partIn(options).attached && (isChosenByUs || way === 'auto')) return webSocket(options)
      const first = (await loaded()).dialer(options)
      if (way === 'webrtc') return first
      const { auto } = await import('../transports/auto.ts')
      return auto({
        clock,
        first,
        second: () => webSocket(options),
        asking: () => lines?.media.state.microphone === 'asking',
        fell() {
          isFallen = true
          lines?.close()
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
