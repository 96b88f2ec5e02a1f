import { expect, test } from 'vitest'
import { dropped, event, session } from '../../test/in-hand.ts'
import { UserError } from '../protocol/errors.ts'
import type { ClientEvent, ServerEvent, TurnDetection } from '../protocol/events.ts'
import { scripted } from '../server/brain/scripted.ts'
import { type FarEnd, farEnd } from '../testing/far-end.ts'
import { type World, world } from '../testing/world.ts'
import { type Door, door } from './door.ts'
import { type Talk, type TurnPolicy, talk, turnDetectionFor } from './talk.ts'

const frame = new Uint8Array(960)

interface Keyed {
  readonly world: World
  readonly far: FarEnd
  readonly door: Door
  readonly talk: Talk
  /** What the far end was told, without the config, in short: `20` are 20 ms of audio. */
  told(): readonly (string | number)[]
  errors(): readonly string[]
  /** Microphone frames of 20 ms, one after the other, at the pace of speech. */
  speak(ms: number): Promise<void>
}

async function keyed(begin: TurnPolicy = 'pushToTalk', isCut: (nth: number) => boolean = () => false): Promise<Keyed> {
  const w = world(1)
  const told: ClientEvent[] = []
  const errors: string[] = []
  const far = farEnd(w, {
    brain: scripted(() => [{ type: 'say', text: 'A long answer to you.' }]),
    fault: (nth) => (isCut(nth) ? 'cut' : 'pass'),
    sent: (event: ServerEvent) => event.type === 'error' && errors.push(event.error.message),
  })
  const it = door({
    clock: w.clock,
    seed: 1,
    heard() {},
    call() {},
    tell() {},
    changed() {},
  })
  const turns = talk(it, begin)
  const dialed = it.connect(
    () => (listener) => {
      const line = far.dial(listener)
      return {
        ...line,
        send(event) {
          told.push(event)
          line.send(event)
        },
        append(audio, wasHeld) {
          told.push({ type: 'input_audio_buffer.append', audio: 'A'.repeat(audio.length) })
          return line.append(audio, wasHeld)
        },
      }
    },
    async () => ({ audio: { input: { turn_detection: turnDetectionFor(begin) } } }),
  )
  await w.settle(100)
  await dialed
  return {
    world: w,
    far,
    door: it,
    talk: turns,
    told() {
      const events = told.splice(0).filter(({ type }) => type !== 'session.update')
      return events.map((event) =>
        event.type === 'input_audio_buffer.append'
          ? event.audio.length / 48
          : event.type.replace('input_audio_buffer.', ''),
      )
    },
    errors: () => errors,
    async speak(ms) {
      for (let at = 0; at < ms; at += 20) {
        turns.sendAudio(frame)
        await w.settle(w.now() + 20)
      }
    },
  }
}

const given: TurnDetection = { type: 'server_vad', threshold: 0.7, create_response: false }

test.each<[TurnPolicy, TurnDetection | null | undefined, TurnDetection | null]>([
  ['serverVad', undefined, { type: 'server_vad' }],
  ['serverVad', null, { type: 'server_vad' }],
  ['serverVad', given, given],
  ['semanticVad', given, { type: 'semantic_vad', create_response: false }],
  ['semanticVad', { type: 'semantic_vad', eagerness: 'low' }, { type: 'semantic_vad', eagerness: 'low' }],
  ['pushToTalk', given, null],
  ['manual', given, null],
])('%s, given %j, is %j', (policy, before, after) => {
  expect(turnDetectionFor(policy, before)).toEqual(after)
})

test('a turn by push-to-talk: the buffer is cleared, what is said is sent, committed once, and answered once', async () => {
  const it = await keyed()
  await it.speak(100)
  expect(it.told()).toEqual([])
  it.talk.beginTurn()
  it.talk.beginTurn()
  await it.speak(100)
  expect(it.talk.endTurn()).toBe(true)
  expect(it.talk.endTurn()).toBe(false)
  await it.speak(40)
  expect(it.told()).toEqual(['clear', 20, 20, 20, 20, 20, 'commit', 'response.create'])
  await it.world.settle(it.world.now() + 20_000)
  expect(it.errors()).toEqual([])
  expect(it.far.lines[0]!.conversation.items.map((item) => ('role' in item ? item.role : ''))).toEqual([
    'user',
    'assistant',
  ])
})

test('less than 100 ms is no turn: it is cleared, and nothing is asked for', async () => {
  const it = await keyed()
  it.talk.beginTurn()
  await it.speak(80)
  it.talk.sendAudio(frame.subarray(2))
  expect(it.talk.endTurn()).toBe(false)
  expect(it.told().filter((what) => typeof what === 'string')).toEqual(['clear', 'clear'])
  await it.world.settle(it.world.now() + 20_000)
  expect(it.errors()).toEqual([])
  expect(it.far.lines[0]!.conversation.items).toEqual([])
})

