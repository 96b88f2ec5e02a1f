/** A call that was recorded is played again, and comes out as it was. */
import { expect, test } from 'vitest'
import type { RealtimeSession, State, TurnMetrics } from '../src/index.ts'
import { RealtimeAgent } from '../src/index.ts'
import { type Recorder, type Replay, type ReplayStep, record, replay, TraceError } from '../src/trace/index.ts'
import { interleave } from './interleaving.ts'
import { say, type Talk, type TalkOptions, talk } from './talk.ts'

const seeds = Array.from({ length: 30 }, (_, n) => n)

interface Recorded {
  readonly session: RealtimeSession
  readonly recorder: Recorder
  readonly turns: readonly TurnMetrics[]
}

async function recorded(seed: number, holds: boolean, options?: Parameters<typeof record>[1]): Promise<Recorded> {
  const turns: TurnMetrics[] = []
  let recorder!: Recorder
  const { session } = await interleave(seed, {
    holds,
    async before(session) {
      session.on('metrics', (turn) => turns.push(turn))
      recorder = record(session, options)
      await import('../src/session/measuring.ts')
    },
  })
  return { session, recorder, turns }
}

test.each([
  ['a line that holds', true],
  ['a line that is lost', false],
])('random calls over %s are played again to the same state, step by step', async (_, holds) => {
  for (const seed of seeds) {
    const { session, recorder, turns } = await recorded(seed, holds)
    const again = replay(recorder.text())
    expect(again.problems, `seed ${seed}`).toEqual([])
    expect(again.steps.length, `seed ${seed}`).toBeGreaterThan(20)
    expect(again.steps.at(-1)!.state, `seed ${seed}`).toEqual(session.state)
    expect(again.turns, `seed ${seed}`).toEqual(turns)
    expect(turns.length, `seed ${seed}`).toBeGreaterThan(0)
  }
})

test('every state between is the one that was', async () => {
  for (const seed of seeds.slice(0, 8)) {
    const were: State[] = []
    let recorder!: Recorder
    await interleave(seed, {
      holds: false,
      before(session) {
        recorder = record(session)
        session.observe(({ direction }) => void (direction !== 'out' && were.push(session.state)))
      },
    })
    const { steps } = replay(recorder.text())
    const states = steps.filter(({ direction }) => direction !== 'out').map(({ state }) => state)
    expect(states, `seed ${seed}`).toEqual(were)
  }
})

test('what is sent stands in the trace where it was sent', async () => {
  for (const seed of seeds.slice(0, 8)) {
    const { recorder } = await recorded(seed, false)
    const { steps } = replay(recorder.text())
    for (const [n, { effects, at }] of steps.entries()) {
      const next = steps.findIndex(({ direction }, later) => later > n && direction !== 'out')
      const sent = steps.slice(n + 1, next < 0 ? undefined : next).map((one) => [one.at, one.event])
      const wanted = effects.flatMap((effect) => (effect.type === 'transmit' ? [[at, effect.event]] : []))
      expect(sent, `seed ${seed}, step ${n}`).toEqual(expect.arrayContaining(wanted))
    }
  }
})

/** A call of two turns, one written and one spoken, that is recorded. */
async function call(
  options: Parameters<typeof record>[1] = {},
  more: TalkOptions<unknown> = {},
): Promise<Talk<unknown> & { readonly recorder: Recorder }> {
  let recorder!: Recorder
  const it = await talk(new RealtimeAgent({ name: 'Clerk' }), () => [say('All is well here.')], {
    ears: ['hello'],
    ...more,
    before: (session) => {
      recorder = record(session, options)
    },
  })
  await it.say('hello')
  for (let frame = 0; frame < 20; frame++) {
    it.world.after(frame * 100, () => it.session.sendAudio(frame < 8 ? loud : new Uint8Array(loud.length)))
  }
  await it.run()
  return { ...it, recorder }
}

