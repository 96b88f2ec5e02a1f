import { expect, test } from 'vitest'
import type { Clock } from '../../protocol/clock.ts'
import { type World, world } from '../../testing/world.ts'
import { type Metronome, metronome, type Player } from './metronome.ts'
import { outgoing } from './outgoing.ts'

interface Scene {
  readonly earth: World
  readonly clock: Clock
  readonly beats: Metronome
  /** How many timers of the metronome are set. */
  waiting(): number
  /** Which turn of the clock it is. */
  turn(): number
}

/** A world whose timers all come late that are due while the process is busy: after `from`, before `until`. */
function scene({ from, until }: { readonly from: number; readonly until: number } = { from: 0, until: 0 }): Scene {
  const earth = world()
  const set = new Set<object>()
  let turns = 0
  const clock: Clock = {
    now: earth.now,
    at(time, run) {
      const timer = {}
      set.add(timer)
      const stop = earth.at(time > from && time < until ? until : time, () => {
        set.delete(timer)
        turns += 1
        run()
      })
      return () => {
        set.delete(timer)
        stop()
      }
    },
  }
  return { earth, clock, beats: metronome(clock), waiting: () => set.size, turn: () => turns }
}

interface Sent {
  readonly name: string
  readonly at: number
  readonly turn: number
}

/** A line that has much to say from now on; tells each frame that it sends. */
function speaker({ earth, clock, turn }: Scene, name: string, sent: Sent[]): Player {
  const line = outgoing({
    clock,
    encoder: { encode: () => new Uint8Array(1), free() {} },
    started() {},
    stopped() {},
    write: () => sent.push({ name, at: earth.now(), turn: turn() }),
  })
  line.open()
  line.play('r', 'i', new Int16Array(24_000))
  return line
}

const silent: Player = { send: () => false }

// ── beats ────────────────────────────────────────────────────────────────────────────────────────────────────────────

test('one timer beats for all, on its grid, and none is left when nobody listens', async () => {
  const { earth, beats, waiting } = scene()
  const times: number[][] = [[], []]
  const leave = times.map((heard) => beats.join({ ...silent, beat: (now) => heard.push(now) }))
  await earth.settle(100)
  expect(times[0]).toEqual([20, 40, 60, 80, 100])
  expect(times[1]).toEqual(times[0])
  expect(waiting()).toBe(1)
  for (const go of leave) go()
  expect(waiting()).toBe(0)
  await earth.settle()
  expect(times[0]!.length).toBe(5)
})

test('who joins when all had left begins a new grid', async () => {
  const { earth, beats } = scene()
  beats.join(silent)()
  await earth.settle(107)
  const times: number[] = []
  const leave = beats.join({ ...silent, beat: (now) => times.push(now) })
  await earth.settle(150)
  leave()
  expect(times).toEqual([127, 147])
})

test.for([
  ['by less than a beat delays none after it', 35, [35, 40, 60, 80]],
  ['by more is followed at once by one for all that were missed', 75, [75, 75, 95, 115]],
  ['by very much is, too', 5_010, [5_010, 5_010, 5_030, 5_050]],
] as const)('a beat that is late %s', async ([, until, expected]) => {
  const { earth, beats } = scene({ from: 10, until })
  const times: number[] = []
  const leave = beats.join({ ...silent, beat: (now) => times.push(now) })
  await earth.settle(until + 200)
  leave()
  expect(times.slice(0, 4)).toEqual(expected)
})

test('a beat is told once, after all have sent, however many rounds its sending takes', async () => {
  const { earth, beats, waiting } = scene()
  const told: string[] = []
  let owed = 0
  const leave = [
    beats.join({
      send(now) {
        owed = owed === 0 ? 2 : owed - 1
        told.push(`send ${now}`)
        return owed > 0
      },
      beat: (now) => told.push(`beat ${now}`),
    }),
    beats.join({
      send(now) {
        told.push(`other ${now}`)
        return false
      },
    }),
  ]
  await earth.settle(45)
  const rounds = (now: number) => [
    ...[`send ${now}`, `other ${now}`, `beat ${now}`],
    ...[`send ${now}`, `other ${now}`, `send ${now}`, `other ${now}`],
  ]
  expect(told).toEqual([...rounds(20), ...rounds(40)])
  for (const go of leave) go()
  expect(waiting()).toBe(0)
})

// ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────────────

test('who hurries sends what is due and nothing before; the late timer does not send it again', async () => {
  const late = scene({ from: 10, until: 35 })
  const sent: Sent[] = []
  const leave = ['a', 'b'].map((name) => late.beats.join(speaker(late, name, sent)))
  for (const time of [5, 19.9, 30, 31, 39, 45]) late.earth.at(time, late.beats.hurry)
  await late.earth.settle(85)
  for (const go of leave) go()
  for (const name of ['a', 'b'])
    expect(sent.filter((frame) => frame.name === name).map(({ at }) => at)).toEqual([0, 30, 40, 60, 80])
})

test('between beats a player is asked once a beat, by the first who hurries', async () => {
  const { earth, beats } = scene({ from: 10, until: 95 })
  const asked: number[] = []
  const told: number[] = []
  const leave = beats.join({ send: (now) => asked.push(now) < 0, beat: (now) => told.push(now) })
  for (const time of [19, 30, 31, 42, 43, 85, 86]) earth.at(time, beats.hurry)
  await earth.settle(120)
  leave()
  expect(asked).toEqual([30, 42, 85, 95, 95, 115])
  expect(told).toEqual([95, 95, 115])
})