test('the format says how much 100 ms are', async () => {
  const it = await keyed()
  const format = { type: 'audio/pcmu' } as const
  it.door.feed({ type: 'configured', config: { audio: { input: { format, turn_detection: null } } } })
  it.talk.beginTurn()
  it.talk.sendAudio(new Uint8Array(799))
  expect(it.talk.endTurn()).toBe(false)
  it.talk.beginTurn()
  it.talk.sendAudio(new Uint8Array(800))
  expect(it.talk.endTurn()).toBe(true)
  await it.world.settle(it.world.now() + 20_000)
  expect(it.errors()).toEqual([])
})

test('who begins a turn silences the agent, and is answered when that answer has ended', async () => {
  const it = await keyed()
  it.talk.beginTurn()
  await it.speak(100)
  it.talk.endTurn()
  await it.world.settle(it.world.now() + 300)
  it.told()
  it.talk.beginTurn()
  expect(it.told()).toEqual(['response.cancel', 'conversation.item.truncate', 'clear'])
  await it.speak(200)
  it.talk.endTurn()
  await it.world.settle(it.world.now() + 20_000)
  expect(it.errors()).toEqual([])
  expect(it.far.lines[0]!.conversation.items.map((item) => ('role' in item ? item.role : ''))).toEqual([
    'user',
    'assistant',
    'user',
    'assistant',
  ])
})

test('a turn that ends before the answer to the last one has begun is answered too', async () => {
  const it = await keyed()
  it.door.feed({ type: 'asked', ask: { id: null, params: {} } })
  it.talk.beginTurn()
  for (let n = 0; n < 5; n++) it.talk.sendAudio(frame)
  it.talk.endTurn()
  await it.world.settle(it.world.now() + 20_000)
  expect(it.errors()).toEqual([])
  const last = it.far.lines[0]!.conversation.items.at(-1)
  expect(last).toMatchObject({ role: 'assistant', status: 'completed' })
})

test('what nobody may interrupt is not cut by a key', async () => {
  const it = await keyed()
  it.door.feed({ type: 'asked', ask: { id: null, params: {}, uninterruptible: true } })
  await it.world.settle(it.world.now() + 300)
  it.told()
  it.talk.beginTurn()
  expect(it.told()).toEqual(['clear'])
})

test('turns that are said while there is no line are said when there is one, and what was taken back is not', async () => {
  let cutFrom = Number.POSITIVE_INFINITY
  const it = await keyed('pushToTalk', (nth) => nth === cutFrom)
  cutFrom = it.far.messages()
  it.door.feed({ type: 'sent', event: { type: 'input_audio_buffer.clear' } })
  await it.world.settle(it.world.now() + 10)
  expect(it.door.state.link.at).not.toBe('live')
  it.told()
  for (const frames of [3, 6]) {
    it.talk.beginTurn()
    for (let n = 0; n < frames; n++) it.talk.sendAudio(frame)
    it.talk.endTurn()
  }
  await it.world.settle(it.world.now() + 20_000)
  expect(it.told()).toEqual([120, 'commit', 'response.create'])
  expect(it.errors()).toEqual([])
})

test('turns are switched live: a turn that was begun is dropped, and detection comes back as it was', async () => {
  const it = await keyed('serverVad')
  it.door.feed({ type: 'configured', config: { audio: { input: { turn_detection: given } } } })
  expect(() => it.talk.beginTurn()).toThrow(UserError)
  const detection = () => it.door.state.config.audio?.input?.turn_detection
  it.talk.use('pushToTalk')
  expect(detection()).toBeNull()
  it.talk.beginTurn()
  await it.speak(200)
  it.talk.use('serverVad')
  expect(detection()).toEqual(given)
  expect(it.talk.endTurn()).toBe(false)
  expect(it.told().filter((what) => typeof what === 'string')).toEqual(['clear', 'clear'])
  await it.speak(20)
  expect(it.told()).toEqual([20])
})

test('a turn that ends while the line that carries its sound is down was heard by nobody: nothing is asked for', () => {
  const hand = session()
  const clock = { now: () => 0 }
  const door = {
    get state() {
      return hand.state
    },
    feed: (input: Parameters<Door['feed']>[0]) => void hand.play(input),
    append: () => true,
  }
  const turns = talk(door, 'pushToTalk', clock)
  hand.play({ type: 'started' }, { type: 'opened', carriesAudio: true }, event('session.updated', { session: {} }))
  turns.beginTurn()
  clock.now = () => 1_000
  hand.play(dropped())
  expect([turns.endTurn(), turns.speaking, hand.state.turn.owed]).toEqual([false, false, []])
})
