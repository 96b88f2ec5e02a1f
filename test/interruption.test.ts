/** Interruptions on the local server's own ears, in the world's time: noises, words, spans that nobody may interrupt. */
import { expect, test } from 'vitest'
import { textOf } from '../src/conversation/conversation.ts'
import type { ClientEvent, ServerEvent, SessionConfig } from '../src/protocol/events.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import { type Door, door } from '../src/session/door.ts'
import type { InterruptionOptions } from '../src/session/interruption-options.ts'
import { pacedSpeaker } from '../src/session/paced-speaker.ts'
import type { Heard } from '../src/session/speaker.ts'
import { type Ask, plain } from '../src/session/state.ts'
import { type FarEnd, farEnd } from '../src/testing/far-end.ts'
import { scriptedEars } from '../src/testing/senses.ts'
import { type World, world } from '../src/testing/world.ts'
import type { Fault } from '../src/transports/memory.ts'

/** ms that an answer sounds. */
const answerMs = 12_000
const latencyMs = 10

interface Scene {
  readonly world: World
  readonly door: Door
  readonly far: FarEnd
  /** What the far end was told, without microphone audio. */
  readonly told: readonly ClientEvent[]
  /** What the far end said went wrong. */
  readonly errors: readonly string[]
  /** What happened at the speaker, with the time. */
  readonly speaker: readonly (readonly [what: 'play' | 'pause' | 'resume' | 'hush' | 'drained', at: number])[]
  /** Bytes that went to the speaker, by response. */
  readonly bytes: ReadonlyMap<string, number>
  readonly cut: readonly Heard[]
  at(what: Scene['speaker'][number][0], nth?: number): number
  /** The microphone, open all the time: 100 ms of `t`one or `s`ilence a letter, and silence after it. */
  speak(letters: string): void
  run(ms: number): Promise<void>
}

interface SceneOptions {
  readonly interruption?: InterruptionOptions
  readonly config?: Partial<SessionConfig>
  readonly ears?: readonly string[]
  readonly fault?: (nth: number) => Fault
}

const tone = Int16Array.from({ length: 480 }, (_, n) => 8_000 * Math.sin((2 * Math.PI * 300 * n) / 24_000))
const frames = { t: new Uint8Array(tone.buffer), s: new Uint8Array(960) }

/** A call that stands, with an open microphone. */
async function scene({ interruption, config = {}, ears = ['hello there'], fault }: SceneOptions = {}): Promise<Scene> {
  const w = world(1)
  const told: ClientEvent[] = []
  const errors: string[] = []
  const speaker: [Scene['speaker'][number][0], number][] = []
  const bytes = new Map<string, number>()
  const cut: Heard[] = []
  const far = farEnd(w, {
    brain: scripted(() => [{ type: 'say', text: 'x'.repeat(answerMs / 60) }]),
    ears: scriptedEars(ears),
    latency: () => latencyMs,
    ...(fault ? { fault } : {}),
    sent(event: ServerEvent) {
      // Whether a quiet far end is there is asked by an item that nobody has.
      const isProbe = event.type === 'error' && event.error.event_id?.startsWith('probe_')
      if (event.type === 'error' && !isProbe) errors.push(event.error.message)
    },
  })
  const it = door({
    clock: w.clock,
    seed: 1,
    interruption,
    speaker: (listener) => {
      const note = (what: Scene['speaker'][number][0]) => speaker.push([what, w.now()])
      const drained = () => {
        note('drained')
        listener.drained()
      }
      const inner = pacedSpeaker({ clock: w.clock, format: () => ({ type: 'audio/pcm' }) })({ drained })
      return {
        play(audio) {
          note('play')
          bytes.set(audio.response_id, (bytes.get(audio.response_id) ?? 0) + audio.audio.length)
          inner.play(audio)
        },
        hush() {
          const heard = inner.hush()
          if (heard.length) note('hush')
          cut.push(...heard)
          return heard
        },
        pause() {
          note('pause')
          inner.pause?.()
        },
        resume() {
          note('resume')
          inner.resume?.()
        },
      }
    },
    heard() {},
    call() {},
    tell() {},
    changed() {},
  })
  const dialed = it.connect(
    () => (listener) => {
      const line = far.dial(listener)
      const send = (event: ClientEvent) => {
        told.push(event)
        line.send(event)
      }
      return { ...line, send }
    },
    async () => config,
  )
  const script: ('t' | 's')[] = []
  const listen = () => {
    it.append(frames[script.shift() ?? 's'])
    w.after(20, listen)
  }
  listen()
  await w.settle(1_000)
  await dialed
  return {
    world: w,
    door: it,
    far,
    told,
    errors,
    speaker,
    bytes,
    cut,
    at: (what, nth = 0) => speaker.filter(([kind]) => kind === what)[nth]?.[1] ?? Number.NaN,
    speak: (letters) => script.push(...[...letters].flatMap((letter) => Array<'t' | 's'>(5).fill(letter as 't' | 's'))),
    run: (ms) => w.settle(w.now() + ms),
  }
}

