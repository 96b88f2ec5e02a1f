/** Packets of sound on real connections: what werift writes and reads of them, the server writes and reads by itself. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { RtcpPacket, RtpPacket } from 'werift'
import { readWav } from '../src/audio/wav.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import { serve } from '../src/server/listen.ts'
import { incoming, type SoundPacket } from '../src/server/webrtc/incoming.ts'
import { codec, frame } from '../src/server/webrtc/opus.ts'
import { type Peer, peer } from '../src/server/webrtc/peer.ts'
import { realClock } from '../src/session/clock.ts'
import { scriptedEars, toneVoice } from '../src/testing/senses.ts'
import { say } from './talk.ts'
import { untilTrue } from './until-true.ts'
import { post, type WebRtcPeer, webRtcPeer } from './webrtc-peer.ts'

/** Both ends of a connection: the server's peer, and a client. */
interface Ends {
  readonly far: Peer
  readonly client: WebRtcPeer
  /** What the server heard, in order. */
  readonly heard: SoundPacket[]
  /** Why the server's peer took the client for gone. */
  readonly gone: string[]
  close(): Promise<void>
}

async function connect(): Promise<Ends> {
  const heard: SoundPacket[] = []
  const gone: string[] = []
  let far: Peer | null = null
  const client = await webRtcPeer({
    async exchange(offer) {
      const sound = ({ payload, ...rest }: SoundPacket) => heard.push({ ...rest, payload: Uint8Array.from(payload) })
      far = await peer({
        offer,
        on: { connected() {}, opened() {}, message() {}, sound, gone: (why) => gone.push(why) },
      })
      return far.answer
    },
  })
  const close = async () => {
    await client.close()
    await far?.close()
  }
  return { far: far!, client, heard, gone, close }
}

async function call(): Promise<Ends> {
  const ends = await connect()
  onTestFinished(ends.close)
  return ends
}

/** What an RTP packet says, and how. */
interface Written {
  readonly sequenceNumber: number
  readonly timestamp: number
  readonly payload: Buffer
  readonly version?: number
  readonly marker?: boolean
  readonly payloadType?: number
  readonly ssrc?: number
  readonly csrcs?: number
  /** How many CSRCs it says that it has. */
  readonly csrcCount?: number
  /** With its four bytes of profile and length. */
  readonly extension?: Buffer
  /** Bytes at the end that it says are padding, without the last. */
  readonly padding?: Buffer
  /** How long it says that the padding is. */
  readonly paddingLength?: number
}

function plain(nth: number, more: Partial<Written> = {}): Written {
  return {
    sequenceNumber: (65_530 + nth) & 0xffff,
    timestamp: 4_000 + nth * 960,
    payload: bytes(40, nth),
    ...more,
  }
}

function bytes(length: number, seed: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, n) => (n * 151 + seed * 83 + 7) & 255))
}

/** Encrypts as RFC 3711 tells, whatever the packet says of itself. */
function encrypted({ client }: Pick<Ends, 'client'>, written: Written): Buffer {
  const { sender } = client.connection.getTransceivers()[0]!
  const { sequenceNumber, timestamp, payload, version = 2, marker = false, csrcs = 0, extension, padding } = written
  const { ssrc = sender.ssrc, payloadType = sender.codec!.payloadType } = written
  const { csrcCount = csrcs, paddingLength = padding ? padding.length + 1 : null } = written
  const fixed = Buffer.alloc(12)
  fixed[0] = (version << 6) | (paddingLength === null ? 0 : 0x20) | (extension ? 0x10 : 0) | csrcCount
  fixed[1] = payloadType | (marker ? 0x80 : 0)
  fixed.writeUInt16BE(sequenceNumber, 2)
  fixed.writeUInt32BE(timestamp, 4)
  fixed.writeUInt32BE(ssrc, 8)
  const header = Buffer.concat([fixed, bytes(4 * csrcs, 9), extension ?? Buffer.alloc(0)])
  const body = [payload, padding ?? Buffer.alloc(0), Buffer.from(paddingLength === null ? [] : [paddingLength])]
  type Header = Parameters<typeof srtp.encrypt>[1]
  const { srtp } = client.connection.dtlsTransports[0]!
  const told = { ssrc, sequenceNumber, serializeSize: header.length, serialize: () => header }
  return srtp.encrypt(Buffer.concat(body), told as unknown as Header)
}