const loud = new Uint8Array(new Int16Array(2_400).map((_, n) => (n % 80 < 40 ? 16_384 : -16_384)).buffer)

const isSound = ({ audio }: ReplayStep) => audio !== null
const sum = (all: readonly number[]) => all.reduce((one, other) => one + other, 0)

test('of audio it keeps how long and how loud it was, and the microphone by the second', async () => {
  const { recorder } = await call()
  const { steps, header } = replay(recorder.text())
  const sounds = steps.filter(isSound)
  const [up, down] = ['out', 'in'].map((way) => sounds.filter(({ direction }) => direction === way))
  expect(header).toMatchObject({ version: 1, agent: 'Clerk' })
  expect(up!.map(({ audio }) => audio)).toEqual([
    { bytes: 48_000, ms: 1_000, peak: 0.5, pieces: 10 },
    { bytes: 48_000, ms: 1_000, peak: 0, pieces: 10 },
  ])
  expect(sum(down!.map(({ audio }) => audio!.ms))).toBe(2_040)
  for (const { event, audio } of down!) {
    expect(event).toMatchObject({ audio: new Uint8Array(audio!.bytes), delta: '' })
    expect(audio!.peak).toBeCloseTo(0.183, 2)
  }
})

test('with `keepAudio` the sound is there too', async () => {
  const heard: Uint8Array[] = []
  const { recorder } = await call({ keepAudio: true }, { config: {} })
  const sounds = replay(recorder.text()).steps.filter(isSound)
  for (const { event } of sounds) if ('audio' in event) heard.push(event.audio as Uint8Array)
  const samples = new Int16Array(heard[0]!.slice().buffer)
  expect(Math.max(...samples)).toBeGreaterThan(5_900)
  expect(sounds.every(({ audio }) => audio!.base64!.length > 0)).toBe(true)
})

test('audio that the app writes out by itself is not kept either', async () => {
  const { session, run, recorder } = await call()
  const audio = 'AAAA'.repeat(300)
  session.sendEvent({ type: 'input_audio_buffer.append', audio })
  await run()
  expect(recorder.text()).not.toContain(audio)
  expect(
    recorder
      .text()
      .split('\n')
      .slice(1)
      .every(({ length }) => length < 1_000),
  ).toBe(true)
})

test('no key enters a trace', async () => {
  const secret = 'sk-proj-abcdefghijklmnop'
  const { session, recorder, run } = await call()
  session.sendMessage(`my key is ${secret}`)
  session.sendEvent({
    type: 'session.update',
    session: {
      type: 'realtime',
      tools: [
        {
          type: 'mcp',
          server_label: 'shop',
          server_url: 'https://shop.test',
          authorization: 'open sesame',
          headers: { 'X-Pass': 'open sesame' },
        },
      ],
    },
  })
  await run()
  const again = record(session)
  for (const text of [recorder.text(), again.text()]) {
    expect(text).toContain('my key is [redacted]')
    expect(text).toContain('"server_label":"shop"')
    expect(text).not.toContain(secret)
    expect(text).not.toContain('sesame')
  }
})

test('a recording that begins in the middle goes on from there', async () => {
  const { session, say: write, recorder } = await call()
  const later = record(session)
  await write('again')
  expect(replay(later.text()).steps.at(-1)!.state).toEqual(session.state)
  recorder.stop()
  const before = recorder.text()
  await write('and again')
  expect(recorder.text()).toBe(before)
})

test.each([4_000, 12_000, 30_000])(
  'with %i characters at most, older detail makes room, and the end stays true',
  async (maxLength) => {
    for (const seed of seeds.slice(0, 12)) {
      const { session, recorder } = await recorded(seed, false, { maxLength, keepAudio: true })
      const { steps, dropped, problems } = replay(recorder.text())
      expect(recorder.length, `seed ${seed}`).toBeLessThanOrEqual(maxLength)
      expect(problems, `seed ${seed}`).toEqual([])
      expect(dropped, `seed ${seed}`).toEqual(recorder.dropped)
      expect(dropped!.events, `seed ${seed}`).toBeGreaterThan(0)
      expect(steps.at(-1)!.state, `seed ${seed}`).toEqual(session.state)
    }
  },
)

