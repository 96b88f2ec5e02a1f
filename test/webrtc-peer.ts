/** A WebRTC client in Node, by werift and libopus: what a browser does in a call, with its sound at hand. */
import { createDecoder, createEncoder } from 'libopus-wasm'
import { MediaStreamTrack, type RTCDataChannel, RTCPeerConnection, RtpHeader, RtpPacket } from 'werift'
import { closeNotify, pastHandshake } from '../src/server/webrtc/dtls.ts'

export interface WireEvent {
  readonly type: string
  readonly [field: string]: unknown
}

/** A packet of sound as it came in. */
export interface HeardPacket {
  /** ms of `performance.now()`. */
  readonly at: number
  /** How many events had come before it. */
  readonly events: number
  /** RTP time, at 48 kHz. */
  readonly timestamp: number
  readonly sequenceNumber: number
  /** 24 kHz. */
  readonly samples: Int16Array
}

export interface WebRtcPeer {
  readonly connection: RTCPeerConnection
  readonly channel: RTCDataChannel
  /** All that came by the data channel, in order. */
  readonly events: WireEvent[]
  readonly packets: HeardPacket[]
  /** What was heard: 24 kHz PCM16, the packets behind one another. */
  heard(): Int16Array
  say(event: object): void
  /**
   * Sends 24 kHz PCM16 as Opus in frames of 20 ms, at the pace at which it is spoken; settles when all is sent.
   * `change` may drop (null) or delay a packet: it is given each with its number.
   */
  speak(samples: Int16Array, change?: (packet: RtpPacket, nth: number) => readonly RtpPacket[]): Promise<void>
  /** Resolves when `look` finds something, now or after an event, a packet or the channel's end. Rejects after `boundMs`. */
  until<Found>(look: () => Found | undefined | null | false, boundMs?: number): Promise<Found>
  /** The first event of this type from the `from`th on. */
  next(type: string, from?: number): Promise<WireEvent>
  /** Dies without a word: no datagram goes out any more, and none is read. */
  vanish(): Promise<void>
  /** Leaves as a browser does: the far end is told. */
  close(): Promise<void>
}

export interface PeerOptions {
  /** Makes the offer's answer. */
  readonly exchange: (offer: string) => Promise<string>
  /** Default: true. */
  readonly withSound?: boolean
  /** Told of each datagram that comes in: STUN, DTLS, SRTP. */
  readonly datagram?: (data: Buffer) => void
}

const frame = 480

/** What werift's types do not say of a connection. */
interface WithSockets {
  readonly protocols: readonly { close(): Promise<void> }[]
}

