import { expect, test } from 'vitest'
import { textOf } from '../conversation/conversation.ts'
import type { Item, ServerEvent } from '../protocol/events.ts'
import { type Effect, type Input, plain, type Start, type State, start } from './state.ts'
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
const asked: Input = { type: 'asked', ask: plain }
const added = (item: object) => event('conversation.item.added', { item, previous_item_id: null })
const done = (item: object) => event('conversation.item.done', { item, previous_item_id: null })
const created = (id: string, rest: object = {}) => event('response.created', { response: { id, output: [], ...rest } })
const words = { id: 'a', type: 'message', role: 'assistant', content: [{ type: 'output_audio', transcript: 'Yes.' }] }
const over = (id: string, output: object[] = [words]) =>
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
  ask: { ...plain, when: 'batch' },
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
  expect(kinds(play({ type: 'started' }))).toEqual(['dial'])
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
  expect(kinds(it.play(refused('invalid_value', 'say_u')))).toContain('tell')
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
  expect(kinds(it.play(dropped()))).toEqual(['hush'])
  expect(it.state.link.at).toBe('waiting')
  it.at(1)
  expect(kinds(it.play({ type: 'woke' }))).toEqual(['dial'])
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
  expect(it.state.turn.owed).toEqual([])
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
  expect(it.play(dropped(true))).toEqual([])
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
    expect(kinds(it.play({ type: 'woke' }))).toEqual(['hangUp'])
    expect(it.state.link).toMatchObject({ at: 'waiting', cause: { code: 'timeout' } })
  })
}

const answer = { type: 'message', role: 'assistant', status: 'in_progress', content: [] }
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
  it.play(...live, created('r'), added({ ...answer, id: 'a' }), audio('a'))
  const effects = it.play({ type: 'interrupted', cancel: true })
  expect(sent(effects)).toEqual(['response.cancel'])
  expect(kinds(effects)).toContain('hush')
  const heard = [{ item_id: 'a', content_index: 0, heardMs: 812.7, receivedMs: 2000 }]
  const cut = it.play({ type: 'silenced', heard })
  expect(cut[0]).toMatchObject({ event: { type: 'conversation.item.truncate', item_id: 'a', audio_end_ms: 812 } })
  expect(cut.at(-1)).toEqual({ type: 'tell', notice: { type: 'audio_interrupted' } })
  expect(it.play(audio('a'))).toEqual([])
  expect(it.play({ type: 'silenced', heard })).toEqual([{ type: 'tell', notice: { type: 'audio_interrupted' } }])
  expect(kinds(it.play(over('r'), created('r2'), audio('b', 'r2'))).at(-1)).toBe('play')
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

test('a line that answers nothing is given up, in time, and dialed again', () => {
  const it = session({ reconnect: { timeoutMs: 100 } })
  it.play(...live)
  it.at(50)
  it.play(said('u'))
  it.at(149)
  expect(it.play({ type: 'woke' })).toEqual([])
  it.at(150)
  expect(kinds(it.play({ type: 'woke' }))).toEqual(['hangUp'])
  expect(it.state.link).toMatchObject({ at: 'waiting', tries: 1, cause: { code: 'timeout' } })
})

test('a line is quiet for as long as it likes where nothing waits for it', () => {
  const it = session({ reconnect: { timeoutMs: 100 } })
  it.play(...live, said('u'), asked, added(message('u', 'u')), created('r'), over('r'))
  it.at(1e6)
  expect(it.play({ type: 'woke' })).toEqual([])
  expect(it.state.link.at).toBe('live')
})

