/**
 * The packets of sound, fifty a second each way. werift's own way for them has room for video, simulcast, resending and
 * more, and costs as much as the sound itself; so one packet goes that way where werift has to know of it, and the others
 * straight to where they are encrypted, and from there.
 */
import type { RTCDtlsTransport, RTCRtpReceiver, RTCRtpSender, RtpHeader, RtpPacket } from 'werift'
import type { SoundPacket } from './incoming.ts'

/** Sends one packet of Opus; `marker`: it is the first after a silence. */
export type SendSound = (opus: Uint8Array, timestamp: number, marker: boolean) => void

interface PacketParts {
  readonly RtpHeader: typeof RtpHeader
  readonly RtpPacket: typeof RtpPacket
}

/** What werift tells in its reports of what it sent. */
interface Counts {
  packetCount: number
  octetCount: number
}

/** What werift tells in its reports of one stream that it received. */
interface Statistics {
  add(packet: {
    readonly header: { readonly sequenceNumber: number; readonly timestamp: number; readonly serializeSize: number }
    readonly payload: Uint8Array
  }): void
}

/** How often the numbers of each stream have begun anew. */
interface Rollovers {
  readonly srtpSSRCStates: Readonly<Record<number, { rolloverCounter: number; readonly lastSequenceNumber: number }>>
}

/** Of so many packets of sound, werift itself sends one: two a second. */
const betweenReported = 25
/** Bytes of an RTP header without extensions. */
const headerBytes = 12

/**
 * werift keeps each packet to send it again, and asks the clock about each; but nobody asks for sound again, and its
 * reports tell the time once a second.
 */
export function soundSender(sender: RTCRtpSender, { RtpHeader, RtpPacket }: PacketParts): SendSound {
  const counts = sender as unknown as Counts
  let sequenceNumber = Math.floor(Math.random() * 2 ** 16)
  let untilReported = 0

  return (opus, timestamp, marker) => {
    const { codec, dtlsTransport, ssrc } = sender
    if (dtlsTransport?.state !== 'connected' || !codec) return
    sequenceNumber = (sequenceNumber + 1) & 0xffff
    const payload = Buffer.from(opus.buffer, opus.byteOffset, opus.byteLength)
    if (untilReported === 0) {
      untilReported = betweenReported
      const header = new RtpHeader({ sequenceNumber, timestamp, marker, payloadType: 0 })
      sender.sendRtp(new RtpPacket(header, payload)).catch(() => {})
      return
    }
    untilReported -= 1
    counts.packetCount = (counts.packetCount + 1) >>> 0
    counts.octetCount += payload.length
    const written = Buffer.allocUnsafe(headerBytes)
    written[0] = 0x80
    written[1] = codec.payloadType | (marker ? 0x80 : 0)
    written.writeUInt16BE(sequenceNumber, 2)
    written.writeUInt32BE(timestamp, 4)
    written.writeUInt32BE(ssrc, 8)
    const header = { ssrc, sequenceNumber, serializeSize: headerBytes, serialize: () => written }
    dtlsTransport.sendRtp(payload, header as unknown as RtpHeader).catch(() => {})
  }
}

/**
 * Takes the packets of streams that werift knows already: the first of each goes its way. `heard` gets only what was
 * authenticated.
 */
export function receiveSound(
  dtls: RTCDtlsTransport,
  receiver: RTCRtpReceiver,
  payloadType: () => number | undefined,
  heard: (packet: SoundPacket) => void,
): void {
  const { onData } = dtls.iceTransport.connection
  const { remoteStreams } = receiver as unknown as { readonly remoteStreams: Readonly<Record<number, Statistics>> }
  const others = onData.execute
  onData.execute = (data) => {
    if (data.length < headerBytes || data[0]! >> 6 !== 2 || (data[1]! & 0x7f) !== payloadType()) return others(data)
    const statistics = remoteStreams[data.readUInt32BE(8)]
    if (!statistics) return others(data)
    const clear = decrypted(dtls, data)
    if (!clear) return
    dtls.bytesReceived += data.length
    dtls.packetsReceived += 1
    const packet = soundOf(clear)
    if (!packet) return
    const { sequenceNumber, timestamp, payload } = packet
    statistics.add({ header: { sequenceNumber, timestamp, serializeSize: clear.length - payload.length }, payload })
    heard(packet)
  }
}

/** Null for what does not come from the far end. */
function decrypted({ srtp }: RTCDtlsTransport, data: Buffer): Buffer | null {
  try {
    return srtp.decrypt(data)
  } catch {
    return decryptedAnew(srtp, data)
  }
}

/**
 * Numbers that begin anew: werift counts that only where hardly a packet is lost there, and would understand no packet after
 * it. They did where the number is nearer from above (RFC 3711, section 3.3.1).
 */
function decryptedAnew(srtp: RTCDtlsTransport['srtp'], data: Buffer): Buffer | null {
  const { srtpSSRCStates: streams } = (srtp as unknown as { readonly remoteContext: Rollovers }).remoteContext
  const stream = streams[data.readUInt32BE(8)]
  if (!stream || stream.lastSequenceNumber - data.readUInt16BE(2) <= 2 ** 15) return null
  const before = stream.rolloverCounter
  stream.rolloverCounter += 1
  try {
    return srtp.decrypt(data)
  } catch {
    stream.rolloverCounter = before
    return null
  }
}

/** The sound of an RTP packet (RFC 3550, section 5.1), without its extensions and its padding; null if they leave no room. */
function soundOf(packet: Buffer): SoundPacket | null {
  const flags = packet[0]!
  let from = headerBytes + 4 * (flags & 0x0f)
  if (flags & 0x10) {
    if (packet.length < from + 4) return null
    from += 4 + 4 * packet.readUInt16BE(from + 2)
  }
  const end = packet.length - (flags & 0x20 ? packet[packet.length - 1]! : 0)
  if (from > end) return null
  return {
    sequenceNumber: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    payload: packet.subarray(from, end),
  }
}