async function sendRaw({ client }: Pick<Ends, 'client'>, data: Buffer): Promise<void> {
  await client.connection.dtlsTransports[0]!.iceTransport.connection.send(data)
}

async function sendAll(ends: Ends, packets: readonly Written[]): Promise<void> {
  for (const packet of packets) await sendRaw(ends, encrypted(ends, packet))
}

function said({ sequenceNumber, timestamp, payload }: Written): SoundPacket {
  return { sequenceNumber, timestamp, payload: Uint8Array.from(payload) }
}

function extension(profile: number, body: readonly number[], words = body.length / 4): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt16BE(profile, 0)
  head.writeUInt16BE(words, 2)
  return Buffer.concat([head, Buffer.from(body)])
}

const oneByte = extension(0xbede, [0x12, 7, 8, 9, 0, 0, 0x31, 5, 6, 0, 0, 0])
const twoByte = extension(0x1000, [1, 0, 2, 3, 7, 8, 9, 0, 0, 4, 1, 5])

// ── what is heard ────────────────────────────────────────────────────────────────────────────────────────────────────

/** One call for all single packets: it has to live through each. */
let ends: Ends
let told = 0
beforeAll(async () => {
  ends = await connect()
  await sendAll(ends, [plain(told++)])
  await untilTrue(() => ends.heard.length === 1)
})
afterAll(() => ends.close())

/** What is heard of what is sent between two packets, of which the last is heard in any case. */
async function heardBetween(send: (nth: number) => Promise<void>): Promise<readonly SoundPacket[]> {
  const [first, nth, last] = [told++, told++, told++]
  ends.heard.length = 0
  await sendAll(ends, [plain(first)])
  await send(nth)
  await sendAll(ends, [plain(last)])
  await untilTrue(() => ends.heard.at(-1)?.sequenceNumber === plain(last).sequenceNumber)
  expect([ends.heard[0], ends.heard.at(-1)]).toEqual([said(plain(first)), said(plain(last))])
  expect(ends.gone).toEqual([])
  return ends.heard.slice(1, -1)
}

const dressedUp: Partial<Written> = { marker: true, csrcs: 3, extension: oneByte, padding: bytes(30, 3) }
test.for<readonly [what: string, more: Partial<Written>]>([
  ['the mark of a first packet', { marker: true }],
  ['a CSRC', { csrcs: 1 }],
  ['as many CSRCs as there can be', { csrcs: 15 }],
  ['extensions of one byte', { extension: oneByte }],
  ['extensions of two bytes', { extension: twoByte }],
  ['an extension of another profile', { extension: extension(0xabcd, [1, 2, 3, 4, 5, 6, 7, 8]) }],
  ['an empty extension', { extension: extension(0xbede, []) }],
  ['a byte of padding', { padding: Buffer.alloc(0) }],
  ['the longest padding', { padding: bytes(254, 3) }],
  ['nothing but padding', { payload: Buffer.alloc(0), padding: bytes(20, 3) }],
  ['all of it', dressedUp],
])('a packet with %s is heard as one without', async ([, more]) => {
  let sent = plain(0)
  const heard = await heardBetween((nth) => {
    sent = plain(nth, more)
    return sendAll(ends, [sent])
  })
  expect(heard).toEqual([said(sent)])
})

test('numbers that begin anew while many packets are lost are understood, and a forgery does not begin them', async () => {
  const fresh = await call()
  // Of 65,300 to 286 of the next round, what is between 65,400 and 236 is lost.
  const packets = Array.from({ length: 522 }, (_, nth) => plain(nth, { sequenceNumber: (65_300 + nth) & 0xffff }))
  const made = packets.map((packet) => encrypted(fresh, packet))
  const [before, after] = [100, 472]
  for (const data of made.slice(0, before - 1)) await sendRaw(fresh, data)
  await sendRaw(fresh, flipped(made[after]!, 30))
  for (const data of [made[before - 1]!, ...made.slice(after)]) await sendRaw(fresh, data)
  const heard = [...packets.slice(0, before), ...packets.slice(after)]
  await untilTrue(() => fresh.heard.length >= heard.length)
  expect(fresh.heard).toEqual(heard.map(said))
})

test('the first packet of a call is heard as all others, however it is dressed up', async () => {
  const fresh = await call()
  const packets = [plain(0, dressedUp), plain(1, dressedUp), plain(2)]
  await sendAll(fresh, packets)
  await untilTrue(() => fresh.heard.length >= 3)
  expect(fresh.heard).toEqual(packets.map(said))
})