/** Connects: resolves when the data channel is open. */
export async function webRtcPeer({ exchange, withSound = true, datagram }: PeerOptions): Promise<WebRtcPeer> {
  const connection = new RTCPeerConnection({
    iceServers: [],
    iceUseIpv6: false,
    iceAdditionalHostAddresses: ['127.0.0.1'],
  })
  const encoder = await createEncoder({ sampleRate: 24_000, channels: 1, frameSize: frame, bitrate: 32_000 })
  const decoder = await createDecoder({ sampleRate: 24_000, channels: 1 })
  const events: WireEvent[] = []
  const packets: HeardPacket[] = []
  const lookers = new Set<() => void>()
  const tell = () => {
    for (const look of [...lookers]) look()
  }
  let isClosed = false

  const channel = connection.createDataChannel('oai-events')
  channel.onMessage.subscribe((data) => {
    events.push(JSON.parse(String(data)) as WireEvent)
    tell()
  })
  channel.stateChanged.subscribe(tell)
  const sender = withSound
    ? connection.addTransceiver(new MediaStreamTrack({ kind: 'audio' }), { direction: 'sendrecv' }).sender
    : null
  connection.onTrack.subscribe((track) => {
    track.onReceiveRtp.subscribe(({ header: { timestamp, sequenceNumber }, payload }) => {
      if (isClosed) return
      const at = performance.now()
      packets.push({ at, events: events.length, timestamp, sequenceNumber, samples: decoder.decode(payload) })
      tell()
    })
  })
  let sequenceNumber = 1_000
  let timestamp = 5_000
  let spokenUntil = 0

  async function speak(
    samples: Int16Array,
    change: (packet: RtpPacket, nth: number) => readonly RtpPacket[] = (p) => [p],
  ) {
    const begin = performance.now()
    if (spokenUntil) timestamp = (timestamp + Math.max(0, Math.round((begin - spokenUntil) * 48))) >>> 0
    for (let from = 0, nth = 0; from < samples.length && !isClosed; from += frame, nth++) {
      await new Promise((resolve) => setTimeout(resolve, begin + nth * 20 - performance.now()))
      if (isClosed) return
      const whole = new Int16Array(frame)
      whole.set(samples.subarray(from, from + frame))
      const header = new RtpHeader({ sequenceNumber, timestamp, payloadType: 0, marker: nth === 0 })
      const made = new RtpPacket(header, Buffer.from(encoder.encode(whole)))
      for (const packet of change(made, nth)) await sender?.sendRtp(packet)
      sequenceNumber = (sequenceNumber + 1) & 0xffff
      timestamp = (timestamp + 2 * frame) >>> 0
    }
    spokenUntil = performance.now()
  }

  function until<Found>(look: () => Found | undefined | null | false, boundMs = 20_000): Promise<Found> {
    return new Promise((resolve, reject) => {
      const bound = setTimeout(() => {
        lookers.delete(again)
        reject(new Error(`Not within ${boundMs} ms. So far: ${events.map(({ type }) => type).join(', ')}`))
      }, boundMs)
      const again = () => {
        const found = look()
        if (found === undefined || found === null || found === false) return
        clearTimeout(bound)
        lookers.delete(again)
        resolve(found)
      }
      lookers.add(again)
      again()
    })
  }

  async function close(): Promise<void> {
    if (isClosed) return
    isClosed = true
    connection.dtlsTransports.forEach(pastHandshake)
    await Promise.all(connection.dtlsTransports.map(closeNotify)).catch(() => {})
    await connection.close()
    encoder.free()
    decoder.free()
    tell()
  }

  try {
    await connection.setLocalDescription(await connection.createOffer())
    for (const { connection: ice } of datagram ? connection.iceTransports : [])
      ice.onData.subscribe((data) => datagram?.(data))
    const answer = await exchange(connection.localDescription!.sdp)
    await connection.setRemoteDescription({ type: 'answer', sdp: answer })
    await until(() => channel.readyState === 'open')
  } catch (error) {
    await close()
    throw error
  }
  return {
    connection,
    channel,
    events,
    packets,
    heard() {
      const all = new Int16Array(packets.reduce((sum, { samples }) => sum + samples.length, 0))
      packets.reduce((at, { samples }) => {
        all.set(samples, at)
        return at + samples.length
      }, 0)
      return all
    },
    say: (event) => channel.send(JSON.stringify(event)),
    speak,
    until,
    async vanish() {
      const ways = connection.iceTransports.map((ice) => ice.connection as unknown as WithSockets)
      await Promise.all(ways.flatMap(({ protocols }) => protocols).map((one) => one.close()))
    },
    next: (type, from = 0) => until(() => events.slice(from).find((event) => event.type === type)),
    close,
  }
}

/** Posts the offer to a server, as a browser does. */
export function post(
  callsUrl: string,
  { key = 'k', model = 'gpt-realtime-2.1' }: { readonly key?: string; readonly model?: string } = {},
): (offer: string) => Promise<string> {
  return async (offer) => {
    const response = await fetch(`${callsUrl}?model=${model}`, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp', authorization: `Bearer ${key}` },
      body: offer,
    })
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
    return response.text()
  }
}