test('a microphone that speaks into silence asks for a sign of life, once', () => {
  const it = session({ reconnect: { timeoutMs: 100 } })
  it.play(...live)
  const [ask] = it.play({ type: 'unheard' })
  expect(ask).toMatchObject({ event: { type: 'conversation.item.retrieve' } })
  expect(it.play({ type: 'unheard' })).toEqual([])
  expect(
    it.play(refused('item_retrieve_invalid_item_id', (ask as { event: { event_id: string } }).event.event_id)),
  ).toEqual([])
  it.at(4_000)
  expect(it.play({ type: 'woke', heardAt: 60 })).toEqual([])
  expect(it.state.link).toMatchObject({ at: 'live', until: null })
  expect(sent(it.play({ type: 'unheard' }))).toEqual(['conversation.item.retrieve'])
  it.at(8_000)
  expect(kinds(it.play({ type: 'woke', heardAt: 60 }))).toEqual(['hangUp'])
})

test('an error that names no event is taken for the answer to what was asked', () => {
  const it = session()
  it.play(...live, asked)
  it.play(refused('server_error'))
  expect(sent(it.play(asked))).toEqual(['response.create'])
})

test('what came whole is heard to its end when the line breaks; what was being given is hushed', () => {
  const whole = session()
  whole.play(...live, created('r'), added({ ...answer, id: 'a' }), audio('a'), over('r'))
  expect(kinds(whole.play(dropped()))).toEqual([])
  const half = session()
  half.play(...live, created('r'), added({ ...answer, id: 'a' }), audio('a'))
  expect(kinds(half.play(dropped()))).toEqual(['hush'])
})

test('interrupt before the answer began: it is cancelled as soon as it has a name', () => {
  const it = session()
  it.play(...live, asked)
  it.play({ type: 'interrupted', cancel: true })
  expect(sent(it.play(created('r')))).toEqual(['response.cancel'])
  expect(it.play(audio('a'))).toEqual([])
  it.play(over('r'), asked)
  expect(sent(it.play(created('r2')))).toEqual([])
})

test('interrupt while an answer is given leaves the next one owed', () => {
  const it = session()
  it.play(...live, created('r'), said('u'), asked, added(message('u', 'u')), { type: 'interrupted', cancel: true })
  expect(sent(it.play(over('r')))).toEqual(['response.create'])
})

test('a response beside the conversation: its calls are not run, its audio is cut and not truncated', () => {
  const it = session()
  it.play(...live, created('r', { conversation_id: null }), audio('beside'))
  expect(kinds(it.play(event('response.output_item.done', { response_id: 'r', item: call('k') })))).toEqual([])
  const heard = [{ item_id: 'beside', content_index: 0, heardMs: 100, receivedMs: 1_000 }]
  expect(sent(it.play({ type: 'interrupted', cancel: true }, { type: 'silenced', heard }))).toEqual([])
  expect(it.play(audio('beside'))).toEqual([])
})

test('a call that names no status is made in full when it is done; call ids may come again', () => {
  const it = session()
  it.play(...live, created('r'))
  const { status: _, ...bare } = call('k')
  const again = { ...bare, id: 'another' }
  expect(kinds(it.play(added(bare)))).toEqual([])
  expect(kinds(it.play(event('response.output_item.done', { response_id: 'r', item: bare })))).toEqual(['call'])
  it.play(answered('k'), added({ ...(answered('k') as { item: object }).item }), over('r', [bare]))
  it.play(created('r2'), added(again))
  expect(kinds(it.play(event('response.output_item.done', { response_id: 'r2', item: again })))).toEqual(['call'])
  expect(
    sent(it.play({ ...answered('k'), item: { ...(answered('k') as { item: Item }).item, id: 'o2' } as Item } as Input)),
  ).toContain('conversation.item.create o2')
})

test('a config that was refused is not said again; one that the app sent as an event is', () => {
  const it = session()
  it.play(...live)
  const [update] = it.play({ type: 'configured', config: { instructions: 'Be loud.' } })
  const { event_id } = (update as { event: { event_id: string } }).event
  it.play(refused('invalid_value', event_id))
  expect(it.state.config).toEqual({ instructions: 'Be brief.' })
  it.play({ type: 'sent', event: { type: 'session.update', session: { type: 'realtime', tool_choice: 'none' } } })
  expect(it.state.config).toEqual({ instructions: 'Be brief.', tool_choice: 'none' })
})