/** By an element of id 15, a reader of one-byte extensions may stop (RFC 8285, section 4.2), before the true end. */
const stopped = (words: number) => extension(0xbede, [0xf0], words)
test.for<readonly [what: string, more: Partial<Written>]>([
  ['padding that is longer than the packet', { paddingLength: 200 }],
  ['padding that reaches into its header', { paddingLength: 42 }],
  ['padding of no length', { paddingLength: 0 }],
  ['an extension that is longer than the packet', { extension: extension(0xbede, [], 1_000) }],
  ['an extension of two bytes that is longer than the packet', { extension: extension(0x1000, [], 1_000) }],
  [
    'an element that is longer than its extension',
    { extension: extension(0xbede, [0x1f, 1, 2, 3]), payload: bytes(4, 1) },
  ],
  ['a long extension that seems to end early', { extension: stopped(1_000) }],
  [
    'padding into an extension that seems to end early',
    { extension: stopped(2), payload: bytes(19, 1), paddingLength: 18 },
  ],
  ['no room for its CSRCs', { csrcCount: 15, payload: bytes(8, 1) }],
  ['no room for the head of its extension', { extension: Buffer.from([0xbe, 0xde]), payload: Buffer.alloc(0) }],
  ['another payload type', { payloadType: 13 }],
  ['the payload type of a client that would rather talk RTCP', { payloadType: 73 }],
  ['an SSRC that nobody announced', { ssrc: 12_345 }],
  ['version 1', { version: 1 }],
  ['version 3', { version: 3 }],
])('nothing is heard of a packet with %s, and the call goes on', async ([, more]) => {
  expect(await heardBetween((nth) => sendAll(ends, [plain(nth, more)]))).toEqual([])
})

test.for<readonly [what: string, change: (data: Buffer) => Buffer]>([
  ['its sound', (data) => flipped(data, 20)],
  ['its mark', (data) => flipped(data, 1, 0x80)],
  ['its sequence number', (data) => flipped(data, 3, 0x02)],
  ['its time', (data) => flipped(data, 7)],
  ['its proof', (data) => flipped(data, data.length - 1)],
  ['its length: it is a byte short', (data) => data.subarray(0, -1)],
  ['its length: it is a byte long', (data) => Buffer.concat([data, Buffer.alloc(1)])],
  ['its length: it is a header and no more', (data) => data.subarray(0, 12)],
  ['its length: it is less than a header', (data) => data.subarray(0, 11)],
  ['its length: it is one byte', (data) => data.subarray(0, 1)],
])('nothing is heard of a packet when somebody changed %s on its way, and the call goes on', async ([, change]) => {
  expect(await heardBetween((nth) => sendRaw(ends, change(encrypted(ends, plain(nth)))))).toEqual([])
})

function flipped(data: Buffer, at: number, bits = 1): Buffer {
  const changed = Buffer.from(data)
  changed[at]! ^= bits
  return changed
}

test('packets are heard in the order in which they come, also those that come again', async () => {
  const ends = await call()
  const made = Array.from({ length: 12 }, (_, nth) => encrypted(ends, plain(nth)))
  // The sequence number wraps from the fifth to the sixth.
  const order = [0, 1, 3, 2, 2, 4, 6, 5, 7, 7, 8, 0, 9, 11, 10]
  for (const nth of order) await sendRaw(ends, made[nth]!)
  await untilTrue(() => ends.heard.at(-1)?.sequenceNumber === plain(10).sequenceNumber)
  expect(ends.heard).toEqual(order.map((nth) => said(plain(nth))))
})

test('speech is the same to the sample when its packets are dressed up, swapped and said twice', async () => {
  const { encoder, decoder, free } = await codec()
  const fresh = await codec()
  onTestFinished(() => {
    free()
    fresh.free()
  })
  const speech = Array.from({ length: 60 }, (_, nth) =>
    Buffer.from(encoder.encode(barge.slice(nth * frame, (nth + 1) * frame))),
  )
  const straight = speech.flatMap((payload) => [...decoder.decode(payload)])
  const dresses: readonly Partial<Written>[] = [
    { csrcs: 2 },
    { extension: oneByte },
    {},
    { padding: bytes(17, 1) },
    { extension: twoByte, padding: bytes(3, 1) },
  ]
  const ends = await call()
  const made = speech.map((payload, nth) => encrypted(ends, plain(nth, { ...dresses[nth % 5], payload })))
  for (let nth = 0; nth < made.length; nth += 4)
    for (const one of [0, 2, 1, 1, 3]) await sendRaw(ends, made[nth + one]!)
  await untilTrue(() => ends.heard.length >= 75)
  const samples: number[] = []
  const line = incoming(realClock, fresh.decoder, (piece) => samples.push(...piece))
  for (const packet of ends.heard) line.push(packet)
  expect(samples).toEqual(straight)
  expect(straight.some((sample) => Math.abs(sample) > 3_000)).toBe(true)
})