test('the sound goes before anything else does', async () => {
  const whole = await call({ keepAudio: true })
  const bare = await call()
  const tight = await call({ keepAudio: true, maxLength: bare.recorder.length * 2 })
  const events = ({ steps }: Replay) => steps.filter((one) => !isSound(one)).length
  expect(whole.recorder.length).toBeGreaterThan(bare.recorder.length * 8)
  expect(tight.recorder.length).toBeLessThan(bare.recorder.length * 2)
  expect(tight.recorder.dropped.events).toBe(0)
  expect(events(replay(tight.recorder.text()))).toBe(events(replay(whole.recorder.text())))
})

// ── traces that are not whole ────────────────────────────────────────────────────────────────────────────────────────

const first = JSON.stringify

test.each([
  ['nothing', '', 'Line 1: This is no trace of Parley'],
  ['some other file', '{"name":"x"}', 'Line 1: This is no trace of Parley'],
  ['a page', '<html>', 'Line 1: This is no trace of Parley'],
  ['null', 'null', 'Line 1: This is no trace of Parley'],
  [
    'a later version',
    first({ parley: 'trace', version: 2 }),
    'Line 1: It is of version 2, and this Parley reads up to 1',
  ],
  ['no version', first({ parley: 'trace' }), 'Line 1: It is of version undefined'],
  ['no state', first({ parley: 'trace', version: 1 }), 'Line 1: It does not tell the state'],
])('%s is refused, and it says why', (_, text, message) => {
  expect(() => replay(text)).toThrow(TraceError)
  expect(() => replay(text)).toThrow(message)
})

test('a trace that was cut goes as far as it goes, wherever it was cut', async () => {
  const text = (await call()).recorder.text()
  const header = text.indexOf('\n')
  const all = replay(text).steps.length
  for (let end = header; end < text.length; end += 197) {
    const { steps, problems } = replay(text.slice(0, end))
    expect(problems.length, `cut at ${end}`).toBeLessThanOrEqual(1)
    expect(steps.length, `cut at ${end}`).toBeLessThanOrEqual(all)
    for (const { reason, line } of problems)
      expect([reason, line]).toEqual([expect.stringMatching(/cut/), steps.length + 2])
  }
})

test.each([
  ['{"at":1,"direction":"in","input":{"type":"teleported"}}', 'Nothing is known of what it tells.'],
  ['{"at":1,"direction":"sideways","input":{"type":"drained"}}', 'Nothing is known of what it tells.'],
  ['{"direction":"in","input":{"type":"drained"}}', 'Nothing is known of what it tells.'],
  ['{"at":1,"direction":"out"}', 'Nothing is known of what it tells.'],
  ['7', 'Nothing is known of what it tells.'],
  ['null', 'Nothing is known of what it tells.'],
  ['{"at":1,"direction":"in","input":{"type":"received"}}', 'Nothing is known of what it tells.'],
  ['{"at":1,"direction":"in","input":{"type":"received","event":{"type":"response.done"}}}', 'It changes nothing: '],
  ['{"at":1,"direction":"local","input":{"type":"said"}}', 'It changes nothing: '],
  ['{"at":1,', 'It is no JSON: '],
])('a line that makes no sense is told by its number, and the rest is played: %s', async (line, reason) => {
  const { session, recorder } = await call()
  const lines = recorder.text().split('\n')
  const { problems, steps } = replay([...lines.slice(0, 5), line, ...lines.slice(5)])
  expect(problems).toEqual([{ line: 6, reason: expect.stringContaining(reason) }])
  expect(steps.at(-1)!.state).toEqual(session.state)
})