test('a turn of which half was put into words is said again whole, and so is one to which nothing was said yet', () => {
  const config = { audio: { input: { transcription: { model: 'm' } } } }
  const spoken = {
    id: 's',
    type: 'message',
    role: 'user',
    status: 'completed',
    content: [{ type: 'input_audio', transcript: null }],
  }
  const half = session({ config })
  half.play(...live, added(spoken))
  half.play(event('conversation.item.input_audio_transcription.delta', { item_id: 's', content_index: 0, delta: 'Wh' }))
  half.play(dropped())
  expect(half.state.conversation.items).toEqual([])

  const begun = session({ config })
  begun.play(...live, added(spoken), created('r'), added({ ...answer, id: 'a' }), dropped())
  expect(begun.state.conversation.items).toEqual([])
  expect(begun.state.turn.owed).toEqual([])

  const byHand = session({ config: { audio: { input: { ...config.audio.input, turn_detection: null } } } })
  byHand.play(...live, added(spoken), created('r'), dropped())
  expect(byHand.state.turn.owed).toEqual([plain])
})

// ── what is asked for by name ──────────────────────────────────────────────────────────────────────────────────────

const wish = (id: string, params: object = { instructions: id }): Input => ({ type: 'asked', ask: { id, params } })
const named = (name: string) => ({ metadata: { parley_reply: name } })
/** The names of the responses that were asked for. */
const wished = (effects: readonly Effect[]) =>
  effects.flatMap((effect) =>
    effect.type === 'transmit' && effect.event.type === 'response.create'
      ? [effect.event.response?.metadata?.['parley_reply'] ?? 'any']
      : [],
  )
const noticed = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.type === 'tell' ? [effect.notice] : []))

test('responses with wishes of their own are given one after the other; any response answers a plain one', () => {
  const { play } = session()
  play(...live)
  expect(wished(play(wish('one'), asked, wish('two'), asked))).toEqual(['one'])
  expect(wished(play(created('r1', named('one')), over('r1')))).toEqual(['two'])
  expect(wished(play(created('r2', named('two')), over('r2')))).toEqual([])
})

test('a response that the far end began by itself is not the one that was asked for by name', () => {
  const it = session()
  it.play(...live, wish('mine'), created('vad'))
  expect(it.state.turn.asked?.ask.id).toBe('mine')
  expect(wished(it.play(refused('conversation_already_has_active_response', 'mine')))).toEqual([])
  expect(wished(it.play(over('vad')))).toEqual(['mine'])
})

test('responses beside the conversation wait for none, and are asked for again only where they had not begun', () => {
  const { play } = session()
  play(...live, created('r'))
  const beside = (id: string) => wish(id, { conversation: 'none' })
  expect(wished(play(beside('a'), beside('b')))).toEqual(['a', 'b'])
  play(created('x', { conversation_id: null, ...named('a') }), dropped())
  play({ type: 'started' }, { type: 'woke' })
  const again = session({})
  expect(wished(again.play(beside('a'), ...live))).toEqual(['a'])
})

test('what is not wanted any more is not asked for; under way, it is cancelled as it begins', () => {
  const it = session()
  it.play(...live, wish('one'), wish('two'), { type: 'unasked', id: 'two' }, { type: 'unasked', id: 'one' })
  expect(sent(it.play(created('r1', named('one'))))).toEqual(['response.cancel'])
  expect(sent(it.play(over('r1')))).toEqual([])
})

test('an interruption before anything began drops what was asked for, and says which', () => {
  const { play } = session()
  play(...live, wish('one'), wish('two'))
  expect(noticed(play({ type: 'interrupted', cancel: true }))).toContainEqual({ type: 'dropped', ids: ['two', 'one'] })
})

