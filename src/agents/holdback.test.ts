import { expect, test } from 'vitest'
import type { AudioDelta, AudioFormat } from '../protocol/events.ts'
import { pacedSpeaker } from '../session/paced-speaker.ts'
import type { Heard, Speaker } from '../session/speaker.ts'
import { world } from '../testing/world.ts'
import { type HeldSpeaker, heldSpeaker } from './holdback.ts'

const format = (): AudioFormat => ({ type: 'audio/pcm', rate: 24_000 })

/** `ms` of sound. */
function sound(item_id: string, ms: number, response_id = 'r', content_index = 0): AudioDelta {
  const audio = new Uint8Array(ms * 48)
  const type = 'response.output_audio.delta'
  return { type, event_id: 'e', response_id, item_id, output_index: 0, content_index, delta: '', audio }
}

/** A held speaker before a paced one, under the hand: `says` with how many characters of an item are known by then. */
function byHand() {
  const w = world()
  const words: Record<string, number> = {}
  const told: string[] = []
  const queued = ({ item_id, audio }: AudioDelta) => told.push(`${w.now()} plays ${item_id} ${audio.length / 48}`)
  const inner = pacedSpeaker({ clock: w.clock, format, queued })({ drained: () => speaker.drained() })
  const speaker: HeldSpeaker = heldSpeaker(inner, {
    clock: w.clock,
    format,
    lengthOf: (_, item_id) => words[item_id] ?? 0,
    drained: () => told.push(`${w.now()} drained`),
    held: (ms, item_id) => told.push(`${w.now()} held ${item_id} for ${ms}`),
  })
  const says = (item_id: string, length: number, ms: number, response_id = 'r') => {
    words[item_id] = length
    speaker.play(sound(item_id, ms, response_id))
  }
  return { w, speaker, told, says, settle: w.settle }
}

test('a sound waits until the words that were known as it came have passed; how long is told once an item', async () => {
  const { speaker, says, settle, told } = byHand()
  says('i', 40, 100)
  await settle(30)
  says('i', 80, 100)
  await settle(120)
  speaker.passed('r', 'i', 39, false)
  await settle(150)
  expect(told).toEqual([])
  speaker.passed('r', 'i', 60, false)
  expect(told).toEqual(['150 plays i 100', '150 held i for 150'])
  speaker.passed('r', 'i', 80, false)
  says('i', 80, 50)
  expect(told.slice(2)).toEqual(['150 plays i 100', '150 plays i 50'])
  await settle()
  expect(told.slice(4)).toEqual(['400 drained'])
})

test('what has passed before its sound came is not held', async () => {
  const { speaker, says, settle, told } = byHand()
  speaker.passed('r', 'i', 100, false)
  await settle(70)
  says('i', 100, 20)
  expect(told).toEqual(['70 plays i 20', '70 held i for 0'])
  says('i', 101, 20)
  expect(told).toHaveLength(2)
})

test('a shorter text that passes late takes nothing back', () => {
  const { speaker, says, told } = byHand()
  speaker.passed('r', 'i', 100, false)
  speaker.passed('r', 'i', 50, false)
  says('i', 100, 20)
  expect(told).toHaveLength(2)
})

test('a final pass lets all of the item go, whatever its length was thought to be, and of no other', () => {
  const { speaker, says, told } = byHand()
  says('i', 90, 20)
  says('i', 120, 20)
  says('j', 200, 20)
  speaker.passed('r', 'i', 88, true)
  says('i', 120, 30)
  says('i', 150, 40)
  expect(told).toEqual(['0 plays i 20', '0 held i for 0', '0 plays i 20'])
  speaker.passed('r', 'j', 200, false)
  expect(told.slice(3)).toEqual(['0 plays j 20', '0 held j for 0', '0 plays i 30'])
})

