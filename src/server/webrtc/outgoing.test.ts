import { expect, test } from 'vitest'
import { type World, world } from '../../testing/world.ts'
import { metronome } from './metronome.ts'
import { type OutgoingLine, outgoing } from './outgoing.ts'

interface Sent {
  readonly at: number
  readonly timestamp: number
  readonly first: boolean
  /** The frame's samples: nothing is encoded here. */
  readonly samples: Int16Array
}

interface Scene {
  readonly line: OutgoingLine
  readonly earth: World
  readonly sent: Sent[]
  readonly told: string[]
}

function scene(): Scene {
  const earth = world()
  const sent: Sent[] = []
  const told: string[] = []
  const line = outgoing({
    clock: earth.clock,
    encoder: { encode: (pcm) => new Uint8Array((pcm as Int16Array).slice().buffer), free() {} },
    started: (id) => told.push(`started ${id} at ${earth.now()}`),
    stopped: (id) => told.push(`stopped ${id} at ${earth.now()}`),
    write: (opus, timestamp, first) =>
      sent.push({ at: earth.now(), timestamp, first, samples: new Int16Array(opus.slice().buffer) }),
  })
  line.open()
  return { line, earth, sent, told }
}

/** `ms` of samples that count up. */
function ms(length: number, from = 0): Int16Array {
  return Int16Array.from({ length: length * 24 }, (_, n) => from + n)
}

async function run({ earth, line }: Scene, until: number): Promise<void> {
  const leave = metronome(earth.clock).join(line)
  await earth.settle(until)
  leave()
}

/** Behind what is cut off. */
const silentFrames = 3

test('sound goes out a frame every 20 ms, from the moment it is there, and has ended when it was heard', async () => {
  const one = scene()
  one.line.play('r', 'i', ms(90))
  one.line.play('r', 'i', ms(10, 90 * 24))
  one.line.finish('r')
  await run(one, 500)
  expect(one.sent.map(({ at }) => at)).toEqual([0, 20, 40, 60, 80])
  expect(one.sent.map(({ timestamp }) => timestamp - one.sent[0]!.timestamp)).toEqual([0, 960, 1920, 2880, 3840])
  expect(one.sent.flatMap(({ samples }) => [...samples])).toEqual([...ms(100)])
  expect(one.sent.map(({ first }) => first)).toEqual([true, false, false, false, false])
  expect(one.told).toEqual(['started r at 0', 'stopped r at 100'])
  expect(one.line.isPlaying).toBe(false)
})

test('the last frame is filled with silence; one that may yet grow waits', async () => {
  const one = scene()
  one.line.play('r', 'i', ms(30))
  await run(one, 60)
  expect(one.sent.length).toBe(1)
  one.line.finish('r')
  await run(one, 200)
  expect(one.sent.length).toBe(2)
  expect([...one.sent[1]!.samples.subarray(0, 240)]).toEqual([...ms(30).subarray(480)])
  expect(one.sent[1]!.samples.subarray(240).every((sample) => sample === 0)).toBe(true)
})

test('a response that comes slower than it is heard pauses, and RTP time goes on in the pause', async () => {
  const one = scene()
  one.line.play('r', 'i', ms(20))
  one.earth.at(107, () => one.line.play('r', 'i', ms(20)))
  one.earth.at(110, () => one.line.finish('r'))
  await run(one, 300)
  expect(one.sent.map(({ at, first }) => [at, first])).toEqual([
    [0, true],
    [107, true],
  ])
  expect(one.sent[1]!.timestamp - one.sent[0]!.timestamp).toBe(107 * 48)
  expect(one.told.map((line) => line.split(' ')[0])).toEqual(['started', 'stopped'])
})

test.for([
  [40, 2],
  [60, 3],
  [119, 5],
  [120, 1],
  [5_000, 1],
] as const)(
  'a beat that comes after %i ms sends %i frames: what is due, or after a stall the next one',
  async ([late, frames]) => {
    const { line, earth, sent } = scene()
    line.play('r', 'i', ms(10_000))
    await earth.settle(late)
    for (let nth = 0; nth < frames + 1; nth++) line.send(earth.now())
    expect(sent.length).toBe(1 + frames)
  },
)