test('what the user asks while calls are open is answered at once; what was asked before waits for them', () => {
  const { play } = session()
  play(...live, created('r'), asked)
  expect(sent(play(...made('a'), over('r', [call('a')])))).toEqual([])
  expect(sent(play(asked))).toEqual(['response.create'])
  play(created('r2'), answered('a'), added({ ...(answered('a') as { item: object }).item }))
  expect(sent(play(over('r2')))).toEqual(['response.create'])
})

test('an answer that waits for a quiet moment comes when nobody speaks', () => {
  const { play } = session()
  const audio = {
    type: 'response.output_audio.delta',
    event_id: 'e',
    response_id: 'r',
    item_id: 'a',
    output_index: 0,
    content_index: 0,
    audio: new Uint8Array(2),
  }
  play(
    ...live,
    created('r'),
    { type: 'received', event: audio as unknown as ServerEvent },
    ...made('a'),
    over('r', [call('a')]),
  )
  expect(wished(play({ ...answered('a'), ask: { ...plain, when: 'idle' } } as Input))).toEqual([])
  play(event('input_audio_buffer.speech_started', { item_id: 'u', audio_start_ms: 0 }))
  play(event('input_audio_buffer.speech_stopped', { item_id: 'u', audio_end_ms: 0 }))
  expect(wished(play({ type: 'drained' }))).toEqual(['any'])
})

// ── never silent ───────────────────────────────────────────────────────────────────────────────────────────────────

const ended = (status: string, rest: object = {}) =>
  event('response.done', { response: { id: 'r', status, output: [], ...rest } })
const serverError = {
  status_details: { type: 'failed', error: { type: 'server_error', code: 'server_error', message: 'Oh.' } },
}

test('a failure that may pass is tried once more, and both are told', () => {
  const { play } = session()
  play(...live, asked, created('r'))
  const first = play(ended('failed', serverError))
  expect(noticed(first)).toMatchObject([{ type: 'unfinished', why: 'failed', isRetried: true }])
  expect(wished(first)).toEqual(['any'])
  const second = play(created('r'), ended('failed', serverError))
  expect(noticed(second)).toMatchObject([{ why: 'failed', isRetried: false }])
  expect(wished(second)).toEqual([])
})

test.each([
  ['failed', { status_details: { type: 'failed', error: { type: 'invalid_request_error', code: 'x' } } }],
  ['failed', { ...serverError, output: [words] }],
  ['incomplete', { status_details: { type: 'incomplete', reason: 'max_output_tokens' } }],
  ['cancelled', { status_details: { type: 'cancelled', reason: 'client_cancelled' } }],
])('a response that is %s is told, and not asked for again (%j)', (status, rest) => {
  const { play } = session()
  play(...live, asked, created('r'))
  const effects = play(ended(status, rest))
  expect(noticed(effects)).toMatchObject([{ type: 'unfinished', why: status, isRetried: false }])
  expect(wished(effects)).toEqual([])
})

test('a response that we cut is no news', () => {
  const { play } = session()
  play(...live, asked, created('r'), { type: 'interrupted', cancel: true })
  expect(noticed(play(ended('cancelled')))).toEqual([])
})

test('a response that says nothing is asked for once more', () => {
  const { play } = session()
  play(...live, asked, created('r'))
  expect(wished(play(over('r', [])))).toEqual(['any'])
  const second = play(created('r2'), over('r2', []))
  expect(noticed(second)).toMatchObject([{ why: 'silent', isRetried: false }])
  expect(wished(second)).toEqual([])
})

test('a response that begins and goes no further is given up in time, and asked for once more', () => {
  const it = session({ reconnect: { timeoutMs: 100 } })
  it.play(...live, asked, created('r'))
  it.at(60)
  it.play(event('input_audio_buffer.cleared'))
  it.at(100)
  const effects = it.play({ type: 'woke', heardAt: 99 })
  expect(sent(effects)).toEqual(['response.cancel'])
  expect(noticed(effects)).toMatchObject([{ why: 'silent', isRetried: true }])
  expect(wished(it.play(ended('cancelled')))).toEqual(['any'])
})

