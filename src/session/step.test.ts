import { expect, test } from 'vitest'
import { textOf } from '../conversation/conversation.ts'
import type { Item, ServerEvent } from '../protocol/events.ts'
import { type Effect, type Input, type Start, type State, start } from './state.ts'
import { step } from './step.ts'
import type { Cause } from './transport.ts'

/** A session under the hand: facts in, orders out. */
function session(options: Start = {}) {
  let state: State = start({ config: { instructions: 'Be brief.' }, ...options })
  let now = 0
  const play = (...inputs: Input[]): Effect[] =>
    inputs.flatMap((input) => {
      const [after, effects] = step(state, input, now)
      state = after
      return effects
    })
  return {
    play,
    at: (time: number) => {
      now = time
    },
    get state() {
      return state
    },
  }
}

const event = (type: string, rest: object = {}): Input => ({
  type: 'received',
  event: { type, event_id: 'e', ...rest } as unknown as ServerEvent,
})
const message = (id: string, text: string) =>
  ({ id, type: 'message', role: 'user', content: [{ type: 'input_text', text }] }) as unknown as Item
const said = (id: string): Input => ({ type: 'said', item: message(id, id) })
const asked: Input = { type: 'asked', params: {} }
const added = (item: object) => event('conversation.item.added', { item, previous_item_id: null })
const done = (item: object) => event('conversation.item.done', { item, previous_item_id: null })
const created = (id: string, rest: object = {}) => event('response.created', { response: { id, output: [], ...rest } })
const over = (id: string, output: object[] = []) =>
  event('response.done', { response: { id, status: 'completed', output } })
const refused = (code: string, event_id: string | null = null) =>
  event('error', { error: { type: 'invalid_request_error', code, message: code, param: null, event_id } })
const cause = (fatal = false): Cause => ({ reason: 'cut', code: 1006, fatal, initiator: 'network' })
const dropped = (fatal = false): Input => ({ type: 'dropped', cause: cause(fatal) })
const live: Input[] = [{ type: 'started' }, { type: 'opened' }, event('session.updated', { session: {} })]
const call = (call_id: string) => ({
  id: `i_${call_id}`,
  type: 'function_call',
  call_id,
  name: 'f',
  arguments: '{}',
  status: 'completed',
})
const made = (call_id: string) => [
  added({ ...call(call_id), status: 'in_progress' }),
  done(call(call_id)),
  event('response.output_item.done', { response_id: 'r', item: call(call_id) }),
]
const answered = (call_id: string): Input => ({
  type: 'answered',
  item: { id: `o_${call_id}`, type: 'function_call_output', call_id, output: 'ok' } as Item,
  respond: true,
})

/** What was sent, in short: the event's type, and the item's id. */
const sent = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => {
    if (effect.type !== 'transmit') return []
    const { event } = effect
    return 'item' in event && event.item?.id ? `${event.type} ${event.item.id}` : event.type
  })
const kinds = (effects: readonly Effect[]) => effects.map(({ type }) => type)

test('joining: dial, say the config, then all that was said before the line was up', () => {
  const { play } = session()
  expect(play(said('u'), asked)).toEqual([])
  expect(kinds(play({ type: 'started' }))).toEqual(['dial', 'wake'])
  expect(sent(play({ type: 'opened' }))).toEqual(['session.update'])
  expect(sent(play(event('session.created')))).toEqual([])
  expect(sent(play(event('session.updated')))).toEqual(['conversation.item.create u', 'response.create'])
})

test('one response at a time: asking while one is given leaves it owed', () => {
  const { play } = session()
  play(...live)
  expect(sent(play(asked, asked))).toEqual(['response.create'])
  expect(sent(play(created('r'), asked))).toEqual([])
  expect(sent(play(over('r')))).toEqual(['response.create'])
})

for (const order of [
  ['a', 'b', 'done'],
  ['a', 'done', 'b'],
  ['done', 'a', 'b'],
  ['b', 'done', 'a'],
]) {
  test(`two parallel calls, ${order.join(' then ')}: two outputs, then one response.create`, () => {
    const { play } = session()
    play(...live, created('r'), ...made('a'), ...made('b'))
    const effects = order.flatMap((what) =>
      what === 'done'
        ? play(over('r', [call('a'), call('b')]))
        : play(answered(what), added({ ...(answered(what) as { item: object }).item })),
    )
    expect(sent(effects).filter((what) => what === 'response.create')).toHaveLength(1)
    expect(sent(effects).at(-1)).toBe('response.create')
    expect(sent(effects).filter((what) => what.startsWith('conversation.item.create'))).toHaveLength(2)
  })
}

test('a call is run once however often it is announced, and answered once', () => {
  const { play } = session()
  play(...live, created('r'))
  expect(kinds(play(...made('a'), ...made('a'), over('r', [call('a')])))).toEqual(['call'])
  expect(sent(play(answered('a')))).toContain('conversation.item.create o_a')
  expect(play(answered('a'))).toEqual([])
})

