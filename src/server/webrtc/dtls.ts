/** Two things that werift's DTLS leaves out, and browsers need. */
import type { RTCDtlsTransport } from 'werift'

/** More records than a handshake has, with all that it says twice. */
const handshakeRecords = 1_000
const alert = 21
/** Level `warning`, description `close_notify`. */
const closeAlert = [1, 0] as const
const dtls12 = { major: 254, minor: 253 } as const

/**
 * werift counts its records anew after the handshake, in the same epoch: the record with the number that `Finished` had
 * would be taken for a replay and dropped (RFC 6347, section 4.1.2.6), and what it carried come a second late.
 */
export function pastHandshake({ dtls: socket }: RTCDtlsTransport): void {
  if (socket) socket.dtls.recordSequenceNumber = Math.max(socket.dtls.recordSequenceNumber, handshakeRecords)
}

/** Tells the far end that the connection is closed (RFC 5246, section 7.2.1): else it would wait for half a minute. */
export async function closeNotify({ dtls: socket, state }: RTCDtlsTransport): Promise<void> {
  if (!socket || state !== 'connected') return
  const { epoch } = socket.dtls
  const sequenceNumber = ++socket.dtls.recordSequenceNumber
  const recordLayerHeader = { contentType: alert, protocolVersion: dtls12, epoch, sequenceNumber, contentLen: 2 }
  const plain = { recordLayerHeader, fragment: Buffer.from(closeAlert) }
  const { fragment } = socket.cipher.encryptPacket(plain as Parameters<typeof socket.cipher.encryptPacket>[0])
  const header = Buffer.alloc(13)
  header.writeUInt8(alert, 0)
  header.writeUInt8(dtls12.major, 1)
  header.writeUInt8(dtls12.minor, 2)
  header.writeUInt16BE(epoch, 3)
  header.writeUIntBE(sequenceNumber, 5, 6)
  header.writeUInt16BE(fragment.length, 11)
  await socket.transport.send(Buffer.concat([header, fragment]))
}
