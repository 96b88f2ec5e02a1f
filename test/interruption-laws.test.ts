/** Random calls against the far end's own rules: what holds of playing, cutting and waiting, however things come to pass. */
import { expect, test } from 'vitest'
import { activeResponse, type Conversation, empty, evolve } from '../src/conversation/conversation.ts'
import { msOf } from '../src/protocol/audio.ts'
import type { Clock } from '../src/protocol/clock.ts'
import type { AudioDelta, ClientEvent, Item, ServerEvent } from '../src/protocol/events.ts'
import { mulberry32 } from '../src/protocol/random.ts'
import { type Answer, type CallState, decide } from '../src/server/rules/decide.ts'
import { defaultSession } from '../src/server/rules/session-config.ts'
import { type Door, door } from '../src/session/door.ts'
import type { InterruptionOptions } from '../src/session/interruption-options.ts'
import { pacedSpeaker } from '../src/session/paced-speaker.ts'
import type { Heard, MakeSpeaker } from '../src/session/speaker.ts'
import { type Input, plain, type State } from '../src/session/state.ts'
import type { Listener } from '../src/session/transport.ts'

const silenceMs = 200
const paddingMs = 300
const pcm = { type: 'audio/pcm' } as const
/** Two ends that speak at once lose a race now and then: no news to anybody. */
const races = ['response_cancel_not_active', 'conversation_already_has_active_response']

test.each<[string, InterruptionOptions]>([
  ['immediate', {}],
  ['confirm, by time', { mode: 'confirm' }],
  ['confirm, by words', { mode: 'confirm', minWords: 2 }],
])('600 random calls (%s)', async (_, interruption) => {
  const seen = { cuts: 0, waits: 0, guarded: 0, late: 0 }
  for (let seed = 1; seed <= 600; seed++) {
    const it = await call(seed, interruption)
    for (let n = 0; n < 60; n++) it.anything()
    it.rest()
    const where = `seed ${seed}`
    expect(it.wrong, where).toEqual([])
    expect(
      it.refusals.filter((code) => !races.includes(code)),
      where,
    ).toEqual([])
    const { interruption: left, turn, playback, conversation, removed } = it.door.state
    expect([turn.owed, turn.asked, playback.item, conversation.responses, removed], where).toEqual([
      [],
      null,
      null,
      [],
      [],
    ])
    expect(left, where).toMatchObject({ candidates: [], held: false, noises: [], guarded: [], stopped: null })
    expect(it.isPaused(), where).toBe(false)
    seen.cuts += it.seen.cuts
    seen.waits += it.seen.waits
    seen.guarded += it.seen.guarded
    seen.late += it.seen.late
  }
  // What the laws are about did come to pass.
  expect(seen.cuts).toBeGreaterThan(300)
  expect(seen.guarded).toBeGreaterThan(100)
  expect(seen.late).toBeGreaterThan(50)
  if (interruption.mode) expect(seen.waits).toBeGreaterThan(300)
})

test('where all that is heard is noise of 300 ms, every sample of every answer sounds once, in order', async () => {
  let waits = 0
  for (let seed = 1; seed <= 300; seed++) {
    const it = await call(seed, { mode: 'confirm' }, true)
    for (let n = 0; n < 60; n++) it.anything()
    it.rest()
    const where = `seed ${seed}`
    expect(it.wrong, where).toEqual([])
    expect(it.seen.cuts, where).toBe(0)
    expect(it.sounded, where).toEqual(it.spoken)
    waits += it.seen.waits
  }
  expect(waits).toBeGreaterThan(300)
})

interface RandomCall {
  readonly door: Door
  /** What should not have been. */
  readonly wrong: readonly string[]
  /** The codes of what the far end refused. */
  readonly refusals: readonly string[]
  readonly seen: { readonly cuts: number; readonly waits: number; readonly guarded: number; readonly late: number }
  /** ms that each item was spoken, and that it has sounded, in order. */
  readonly spoken: readonly (readonly [string, number])[]
  readonly sounded: readonly (readonly [string, number])[]
  isPaused(): boolean
  /** One thing that may happen, happens. */
  anything(): void
  /** All that is under way comes to its end. */
  rest(): void
}

