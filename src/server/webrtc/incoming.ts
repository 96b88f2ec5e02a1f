/**
 * The caller's sound: RTP packets in, 24 kHz PCM16 out, in the order it was said and as long as it took. A packet that is
 * missing is waited for, then concealed; where none come, silence is heard by the clock.
 */
import type { Clock } from '../../protocol/clock.ts'
import { beatMs } from './metronome.ts'
import { type Decoder, frame, rate, ticksASample } from './opus.ts'

export interface SoundPacket {
  /** 16 bits. */
  readonly sequenceNumber: number
  /** 32 bits, at 48 kHz. */
  readonly timestamp: number
  readonly payload: Uint8Array
}

export interface Incoming {
  push(packet: SoundPacket): void
  /** A beat of the metronome: silence goes on where no packets come. */
  beat(now: number): void
}

/** ms that a missing packet is waited for, while later ones are here. */
const patienceMs = 60
/** Packets that wait behind a missing one; more, and it is given up. */
const mostHeld = 8
/** ms without a packet after which the caller is silent: a DTX encoder sends every 400 ms, a muted track nothing. */
const quietMs = 200
/** Longer gaps are no lost sound but silence. */
const mostConcealed = (rate * 120) / 1_000
/** Sequence numbers further off than this are a new stream. */
const farOff = 500

export function incoming(clock: Clock, decoder: Decoder, hear: (samples: Int16Array) => void): Incoming {
  const held = new Map<number, SoundPacket>()
  let expected: number | null = null
  /** The RTP time at which the next packet begins, if none is missing. */
  let nextTick = 0
  let heardAt = 0
  let missingSince: number | null = null
  /** Samples of silence that were heard by the clock since the last packet. */
  let filled = 0
  let beatAt = 0

  function push(packet: SoundPacket): void {
    const { sequenceNumber } = packet
    const ahead = expected === null ? 0 : wrapped(sequenceNumber - expected, 16)
    if (expected === null || Math.abs(ahead) > farOff) restart(packet)
    else if (ahead < 0) return
    held.set(sequenceNumber, packet)
    playHeld()
    if (held.size > mostHeld) skip()
  }

  function restart({ sequenceNumber, timestamp }: SoundPacket): void {
    held.clear()
    missingSince = null
    expected = sequenceNumber
    nextTick = timestamp
    filled = 0
    heardAt = clock.now()
  }

  function playHeld(): void {
    for (let packet = held.get(expected!); packet; packet = held.get(expected!)) {
      held.delete(expected!)
      expected = (expected! + 1) & 0xffff
      play(packet, 0)
    }
    missingSince = held.size ? (missingSince ?? clock.now()) : null
  }

  /** Gives up what is missing before the first packet that is here. */
  function skip(): void {
    const [first] = [...held.values()].sort((a, b) => distance(a) - distance(b))
    if (!first) return
    const lost = distance(first)
    held.delete(first.sequenceNumber)
    expected = (first.sequenceNumber + 1) & 0xffff
    missingSince = null
    play(first, lost)
    playHeld()
  }

  function distance({ sequenceNumber }: SoundPacket): number {
    return wrapped(sequenceNumber - expected!, 16)
  }

  function play({ timestamp, payload }: SoundPacket, lost: number): void {
    const now = clock.now()
    const gap = wrapped(timestamp - nextTick, 32) / ticksASample - filled
    // A clock that jumps further than time went is a new one, not a silence.
    const longest = ((now - heardAt) * rate) / 1_000 - filled + 2 * mostConcealed
    if (gap > 0 && gap <= longest) conceal(Math.round(gap), lost > 0, payload)
    const samples = decode(payload)
    hear(samples)
    nextTick = (timestamp + samples.length * ticksASample) >>> 0
    heardAt = now
    filled = 0
  }

  function conceal(samples: number, isLost: boolean, next: Uint8Array): void {
    if (!isLost || samples > mostConcealed) return silence(samples)
    for (let left = samples; left > 0; left -= frame) {
      const isLast = left <= frame
      const sound = attempt(() =>
        isLast ? decoder.decode(next, { decodeFec: true, frameSize: frame }) : decoder.decodePacketLoss(frame),
      )
      hear((sound ?? new Int16Array(frame)).subarray(0, left))
    }
  }

  function silence(samples: number): void {
    for (let left = samples; left > 0; left -= rate) hear(new Int16Array(Math.min(left, rate)))
  }

  /** What cannot be decoded is as good as lost. */
  function decode(payload: Uint8Array): Int16Array {
    const sound = payload.length ? attempt(() => decoder.decode(payload)) : null
    return sound ?? attempt(() => decoder.decodePacketLoss(frame)) ?? new Int16Array(frame)
  }

  return {
    push,
    beat(now) {
      const isLate = now - beatAt > 2 * beatMs
      beatAt = now
      // After a beat that came late, packets are waiting in the socket: they come first.
      if (expected === null || isLate) return
      if (missingSince !== null && now - missingSince >= patienceMs) skip()
      const quiet = now - heardAt
      if (quiet < quietMs) return
      const owed = Math.floor(((quiet - beatMs) * rate) / 1_000) - filled
      if (owed < frame) return
      filled += owed
      silence(owed)
    },
  }
}

function attempt(decode: () => Int16Array): Int16Array | null {
  try {
    return decode()
  } catch {
    return null
  }
}

/** The difference of two counters of so many bits, the short way round. */
function wrapped(difference: number, bits: 16 | 32): number {
  return bits === 32 ? difference | 0 : (difference << 16) >> 16
}