const barge = readWav(readFileSync('fixtures/caller/barge.wav')).samples

test('a caller whose packets are dressed up, among others that are none of his, is understood', async () => {
  const heard: Int16Array[] = []
  const ears = scriptedEars(['please stop'])
  const made = await serve({
    port: 0,
    ears: {
      ...ears,
      listen: (turn) => ({ ...ears.listen(turn), hear: (audio: Int16Array) => heard.push(audio.slice()) }),
    },
    brain: scripted(() => [say('All is well.')]),
    voice: toneVoice(),
  })
  onTestFinished(() => made.close())
  const client = await webRtcPeer({ exchange: post(made.callsUrl) })
  onTestFinished(() => client.close())
  await client.next('session.created')
  const turn_detection = { type: 'server_vad', silence_duration_ms: 1_000 }
  client.say({ type: 'session.update', session: { type: 'realtime', audio: { input: { turn_detection } } } })
  await client.next('session.updated')
  let hostile = Promise.resolve()
  await client.speak(barge, (packet, nth) => {
    const { sequenceNumber, timestamp } = packet.header
    const own = { sequenceNumber, timestamp, payload: packet.payload }
    const noise = bytes(90, nth)
    const dressed = encrypted({ client }, { ...own, csrcs: 2, extension: oneByte, padding: noise })
    const others: readonly Partial<Written>[] = [{ payloadType: 13 }, { ssrc: 12_345 }, { paddingLength: 250 }]
    const strangers = others.map((more) => encrypted({ client }, { ...own, ...more, payload: noise }))
    hostile = hostile.then(async () => {
      for (const data of [...strangers, flipped(dressed, 20), dressed, dressed]) await sendRaw({ client }, data)
    })
    return []
  })
  await hostile
  await client.next('output_audio_buffer.stopped')
  const types = client.events.map(({ type }) => type)
  expect(types.filter((type) => /speech_|error/.test(type))).toEqual([
    'input_audio_buffer.speech_started',
    'input_audio_buffer.speech_stopped',
  ])
  const loudest = heard.reduce((most, audio) => audio.reduce((high, one) => Math.max(high, Math.abs(one)), most), 0)
  const meant = barge.reduce((high, one) => Math.max(high, Math.abs(one)), 0)
  expect(loudest / meant).toBeGreaterThan(0.7)
  expect(loudest / meant).toBeLessThan(1.4)
  expect(client.packets.length).toBe((12 * 60) / 20)
})

// ── what is reported ─────────────────────────────────────────────────────────────────────────────────────────────────

interface Report {
  readonly highest: number
  readonly lost: number
  /** Of 256. */
  readonly fraction: number
  readonly jitter: number
}

/** What the server tells of the client's sound, from now on. */
function receiverReports({ client }: Ends): Report[] {
  const { sender } = client.connection.getTransceivers()[0]!
  const reports: Report[] = []
  client.connection.dtlsTransports[0]!.onRtcp.subscribe((packet: RtcpPacket) => {
    if (packet.type !== 201 || !('reports' in packet)) return
    for (const { ssrc, highestSequence, packetsLost, fractionLost, jitter } of packet.reports)
      if (ssrc === sender.ssrc)
        reports.push({ highest: highestSequence, lost: packetsLost, fraction: fractionLost, jitter })
  })
  return reports
}

/** A report tells of what came since the one before it (RFC 3550, section 6.4.1). */
function expectTrueFractions(reports: readonly Report[], before: number): void {
  reports.forEach(({ highest, lost, fraction }, nth) => {
    const last = reports[nth - 1] ?? { highest: before, lost: 0 }
    const expected = (highest - last.highest) & 0xffff
    expect(fraction).toBe(expected && Math.floor(((lost - last.lost) * 256) / expected))
  })
}

