/** WebRTC as a platform gives it, from a package for Node: peers, a microphone that hums, and what is left of both. */
import { MediaStream, MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters } from 'werift'

export interface Platform {
  readonly peerConnection: () => globalThis.RTCPeerConnection
  readonly mediaDevices: Pick<MediaDevices, 'getUserMedia' | 'enumerateDevices'>
  /** What was asked of `getUserMedia`, in order. */
  readonly asked: readonly MediaStreamConstraints[]
  /** All tracks that the microphone gave. */
  readonly tracks: readonly MediaStreamTrack[]
  readonly peers: readonly RTCPeerConnection[]
  /** What nobody has let go. */
  left(): { readonly tracks: number; readonly peers: number }
  /** The microphone refuses, by the name of the error; null: it gives. */
  refuse(name: string | null): void
  /** The ICE of the last peer says that the way is lost, as it does half a minute after it was. */
  lose(state: 'disconnected' | 'failed' | 'connected'): void
  /** Its next answer waits for this. */
  hold(until: Promise<unknown>): void
}

export function platform(): Platform {
  const asked: MediaStreamConstraints[] = []
  const tracks: MediaStreamTrack[] = []
  const peers: RTCPeerConnection[] = []
  let refusal: string | null = null
  let until: Promise<unknown> = Promise.resolve()
  return {
    asked,
    tracks,
    peers,
    peerConnection() {
      const peer = new RTCPeerConnection({
        iceServers: [],
        iceUseIpv6: false,
        iceAdditionalHostAddresses: ['127.0.0.1'],
        codecs: { audio: [new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2 })] },
      })
      peers.push(peer)
      return peer as never
    },
    mediaDevices: {
      async getUserMedia(constraints = {}) {
        asked.push(constraints)
        await until
        if (refusal) throw new DOMException('Words of the platform.', refusal)
        return streamOf(microphone(tracks)) as never
      },
      enumerateDevices: async () => [],
    },
    left: () => ({
      tracks: tracks.filter(({ stopped }) => !stopped).length,
      peers: peers.filter(({ connectionState }) => connectionState !== 'closed').length,
    }),
    lose(state) {
      const last = peers.at(-1) as unknown as { secureManager: { setConnectionState(state: string): void } }
      last.secureManager.setConnectionState(state)
    },
    refuse(name) {
      refusal = name
    },
    hold(promise) {
      until = promise
    },
  }
}

export function microphone(kept: MediaStreamTrack[] = []): MediaStreamTrack {
  const track = new MediaStreamTrack({ kind: 'audio' })
  Object.defineProperty(track, 'readyState', { get: () => (track.stopped ? 'ended' : 'live') })
  kept.push(track)
  return track
}

export function streamOf(track: MediaStreamTrack): MediaStream {
  return new MediaStream([track])
}
