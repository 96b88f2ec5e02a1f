import { expect, test } from 'vitest'
import type { ServerEvent, SessionConfig } from '../protocol/events.ts'
import type { InterruptionOptions } from './interruption-options.ts'
import { type Ask, alarm, type Effect, type Input, plain, type State, start } from './state.ts'
import { step } from './step.ts'
import { wordsHeard } from './words-heard.ts'

const event = (type: string, rest: object = {}): Input => ({
  type: 'received',
  event: { type, event_id: 'e', ...rest } as unknown as ServerEvent,
})
const live: Input[] = [{ type: 'started' }, { type: 'opened' }, event('session.updated', { session: {} })]
const created = (id: string, rest: object = {}) => event('response.created', { response: { id, output: [], ...rest } })
const over = (id: string, status = 'completed') =>
  event('response.done', { response: { id, status, output: [{ id: 'a', type: 'message', role: 'assistant' }] } })
const item = (id: string) => ({
  id,
  type: 'message',
  role: 'user',
  content: [{ type: 'input_audio', transcript: null }],
})
const audio = (response_id = 'r', item_id = `i_${response_id}`): Input =>
  event('response.output_audio.delta', {
    response_id,
    item_id,
    output_index: 0,
    content_index: 0,
    audio: new Uint8Array(4),
  })
const begins = (item_id: string, audio_start_ms = 1_000) =>
  event('input_audio_buffer.speech_started', { item_id, audio_start_ms })
/** The far end hears the end 500 ms late, and begins a turn 300 ms early. */
const ends = (item_id: string, spokenMs: number, audio_start_ms = 1_000) =>
  event('input_audio_buffer.speech_stopped', { item_id, audio_end_ms: audio_start_ms + 300 + spokenMs + 500 })
const commits = (item_id: string) => [
  event('input_audio_buffer.committed', { item_id }),
  event('conversation.item.added', { item: item(item_id) }),
]
const words = (item_id: string, count: number, isIgnored = false, isFinal = true): Input => ({
  type: 'heardWords',
  item_id,
  count,
  isIgnored,
  isFinal,
})

/** A session under the hand: facts in, orders out, in short. */
function session(interruption: InterruptionOptions = { mode: 'confirm' }, config: Partial<SessionConfig> = {}) {
  let state: State = start({ config, interruption })
  let now = 0
  const feed = (...inputs: Input[]): Effect[] =>
    inputs.flatMap((input) => {
      const [after, effects] = step(state, input, now)
      state = after
      return effects
    })
  feed(...live)
  return {
    feed,
    play: (...inputs: Input[]) => short(feed(...inputs)),
    at: (time: number) => {
      now = time
    },
    get state() {
      return state
    },
  }
}

/** What is ordered: an event's type, all else by its own; notices are left out. */
function short(effects: readonly Effect[]): readonly string[] {
  return effects.flatMap((effect) => {
    if (effect.type === 'tell') return []
    if (effect.type !== 'transmit') return [effect.type]
    return 'item_id' in effect.event ? [`${effect.event.type} ${effect.event.item_id}`] : [effect.event.type]
  })
}

/** The agent is giving response `r` and is heard. */
function speaking(...options: Parameters<typeof session>) {
  const it = session(...options)
  it.play(created('r'), audio())
  return it
}

const transcription = { audio: { input: { transcription: { model: 'm' } } } } as const

// ── by time ──────────────────────────────────────────────────────────────────────────────────────────────────────────

test('who begins to speak while the agent is heard pauses it; a noise is deleted, and the agent goes on', () => {
  const it = speaking()
  expect(it.play(begins('n'))).toEqual(['pause'])
  expect(it.play(audio())).toEqual(['play'])
  expect(it.play(ends('n', 300))).toEqual(['resume'])
  expect(it.play(...commits('n'))).toEqual(['conversation.item.delete n'])
  expect(it.play(audio(), over('r'), { type: 'drained' })).toEqual(['play'])
  expect(it.state.interruption).toMatchObject({ candidates: [], held: false, noises: [], stopped: null })
})

test('who spoke for long enough is an interruption when the turn ends: cancel, hush, and an answer of its own', () => {
  const it = speaking()
  it.play(begins('u'))
  expect(it.play(ends('u', 500))).toEqual(['response.cancel', 'hush'])
  expect(it.play({ type: 'silenced', heard: [] }, audio(), ...commits('u'))).toEqual([])
  expect(it.play(over('r', 'cancelled'))).toEqual(['response.create'])
})