test('after a late beat the oldest frame of each goes out before the second of any, each round in its turn', async () => {
  const late = scene({ from: 10, until: 75 })
  const sent: Sent[] = []
  const leave = ['a', 'b', 'c'].map((name) => late.beats.join(speaker(late, name, sent)))
  sent.length = 0
  await late.earth.settle(75)
  expect(sent.map(({ name, at }) => `${name} ${at}`)).toEqual([0, 1, 2].flatMap(() => ['a 75', 'b 75', 'c 75']))
  const rounds = [0, 3, 6].map((first) => new Set(sent.slice(first, first + 3).map(({ turn }) => turn)))
  expect(rounds.map(({ size }) => size)).toEqual([1, 1, 1])
  expect(new Set(rounds.flatMap((turns) => [...turns])).size).toBe(3)
  for (const go of leave) go()
  expect(late.waiting()).toBe(0)
})

test('who hurries while rounds are owed sends the next one, and it is not sent again', async () => {
  const { earth, beats, turn } = scene()
  const asked: number[] = []
  let owed = 3
  const leave = beats.join({
    send() {
      asked.push(turn())
      owed -= 1
      return owed > 0
    },
    beat: () => beats.hurry(),
  })
  await earth.settle(25)
  expect(asked).toEqual([1, 1, 2])
  leave()
})

test('who hurries inside a round begins no other', async () => {
  const { earth, beats } = scene()
  const asked: number[] = []
  const leave = beats.join({
    send(now) {
      asked.push(now)
      if (asked.length < 100) beats.hurry()
      return false
    },
  })
  earth.at(45, beats.hurry)
  await earth.settle(65)
  leave()
  expect(asked).toEqual([20, 40, 60])
})

test('who hurries when nobody listens wakes nobody', async () => {
  const { earth, beats, waiting } = scene()
  let asked = 0
  beats.hurry()
  beats.join({ send: () => ++asked > 0 })()
  await earth.settle(30)
  beats.hurry()
  expect([asked, waiting()]).toEqual([0, 0])
})

// ── coming and going ─────────────────────────────────────────────────────────────────────────────────────────────────

test.for(['send', 'beat'] as const)('who leaves or joins inside `%s` disturbs nobody', async (where) => {
  const { earth, beats, waiting } = scene()
  const told: Record<string, number[]> = { first: [], leaver: [], victim: [], joiner: [], last: [] }
  const leave = new Map<string, () => void>()
  const join = (name: string, once: (now: number) => void = () => {}) => {
    const play = (now: number) => {
      told[name]!.push(now)
      once(now)
      return false
    }
    const player = where === 'send' ? { send: play } : { ...silent, beat: play }
    leave.set(name, beats.join(player))
  }
  join('first', (now) => {
    if (now === 40) leave.get('victim')!()
  })
  join('leaver', (now) => {
    if (now !== 60) return
    leave.get('leaver')!()
    join('joiner')
  })
  join('victim')
  join('last')
  await earth.settle(105)
  expect(told['first']).toEqual([20, 40, 60, 80, 100])
  expect(told['last']).toEqual(told['first'])
  expect(told['victim']).toEqual([20])
  expect(told['leaver']).toEqual([20, 40, 60])
  expect(told['joiner']!.filter((now) => now > 60)).toEqual([80, 100])
  for (const go of leave.values()) go()
  expect(waiting()).toBe(0)
})

test('who leaves in a beat, after the round that was owed was hurried, leaves nothing in the clock', async () => {
  const { earth, beats, waiting } = scene()
  const leave = beats.join({
    send: () => true,
    beat() {
      beats.hurry()
      leave()
    },
  })
  await earth.settle(19)
  earth.at(20, () => expect(waiting()).toBe(0))
  await earth.settle()
})

test.for([
  ['a beat', 'send', false],
  ['a beat', 'beat', false],
  ['a hurry', 'send', true],
] as const)('nothing is left in the clock when the last leaves in %s, inside `%s`', async ([, where, isHurried]) => {
  const { earth, beats, waiting } = scene({ from: 10, until: 35 })
  const leave = beats.join({
    send() {
      if (where === 'send') leave()
      return true
    },
    beat: () => leave(),
  })
  if (isHurried) earth.at(25, beats.hurry)
  await earth.settle(isHurried ? 24 : 34)
  earth.at(isHurried ? 25 : 35, () => expect(waiting()).toBe(0))
  await earth.settle()
  expect(waiting()).toBe(0)
})

test('who leaves as the last and joins again in one beat is played for, once a beat', async () => {
  const { earth, beats, waiting } = scene()
  const told: number[] = []
  let hasLeft = false
  let leave = () => {}
  const player: Player = {
    send(now) {
      if (now === 40 && !hasLeft) {
        hasLeft = true
        leave()
        leave = beats.join({ ...player })
      }
      return false
    },
    beat: (now) => told.push(now),
  }
  leave = beats.join(player)
  await earth.settle(30)
  expect(waiting()).toBe(1)
  await earth.settle(85)
  expect(told.filter((now) => now !== 40)).toEqual([20, 60, 80])
  expect(waiting()).toBe(1)
  leave()
  expect(waiting()).toBe(0)
})