test('an answer in writing where sound was asked for is deleted, and asked for again, three times at most', () => {
  const { play } = session({ config: { output_modalities: ['audio'] } })
  play(...live, asked)
  const written = { ...words, content: [{ type: 'output_text', text: 'Yes.' }] }
  for (let n = 0; n < 3; n++) {
    const effects = play(
      created('r'),
      event('response.output_item.added', { response_id: 'r', item: written }),
      over('r', [written]),
    )
    expect(sent(effects)).toEqual(['conversation.item.delete', 'response.create'])
  }
  expect(sent(play(created('r'), over('r', [written])))).toEqual([])
})

// ── config and history ─────────────────────────────────────────────────────────────────────────────────────────────

const configured = (id: string, instructions: string): Input => ({ type: 'configured', id, config: { instructions } })
const accepted = event('session.updated', { session: {} })
const wrong = (event_id: string) => refused('invalid_value', event_id)

test('updates are accepted in order; one that is refused leaves those after it', () => {
  const it = session()
  it.play(...live, configured('a', 'A'), configured('b', 'B'), configured('c', 'C'))
  expect(noticed(it.play(accepted))).toEqual([{ type: 'accepted', ids: ['a'] }])
  it.play(wrong('b'))
  expect(it.state.config.instructions).toBe('C')
  it.play(wrong('c'))
  expect(it.state.config.instructions).toBe('A')
  expect(it.state.updates).toEqual([])
})

test('an update while the line is joined is said when it has joined, and accepted by itself', () => {
  const it = session()
  it.play({ type: 'started' }, configured('early', 'E'))
  it.play({ type: 'opened' })
  it.play(configured('late', 'L'))
  const effects = it.play(accepted)
  expect(noticed(effects)).toEqual([{ type: 'accepted', ids: ['early'] }])
  expect(sent(effects)).toEqual(['session.update'])
  expect(noticed(it.play(accepted))).toEqual([{ type: 'accepted', ids: ['late'] }])
})

test('an item that was deleted stays away from the next line, and what stood behind it is placed at the end', () => {
  const it = session()
  const item = (id: string) =>
    ({ type: 'conversation.item.create', event_id: `say_${id}`, item: message(id, id) }) as const
  it.play(...live, ...['a', 'b'].flatMap((id) => [added(message(id, id)), done(message(id, id))]))
  const edit = {
    type: 'edited',
    removed: ['a'],
    created: [{ ...item('c'), previous_item_id: 'a' }],
  } as const satisfies object as Input
  expect(sent(it.play(edit))).toEqual(['conversation.item.delete', 'conversation.item.create c'])
  it.play(dropped())
  it.at(10_000)
  const effects = it.play({ type: 'woke' }, { type: 'opened' }, accepted)
  expect(sent(effects)).toEqual(['session.update', 'conversation.item.create b', 'conversation.item.create c'])
  expect(effects.at(-2)).not.toHaveProperty('event.previous_item_id')
  expect(it.state.conversation.items.map(({ id }) => id)).toEqual(['b'])
})

test('one response is cut, and what is heard of a newer one goes on', () => {
  const { play } = session()
  play(...live, created('old'))
  const audio = (response_id: string): Input => ({
    type: 'received',
    event: {
      type: 'response.output_audio.delta',
      event_id: 'e',
      response_id,
      item_id: `i_${response_id}`,
      output_index: 0,
      content_index: 0,
      audio: new Uint8Array(2),
    } as unknown as ServerEvent,
  })
  play(audio('old'), over('old'), created('new'), audio('new'))
  expect(play({ type: 'cut', response_id: 'old' })).toEqual([])
  expect(kinds(play({ type: 'cut', response_id: 'new' }))).toEqual(['transmit', 'hush'])
  expect(play(audio('new'))).toEqual([])
})
