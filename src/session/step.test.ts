import { expect, test } from 'vitest'
import {
  added,
  answered,
  asked,
  call,
  cause,
  created,
  done,
  dropped,
  event,
  kinds,
  live,
  made,
  message,
  over,
  refused,
  said,
  sent,
  session,
} from '../../test/in-hand.ts'
import { textOf } from '../conversation/conversation.ts'
import type { Item } from '../protocol/events.ts'
import { type Effect, type Input, plain } from './state.ts'

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

test('a user who is asked for the microphone is given time; the far end is not', () => {
  const it = session({ reconnect: { timeoutMs: 100 } })
  it.play({ type: 'started' }, { type: 'prompted', isOpen: true })
  it.at(60_000)
  expect(it.play({ type: 'woke' })).toEqual([])
  it.play({ type: 'prompted', isOpen: false })
  it.at(60_099)
  expect(it.play({ type: 'woke' })).toEqual([])
  it.at(60_100)
  expect(kinds(it.play({ type: 'woke' }))).toEqual(['hangUp'])
  it.play({ type: 'prompted', isOpen: true })
  expect(it.state.link.at).toBe('waiting')
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
  expect(sent(it.play(over('r', [])))).toEqual(['response.create'])
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
