/** One WebRTC peer: an offer is answered, packets of sound and the words of the data channel go both ways. */
import { setTimeout as delay } from 'node:timers/promises'
import type { RTCDataChannel, RTCPeerConnection } from 'werift'
import { closeNotify, pastHandshake } from './dtls.ts'
import type { SoundPacket } from './incoming.ts'
import { receiveSound, type SendSound, soundSender } from './rtp.ts'

export interface PeerOptions {
  readonly offer: string
  readonly on: PeerEvents
}

export interface PeerEvents {
  /** Sound can be sent from now on. */
  readonly connected: () => void
  /** The data channel is open. */
  readonly opened: () => void
  readonly sound: (packet: SoundPacket) => void
  /** A message of the data channel; null: it was binary. */
  readonly message: (text: string | null) => void
  /** The far end left, or was never reached. Told once, and not after `close`. */
  readonly gone: (why: string) => void
}

export interface Peer {
  /** SDP, with all candidates. */
  readonly answer: string
  readonly sendSound: SendSound
  /** Sends words. False when they cannot be sent: the channel is closed, or they are too long for it. */
  sendText(text: string): boolean
  /** Bytes that wait to be sent as words. */
  readonly bufferedBytes: number
  /** How many packets came from the far end: its questions and answers about the way, and what it sent. */
  readonly received: number
  close(): Promise<void>
}

/** What a client may send in one message, in bytes. */
const mostIncoming = 16 * 1024 * 1024
/** ms that a closing channel is given for each half of its farewell. */
const farewellMs = 200
const channelLabel = 'oai-events'

/**
 * Closes a channel so that the far end hears of it: each side resets its stream and hears that the other did (RFC 8831,
 * section 6.7), and werift tells of the first half only. A far end that is gone is not waited for.
 */
async function farewell(channel: RTCDataChannel | null): Promise<void> {
  if (channel?.readyState !== 'open') return
  const half = new Promise<void>((resolve) => {
    channel.stateChanged.subscribe((state) => state === 'closed' && resolve())
  })
  try {
    channel.close()
  } catch {
    return
  }
  await Promise.race([half, delay(farewellMs)])
  await delay(farewellMs / 2)
}

/** Rejects when the offer cannot be answered. */
export async function peer({ offer, on }: PeerOptions): Promise<Peer> {
  const { RTCPeerConnection, RtpHeader, RTCRtpCodecParameters, RtpPacket } = await import('werift')
  const opus = new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2 })
  const line = new RTCPeerConnection({
    iceServers: [],
    iceUseIpv6: false,
    iceAdditionalHostAddresses: ['127.0.0.1'],
    codecs: { audio: [opus], video: [] },
    maxMessageSize: mostIncoming,
  })
  let channel: RTCDataChannel | null = null
  let isOver = false

  function gone(why: string): void {
    if (isOver) return
    isOver = true
    on.gone(why)
  }

  line.onDataChannel.subscribe((opened) => {
    if (channel || opened.label !== channelLabel) return
    channel = opened
    opened.error.subscribe(() => {})
    opened.onMessage.subscribe((data) => {
      if (!isOver) on.message(typeof data === 'string' ? data : null)
    })
    const follow = (state: string) => {
      if (state === 'open' && !isOver) on.opened()
      if (state === 'closing' || state === 'closed') gone('The data channel was closed.')
    }
    opened.stateChanged.subscribe(follow)
    follow(opened.readyState)
  })
  line.connectionStateChange.subscribe((state) => {
    if (state === 'failed') gone('The connection failed.')
  })
  const hear = (packet: SoundPacket) => {
    if (!isOver) on.sound(packet)
  }
  const sound = /^m=audio /m.test(offer) ? line.addTransceiver('audio', { direction: 'sendrecv' }) : null
  const send = sound && soundSender(sound.sender, { RtpHeader, RtpPacket })
  line.onTrack.subscribe((track) => {
    if (track.kind !== 'audio') return
    track.onReceiveRtp.subscribe(({ header, payload }) => {
      if (header.payloadType !== sound?.sender.codec?.payloadType) return
      hear({ sequenceNumber: header.sequenceNumber, timestamp: header.timestamp, payload })
    })
  })

  let answer: string
  try {
    await line.setRemoteDescription({ type: 'offer', sdp: offer })
    await line.setLocalDescription(await line.createAnswer())
    answer = line.localDescription?.sdp ?? ''
    watch(line)
  } catch (error) {
    isOver = true
    await line.close().catch(() => {})
    throw error
  }

  /** The far end's leaving shows here at once, and half a minute later in the state of the connection. */
  function watch({ dtlsTransports }: RTCPeerConnection): void {
    for (const dtls of dtlsTransports) {
      const follow = (state: string) => {
        if (state === 'connected') {
          pastHandshake(dtls)
          if (sound) receiveSound(dtls, sound.receiver, () => sound.sender.codec?.payloadType, hear)
          if (!isOver) on.connected()
        }
        if (state === 'closed' || state === 'failed') gone('The connection was closed.')
      }
      dtls.onStateChange.subscribe(follow)
      follow(dtls.state)
    }
  }

  return {
    answer,
    sendSound(opus, timestamp, first) {
      if (!isOver) send?.(opus, timestamp, first)
    },
    sendText(text) {
      if (channel?.readyState !== 'open') return false
      try {
        channel.send(text)
        return true
      } catch {
        return false
      }
    },
    get bufferedBytes() {
      return channel?.bufferedAmount ?? 0
    },
    get received() {
      return line.dtlsTransports.reduce((sum, { packetsReceived, iceTransport: { connection } }) => {
        const pairs = connection.candidatePairs
        return pairs.reduce((all, pair) => all + pair.requestsReceived + pair.responsesReceived, sum + packetsReceived)
      }, 0)
    },
    async close() {
      isOver = true
      await farewell(channel)
      await Promise.all(line.dtlsTransports.map(closeNotify)).catch(() => {})
      await line.close().catch(() => {})
    },
  }
}
