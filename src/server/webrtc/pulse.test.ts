import { expect, test } from 'vitest'
import { world } from '../../testing/world.ts'
import { metronome } from './metronome.ts'
import { mostSilentMs, mostUntilFirstMs, pulse } from './pulse.ts'

/** Packets come at these times; the process stands still from the first `stall` to the second. Tells when it is gone. */
async function goneAt(packets: readonly number[], stall: readonly [number, number] = [0, 0]): Promise<number[]> {
  const earth = world()
  const gone: number[] = []
  let received = 0
  const beat = pulse({ received: () => received, gone: () => gone.push(earth.now()) })
  const [from, until] = stall
  const isStill = () => earth.now() >= from && earth.now() < until
  for (const at of packets) earth.at(at >= from && at < until ? until + 10 : at, () => received++)
  const leave = metronome(earth.clock).join({ send: () => false, beat: (now) => isStill() || beat(now) })
  await earth.settle(60_000)
  leave()
  return gone
}

const every = (ms: number, until: number) => Array.from({ length: until / ms }, (_, n) => (n + 1) * ms)

test.for<
  readonly [what: string, packets: readonly number[], stall: readonly [number, number], last: number | null, ms: number]
>([
  ['sends nothing at all', [], [0, 0], 0, mostUntilFirstMs],
  ['falls silent', every(20, 12_000), [0, 0], 12_000, mostSilentMs],
  ['sent one packet', [5_000], [0, 0], 5_000, mostSilentMs],
  ['asks every 6 s whether it may send', every(6_000, 60_000), [0, 0], null, 0],
  ['sends while this process stands still for 20 s', every(20, 60_000), [3_000, 23_000], null, 0],
  ['falls silent before this process stands still', every(20, 4_000), [5_000, 15_000], 14_000, mostSilentMs],
])('a client that %s', async ([, packets, stall, last, ms]) => {
  const gone = await goneAt(packets, stall)
  expect(gone.length).toBe(last === null ? 0 : 1)
  if (last === null) return
  expect(gone[0]! - last).toBeGreaterThanOrEqual(ms - 500)
  expect(gone[0]! - last).toBeLessThanOrEqual(ms + 500)
})
