import { expect, test } from 'vitest'
import type { AudioDelta } from '../protocol/events.ts'
import { type World, world } from '../testing/world.ts'
import { pacedSpeaker } from './paced-speaker.ts'
import type { Speaker } from './speaker.ts'

interface Paced {
  readonly world: World
  readonly speaker: Required<Speaker>
  /** What was told, and when: pieces as they begin to sound, that it drained, that it was hushed. */
  readonly told: readonly string[]
  /** Items whose first sample sounded, and when. */
  readonly sounded: readonly string[]
  play(item_id: string, ms: number): void
  at(time: number): Promise<void>
}

function paced(): Paced {
  const w = world(1)
  const told: string[] = []
  const sounded: string[] = []
  const speaker = pacedSpeaker({
    clock: w.clock,
    format: () => ({ type: 'audio/pcm' }),
    queued: ({ item_id }, at) => told.push(`${item_id} ${at}`),
    hushed: (at) => told.push(`hushed ${at}`),
  })({
    drained: () => told.push(`drained ${w.now()}`),
    sounded: ({ item_id }) => sounded.push(`${item_id} ${w.now()}`),
  }) as Required<Speaker>
  return {
    world: w,
    speaker,
    told,
    sounded,
    play: (item_id, ms) =>
      speaker.play({ item_id, content_index: 0, audio: new Uint8Array(ms * 48) } as unknown as AudioDelta),
    at: (time) => w.settle(time),
  }
}

test('paused, nothing sounds and time stands still; resumed, it goes on from the same sample', async () => {
  const it = paced()
  it.play('a', 1_000)
  await it.at(400)
  it.speaker.pause()
  await it.at(5_000)
  expect(it.told).toEqual(['a 0'])
  it.speaker.resume()
  await it.at(5_599)
  expect(it.told).toEqual(['a 0'])
  await it.at(9_000)
  expect(it.told).toEqual(['a 0', 'drained 5600'])
})

test('hushed while it is paused, it was heard until the pause; then it plays as ever', async () => {
  const it = paced()
  it.play('a', 1_000)
  await it.at(412)
  it.speaker.pause()
  it.play('b', 100)
  await it.at(2_000)
  expect(it.speaker.hush()).toEqual([
    { item_id: 'a', content_index: 0, heardMs: 412, receivedMs: 1_000 },
    { item_id: 'b', content_index: 0, heardMs: 0, receivedMs: 100 },
  ])
  it.play('c', 100)
  await it.at(3_000)
  expect(it.told).toEqual(['a 0', 'b 1000', 'hushed 412', 'c 2000', 'drained 2100'])
})

test('what comes while it is paused is heard after it, and pausing twice is pausing once', async () => {
  const it = paced()
  it.speaker.resume()
  it.speaker.pause()
  it.play('a', 100)
  await it.at(50)
  it.speaker.pause()
  it.play('a', 100)
  await it.at(1_000)
  it.speaker.resume()
  it.speaker.resume()
  await it.at(1_150)
  expect(it.speaker.hush()).toEqual([{ item_id: 'a', content_index: 0, heardMs: 150, receivedMs: 200 }])
})

test('many pauses add up, and a gap between two pieces is no sound', async () => {
  const it = paced()
  it.play('a', 100)
  await it.at(30)
  it.speaker.pause()
  await it.at(130)
  it.speaker.resume()
  await it.at(170)
  it.speaker.pause()
  await it.at(1_170)
  it.speaker.resume()
  await it.at(1_300)
  expect(it.told).toEqual(['a 0', 'drained 1200'])
  it.play('a', 100)
  await it.at(1_350)
  // What was heard before the gap counts.
  expect(it.speaker.hush()).toEqual([{ item_id: 'a', content_index: 0, heardMs: 150, receivedMs: 200 }])
})

test('a speaker that is paused after its end has nothing to say, and nothing to drain again', async () => {
  const it = paced()
  it.play('a', 100)
  await it.at(200)
  it.speaker.pause()
  await it.at(300)
  it.speaker.resume()
  await it.at(400)
  expect(it.told).toEqual(['a 0', 'drained 100'])
  expect(it.speaker.hush()).toEqual([])
})

test('each item tells once when its first sample sounds: late by as long as it waits or the speaker stands still', async () => {
  const it = paced()
  it.play('a', 300)
  it.play('a', 300)
  it.play('b', 400)
  it.play('c', 400)
  await it.at(500)
  it.speaker.pause()
  it.speaker.pause()
  await it.at(2_000)
  it.speaker.resume()
  await it.at(10_000)
  expect(it.sounded).toEqual(['a 0', 'b 2100', 'c 2500'])
})

test('what is hushed before it sounds never did, and what is queued in a pause sounds after it', async () => {
  const it = paced()
  it.play('a', 500)
  it.play('b', 500)
  await it.at(100)
  it.speaker.hush()
  await it.at(1_000)
  it.speaker.pause()
  it.play('c', 500)
  await it.at(1_500)
  expect(it.sounded).toEqual(['a 0'])
  it.speaker.resume()
  await it.at(10_000)
  expect(it.sounded).toEqual(['a 0', 'c 1500'])
})