test("a response.create that lost to the far end's own response is owed again", () => {
  const { play, state: _ } = session()
  play(...live)
  play(said('u'), asked, created('vad'))
  expect(play(refused('conversation_already_has_active_response', 'ask_1'))).toEqual([])
  expect(sent(play(added(message('u', 'u')), over('vad')))).toEqual(['response.create'])
})

test('… unless that response began when all was known: it answers that too', () => {
  const it = session()
  it.play(...live)
  it.play(said('u'), asked, added(message('u', 'u')), created('vad'))
  it.play(refused('conversation_already_has_active_response', 'ask_1'))
  expect(sent(it.play(over('vad')))).toEqual([])
})

test('a refusal is told, and frees what it refused', () => {
  const it = session()
  it.play(...live)
  it.play(said('u'), asked)
  expect(kinds(it.play(refused('invalid_value', 'say_u')))).toEqual(['tell'])
  expect(it.state.pending).toEqual([])
  expect(kinds(it.play(refused('rate_limit_exceeded', 'ask_1')))).toEqual(['tell'])
  expect(sent(it.play(asked))).toEqual(['response.create'])
})

test("the far end's echo of what it was told anew is no news: a spoken item stays what it was", () => {
  const it = session()
  const spoken = {
    id: 's',
    type: 'message',
    role: 'user',
    status: 'completed',
    content: [{ type: 'input_audio', transcript: 'hello there' }],
  }
  it.play(...live, added(spoken), dropped())
  it.at(1)
  it.play({ type: 'woke' }, { type: 'opened' }, event('session.updated'))
  const before = it.state.conversation.items[0]
  const echo = { ...spoken, content: [{ type: 'input_text', text: 'hello there' }] }
  it.play(added(echo), done(echo))
  expect(it.state.conversation.items[0]).toBe(before)
})

test('a spoken turn that was never put into words is taken back with the line: its audio is said again', () => {
  const config = { audio: { input: { transcription: { model: 'm' } } } }
  for (const [settings, left] of [
    [config, []],
    [{}, ['s']],
  ] as const) {
    const it = session({ config: settings })
    const spoken = { id: 's', type: 'message', role: 'user', content: [{ type: 'input_audio', transcript: null }] }
    it.play(...live, added({ ...spoken, status: 'completed' }), dropped())
    expect(it.state.conversation.items.map(({ id }) => id)).toEqual(left)
  }
})

test('the event that carries an item may say more, and says it again on the next line', () => {
  const it = session()
  const fields = { previous_item_id: 'root' }
  const carried = (effects: readonly Effect[]) =>
    effects.flatMap((effect) => (effect.type === 'transmit' && 'item' in effect.event ? [effect.event] : []))
  const item = message('u', 'u')
  const event_id = 'say_u'
  it.play(...live)
  const first = carried(it.play({ type: 'said', item, fields }))
  expect(first).toEqual([{ type: 'conversation.item.create', event_id, item, ...fields }])
  it.play(dropped())
  it.at(1)
  expect(carried(it.play({ type: 'woke' }, { type: 'opened' }, event('session.updated')))).toEqual(first)
})

test('a lost line: hush, wait, dial, and say everything again; the answer being given is owed', () => {
  const it = session()
  it.play(...live, said('u'), asked, added(message('u', 'hello')), created('r'))
  expect(kinds(it.play(dropped()))).toEqual(['hush', 'wake'])
  expect(it.state.link.at).toBe('waiting')
  it.at(1)
  expect(kinds(it.play({ type: 'woke' }))).toEqual(['dial', 'wake'])
  expect(sent(it.play({ type: 'opened' }, event('session.updated')))).toEqual([
    'session.update',
    'conversation.item.create u',
    'response.create',
  ])
  expect(it.state.conversation.items.map(textOf)).toEqual(['hello'])
})

test('an answer that the app has cut is not owed after a lost line', () => {
  const it = session()
  it.play(...live, asked, created('r'), { type: 'interrupted', cancel: true }, dropped())
  expect(it.state.turn.owed).toBeNull()
})

test('backing off: later and later, by chance from the seed, then giving up', () => {
  const waits = (seed: number) => {
    const it = session({ seed })
    it.play({ type: 'started' })
    const gaps: number[] = []
    for (let now = 0; ; ) {
      it.play(dropped())
      const { link } = it.state
      if (link.at !== 'waiting') break
      gaps.push(link.until - now)
      now = link.until
      it.at(now)
      it.play({ type: 'woke' })
    }
    expect(it.state.link).toEqual({ at: 'closed', cause: cause() })
    return gaps
  }
  const gaps = waits(7)
  expect(gaps).toHaveLength(7)
  expect(gaps[0]).toBe(0)
  for (const [n, most] of [0, 250, 500, 1000, 2000, 4000, 8000].entries()) {
    expect(gaps[n]).toBeLessThanOrEqual(most)
    expect(gaps[n]).toBeGreaterThanOrEqual(most / 2)
  }
  expect(waits(7)).toEqual(gaps)
  expect(waits(8)).not.toEqual(gaps)
})