/** A call in which the agent has been heard for `ms`. */
async function answering(ms: number, options?: SceneOptions, ask: Ask = plain): Promise<Scene> {
  const it = await scene(options)
  it.door.feed({ type: 'asked', ask })
  await it.run(60)
  await it.run(it.at('play') + ms - it.world.now())
  return it
}

const typesOf = ({ told }: Pick<Scene, 'told'>) =>
  told.map(({ type }) => type).filter((type) => type !== 'conversation.item.retrieve')
const rolesOf = ({ far }: Scene) =>
  far.lines.at(-1)!.conversation.items.map((item) => (item.type === 'message' ? item.role : item.type))
const confirm = { mode: 'confirm' } as const
const transcribing = { audio: { input: { transcription: { model: 'whisper-1' } } } } as const

// ── confirm: by time ─────────────────────────────────────────────────────────────────────────────────────────────────

test.each([
  ['while the answer is made', 1_000],
  ['while it is only heard', 7_000],
])('a noise of 300 ms, %s: every sample of the answer sounds once, and nobody else hears of it', async (_, ms) => {
  const it = await answering(ms, { interruption: confirm })
  it.speak('ttt')
  await it.run(20_000)
  const waited = it.at('resume') - it.at('pause')
  // It is paused within the two frames that the ears want, and goes on when the silence after the noise is heard.
  expect(it.at('pause') - it.at('play') - ms).toBeLessThanOrEqual(100)
  expect(waited).toBeGreaterThanOrEqual(400)
  expect(waited).toBeLessThanOrEqual(500)
  expect(it.cut).toEqual([])
  expect([...it.bytes.values()]).toEqual([answerMs * 48])
  expect(it.at('drained') - it.at('play')).toBeCloseTo(answerMs + waited, 6)
  expect(it.errors).toEqual([])
  expect(rolesOf(it)).toEqual(['assistant'])
  expect(typesOf(it).filter((type) => type === 'response.create')).toHaveLength(1)
  expect(it.door.state.conversation.items.map((item) => item.type)).toEqual(['message'])
})

test.each([
  ['while the answer is made', 1_000, ['response.cancel']],
  ['while it is only heard', 7_000, []],
])('somebody who speaks, %s, is waited for, then cut for, then answered', async (_, ms, cancels) => {
  const it = await answering(ms, { interruption: confirm })
  const before = it.told.length
  it.speak('t'.repeat(20))
  await it.run(20_000)
  const paused = it.at('pause')
  // minMs, and the silence after which the far end would have heard it end.
  expect(it.at('hush') - paused).toBe(700)
  const [heard] = it.cut
  expect(heard!.heardMs).toBeCloseTo(paused - it.at('play'), 6)
  expect(typesOf({ told: it.told.slice(before) })).toEqual([
    ...cancels,
    'conversation.item.truncate',
    'response.create',
  ])
  const truncate = it.told.find(({ type }) => type === 'conversation.item.truncate')
  expect(truncate).toMatchObject({ audio_end_ms: Math.floor(heard!.heardMs) })
  expect(it.errors).toEqual([])
  expect(rolesOf(it)).toEqual(['assistant', 'user', 'assistant'])
})

test('a short word is cut for at its end, when it was long enough', async () => {
  const it = await answering(7_000, { interruption: { mode: 'confirm', minMs: 200 } })
  it.speak('ttt')
  await it.run(20_000)
  expect(it.cut).toHaveLength(1)
  expect(rolesOf(it)).toEqual(['assistant', 'user', 'assistant'])
  expect(it.errors).toEqual([])
})

test('noise upon noise: the agent says all of it, between them', async () => {
  const it = await answering(500, { interruption: confirm })
  it.speak(`${'ttt'.padEnd(13, 's')}`.repeat(5))
  await it.run(30_000)
  expect(it.speaker.filter(([what]) => what === 'resume')).toHaveLength(5)
  expect(it.cut).toEqual([])
  expect(rolesOf(it)).toEqual(['assistant'])
  expect(it.at('drained') - it.at('play')).toBeGreaterThan(answerMs + 5 * 400)
})

test('while the agent is silent every turn is one, and is answered once', async () => {
  const it = await scene({ interruption: confirm })
  it.speak('ttt')
  await it.run(30_000)
  expect(rolesOf(it)).toEqual(['user', 'assistant'])
  expect(typesOf(it)).toEqual(['session.update', 'session.update', 'response.create'])
  expect(it.errors).toEqual([])
})