test('the reports of what the server received tell what was lost, and what came last', async () => {
  const ends = await call()
  const reports = receiverReports(ends)
  const reported = (nth: number) => untilTrue(() => reports.at(-1)?.highest === plain(nth).sequenceNumber)
  const stretch = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => plain(from + n))
  await sendAll(ends, stretch(0, 60))
  await reported(59)
  expect(reports.map(({ lost, fraction }) => [lost, fraction])).toEqual(reports.map(() => [0, 0]))
  // One in four does not come, and what is forged does not count.
  for (const packet of stretch(60, 120)) {
    const data = encrypted(ends, packet)
    await sendRaw(ends, packet.sequenceNumber % 4 === 0 ? flipped(data, 30) : data)
  }
  await sendAll(ends, [plain(120)])
  await sendRaw(ends, flipped(encrypted(ends, plain(300)), 30))
  await reported(120)
  expect(reports.at(-1)!.lost).toBe(15)
  expectTrueFractions(reports, plain(0).sequenceNumber - 1)
  const untilThen = reports.length
  await sendAll(ends, stretch(121, 150))
  await reported(149)
  expect(reports.slice(untilThen).map(({ lost, fraction }) => [lost, fraction])).toEqual(
    reports.slice(untilThen).map(() => [15, 0]),
  )
})

test('the reports of what the server received tell how unevenly it came', async () => {
  const ends = await call()
  const reports = receiverReports(ends)
  // RTP time runs by ten seconds a packet, and they come one after the other.
  const hasty = Array.from({ length: 60 }, (_, nth) => plain(nth, { timestamp: nth * 480_000 }))
  await sendAll(ends, hasty)
  await untilTrue(() => reports.at(-1)?.highest === hasty.at(-1)!.sequenceNumber)
  expect(reports.at(-1)!.jitter).toBeGreaterThan(240_000)
})

test('the reports of what the server sent tell as many packets and bytes as the client received', async () => {
  const { encoder, free } = await codec()
  onTestFinished(free)
  const { far, client } = await call()
  const { receiver, sender } = client.connection.getTransceivers()[0]!
  const came: RtpPacket[] = []
  const reports: { ssrc: number; packets: number; octets: number; time: number; camePackets: number }[] = []
  receiver.track.onReceiveRtp.subscribe((packet) => void came.push(packet.clone()))
  client.connection.dtlsTransports[0]!.onRtcp.subscribe((packet: RtcpPacket) => {
    if (packet.type !== 200 || !('senderInfo' in packet)) return
    const { packetCount: packets, octetCount: octets, rtpTimestamp: time } = packet.senderInfo
    reports.push({ ssrc: packet.ssrc, packets, octets, time, camePackets: came.length })
  })

  const sent: { readonly opus: Buffer; readonly timestamp: number; readonly marker: boolean }[] = []
  async function send(frames: number): Promise<void> {
    for (let nth = 0; nth < frames; nth++) {
      const loud = (sent.length % 7) * 2_000
      const opus = Buffer.from(encoder.encode(Int16Array.from({ length: frame }, (_, n) => loud * Math.sin(n / 9))))
      const one = { opus, timestamp: (0xffff_0000 + sent.length * 960) >>> 0, marker: sent.length % 30 === 0 }
      sent.push(one)
      far.sendSound(one.opus, one.timestamp, one.marker)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await untilTrue(() => came.length >= sent.length && (reports.at(-1)?.camePackets ?? 0) >= sent.length)
  }
  await send(100)
  await send(57)

  const { ssrc, payloadType, sequenceNumber } = came[0]!.header
  expect(came.map(({ header }) => [header.ssrc, header.payloadType])).toEqual(came.map(() => [ssrc, payloadType]))
  expect(payloadType).toBe(sender.codec?.payloadType)
  expect(came.map(({ header }) => header.sequenceNumber)).toEqual(came.map((_, n) => (sequenceNumber + n) & 0xffff))
  expect(came.map(({ header: { timestamp, marker }, payload: opus }) => ({ opus, timestamp, marker }))).toEqual(sent)

  const bytesOf = (packets: number) => sent.slice(0, packets).reduce((sum, { opus }) => sum + opus.length, 0)
  for (const report of reports) {
    expect(report.ssrc).toBe(ssrc)
    expect(report.packets).toBe(report.camePackets)
    expect(report.octets).toBe(bytesOf(report.packets))
    // The time is that of a packet of the last half second.
    const recent = sent.slice(Math.max(0, report.packets - 26), report.packets).map(({ timestamp }) => timestamp)
    expect(recent).toContain(report.time)
  }
  expect(reports.map(({ packets }) => packets)).toEqual(expect.arrayContaining([100, 157]))
})