test('sound of which no word is known waits: for the first words that pass, or for the end', () => {
  const { speaker, says, told } = byHand()
  says('i', 0, 20)
  says('laugh', 0, 30)
  speaker.passed('r', 'i', 0, false)
  expect(told).toEqual([])
  speaker.passed('r', 'i', 5, false)
  expect(told).toEqual(['0 plays i 20', '0 held i for 0'])
  speaker.passed('r', 'cough', 0, true)
  speaker.passed('r', 'laugh', 0, true)
  says('cough', 0, 40)
  expect(told.slice(2)).toEqual(['0 plays laugh 30', '0 held laugh for 0', '0 plays cough 40', '0 held cough for 0'])
})

test('all is heard in the order in which it came: an item that has passed waits for the one before it', async () => {
  const { speaker, says, settle, told } = byHand()
  says('i', 10, 20)
  says('j', 10, 30)
  says('i', 20, 40)
  speaker.passed('r', 'j', 10, true)
  expect(told).toEqual([])
  await settle(100)
  speaker.passed('r', 'i', 10, false)
  expect(told).toEqual(['100 plays i 20', '100 held i for 100', '100 plays j 30', '100 held j for 100'])
})

test('while something is held nobody is told that all was heard', async () => {
  const { speaker, says, settle, told } = byHand()
  says('i', 10, 100)
  says('i', 20, 100)
  speaker.passed('r', 'i', 10, false)
  await settle(500)
  expect(told).toEqual(['0 plays i 100', '0 held i for 0'])
  speaker.passed('r', 'i', 20, true)
  await settle()
  expect(told.slice(2)).toEqual(['500 plays i 100', '600 drained'])
})

const heard = (item_id: string, heardMs: number, receivedMs: number): Heard => ({
  item_id,
  content_index: 0,
  heardMs,
  receivedMs,
})
type Hand = ReturnType<typeof byHand>
test.each<[string, (hand: Hand) => unknown, readonly Heard[]]>([
  ['nothing was ever said', () => {}, []],
  ['nothing has passed', ({ says }) => [says('i', 10, 100), says('i', 20, 50)], [heard('i', 0, 150)]],
  [
    'it had passed, and is being heard',
    ({ says, speaker }) => [says('i', 10, 1_000), speaker.passed('r', 'i', 10, true)],
    [heard('i', 400, 1_000)],
  ],
  [
    'some is being heard, and some is held',
    ({ says, speaker }) => [says('i', 10, 1_000), says('i', 20, 500), speaker.passed('r', 'i', 10, false)],
    [heard('i', 400, 1_500)],
  ],
  [
    'some was heard, and the rest is held: all that was heard counts',
    ({ says, speaker }) => [says('i', 10, 300), says('i', 20, 500), speaker.passed('r', 'i', 10, false)],
    [heard('i', 300, 800)],
  ],
  [
    'it fell silent for a while, and is heard again: all that was heard counts',
    ({ says, speaker, w }) => {
      says('i', 10, 100)
      says('i', 20, 500)
      speaker.passed('r', 'i', 10, false)
      w.after(250, () => speaker.passed('r', 'i', 20, false))
    },
    [heard('i', 250, 600)],
  ],
  [
    'it was all heard, and something of it comes after that',
    ({ says, speaker, w }) => {
      says('i', 10, 100)
      speaker.passed('r', 'i', 10, false)
      w.after(300, () => says('i', 20, 500))
    },
    [heard('i', 100, 600)],
  ],
  ['it was all heard', ({ says, speaker }) => [says('i', 10, 300), speaker.passed('r', 'i', 10, true)], []],
  [
    'one was heard, one is being heard, one is held',
    ({ says, speaker }) => {
      for (const [item, ms] of [
        ['i', 100],
        ['j', 1_000],
        ['k', 50],
      ] as const)
        says(item, 10, ms)
      speaker.passed('r', 'i', 10, true)
      speaker.passed('r', 'j', 10, true)
    },
    [heard('j', 300, 1_000), heard('k', 0, 50)],
  ],
])('silenced at 400 ms, it says what was cut: %s', async (_, before, expected) => {
  const hand = byHand()
  const { speaker, settle, told } = hand
  before(hand)
  await settle(400)
  expect(speaker.hush()).toEqual(expected)
  const count = told.length
  speaker.passed('r', 'i', 1_000, true)
  await settle()
  expect(told).toHaveLength(count)
  expect(speaker.hush()).toEqual([])
})