test('who goes on speaking is an interruption when the time is up, and is answered when the turn was committed', () => {
  const it = speaking()
  it.at(100)
  it.play(begins('u'))
  // The end of speech is heard half a second late.
  expect(alarm(it.state)).toBe(1_100)
  it.at(1_099)
  expect(it.play({ type: 'woke' })).toEqual([])
  it.at(1_100)
  expect(it.play({ type: 'woke' })).toEqual(['response.cancel', 'hush'])
  expect(it.play(over('r', 'cancelled'), ends('u', 3_000))).toEqual([])
  expect(it.play(...commits('u'))).toEqual(['response.create'])
})

test('while the agent is silent every turn is a turn, and the core asks for its answer', () => {
  const it = session()
  expect(it.play(begins('u'), ends('u', 100))).toEqual([])
  expect(it.play(...commits('u'))).toEqual(['response.create'])
})

test('a response that was asked for, or is given and not heard yet, is held like one that is heard', () => {
  const it = session()
  it.play({ type: 'asked', ask: plain })
  expect(it.play(begins('n'), created('r'), audio(), ends('n', 100))).toEqual(['pause', 'play', 'resume'])
  const given = session()
  given.play(created('r'))
  expect(given.play(begins('n'))).toEqual(['pause'])
})

test('what is heard after its response is done is hushed, and nothing is cancelled', () => {
  const it = speaking()
  it.play(over('r'))
  expect(it.play(begins('u'), ends('u', 900))).toEqual(['pause', 'hush'])
})

test('semantic detection keeps no fixed silence: what was said counts whole', () => {
  const it = speaking({ mode: 'confirm' }, { audio: { input: { turn_detection: { type: 'semantic_vad' } } } })
  it.play(begins('u'))
  expect(alarm(it.state)).toBe(500)
})

test("an app's interrupt while the speaker waits cuts at once, and what is being said is a turn or a noise as ever", () => {
  for (const [spokenMs, then] of [
    [900, []],
    [100, ['conversation.item.delete u']],
  ] as const) {
    const it = speaking()
    it.play(begins('u'))
    expect(it.play({ type: 'interrupted', cancel: true })).toEqual(['response.cancel', 'hush'])
    expect(it.play({ type: 'silenced', heard: [] }, ends('u', spokenMs), ...commits('u'))).toEqual(then)
    expect(it.play(over('r', 'cancelled'))).toEqual(spokenMs === 900 ? ['response.create'] : [])
  }
})

test('a line that is lost while the speaker waits lets it go on; the next line knows nothing of it', () => {
  const it = speaking()
  it.at(50)
  it.play(over('r'), begins('n'))
  const cause = { reason: 'cut', code: 1006, fatal: false, initiator: 'network' } as const
  expect(it.play({ type: 'dropped', cause })).toEqual(['resume'])
  expect(it.state.interruption.candidates).toEqual([])
  expect(alarm(it.state)).toBe(it.state.link.at === 'waiting' ? it.state.link.until : null)
})

test('a turn whose end will not be heard does not keep the speaker waiting', () => {
  const clear = speaking()
  clear.play(begins('n'))
  expect(clear.play(event('input_audio_buffer.cleared'))).toEqual(['resume'])
  const off = speaking()
  off.play(begins('n'))
  const config = { audio: { input: { turn_detection: null } } }
  expect(off.play({ type: 'configured', config })).toEqual(['session.update', 'resume'])
})

test('what the app commits is a turn at once, and the app asks for its answer', () => {
  const it = speaking()
  it.play(begins('u'))
  expect(it.play(...commits('u'))).toEqual(['response.cancel', 'hush'])
  expect(it.play(over('r', 'cancelled'))).toEqual([])
})

test('a second noise keeps the speaker waiting for as long as it lasts', () => {
  const it = speaking(undefined, transcription)
  expect(it.play(begins('n'), ends('n', 100), ...commits('n'))).toEqual([
    'pause',
    'resume',
    'conversation.item.delete n',
  ])
  expect(it.play(begins('m', 5_000), ends('m', 100, 5_000))).toEqual(['pause', 'resume'])
})

// ── by words ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const two = { mode: 'confirm', minWords: 2 } as const