test('a line that held is forgiven its earlier failures; one that flaps is not', () => {
  for (const [held, tries] of [
    [4_999, 2],
    [5_000, 1],
  ] as const) {
    const it = session()
    it.play({ type: 'started' }, dropped(), { type: 'woke' }, { type: 'opened' }, event('session.updated'))
    it.at(held)
    it.play(dropped())
    expect(it.state.link).toMatchObject({ at: 'waiting', tries })
  }
})

test('what dialing again cannot mend is not dialed again', () => {
  const it = session()
  it.play(...live)
  expect(kinds(it.play(dropped(true)))).toEqual(['hush'])
  expect(it.state.link).toEqual({ at: 'closed', cause: cause(true) })
})

test('a config that is refused at the join is fatal, with the words of the far end', () => {
  const it = session()
  it.play({ type: 'started' }, { type: 'opened' })
  expect(kinds(it.play(refused('unknown_parameter', 'join_0')))).toContain('hangUp')
  expect(it.state.link).toMatchObject({ at: 'closed', cause: { code: 'unknown_parameter', fatal: true } })
})

for (const stage of [[], [{ type: 'opened' }]] as Input[][]) {
  test(`a line that does not come up in time is dialed again (${stage.length ? 'joining' : 'dialing'})`, () => {
    const it = session({ reconnect: { timeoutMs: 100 } })
    it.play({ type: 'started' }, ...stage)
    it.at(99)
    expect(it.play({ type: 'woke' })).toEqual([])
    it.at(100)
    expect(kinds(it.play({ type: 'woke' }))).toEqual(['hangUp', 'hush', 'wake'])
    expect(it.state.link).toMatchObject({ at: 'waiting', cause: { code: 'timeout' } })
  })
}

const audio = (item_id: string, response_id = 'r'): Input => ({
  type: 'received',
  event: {
    type: 'response.output_audio.delta',
    event_id: 'e',
    response_id,
    item_id,
    output_index: 0,
    content_index: 0,
    delta: 'AAAAAA==',
    audio: new Uint8Array(4),
  },
})

test('an audio delta goes to the speaker without a copy of the state', () => {
  const it = session()
  it.play(...live, created('r'), audio('a'))
  const before = it.state
  expect(kinds(it.play(audio('a')))).toEqual(['play'])
  expect(it.state).toBe(before)
})

test('interrupt: cancel, hush, truncate at what was heard; late audio of the cut response is never heard', () => {
  const it = session()
  it.play(...live, created('r'), audio('a'))
  const effects = it.play({ type: 'interrupted', cancel: true })
  expect(sent(effects)).toEqual(['response.cancel'])
  expect(kinds(effects)).toContain('hush')
  const heard = [{ item_id: 'a', content_index: 0, heardMs: 812.7, receivedMs: 2000 }]
  const cut = it.play({ type: 'silenced', heard })
  expect(cut[0]).toMatchObject({ event: { type: 'conversation.item.truncate', item_id: 'a', audio_end_ms: 812 } })
  expect(cut.at(-1)).toEqual({ type: 'tell', notice: { type: 'audio_interrupted' } })
  expect(it.play(audio('a'))).toEqual([])
  expect(it.play({ type: 'silenced', heard })).toEqual([{ type: 'tell', notice: { type: 'audio_interrupted' } }])
  expect(kinds(it.play(over('r'), created('r2'), audio('b', 'r2')))).toEqual(['play'])
})

test('barge-in: the far end cancels by itself; without interrupt_response the agent speaks on', () => {
  const it = session()
  it.play(...live, created('r'), audio('a'))
  expect(kinds(it.play(event('input_audio_buffer.speech_started', { item_id: 's' })))).toEqual(['hush'])
  const turn_detection = { type: 'server_vad', interrupt_response: false } as const
  const other = session({ config: { audio: { input: { turn_detection } } } })
  other.play(...live, created('r'), audio('a'))
  expect(other.play(event('input_audio_buffer.speech_started', { item_id: 's' }))).toEqual([])
})

test('an interruption with nothing to be heard is none', () => {
  const it = session()
  it.play(...live)
  expect(kinds(it.play({ type: 'interrupted', cancel: true }, { type: 'silenced', heard: [] }))).toEqual(['hush'])
})

test('usage is the sum of what the far end reports', () => {
  const it = session()
  const usage = { total_tokens: 7, input_tokens: 3, output_tokens: 4, output_token_details: { audio_tokens: 4 } }
  it.play(...live)
  for (const id of ['r1', 'r2']) it.play(created(id), event('response.done', { response: { id, usage, output: [] } }))
  expect(it.state.usage).toMatchObject({ responses: 2, totalTokens: 14, inputTokens: 6, outputAudioTokens: 8 })
})

test('closing ends everything, and nothing wakes it again', () => {
  const it = session()
  it.play(...live, created('r'))
  expect(kinds(it.play({ type: 'ended' }))).toEqual(['hush', 'hangUp'])
  it.at(1e9)
  expect(it.play({ type: 'woke' }, dropped(), { type: 'ended' })).toEqual([])
  expect(it.state.link).toMatchObject({ at: 'closed', cause: { initiator: 'us' } })
})