test('the parts of an item are counted apart', async () => {
  const { speaker, settle } = byHand()
  speaker.play(sound('i', 100, 'r', 0))
  speaker.passed('r', 'i', 1, false)
  speaker.play(sound('i', 500, 'r', 1))
  await settle(300)
  expect(speaker.hush()).toEqual([{ item_id: 'i', content_index: 1, heardMs: 200, receivedMs: 500 }])
})

test('what is refused is dropped, what still comes of it too, and another response is heard on', async () => {
  const { speaker, says, settle, told } = byHand()
  says('i', 10, 100)
  says('i', 20, 300)
  says('j', 10, 50, 's')
  speaker.passed('r', 'i', 10, false)
  speaker.passed('s', 'j', 10, true)
  expect(told).toEqual(['0 plays i 100', '0 held i for 0'])
  expect(speaker.refused('r')).toEqual([heard('i', 100, 400)])
  expect(speaker.refused('r')).toEqual([])
  says('i', 30, 100)
  speaker.passed('r', 'i', 30, true)
  await settle()
  expect(told.slice(2)).toEqual(['0 plays j 50', '0 held j for 0', '150 drained'])
})

test('when all that was held is refused, there is nothing more to wait for', async () => {
  const { speaker, says, settle, told } = byHand()
  says('i', 10, 100)
  says('i', 20, 100)
  speaker.passed('r', 'i', 10, false)
  await settle(200)
  expect(told).toEqual(['0 plays i 100', '0 held i for 0'])
  expect(speaker.refused('r')).toEqual([heard('i', 100, 200)])
  await settle(300)
  expect(told.slice(2)).toEqual(['200 drained'])
  says('i', 20, 100)
  await settle()
  expect(told.slice(3)).toEqual(['300 drained'])
})

test('what is refused and then silenced was cut off: it has not drained', async () => {
  const { speaker, says, settle, told } = byHand()
  says('i', 10, 100)
  speaker.refused('r')
  expect(speaker.hush()).toEqual([heard('i', 0, 100)])
  await settle()
  expect(told).toEqual([])
})

test('after a silence it begins anew', async () => {
  const { speaker, says, settle, told } = byHand()
  says('i', 10, 100)
  speaker.passed('r', 'i', 10, true)
  speaker.hush()
  says('j', 10, 100, 's')
  speaker.refused('s')
  await settle()
  expect(told).toEqual(['0 plays i 100', '0 held i for 0', '0 drained'])
})

test('what the inner speaker can do besides goes to it', () => {
  class Pausing implements Speaker {
    paused = 0
    play() {}
    hush() {
      return []
    }
    pause() {
      this.paused++
    }
    resume() {
      this.paused--
    }
  }
  const inner = new Pausing()
  const options = { clock: world().clock, format, lengthOf: () => 0, drained() {} }
  const held = heldSpeaker(inner, options) as HeldSpeaker & { pause(): void; resume(): void }
  held.pause()
  held.pause()
  held.resume()
  expect(inner.paused).toBe(1)
  expect(Object.keys(heldSpeaker({ play() {}, hush: () => [] }, options))).not.toContain('pause')
})

test('ten thousand items pass through, and what is remembered of them stays small', async () => {
  const { speaker, says, settle, told } = byHand()
  let most = 0
  for (let n = 0; n < 10_000; n++) {
    says(`i${n}`, 10, 10, `r${n}`)
    if (n % 4 === 0) speaker.refused(`r${n}`)
    else speaker.passed(`r${n}`, `i${n}`, 10, true)
    if (n % 50 === 0) await settle()
    most = Math.max(most, speaker.remembered)
  }
  await settle()
  expect(told.filter((line) => line.includes('plays'))).toHaveLength(7_500)
  expect(most).toBeLessThan(200)
  expect(speaker.hush()).toEqual([])
})