// ── confirm: by words ────────────────────────────────────────────────────────────────────────────────────────────────

test.each([
  ['enough of them cut', ['wait a moment'], { minWords: 2 }, ['assistant', 'user: wait a moment', 'assistant']],
  ['too few resume', ['mhm'], { minWords: 2 }, ['assistant']],
  ['no words resume', [''], { minWords: 1 }, ['assistant']],
  ['those that are ignored resume', ['Uh-huh.'], { ignore: (text: string) => /^uh-huh/i.test(text) }, ['assistant']],
  [
    'others cut',
    ['Stop.'],
    { ignore: (text: string) => /^uh-huh/i.test(text) },
    ['assistant', 'user: Stop.', 'assistant'],
  ],
])('words decide: %s', async (_, ears, options, left) => {
  const it = await answering(7_000, { interruption: { mode: 'confirm', ...options }, config: transcribing, ears })
  it.speak('t'.repeat(20))
  await it.run(30_000)
  const said = it.door.state.conversation.items.map((item) =>
    item.type === 'message' && item.role === 'user' ? `user: ${textOf(item)}` : 'assistant',
  )
  expect(said).toEqual(left)
  expect(rolesOf(it)).toEqual(left.map((one) => one.split(':')[0]))
  expect(it.cut).toHaveLength(left.length > 1 ? 1 : 0)
  expect(it.errors).toEqual([])
})

test('an `ignore` that throws ignores nothing', async () => {
  const ignore = () => {
    throw new Error('Oh.')
  }
  const it = await answering(7_000, {
    interruption: { mode: 'confirm', ignore },
    config: transcribing,
    ears: ['Stop.'],
  })
  it.speak('t'.repeat(10))
  await it.run(30_000)
  expect(it.cut).toHaveLength(1)
})

// ── what nobody may interrupt ────────────────────────────────────────────────────────────────────────────────────────

test.each([
  ['immediate', {}],
  ['confirm', confirm],
])(
  'an uninterruptible answer is heard to its end (%s), and who spoke is answered after it',
  async (_, interruption) => {
    const it = await answering(1_000, { interruption }, { id: null, params: {}, uninterruptible: true })
    it.speak('t'.repeat(10))
    await it.run(40_000)
    expect(it.cut).toEqual([])
    expect([...it.bytes.values()]).toEqual([answerMs * 48, answerMs * 48])
    expect(rolesOf(it)).toEqual(['assistant', 'user', 'assistant'])
    expect(it.errors).toEqual([])
    it.door.feed({ type: 'asked', ask: plain })
    await it.run(1_000)
    it.speak('t'.repeat(10))
    await it.run(3_000)
    expect(it.cut).toHaveLength(1)
    expect(it.errors).toEqual([])
    // In immediate mode the far end cancels by itself again.
    expect(typesOf(it).filter((type) => type === 'response.cancel')).toHaveLength(interruption === confirm ? 1 : 0)
    expect(it.far.lines[0]!.conversation.items.map((item) => 'status' in item && item.status)).toEqual([
      ...['completed', 'completed', 'completed'],
      ...['incomplete', 'completed', 'in_progress'],
    ])
  },
)

test("the app's own interrupt cuts it all the same", async () => {
  const it = await answering(1_000, {}, { id: null, params: {}, uninterruptible: true })
  it.door.feed({ type: 'interrupted', cancel: true })
  await it.run(100)
  expect(it.cut).toHaveLength(1)
  expect(it.errors).toEqual([])
})

// ── the line ─────────────────────────────────────────────────────────────────────────────────────────────────────────

test('the line cut while it is not certain whether somebody speaks: the call ends in an answer, and nothing waits', async () => {
  const calm = await answering(1_000, { interruption: confirm, config: transcribing })
  const begin = calm.far.messages()
  calm.speak('ttt'.padEnd(20, 's'))
  await calm.run(2_000)
  const end = calm.far.messages()
  for (let nth = begin; nth < end; nth += 13) {
    const it = await answering(1_000, {
      interruption: confirm,
      config: transcribing,
      fault: (n) => (n === nth ? 'cut' : 'pass'),
    })
    it.speak('ttt'.padEnd(20, 's'))
    await it.run(30_000)
    const { link, interruption, turn, playback } = it.door.state
    expect([link.at, turn.owed, turn.asked, playback.item], `cut at ${nth}`).toEqual(['live', [], null, null])
    expect(interruption, `cut at ${nth}`).toMatchObject({ candidates: [], held: false, noises: [], stopped: null })
    expect(it.errors, `cut at ${nth}`).toEqual([])
    expect(rolesOf(it).at(-1), `cut at ${nth}`).toBe('assistant')
  }
})
