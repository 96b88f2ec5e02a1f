/** What a session tells of each turn, in the world's time: exact, to the ms. */
import { expect, test } from 'vitest'
import { type FunctionTool, RealtimeAgent, type RealtimeSession, type TurnMetrics, tool } from '../src/index.ts'
import type { World } from '../src/testing/index.ts'
import { socketTalk } from './socket-talk.ts'
import { callTool, type Script, say, type Talk, type TalkOptions, talk } from './talk.ts'

// A session loads this when somebody listens for metrics: here the world's time must not run ahead of the disk.
await import('../src/session/measuring.ts')

async function measured(
  script: Script,
  options: TalkOptions<unknown> = {},
  agent: RealtimeAgent = new RealtimeAgent({ name: 'A' }),
): Promise<Talk<unknown> & { readonly turns: TurnMetrics[] }> {
  const turns: TurnMetrics[] = []
  const it = await talk(agent, script, {
    config: { audio: { input: { turnDetection: { type: 'server_vad', silence_duration_ms: 200 } } } },
    ...options,
    before(session) {
      session.on('metrics', (turn) => turns.push(turn))
      options.before?.(session)
    },
  })
  return Object.assign(it, { turns })
}

const samples = 2_400
const tone = new Uint8Array(
  Int16Array.from({ length: samples }, (_, n) => 8_000 * Math.sin((2 * Math.PI * 300 * n) / 24_000)).buffer,
)
const silence = new Uint8Array(2 * samples)

/** Half a second of sound, then silence: a frame every 100 ms. */
function speak(w: World, session: RealtimeSession, frames = 12): void {
  for (let frame = 0; frame < frames; frame++) {
    w.after(frame * 100, () => session.sendAudio(frame >= 2 && frame < 7 ? tone : silence))
  }
}

type Marks = Readonly<Record<string, unknown>>

/** A turn in ms from its beginning: what is known of it, and what of its parts is more than that. */
function marks({ responses, tools, latency, interruption, ...turn }: TurnMetrics): Marks {
  const begin = turn.by === 'speech' ? turn.speechEnd! : turn.by === 'text' ? turn.said! : turn.asked!
  const since = (part: object): Marks =>
    Object.fromEntries(
      Object.entries(part)
        .filter(([name, value]) => value !== null && value !== 0 && name !== 'by')
        .map(([name, value]) => [name, typeof value === 'number' && name !== 'linesLost' ? value - begin : value]),
    )
  return {
    by: turn.by,
    ...since(turn),
    responses: responses.map(({ status, done }) => `${status} ${done === null ? '' : done - begin}`.trim()),
    ...(tools.length ? { tools: tools.map(({ callId: _, ...tool }) => since(tool)) } : {}),
    ...(interruption ? { interruption: `${interruption.by} ${latency.interruption}` } : {}),
  }
}

/** A tool that takes so many ms of the world. */
function taking(ms: number, name: string, world: () => World, more: object = {}): FunctionTool {
  const execute = () => new Promise<string>((resolve) => world().after(ms, () => resolve('done')))
  return tool({ name, description: name, execute, ...more })
}

/** Calls these tools once for each thing that is said, and then speaks. */
function calling(...names: readonly string[]): Script {
  return ({ items }) => {
    const last = items.findLastIndex((item) => item.type === 'message' && item.role === 'user')
    const isAnswered = items.slice(last).some(({ type }) => type === 'function_call_output')
    return isAnswered ? [say('It is calm.')] : names.map((name) => callTool(name))
  }
}

const long = 'All is well here, and it goes on and on for quite a while.'