test('after a stall the sound goes on where it was, later by the stall; RTP time is real time again', async () => {
  const one = scene()
  one.line.play('r', 'i', ms(1_000))
  one.line.finish('r')
  await run(one, 300)
  const before = one.sent.length
  await one.earth.settle(3_300)
  await run(one, 10_000)
  expect(one.sent.flatMap(({ samples }) => [...samples])).toEqual([...ms(1_000)])
  const [first, next] = [one.sent[0]!, one.sent[before]!]
  expect(next.first).toBe(true)
  for (const { at, timestamp } of one.sent) expect(timestamp - first.timestamp).toBe((at - first.at) * 48)
  expect(one.told).toEqual(['started r at 0', `stopped r at ${1_000 + next.at - before * 20}`])
})

test('what is cleared after a stall is cut at what was sent, and not at the time that went by', async () => {
  const one = scene()
  one.line.play('r', 'i', ms(5_000))
  await run(one, 200)
  await one.earth.settle(3_200)
  one.line.send(one.earth.now())
  expect(one.line.clear().cut).toEqual([{ item_id: 'i', sentMs: one.sent.length * 20 }])
  expect(one.sent.length).toBeLessThanOrEqual(12)
})

test('a response is heard to its end before the next begins, whatever comes between', async () => {
  const one = scene()
  one.line.play('a', 'i', ms(20, 0))
  one.line.play('b', 'j', ms(20, 1_000))
  one.line.play('a', 'i', ms(20, 480))
  one.line.finish('b')
  one.line.finish('a')
  await run(one, 200)
  expect(one.sent.map(({ samples }) => samples[0])).toEqual([0, 480, 1_000])
  expect(one.told).toEqual(['started a at 0', 'stopped a at 40', 'started b at 40', 'stopped b at 60'])
})

test('a response that begins in the moment the last one has ended goes out frame by frame', async () => {
  const earth = world()
  const beats = metronome(earth.clock)
  const sent: number[] = []
  const line = outgoing({
    clock: earth.clock,
    encoder: { encode: () => new Uint8Array(1), free() {} },
    hurry: beats.hurry,
    started() {},
    stopped(id) {
      if (id !== 'a') return
      line.play('b', 'j', ms(60))
      line.finish('b')
    },
    write: () => sent.push(earth.now()),
  })
  line.open()
  const leave = beats.join(line)
  line.play('a', 'i', ms(40))
  line.finish('a')
  await earth.settle(200)
  leave()
  expect(sent).toEqual([0, 20, 40, 60, 80])
})

test('what is cleared is cut at what was sent of each item', async () => {
  const one = scene()
  one.line.play('r', 'whole', ms(50))
  one.line.play('r', 'half', ms(200))
  one.line.play('r', 'none', ms(100))
  await run(one, 110)
  const sentMs = one.sent.length * 20
  expect(one.line.clear()).toEqual({
    response_id: 'r',
    cut: [
      { item_id: 'half', sentMs: sentMs - 50 },
      { item_id: 'none', sentMs: 0 },
    ],
  })
  await run(one, 400)
  expect((one.sent.length - silentFrames) * 20).toBe(sentMs)
  expect(one.told).toEqual(['started r at 0'])
})

test('an item of which more was to come is cut where it is cleared, though all that was there had been sent', async () => {
  const one = scene()
  one.line.play('r', 'i', ms(40))
  await run(one, 100)
  expect(one.line.clear()).toEqual({ response_id: 'r', cut: [{ item_id: 'i', sentMs: 40 }] })
})

test('nothing is sent, and nothing said to have begun, before the peer can hear', async () => {
  const earth = world()
  const sent: number[] = []
  const told: string[] = []
  const line = outgoing({
    clock: earth.clock,
    encoder: { encode: () => new Uint8Array(1), free() {} },
    started: (id) => told.push(id),
    stopped: (id) => told.push(id),
    write: () => sent.push(earth.now()),
  })
  line.play('r', 'i', ms(60))
  const leave = metronome(earth.clock).join(line)
  await earth.settle(200)
  expect([sent, told]).toEqual([[], []])
  line.open()
  await earth.settle(400)
  leave()
  expect(sent.map((at) => at - 200)).toEqual([0, 20, 40])
})
