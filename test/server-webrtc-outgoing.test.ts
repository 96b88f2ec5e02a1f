/** What goes out when the line ends, or is late, in the middle of it. */
import { expect, test } from 'vitest'
import type { Clock } from '../src/protocol/clock.ts'
import { metronome } from '../src/server/webrtc/metronome.ts'
import { codec } from '../src/server/webrtc/opus.ts'
import { outgoing } from '../src/server/webrtc/outgoing.ts'
import { world } from '../src/testing/world.ts'

test('a call that ends as an answer was heard sends nothing of the next one, and disturbs no other call', async () => {
  const { encoder, free } = await codec()
  const earth = world()
  const beats = metronome(earth.clock)
  let sent = 0
  let others = 0
  const line = outgoing({
    clock: earth.clock,
    encoder,
    hurry: beats.hurry,
    started() {},
    stopped() {
      line.close()
      leave()
      free()
    },
    write: () => sent++,
  })
  const leave = beats.join(line)
  const leaveToo = beats.join({ send: () => ++others < 0 })
  line.open()
  line.play('first', 'i', new Int16Array(960))
  line.finish('first')
  line.play('second', 'j', new Int16Array(9_600))
  await earth.settle(200)
  line.play('second', 'j', new Int16Array(9_600))
  line.finish('second')
  leaveToo()
  expect(sent).toBe(2)
  expect(others).toBe(10)
})

test('sound that comes as the next frame is due goes on where the last one ended, though the beat is late', async () => {
  const earth = world()
  // No timer rings while the process is busy.
  const clock: Clock = { now: earth.now, at: (time, run) => earth.at(time > 100 && time < 135 ? 135 : time, run) }
  const beats = metronome(clock)
  const sent: { timestamp: number; first: boolean }[] = []
  const line = outgoing({
    clock,
    encoder: { encode: () => new Uint8Array(1), free() {} },
    hurry: beats.hurry,
    started() {},
    stopped() {},
    write: (_, timestamp, first) => sent.push({ timestamp, first }),
  })
  line.open()
  const leave = beats.join(line)
  for (const time of [0, 122]) earth.at(time, () => line.play('r', 'i', new Int16Array(6 * 480)))
  await earth.settle(400)
  leave()
  const begin = sent[0]!.timestamp
  expect(sent).toEqual(Array.from({ length: 12 }, (_, n) => ({ timestamp: begin + n * 960, first: n === 0 })))
})