/** Every message takes 10 ms each way, a letter 60 ms to be said. */
const scenes: Readonly<Record<string, () => Promise<readonly TurnMetrics[]>>> = {
  async text() {
    const it = await measured(() => [say('All is well here.')])
    await it.say('hello')
    return it.turns
  },
  async voice() {
    const it = await measured(() => [say('All is well here.')], { ears: ['hello'] })
    speak(it.world, it.session)
    await it.run()
    return it.turns
  },
  async pushToTalk() {
    const it = await measured(() => [say('All is well here.')], { ears: ['hello'], turns: 'pushToTalk' })
    it.session.beginTurn()
    speak(it.world, it.session)
    await it.run(1_500)
    it.session.endTurn()
    await it.run()
    return it.turns
  },
  async greeting() {
    const it = await measured(() => [say('Good morning.')], { greeting: 'Greet.' })
    await it.run()
    return it.turns
  },
  async tools() {
    const fail = () => {
      throw new Error('It is broken.')
    }
    const broken = tool({ name: 'sea', description: 'sea', execute: fail })
    let w!: World
    const agent = new RealtimeAgent({
      name: 'A',
      tools: [taking(200, 'sky', () => w), taking(500, 'wind', () => w), broken],
    })
    const it = await measured(calling('sky', 'wind', 'sea'), {}, agent)
    w = it.world
    await it.say('weather?')
    return it.turns
  },
  async approval() {
    let w!: World
    const agent = new RealtimeAgent({ name: 'A', tools: [taking(100, 'pay', () => w, { needsApproval: true })] })
    const it = await measured(calling('pay'), {}, agent)
    w = it.world
    it.session.on('tool_approval_requested', (_context, _agent, { approvalItem }) => {
      w.after(700, () => it.session.approve(approvalItem))
    })
    await it.say('pay!')
    return it.turns
  },
  async bargeIn() {
    const it = await measured(() => [say(long)], { ears: ['stop'] })
    await it.say('hello', 300)
    speak(it.world, it.session, 13)
    await it.run()
    return it.turns
  },
  async confirmed() {
    const it = await measured(() => [say(long)], { ears: ['stop'], interruption: { mode: 'confirm', minMs: 400 } })
    await it.say('hello', 300)
    speak(it.world, it.session, 13)
    await it.run()
    return it.turns
  },
  async interrupt() {
    const it = await measured(() => [say(long)])
    await it.say('hello', 300)
    it.session.interrupt()
    await it.run()
    return it.turns
  },
  async tooEarly() {
    const it = await measured(() => [say(long)])
    await it.say('hello', 1)
    it.session.interrupt()
    await it.run()
    return it.turns
  },
  async whileItSpeaks() {
    const it = await measured(() => [say(long)])
    await it.say('hello', 1_000)
    await it.say('and?')
    return it.turns
  },
  async reconnect() {
    let isCut = false
    let cut = false
    const it = await measured(() => [say(long)], {
      fault: () => {
        if (!cut || isCut) return 'pass'
        isCut = true
        return 'cut'
      },
    })
    it.session.on('transport_event', ({ type }) => {
      if (type === 'response.created') cut = true
    })
    await it.say('hello')
    return it.turns
  },
  async failure() {
    let times = 0
    const it = await measured(() => {
      if (times++ === 0) throw new Error('Out of order.')
      return [say('All is well here.')]
    })
    await it.say('hello')
    return it.turns
  },
  async early() {
    const it = await measured(() => [say('All is well here.')], { before: (session) => session.sendMessage('hello') })
    await it.run()
    await it.say('and?')
    return it.turns
  },
  async whileDown() {
    const it = await measured(() => [say('All is well here.')])
    it.session.renew()
    await it.say('hello')
    return it.turns
  },
  async closed() {
    const it = await measured(() => [say(long)])
    await it.say('hello', 300)
    it.session.close()
    await it.run()
    return it.turns
  },
}

const written = { by: 'text', said: 0, asked: 0, created: 20, firstByte: 20, firstWord: 20, firstAudible: 20 }
const spoken = { by: 'speech', userSilent: -200, speechEnd: 0, committed: 0 }
const byKey = { ...written, by: 'speech', speechEnd: 0, committed: 20, said: undefined }
const greeted = { ...written, by: 'app', said: undefined }
const unheard = { ...written, firstAudible: undefined }
const atOnce = { created: 0, firstByte: 0, firstWord: 0, firstAudible: 0 }