test('where words decide, time does not: it waits for them, and enough of them cut', () => {
  const it = speaking(two, transcription)
  it.play(begins('u'))
  it.at(5_000)
  expect(it.play({ type: 'woke' })).toEqual([])
  expect(it.play(ends('u', 4_000), ...commits('u'), words('u', 1, false, false))).toEqual([])
  expect(it.play(words('u', 2, false, false))).toEqual(['response.cancel', 'hush'])
  expect(it.play(words('u', 3), over('r', 'cancelled'))).toEqual(['response.create'])
})

test.each([
  ['too few', words('u', 1)],
  ['ignored', words('u', 5, true)],
  ['none at all', words('u', 0)],
])('words that are %s resume, and their item is deleted', (_, what) => {
  const it = speaking(two, transcription)
  it.play(begins('u'), ends('u', 4_000), ...commits('u'))
  expect(it.play(what)).toEqual(['resume', 'conversation.item.delete u'])
  expect(it.play(over('r'))).toEqual([])
})

test('words that do not come within two seconds of the end are none', () => {
  const it = speaking(two, transcription)
  it.play(begins('u'))
  it.at(1_000)
  it.play(ends('u', 4_000), ...commits('u'))
  it.at(2_999)
  expect(it.play({ type: 'woke' })).toEqual([])
  it.at(3_000)
  expect(it.play({ type: 'woke' })).toEqual(['resume', 'conversation.item.delete u'])
  expect(it.play(words('u', 7))).toEqual([])
})

test('who goes on for ten seconds is no noise, whatever the words', () => {
  const it = speaking(two, transcription)
  it.play(begins('u'))
  it.at(10_000)
  expect(it.play({ type: 'woke', heardAt: 10_000 })).toEqual(expect.arrayContaining(['response.cancel', 'hush']))
})

test('where nothing is transcribed there are no words, and time decides', () => {
  const it = speaking(two)
  it.play(begins('u'))
  expect(it.play(ends('u', 700))).toEqual(['response.cancel', 'hush'])
})

test('two that wait for their words: the speaker goes on when the last of them is refuted', () => {
  const it = speaking(two, transcription)
  it.play(begins('m'), ends('m', 400), ...commits('m'), begins('n', 3_000), ends('n', 400, 3_000), ...commits('n'))
  expect(it.play(words('m', 1))).toEqual(['conversation.item.delete m'])
  expect(it.play(words('n', 0))).toEqual(['resume', 'conversation.item.delete n'])
})

test('a late word never cuts a newer response', () => {
  const it = speaking(two, transcription)
  it.play(begins('m'), ends('m', 400), ...commits('m'), begins('u', 3_000), words('u', 2, false, false))
  it.play({ type: 'silenced', heard: [] }, over('r', 'cancelled'), ends('u', 900, 3_000))
  expect(it.play(...commits('u'))).toEqual(['response.create'])
  it.play(created('r2'), audio('r2'))
  expect(it.play(words('m', 4), words('u', 4))).toEqual([])
  // Its answer answers both.
  expect(it.play(over('r2'))).toEqual([])
})

const heard = (item_id: string, rest: object, type = 'completed') =>
  ({
    type: `conversation.item.input_audio_transcription.${type}`,
    event_id: 'e',
    item_id,
    content_index: 0,
    ...rest,
  }) as unknown as ServerEvent

test.each<[string, number, boolean]>([
  ['', 0, false],
  ['…', 0, false],
  ['Uh-huh.', 1, true],
  ["No, don't!", 2, false],
  ['私は学生です', 4, false],
  ['Stop 停止', 2, false],
])('the words of %j are %d', (transcript, count, isIgnored) => {
  const it = speaking(two, transcription)
  it.play(begins('u'), ends('u', 400), ...commits('u'))
  const told = heard('u', { transcript })
  it.play({ type: 'received', event: told })
  const ignore = (text: string) => /^uh-huh\W*$/i.test(text)
  expect(wordsHeard(it.state, told, ignore)).toEqual({
    type: 'heardWords',
    item_id: 'u',
    count,
    isIgnored,
    isFinal: true,
  })
})

test('of a transcript that grows, the last word is not whole yet; a failed one has no more', () => {
  const it = speaking(two, transcription)
  it.play(begins('u'), ends('u', 400))
  const count = (told: ServerEvent) => {
    it.play({ type: 'received', event: told })
    return wordsHeard(it.state, told)
  }
  expect(count(heard('u', { delta: 'wait a' }, 'delta'))).toMatchObject({ count: 1, isFinal: false })
  it.play(...commits('u'))
  expect(count(heard('u', { delta: ' mo' }, 'delta'))).toMatchObject({ count: 2, isFinal: false })
  expect(count(heard('u', { error: {} }, 'failed'))).toMatchObject({ isFinal: true })
  expect(count(heard('other', { transcript: 'x' }))).toBeNull()
})