async function call(seed: number, interruption: InterruptionOptions, isCalm = false): Promise<RandomCall> {
  const random = mulberry32(seed)
  const upTo = (most: number) => Math.floor(random() * (most + 1))
  const time = clockwork()
  const latency = [0, 30, 200][upTo(2)]!
  const wrong: string[] = []
  const refusals: string[] = []
  const seen = { cuts: 0, waits: 0, guarded: 0, late: 0 }

  // ── the far end ────────────────────────────────────────────────────────────────────────────────────────────────────

  let session: CallState['session'] = defaultSession('m')
  let conversation: Conversation = empty
  let listener: Listener
  const spoken = new Map<string, number>()
  const asWhole = new Map<string, number>()
  let ids = 0
  const newId = (prefix: string) => `${prefix}${ids++}`
  let giving: { readonly id: string; item: string | null; readonly output: Item[] } | null = null
  let speech: { readonly item_id: string; readonly at: number } | null = null
  const wordless: string[] = []
  const detection = () => session.audio?.input?.turn_detection

  function emit(answer: Answer | AudioDelta): void {
    const event = { event_id: newId('e'), ...answer } as ServerEvent
    conversation = evolve(conversation, event)
    if (event.type === 'error') refusals.push(event.error.code ?? '')
    time.at(time.now() + latency, () => listener.received(event))
  }

  function hear(event: ClientEvent): void {
    const answers = decide({ session, conversation, bufferedMs: 1_000, spoken }, event, newId)
    for (const answer of answers) emit(answer)
    if (answers.some(({ type }) => type === 'error')) return
    for (const answer of answers) if (answer.type === 'session.updated') session = answer.session
    if (event.type === 'response.create') begin(event.response?.metadata ?? null)
    if (event.type === 'response.cancel') finish('cancelled')
    if (event.type === 'conversation.item.truncate') spoken.set(event.item_id, event.audio_end_ms)
  }

  function begin(metadata: object | null): void {
    giving = { id: newId('resp_'), item: null, output: [] }
    const response = { id: giving.id, status: 'in_progress', conversation_id: 'c', output: [], metadata }
    emit({ type: 'response.created', response } as unknown as Answer)
  }

  function say(ms: number): void {
    if (!giving) return
    const at = { response_id: giving.id, output_index: 0, content_index: 0 }
    if (!giving.item) {
      giving.item = newId('item_')
      place({
        id: giving.item,
        type: 'message',
        role: 'assistant',
        status: 'in_progress',
        content: [],
      } as unknown as Item)
    }
    spoken.set(giving.item, (spoken.get(giving.item) ?? 0) + ms)
    asWhole.set(giving.item, (asWhole.get(giving.item) ?? 0) + ms)
    const audio = new Uint8Array(ms * 48)
    emit({ type: 'response.output_audio.delta', ...at, item_id: giving.item, audio } as unknown as AudioDelta)
  }

  function place(item: Item): void {
    const previous_item_id = conversation.items.at(-1)?.id ?? null
    emit({ type: 'response.output_item.added', response_id: giving!.id, output_index: 0, item } as unknown as Answer)
    emit({ type: 'conversation.item.added', previous_item_id, item } as unknown as Answer)
  }

  function told(item: Item): void {
    giving!.output.push(item)
    emit({ type: 'response.output_item.done', response_id: giving!.id, output_index: 0, item } as unknown as Answer)
    emit({ type: 'conversation.item.done', previous_item_id: null, item } as unknown as Answer)
  }

  function finish(status: string): void {
    if (!giving) return
    const { id, item } = giving
    const content = [{ type: 'output_audio', transcript: 'x' }]
    const ended = status === 'completed' ? 'completed' : 'incomplete'
    if (item) told({ id: item, type: 'message', role: 'assistant', status: ended, content } as unknown as Item)
    const response = { id, status, conversation_id: 'c', output: giving.output }
    giving = null
    emit({ type: 'response.done', response } as unknown as Answer)
  }

  function callTool(): void {
    if (!giving) return
    const item = { id: newId('item_'), type: 'function_call', call_id: newId('call_'), name: 'f', arguments: '{}' }
    place({ ...item, status: 'in_progress' } as Item)
    told({ ...item, status: 'completed' } as Item)
  }

  /** The far end hears speech 60 ms after it began. */
  function startSpeech(): void {
    if (speech) return
    const at = time.now() - 60
    speech = { item_id: newId('item_'), at }
    const { item_id } = speech
    emit({ type: 'input_audio_buffer.speech_started', item_id, audio_start_ms: 10_000 + at - paddingMs })
    if (detection()?.interrupt_response !== false) finish('cancelled')
    if (isCalm) time.at(time.now() + 240 + silenceMs, stopSpeech)
  }

  function stopSpeech(): void {
    if (!speech || time.now() - speech.at < 60 + silenceMs) return
    const { item_id } = speech
    speech = null
    emit({ type: 'input_audio_buffer.speech_stopped', item_id, audio_end_ms: 10_000 + time.now() })
    const content = [{ type: 'input_audio', transcript: null }]
    const item = { id: item_id, type: 'message', role: 'user', status: 'completed', content } as unknown as Item
    const previous_item_id = conversation.items.at(-1)?.id ?? null
    emit({ type: 'input_audio_buffer.committed', item_id, previous_item_id })
    emit({ type: 'conversation.item.added', previous_item_id, item })
    emit({ type: 'conversation.item.done', previous_item_id, item })
    wordless.push(item_id)
    if (detection()?.create_response !== false && !giving) begin(null)
  }

  function understand(): void {
    const item_id = wordless.shift()
    const transcript = ['', 'mhm', 'wait a moment'][upTo(2)]!
    const usage = { type: 'duration', seconds: 1 } as const
    const type = 'conversation.item.input_audio_transcription.completed'
    if (item_id) emit({ type, item_id, content_index: 0, transcript, usage } as unknown as Answer)
  }

  // ── the speaker, and beside it what a loudspeaker would have played by now ─────────────────────────────────────────

  const queue: { readonly item_id: string; ms: number }[] = []
  const sounded = new Map<string, number>()
  const lastAsked = new Map<string, ClientEvent>()
  const guarded = new Set<string>()
  const dead = new Set<string>()
  let cause: Input | null = null
  let lastHush: readonly Heard[] = []
  let playedAt = 0
  let paused = false

  function sound(): void {
    for (let left = time.now() - playedAt; left > 0 && !paused && queue[0]; ) {
      const ms = Math.min(left, queue[0].ms)
      sounded.set(queue[0].item_id, (sounded.get(queue[0].item_id) ?? 0) + ms)
      queue[0].ms -= ms
      left -= ms
      if (queue[0].ms === 0) queue.shift()
    }
    playedAt = time.now()
  }

  const speaker: MakeSpeaker = (drains) => {
    const inner = pacedSpeaker({ clock: time.clock, format: () => pcm })(drains)
    return {
      play(audio) {
        sound()
        if (dead.has(audio.response_id)) wrong.push(`${audio.response_id} is heard after it was cut`)
        queue.push({ item_id: audio.item_id, ms: msOf(audio.audio.length, pcm) })
        inner.play(audio)
      },
      hush() {
        sound()
        paused = false
        lastHush = inner.hush()
        const left = [...new Set(queue.map(({ item_id }) => item_id))]
        const cut = lastHush.map(({ item_id }) => item_id)
        if (String(left) !== String(cut)) wrong.push(`hush cut ${cut} where ${left} were queued`)
        queue.length = 0
        return lastHush
      },
      pause() {
        sound()
        seen.waits++
        paused = true
        inner.pause?.()
      },
      resume() {
        sound()
        paused = false
        inner.resume?.()
      },
    }
  }

  // ── the client ─────────────────────────────────────────────────────────────────────────────────────────────────────

  const waiting: string[] = []

  function send(event: ClientEvent): void {
    if (event.type === 'conversation.item.truncate') {
      const heard = sounded.get(event.item_id) ?? 0
      if (Math.abs(event.audio_end_ms - heard) > 20) wrong.push(`truncated at ${event.audio_end_ms}, heard ${heard}`)
      if (heard >= (asWhole.get(event.item_id) ?? 0)) wrong.push(`${event.item_id} was heard to its end`)
      if (lastAsked.has(event.item_id)) wrong.push(`${event.item_id} is truncated twice`)
      lastAsked.set(event.item_id, event)
    }
    time.at(time.now() + latency, () => hear(event))
  }

  /** Who is cut, and for what. */
  function changed(before: State, after: State, input: Input): void {
    cause = input
    const { given } = after.turn
    if (given?.ask.uninterruptible && !guarded.has(given.response_id)) {
      guarded.add(given.response_id)
      seen.guarded++
    }
    for (const id of after.turn.cut) {
      if (before.turn.cut.includes(id) || dead.has(id)) continue
      dead.add(id)
      seen.cuts++
      // What the app cuts before it has begun is cut as it begins.
      const isByApp = ['interrupted', 'cut', 'response.created'].includes(kindOf(input))
      if (guarded.has(id) && !isByApp) wrong.push(`${id} is cut by ${kindOf(input)}, and nobody may`)
      if (input.type === 'cut' && input.response_id !== id) wrong.push(`${id} is cut instead of ${input.response_id}`)
      if (before.turn.given?.response_id !== id) continue
      // An answer to a turn is not cut for that turn, however late it was understood.
      const { turn } = before.turn.given.ask
      const isOpen = before.interruption.candidates.some(({ item_id }) => item_id === turn)
      if (turn && isOpen && !isByApp) wrong.push(`${id} is cut for the turn that it answers`)
    }
    if (input.type !== 'received' || String(input.event.type) !== 'response.output_audio.delta') return
    if (dead.has((input.event as AudioDelta).response_id)) seen.late++
  }

  const it = door({
    clock: time.clock,
    seed,
    interruption,
    speaker,
    reconnect: { timeoutMs: 1e9 },
    heard() {},
    call: ({ call_id }) => waiting.push(call_id),
    tell: (notice) => notice.type === 'refused' && wrong.push(`told of ${notice.error.code}`),
    changed,
  })
  const config = { audio: { input: { transcription: { model: 'whisper-1' } } } } as const
  const dialed = it.connect(
    () => (mine) => {
      listener = mine
      time.at(0, () => mine.opened())
      time.at(0, () => emit({ type: 'session.created', session } as unknown as Answer))
      return { send, append: () => true, close() {} }
    },
    async () => config,
  )
  await Promise.resolve()
  await new Promise<void>((resolve) => setImmediate(resolve))
  time.run(1_000)
  await dialed

  function answer(): void {
    const call_id = waiting.shift()
    if (call_id) it.answer(call_id, 'ok', upTo(1) ? { ...plain, when: 'batch' } : { ...plain, when: 'idle' })
  }

  const ask = (more: object) => it.feed({ type: 'asked', ask: { ...plain, ...more } })
  const cutOne = () => {
    const active = activeResponse(it.state.conversation)?.id
    const response_id = upTo(1) ? active : it.state.playback.item?.response_id
    if (response_id) it.feed({ type: 'cut', response_id })
  }
  const calm: readonly (() => void)[] = [
    () => say(20 + upTo(580)),
    () => say(20 + upTo(580)),
    () => say(20 + upTo(580)),
    () => finish('completed'),
    callTool,
    answer,
    () => ask({}),
    startSpeech,
    () => time.run(upTo(400)),
    () => time.run(upTo(100)),
    () => time.run(upTo(400)),
  ]
  const wild: readonly (() => void)[] = [
    ...calm,
    stopSpeech,
    stopSpeech,
    understand,
    () => ask({ id: newId('ask_by_name_') }),
    () => ask({ uninterruptible: true }),
    () => upTo(3) || it.feed({ type: 'interrupted', cancel: true }),
    cutOne,
  ]
  const things = isCalm ? calm : wild

  return {
    door: it,
    wrong,
    refusals,
    seen,
    get spoken() {
      return [...asWhole]
    },
    get sounded() {
      return [...sounded]
    },
    isPaused: () => paused,
    anything: () => things[upTo(things.length - 1)]!(),
    rest() {
      for (let n = 0; n < 40; n++) {
        stopSpeech()
        time.run(500)
        understand()
        answer()
        say(40)
        time.run(500)
        finish('completed')
        time.run(500)
      }
      time.run(60_000)
      sound()
      void cause
    },
  }
}

function kindOf(input: Input): string {
  return input.type === 'received' ? String(input.event.type) : input.type
}

/** Time that moves when it is told to, and runs what is due at once. */
function clockwork(): { readonly clock: Clock; now(): number; at: Clock['at']; run(ms: number): void } {
  let now = 0
  let order = 0
  let due: { readonly at: number; readonly order: number; readonly run: () => void }[] = []
  const at = (time: number, run: () => void) => {
    const entry = { at: Math.max(time, now), order: order++, run }
    due.push(entry)
    return () => {
      due = due.filter((other) => other !== entry)
    }
  }
  return {
    clock: { now: () => now, at },
    now: () => now,
    at,
    run(ms) {
      const until = now + ms
      for (;;) {
        const [next] = due.filter((entry) => entry.at <= until).sort((a, b) => a.at - b.at || a.order - b.order)
        if (!next) break
        due = due.filter((other) => other !== next)
        now = next.at
        next.run()
      }
      now = until
    },
  }
}