const later = (ms: number) => ({
  asked: ms,
  created: 20 + ms,
  firstByte: 20 + ms,
  firstWord: 20 + ms,
  firstAudible: 20 + ms,
})

const tables: Readonly<Record<keyof typeof scenes, readonly Marks[]>> = {
  text: [{ ...written, done: 275, playbackEnd: 1_040, responses: ['completed 275'] }],
  voice: [{ ...spoken, ...atOnce, done: 255, playbackEnd: 1_020, responses: ['completed 255'] }],
  pushToTalk: [
    {
      ...byKey,
      done: 275,
      playbackEnd: 1_040,
      responses: ['completed 275'],
    },
  ],
  greeting: [{ ...greeted, done: 215, playbackEnd: 800, responses: ['completed 215'] }],
  tools: [
    {
      ...written,
      firstByte: 540,
      firstWord: 540,
      firstAudible: 540,
      done: 705,
      playbackEnd: 1_200,
      responses: ['completed 20', 'completed 705'],
      tools: [
        { name: 'sky', began: 20, ended: 220, failed: false },
        { name: 'wind', began: 20, ended: 520, failed: false },
        { name: 'sea', began: 20, ended: 20, failed: true },
      ],
    },
  ],
  approval: [
    {
      ...written,
      firstByte: 840,
      firstWord: 840,
      firstAudible: 840,
      done: 1_005,
      playbackEnd: 1_500,
      responses: ['completed 20', 'completed 1005'],
      tools: [{ name: 'pay', began: 20, approvalAsked: 20, ended: 820, failed: false }],
    },
  ],
  bargeIn: [
    { ...written, done: 520, playbackEnd: 520, responses: ['cancelled 520'], interruption: 'user 0' },
    { ...spoken, ...atOnce, done: 870, playbackEnd: 3_480, responses: ['completed 870'] },
  ],
  confirmed: [
    { ...written, done: 890, playbackEnd: 520, responses: ['completed 890'], interruption: 'user 0' },
    { ...byKey, ...spoken, done: 890, playbackEnd: 3_500, responses: ['completed 890'] },
  ],
  interrupt: [{ ...written, done: 320, playbackEnd: 300, responses: ['cancelled 320'], interruption: 'app 0' }],
  tooEarly: [{ ...unheard, done: 40, responses: ['cancelled 40'], interruption: 'app null' }],
  whileItSpeaks: [
    { ...written, done: 890, playbackEnd: 3_500, responses: ['completed 890'] },
    { ...written, firstAudible: 2_500, done: 890, playbackEnd: 5_980, responses: ['completed 890'] },
  ],
  reconnect: [
    {
      ...written,
      linesLost: 1,
      asked: 100,
      created: 120,
      firstByte: 120,
      firstWord: 120,
      firstAudible: 120,
      done: 990,
      playbackEnd: 3_600,
      responses: ['lost', 'completed 990'],
    },
  ],
  failure: [
    {
      ...written,
      firstByte: 40,
      firstWord: 40,
      firstAudible: 40,
      done: 295,
      playbackEnd: 1_060,
      responses: ['failed 20', 'completed 295'],
    },
  ],
  early: [
    {
      ...written,
      // When the world began.
      said: undefined,
      connected: 30,
      ...later(30),
      done: 305,
      playbackEnd: 1_070,
      responses: ['completed 305'],
    },
    { ...written, done: 275, playbackEnd: 1_040, responses: ['completed 275'] },
  ],
  whileDown: [
    {
      ...written,
      connected: 30,
      ...later(30),
      done: 305,
      playbackEnd: 1_070,
      responses: ['completed 305'],
    },
  ],
  closed: [{ ...written, linesLost: 1, playbackEnd: 300, responses: ['lost'] }],
}

