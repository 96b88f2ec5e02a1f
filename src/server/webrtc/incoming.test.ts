import { createDecoder, createEncoder } from 'libopus-wasm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { level } from '../../audio/pcm.ts'
import { world } from '../../testing/world.ts'
import { incoming, type SoundPacket } from './incoming.ts'
import { beatMs } from './metronome.ts'
import { type Decoder, frame } from './opus.ts'

let packets: readonly SoundPacket[]
let decoder: Decoder & { free(): void }

/** Two seconds of a tone that swells and fades, so that no two frames are alike. Counters wrap on the way. */
beforeAll(async () => {
  const encoder = await createEncoder({ sampleRate: 24_000, channels: 1, frameSize: frame, bitrate: 32_000 })
  packets = Array.from({ length: 100 }, (_, nth) => ({
    sequenceNumber: (65_500 + nth) & 0xffff,
    timestamp: (0xffff_f000 + nth * 960) >>> 0,
    payload: encoder.encode(
      Int16Array.from({ length: frame }, (_, n) => {
        const at = nth * frame + n
        return 8_000 * Math.sin(at / 12) * (1.2 + Math.sin(at / 4_000))
      }),
    ),
  }))
  encoder.free()
  decoder = await createDecoder({ sampleRate: 24_000, channels: 1 })
})
afterAll(() => decoder.free())

interface Arrival {
  readonly at: number
  readonly packet: SoundPacket
}

/** What is heard of packets that arrive at these times, until `until`. */
async function heard(arrivals: readonly Arrival[], until: number): Promise<Int16Array> {
  const { clock, at, settle } = world()
  const fresh = await createDecoder({ sampleRate: 24_000, channels: 1 })
  const pieces: Int16Array[] = []
  const line = incoming(clock, fresh, (samples) => pieces.push(samples.slice()))
  for (const { at: time, packet } of arrivals) at(time, () => line.push(packet))
  for (let time = 0; time <= until; time += beatMs) at(time, () => line.beat(time))
  await settle(until)
  fresh.free()
  return Int16Array.from(pieces.flatMap((piece) => [...piece]))
}

const inTime = (): Arrival[] => packets.map((packet, nth) => ({ at: nth * 20, packet }))
const end = 100 * 20

test('packets in time are heard as they were sent, to the sample', async () => {
  const straight = Int16Array.from(packets.flatMap(({ payload }) => [...decoder.decode(payload)]))
  expect(await heard(inTime(), end)).toEqual(straight)
})

test('packets that come in another order, twice or in bursts are heard as if they had come in time', async () => {
  const straight = await heard(inTime(), end)
  const swapped = inTime().map(({ packet }, nth) => ({ at: (nth % 5 === 2 ? nth + 2 : nth) * 20 + 1, packet }))
  const twice = inTime().flatMap((arrival) => [arrival, { ...arrival, at: arrival.at + 30 }])
  const bursts = inTime().map(({ packet }, nth) => ({ at: Math.ceil(nth / 7) * 140, packet }))
  for (const arrivals of [swapped, twice, bursts]) {
    const sound = (await heard(arrivals, end + 100)).subarray(0, straight.length)
    expect(sound.every((sample, n) => sample === straight[n])).toBe(true)
  }
})

test('lost packets are concealed: time stays right, and no hole is heard', async () => {
  const lost = new Set([20, 21, 40, 60, 61, 62])
  const sound = await heard(
    inTime().filter((_, nth) => !lost.has(nth)),
    end,
  )
  expect(sound.length).toBe(100 * frame)
  for (const nth of lost) expect(level(sound.subarray(nth * frame, (nth + 1) * frame))).toBeGreaterThan(-40)
  const straight = await heard(inTime(), end)
  expect(level(sound.subarray(80 * frame))).toBeCloseTo(level(straight.subarray(80 * frame)), 0)
})

test('a sender that pauses and goes on with its clock leaves a silence as long as the pause', async () => {
  const pausedMs = 1_500
  const later = inTime().map(({ at, packet }, nth) =>
    nth < 50
      ? { at, packet }
      : { at: at + pausedMs, packet: { ...packet, timestamp: packet.timestamp + pausedMs * 48 } },
  )
  const sound = await heard(later, end + pausedMs)
  expect(sound.length).toBe(100 * frame + pausedMs * 24)
  expect(level(sound.subarray(52 * frame, 50 * frame + pausedMs * 24))).toBe(Number.NEGATIVE_INFINITY)
})

test('while no packets come, silence is heard by the clock', async () => {
  const sound = await heard(inTime().slice(0, 50), 1_000 + 2_000)
  expect(Math.abs(sound.length - 3_000 * 24)).toBeLessThanOrEqual(2 * frame)
})

test('a sender that begins anew with other counters is heard at once, without a silence', async () => {
  const anew = inTime().map(({ at, packet: { sequenceNumber, timestamp, payload } }, nth) => ({
    at,
    packet:
      nth < 50
        ? { sequenceNumber, timestamp, payload }
        : { sequenceNumber: (sequenceNumber + 9_000) & 0xffff, timestamp: (timestamp + 77_000_000) >>> 0, payload },
  }))
  expect((await heard(anew, end)).length).toBe(100 * frame)
})

test('what is no Opus takes its time and breaks nothing', async () => {
  const garbage = [new Uint8Array(0), Uint8Array.of(255), new Uint8Array(1_400).fill(171)]
  const arrivals = inTime().map(({ at, packet }, nth) =>
    nth % 10 === 5 ? { at, packet: { ...packet, payload: garbage[((nth - 5) / 10) % 3]! } } : { at, packet },
  )
  const sound = await heard(arrivals, end)
  expect(Math.abs(sound.length - 100 * frame)).toBeLessThanOrEqual(2 * frame)
})