test('an `ignore` without a number of words is asked: one word is enough then', () => {
  const it = speaking({ mode: 'confirm', ignore: () => true }, transcription)
  it.play(begins('u'), ends('u', 4_000), ...commits('u'))
  expect(it.play(words('u', 9, true))).toEqual(['resume', 'conversation.item.delete u'])
})

// ── what the far end is told ─────────────────────────────────────────────────────────────────────────────────────────

const saidIn = (effects: readonly Effect[]) =>
  effects.flatMap((effect) =>
    effect.type === 'transmit' && effect.event.type === 'session.update'
      ? [(effect.event.session as Partial<SessionConfig>).audio?.input?.turn_detection]
      : [],
  )
const input = (turn_detection: object | null) => ({ audio: { input: { turn_detection } } }) as Partial<SessionConfig>

test.each<[string, Partial<SessionConfig>, object | null]>([
  [
    'a detection',
    input({ type: 'semantic_vad', eagerness: 'low', interrupt_response: true }),
    { type: 'semantic_vad', eagerness: 'low', interrupt_response: false, create_response: false },
  ],
  ['null', input(null), null],
])('in confirm mode the far end decides nothing by itself: given %s', (_, config, said) => {
  const [state] = step(start({ config, interruption: { mode: 'confirm' } }), { type: 'started' }, 0)
  const [after, effects] = step(state, { type: 'opened' }, 0)
  expect(saidIn(effects)).toEqual([said])
  expect(after.config).toEqual(config)
  const [joined] = step(after, live[2]!, 0)
  const [, more] = step(joined, { type: 'configured', config: { ...config, instructions: 'x' } }, 0)
  expect(saidIn(more)).toEqual([said])
})

test.each([
  ['what the far end says', { type: 'semantic_vad', eagerness: 'low' }, 'semantic_vad'],
  ['the usual', undefined, 'server_vad'],
])('where the app says nothing of turns, detection stays %s', (_, turn_detection, type) => {
  const [state] = step(start({ interruption: { mode: 'confirm' } }), { type: 'started' }, 0)
  const [opened, first] = step(state, { type: 'opened' }, 0)
  expect(saidIn(first)).toEqual([undefined])
  const session = turn_detection ? input(turn_detection) : {}
  const [told] = step(opened, event('session.created', { session }), 0)
  const [joined, effects] = step(told, event('session.updated', { session }), 0)
  expect(saidIn(effects)).toEqual([{ type, interrupt_response: false, create_response: false }])
  // Before the far end hears anybody.
  expect(short(effects)).toEqual(['session.update', 'flush'])
  expect(step(joined, event('session.updated', { session }), 0)[1]).toMatchObject([{ type: 'tell' }])
  const [off] = step(opened, event('session.created', { session: input(null) }), 0)
  expect(saidIn(step(off, event('session.updated', { session: input(null) }), 0)[1])).toEqual([])
})

test('in immediate mode the config is said as it is', () => {
  const config = input({ type: 'server_vad' })
  const [state] = step(start({ config }), { type: 'started' }, 0)
  expect(saidIn(step(state, { type: 'opened' }, 0)[1])).toEqual([{ type: 'server_vad' }])
})

test('what the app keeps for itself stays its own: asking, and interrupting', () => {
  const asks = speaking(undefined, input({ type: 'server_vad', create_response: false }))
  expect(asks.play(begins('u'), ends('u', 900), ...commits('u'), over('r'))).toEqual([
    'pause',
    'response.cancel',
    'hush',
  ])
  const never = speaking(undefined, input({ type: 'server_vad', interrupt_response: false }))
  expect(never.play(begins('u'), ends('u', 900), ...commits('u'))).toEqual([])
  expect(never.play(over('r'))).toEqual(['response.create'])
})

test('a turn that is taken out with a lost line asks again by being said again, and only then', () => {
  const it = session(undefined, transcription)
  it.play(begins('u'), ends('u', 900), ...commits('u'))
  expect(it.state.turn.asked?.ask).toEqual({ ...plain, turn: 'u' })
  const cause = { reason: 'cut', code: 1006, fatal: false, initiator: 'network' } as const
  it.play({ type: 'dropped', cause })
  expect(it.state.conversation.items).toEqual([])
  expect(it.state.turn.owed).toEqual([])
})