const names: Readonly<Record<keyof typeof scenes, string>> = {
  text: 'a turn in writing is counted from its words',
  voice: 'a spoken turn is counted from the end of the speech, and the silence before it is told',
  pushToTalk: 'a turn by key is counted from when the key was let go',
  greeting: 'what the app has the agent say is a turn of its own',
  tools: 'tools and what follows them are of the turn that they were called in',
  approval: 'a call that waits for the app tells since when',
  bargeIn: 'who is interrupted falls silent at once, and who interrupts has a turn of their own',
  confirmed: 'where the agent waits for who speaks, it is silent from then on',
  interrupt: 'the app interrupts',
  tooEarly: 'what is interrupted before it sounds was never silent',
  whileItSpeaks: 'an answer that waits for the one before it is heard when that has ended',
  reconnect: 'an answer that is lost with its line is given again in the same turn',
  failure: 'a response that fails and is asked for again is of the same turn',
  early: 'what is written before there is a line waits for it, and how long is told; the next turn does not',
  whileDown: 'so is what is written while a line is made anew',
  closed: 'a turn that the end of the session cuts off is told as far as it came',
}

test.each(Object.entries(names).map(([scene, name]) => [name, scene]))('%s', async (_, scene) => {
  expect((await scenes[scene]!()).map(marks)).toEqual(tables[scene])
})

test('latencies are from the beginning of the turn, and the wait for silence is apart', async () => {
  const [voice] = await scenes.voice!()
  const [, queued] = await scenes.whileItSpeaks!()
  expect(voice!.latency).toEqual({ endpointing: 200, connected: null, interruption: null, committed: 0, ...atOnce })
  const { latency } = queued!
  expect(latency).toEqual({
    endpointing: null,
    connected: null,
    committed: null,
    created: 20,
    firstByte: 20,
    firstWord: 20,
    firstAudible: 2_500,
    interruption: null,
  })
})

test('what was spent on connecting is told apart', async () => {
  const [first, second] = await scenes.early!()
  expect([first!.latency.connected, first!.latency.firstAudible]).toEqual([30, 50])
  expect([second!.connected, second!.latency.connected]).toEqual([null, null])
})

test('a response brings the usage that the far end reports of it', async () => {
  const [turn] = await scenes.text!()
  expect(turn!.responses.map(({ usage }) => usage?.output_token_details)).toEqual([
    { text_tokens: 6, audio_tokens: 21 },
  ])
})

test('who begins to listen in the middle of a turn hears of the next one', async () => {
  const it = await talk(new RealtimeAgent({ name: 'A' }), () => [say(long)])
  const turns: TurnMetrics[] = []
  await it.say('hello', 500)
  it.session.on('metrics', (turn) => turns.push(turn))
  await import('../src/session/measuring.ts')
  await it.run()
  expect(turns).toEqual([])
  await it.say('and?')
  expect(turns.map(marks)).toEqual([{ ...written, done: 890, playbackEnd: 3_500, responses: ['completed 890'] }])
})

test('over a socket, by the real clock, the marks of a turn with a tool are in order', async () => {
  const sky = tool({ name: 'sky', description: 'The sky now.', execute: () => 'blue' })
  let told!: Promise<TurnMetrics>
  const it = await socketTalk(new RealtimeAgent({ name: 'A', tools: [sky] }), {
    script: calling('sky'),
    before(session) {
      told = new Promise((resolve) => session.on('metrics', resolve))
    },
  })
  it.session.sendMessage('the sky?')
  const { said, asked, created, tools, firstByte, firstAudible, done, playbackEnd } = await told
  const [span] = tools
  const order = [said, asked, created, span!.began, span!.ended, firstByte, firstAudible, done]
  expect(order).toEqual(order.toSorted((one, other) => one! - other!))
  expect(order).not.toContain(null)
  expect(playbackEnd).toBeGreaterThan(firstAudible!)
})