test('what was asked for in writing is not lost with a spoken turn', () => {
  const it = session(undefined, transcription)
  it.play(created('r'), begins('u'), ends('u', 900), ...commits('u'))
  expect(it.state.turn.owed).toEqual([{ ...plain, turn: 'u' }])
  it.play({ type: 'asked', ask: plain })
  expect(it.state.turn.owed).toEqual([plain])
})

// ── what nobody may interrupt ────────────────────────────────────────────────────────────────────────────────────────

const guarded: Ask = { id: null, params: {}, uninterruptible: true }
const named = { metadata: { parley_reply: 'g' } }

test('an uninterruptible answer: the far end is told before and after, who speaks is not heard, and is answered after it', () => {
  const it = session({})
  const begun = it.feed({ type: 'asked', ask: { ...guarded, id: 'g' } })
  expect(short(begun)).toEqual(['session.update', 'response.create'])
  expect(saidIn(begun)).toEqual([{ type: 'server_vad', interrupt_response: false }])
  it.play(event('session.updated'), created('r', named), audio())
  expect(it.play(begins('u'), ends('u', 900), ...commits('u'))).toEqual([])
  // The far end answers no turn while it gives a response.
  expect(it.play(over('r'))).toEqual(['response.create'])
  expect(it.play(created('r2'), audio('r2'))).toEqual(['play'])
  expect(it.play(begins('v'))).toEqual([])
  it.play(over('r2'))
  const after = it.feed({ type: 'drained' })
  expect(saidIn(after)).toEqual([{ type: 'server_vad', interrupt_response: true }])
  it.play(created('r3'), audio('r3'))
  expect(it.play(begins('w'))).toEqual(['hush'])
  expect(it.state.updates).toHaveLength(1)
})

test("the app's interrupt ends it, and with it the span", () => {
  const it = session({})
  it.play({ type: 'asked', ask: { ...guarded, id: 'g' } }, created('r', named), audio())
  const effects = it.feed({ type: 'interrupted', cancel: true })
  expect(short(effects)).toEqual(['response.cancel', 'hush', 'session.update'])
})

test.each([
  ['in confirm mode', { mode: 'confirm' } as const, {}],
  ['where nothing is interrupted', {}, input({ type: 'server_vad', interrupt_response: false })],
  ['where no turns are heard', {}, input(null)],
])('%s the far end needs not be told', (_, options, config) => {
  const it = session(options, config)
  expect(it.play({ type: 'asked', ask: { ...guarded, id: 'g' } })).toEqual(['response.create'])
  expect(it.play(created('r', named), audio(), begins('u'))).toEqual(['play'])
  expect(it.play(over('r'), { type: 'drained' })).toEqual([])
})

test('a span that says nothing ends with its response, and one that was not begun with its refusal', () => {
  const silent = session({})
  silent.play({ type: 'asked', ask: { ...guarded, id: 'g' } }, created('r', named))
  expect(silent.play(over('r'))).toEqual(['session.update'])
  const refused = session({})
  refused.play({ type: 'asked', ask: { ...guarded, id: 'g' } })
  const error = { type: 'invalid_request_error', code: 'x', message: 'x', param: null, event_id: 'g' }
  expect(refused.play(event('error', { error }))).toEqual(['session.update'])
})

test('a span goes over a lost line: the next one is joined as the span wants it', () => {
  const it = session({}, input({ type: 'server_vad' }))
  it.play({ type: 'asked', ask: { ...guarded, id: 'g' } }, created('r', named), audio(), over('r'))
  const cause = { reason: 'cut', code: 1006, fatal: false, initiator: 'network' } as const
  it.play({ type: 'dropped', cause }, { type: 'woke' })
  expect(saidIn(it.feed({ type: 'opened' }))).toEqual([{ type: 'server_vad', interrupt_response: false }])
  expect(it.play({ type: 'drained' })).toEqual([])
  const effects = it.feed(event('session.updated'))
  expect(saidIn(effects).at(-1)).toEqual({ type: 'server_vad', interrupt_response: true })
})

test('an uninterruptible answer without a name of its own gets one: no other stands for it', () => {
  const it = session({})
  it.play({ type: 'asked', ask: guarded }, created('vad'))
  expect(it.state.turn.asked?.ask.uninterruptible).toBe(true)
  expect(it.state.interruption.guarded).toEqual([])
})
