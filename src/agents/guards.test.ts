import {
  defineOutputGuardrail,
  type InputGuardrail as TheirInput,
  type OutputGuardrail as Theirs,
} from '@openai/agents-core'
import { expect, test } from 'vitest'
import type { Item, ServerEvent } from '../protocol/events.ts'
import { noUsage } from '../session/usage.ts'
import { type World, world } from '../testing/world.ts'
import { RealtimeAgent } from './agent.ts'
import {
  type GuardrailResult,
  type GuardrailSettings,
  GuardrailTripped,
  type InputGuardrail,
  type OutputGuardrail,
  type OwnOutputGuardrail,
} from './guardrail.ts'
import { guards } from './guards.ts'

interface Scene {
  readonly output?: readonly OutputGuardrail<User>[]
  readonly input?: readonly InputGuardrail<User>[]
  readonly settings?: GuardrailSettings
  readonly w?: World
}
interface User {
  readonly user: string
}

const context = { context: { user: 'Ada' }, history: [], usage: noUsage }
const agentOf = (id: string | null) => new RealtimeAgent<User>({ name: `agent of ${id}` })

/** Guardrails at work, and all that they tell, in order. */
function scene({ output = [], input = [], settings = {}, w = world() }: Scene) {
  const trips: GuardrailTripped[] = []
  const failures: Error[] = []
  const told: string[] = []
  const watch = guards<User>({
    output,
    input,
    settings,
    agentOf,
    context,
    tripped(error) {
      trips.push(error)
      told.push(`${w.now()} tripped ${error.responseId} ${error.itemId}`)
    },
    failed: (error) => failures.push(error as Error),
    passed: (...[response, item, length, isFinal]) =>
      told.push(`${w.now()} passed ${response} ${item} ${length}${isFinal ? ' final' : ''}`),
  })
  const play = async (...events: ServerEvent[]) => {
    for (const event of events) {
      watch.received(event)
      await w.settle(w.now())
    }
  }
  return { watch, play, trips, failures, told, w, settle: w.settle }
}

const event = (type: string, rest: object) => ({ type, event_id: 'e', ...rest }) as unknown as ServerEvent
const began = (id: string, rest: object = {}) => event('response.created', { response: { id, output: [], ...rest } })
const over = (id: string, output: object[] = []) => event('response.done', { response: { id, output } })
const part = (rest: object) => ({ response_id: 'r', item_id: 'i', output_index: 0, content_index: 0, ...rest })
const spoke = (delta: string, rest: object = {}) =>
  event('response.output_audio_transcript.delta', { ...part(rest), delta })
const spoken = (transcript: string, rest: object = {}) =>
  event('response.output_audio_transcript.done', { ...part(rest), transcript })
const wrote = (delta: string, rest: object = {}) => event('response.output_text.delta', { ...part(rest), delta })
const written = (text: string, rest: object = {}) => event('response.output_text.done', { ...part(rest), text })
const message = (id: string, transcript: string | null) => ({
  id,
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_audio', transcript }],
})
const userItem = (id: string) =>
  event('conversation.item.added', { item: { id, type: 'message', role: 'user', content: [] } as unknown as Item })
const understood = (item_id: string, transcript: string) =>
  event('conversation.item.input_audio_transcription.completed', { item_id, content_index: 0, transcript })

/** Notes what it is given; trips where the text has this word. */
function listening(word = 'forbidden', name = 'words') {
  const texts: string[] = []
  const guardrail: OwnOutputGuardrail<User> = {
    name,
    policyHint: 'no forbidden words',
    execute({ agentOutput }) {
      texts.push(agentOutput)
      return { tripwireTriggered: agentOutput.includes(word), outputInfo: { word } }
    },
  }
  return { guardrail, texts }
}

/** Takes so many ms of the world for its n-th text. */
const slow = (w: World, ms: (n: number) => number, trips: (text: string) => boolean, name = 'slow') => {
  let n = 0
  return {
    name,
    execute: ({ agentOutput = '', input = '' }: { agentOutput?: string; input?: string }) =>
      new Promise<GuardrailResult>((resolve) => {
        w.after(ms(n++), () => resolve({ tripwireTriggered: trips(agentOutput || input) }))
      }),
  }
}

const x = (length: number) => 'x'.repeat(length)

test.each<[string, number | undefined, ServerEvent[], string[]]>([
  [
    'every 100 characters, and at the end',
    undefined,
    [spoke(x(60)), spoke(x(39)), spoke('x'), spoke(x(99)), spoken(x(199)), over('r')],
    [x(100), x(199)],
  ],
  ['as often as is asked for', 3, [spoke('ab'), spoke('c'), spoke('defgh'), over('r')], ['abc', 'abcdefgh']],
  ['at each delta', 0, [spoke('a'), spoke('b'), spoke('')], ['a', 'ab']],
  ['only at the end', -1, [spoke(x(500)), spoken(`${x(500)}!`)], [`${x(500)}!`]],
  ['only at the end, which the response is', -1, [spoke(x(500)), over('r')], [x(500)]],
  ['the same text once', 5, [spoke('Hello'), spoken('Hello'), over('r', [message('i', 'Hello')])], ['Hello']],
  ['text as well as speech', 5, [wrote('Hello'), wrote(' you'), written('Hello you')], ['Hello', 'Hello you']],
  ['what the end says that the deltas did not', 5, [spoke('Helo'), spoken('Hello, all')], ['Hello, all']],
  ['what only the end of the response says', 5, [over('r', [message('i', 'Hello')])], ['Hello']],
  [
    'what its end does not take back',
    5,
    [spoke('Hello, all'), spoken('Hello, all'), over('r', [message('i', 'Hello')])],
    ['Hello, all'],
  ],
  ['what was cut off', 100, [spoke('Hel'), over('r', [message('i', null)])], ['Hel']],
  [
    'each item by itself',
    4,
    [spoke('abc'), spoke('xyz', { item_id: 'j' }), spoke('d'), spoke('w', { item_id: 'j' })],
    ['abcd', 'xyzw'],
  ],
  [
    'each response by itself',
    4,
    [spoke('abc'), spoke('xyz', { response_id: 's' }), spoke('d'), over('s'), over('r')],
    ['abcd', 'xyz'],
  ],
  [
    'the parts of an item together',
    -1,
    [spoke('one'), spoke('two', { content_index: 1 }), spoke('!', { content_index: 0 }), over('r')],
    ['one!\ntwo'],
  ],
])('what is checked: %s', async (_, debounceTextLength, events, texts) => {
  const ears = listening()
  const settings = debounceTextLength === undefined ? {} : { debounceTextLength }
  const { play, trips } = scene({ output: [ears.guardrail], settings })
  await play(began('r'), ...events)
  expect(ears.texts).toEqual(texts)
  expect(trips).toEqual([])
})

test.each<[string, ServerEvent[]]>([
  ['a turn of tools only', [over('r', [{ id: 'c', type: 'function_call', name: 'f', arguments: '{}', call_id: 'c' }])]],
  ['a message of nothing', [spoke(''), spoken(''), over('r', [message('i', '')])]],
  ['white space', [spoke(' '), spoken(' \n'), over('r', [message('i', ' \n')])]],
  ['a response that is cancelled at once', [over('r')]],
])('no guardrail is asked about %s', async (_, events) => {
  const ears = listening()
  const { play, watch } = scene({ output: [ears.guardrail], settings: { debounceTextLength: 0 } })
  await play(began('r'), ...events)
  expect(ears.texts).toEqual([])
  expect(watch.watched).toBe(0)
})

test('a trip says what tripped, on what, in which response; the guardrail is given its agent and the context', async () => {
  const { guardrail } = listening()
  const seen: unknown[] = []
  const nosy: OutputGuardrail<User> = {
    name: 'nosy',
    execute({ agent, context: { context } }) {
      seen.push([agent.name, context.user])
      return { tripwireTriggered: false }
    },
  }
  const { play, trips } = scene({ output: [nosy, guardrail] })
  await play(began('r'), spoke('It is forb'), spoke('idden.'), spoken('It is forbidden.'))
  expect(seen).toEqual([['agent of r', 'Ada']])
  const [error] = trips
  expect(error).toBeInstanceOf(GuardrailTripped)
  expect(error).toMatchObject({
    name: 'GuardrailTripped',
    message: "Guardrail 'words' tripped on what the agent said.",
    kind: 'output',
    guardrail: 'words',
    outputInfo: { word: 'forbidden' },
    responseId: 'r',
    itemId: 'i',
    text: 'It is forbidden.',
    feedback: expect.stringContaining('no forbidden words'),
  })
})

test('one trip a response: what it says after that is not checked, and nothing of it passes any more', async () => {
  const ears = listening()
  const { play, told } = scene({ output: [ears.guardrail], settings: { debounceTextLength: 1 } })
  const other = { response_id: 's', item_id: 'j' }
  await play(began('r'), spoke('well '), spoke('forbidden '), spoke('more'), spoken('forbidden'), over('r'))
  await play(began('s'), spoke('forbidden', other), over('s'))
  expect(ears.texts).toEqual(['well ', 'well forbidden ', 'forbidden'])
  expect(told).toEqual(['0 passed r i 5', '0 tripped r i', '0 tripped s j'])
})

test('a trip that comes late, when another response is being given, is told with its own response', async () => {
  const w = world()
  const { play, settle, told, watch } = scene({
    output: [
      slow(
        w,
        () => 500,
        (text) => text === 'No.',
      ),
    ],
    w,
  })
  await play(began('r'), spoken('No.'), over('r'), began('s'), spoken('Yes.', { response_id: 's', item_id: 'j' }))
  expect(told).toEqual([])
  expect(watch.watched).toBe(2)
  await settle()
  expect(told).toEqual(['500 tripped r i', '500 passed s j 4'])
  expect(watch.watched).toBe(1)
})

test('guardrails run at once, and the first that trips is told without a wait for the others', async () => {
  const w = world()
  const yes = () => true
  const output = [
    slow(w, () => 300, yes, 'third'),
    slow(
      w,
      () => 20,
      () => false,
      'first',
    ),
    slow(w, () => 100, yes, 'second'),
  ]
  const { play, settle, trips, told } = scene({ output, w })
  await play(began('r'), spoken('Hello.'), over('r'))
  await settle()
  expect(told).toEqual(['100 tripped r i'])
  expect(trips[0]?.guardrail).toBe('second')
})

test('a text passes when the slowest guardrail has passed it', async () => {
  const w = world()
  const output = [300, 20].map((ms) =>
    slow(
      w,
      () => ms,
      () => false,
    ),
  )
  const { play, settle, told } = scene({ output, w })
  await play(began('r'), spoken('Hello.'), over('r'))
  await settle()
  expect(told).toEqual(['300 passed r i 6', '300 passed r i 6 final'])
})

test.each<[string, number[], string, string[]]>([
  ['the second first, both pass', [100, 10], '', ['100 passed r i 3', '100 passed r i 6']],
  ['in order, both pass', [10, 100], '', ['10 passed r i 3', '100 passed r i 6']],
  ['the second first, and the first trips', [100, 10], 'one', ['100 tripped r i']],
  ['the second first, and trips', [100, 10], 'onetwo', ['10 tripped r i']],
])('checks that end out of order: %s', async (_, times, bad, expected) => {
  const w = world()
  const output = [
    slow(
      w,
      (n) => times[n] ?? 0,
      (text) => text === bad,
    ),
  ]
  const { play, settle, told } = scene({ output, w, settings: { debounceTextLength: 3 } })
  await play(began('r'), spoke('one'), spoke('two'))
  await settle()
  expect(told).toEqual(expected)
})

const failing: [string, () => unknown, RegExp][] = [
  [
    'throws',
    () => {
      throw new Error('no network')
    },
    /'broken' failed: no network/,
  ],
  ['rejects', () => Promise.reject(new Error('no network')), /'broken' failed: no network/],
  ['says something else', () => ({ tripped: true }), /'broken' failed: It gave no verdict/],
  ['says nothing', () => undefined, /'broken' failed: It gave no verdict/],
]
test.each(failing)(
  'a guardrail that %s is reported: monitor lets its text pass, holdback does not',
  async (_, execute, words) => {
    for (const mode of ['monitor', 'holdback'] as const) {
      const broken = { name: 'broken', execute }
      const { play, watch, told, trips, failures, settle } = scene({
        output: [broken],
        input: [broken],
        settings: { mode },
      })
      await play(began('r'), spoken('Hello.'))
      watch.said('u', 'Hello?')
      await settle()
      expect(failures.map(String)).toEqual([expect.stringMatching(words), expect.stringMatching(words)])
      expect(told).toEqual(mode === 'monitor' ? ['0 passed r i 6'] : ['0 tripped r i', '0 tripped null u'])
      if (mode === 'monitor') continue
      expect(trips[0]?.message).toMatch(
        /'broken' failed on what the agent said: in mode 'holdback' that counts as tripped/,
      )
      expect(trips[0]?.cause).toBeInstanceOf(Error)
    }
  },
)

test('what is told and throws, is reported', async () => {
  const failures: unknown[] = []
  const no = new Error('no')
  const thrower = () => {
    throw no
  }
  const failed = (error: unknown) => failures.push(error)
  const { guardrail } = listening()
  const rest = { output: [guardrail], input: [], settings: {}, agentOf, context }
  const watch = guards<User>({ ...rest, tripped: thrower, passed: thrower, failed })
  watch.received(spoken('forbidden'))
  watch.received(spoken('fine', { response_id: 's' }))
  await world().settle()
  expect(failures).toEqual([no, no])
})

test('a response beside the conversation is guarded like any other', async () => {
  const { play, told } = scene({ output: [listening().guardrail] })
  await play(began('r'), began('b', { conversation_id: null }))
  await play(spoken('Fine.'), spoken('forbidden', { response_id: 'b', item_id: 'j' }), over('b'), over('r'))
  expect(told).toEqual(['0 passed r i 5', '0 tripped b j', '0 passed r i 5 final'])
})

test('a response that a lost line has cut off is checked to where it came, and forgotten', async () => {
  const ears = listening()
  const { play, told, watch } = scene({ output: [ears.guardrail] })
  await play(began('r'), spoke('I was ab'), event('session.created', { session: {} }))
  expect(ears.texts).toEqual(['I was ab'])
  expect(told).toEqual(['0 passed r i 8 final'])
  expect(watch.watched).toBe(0)
})

test('what is said when the response is over does not pass with its end', async () => {
  const w = world()
  const output = [
    slow(
      w,
      () => 50,
      (text) => text.includes('forbidden'),
    ),
  ]
  const { play, told, settle } = scene({ output, w })
  await play(spoken('Hello.'), over('r'), spoke(' And'))
  await settle()
  expect(told).toEqual(['50 passed r i 6', '50 passed r i 6'])
})

test('how much of an item is known is counted as it is passed', async () => {
  const { play, watch, told } = scene({ output: [listening().guardrail] })
  expect(watch.lengthOf('r', 'i')).toBe(0)
  await play(spoke('one'), spoke('three', { content_index: 1 }))
  expect(watch.lengthOf('r', 'i')).toBe('one\nthree'.length)
  await play(spoken('one'))
  expect(told).toEqual([`0 passed r i ${'one\nthree'.length}`])
})

test('a thousand responses leave nothing behind, whether they end, trip, are cut off, or speak when they are over', async () => {
  const w = world()
  const bad = (text: string) => text.includes('7')
  const output = [slow(w, (n) => n % 50, bad)]
  const { watch, settle, trips } = scene({ output, w, settings: { debounceTextLength: 4 } })
  let most = 0
  for (let n = 0; n < 1_000; n++) {
    const id = { response_id: `r${n}`, item_id: `i${n}` }
    const ends = n % 100 ? over(`r${n}`) : event('session.created', { session: {} })
    const all = [began(`r${n}`), spoke(`${n} and`, id), spoke(' so on', id), spoken(`${n} and so on.`, id), ends]
    for (const one of all) if (n % 3 || one !== all[3]) watch.received(one)
    await settle(w.now() + (n % 10 ? 20 : 60))
    if (n % 10 === 0) watch.received(spoke('late', id))
    most = Math.max(most, watch.watched)
  }
  watch.received(began('last'))
  watch.received(over('last'))
  await settle()
  expect(watch.watched).toBe(0)
  expect(most).toBeLessThan(8)
  expect(trips.length).toBe(271)
})

test('of a thousand turns of the user the last few are remembered', async () => {
  const { watch, settle, trips } = scene({ input: [polite] })
  for (let n = 0; n < 1_000; n++) {
    const heard = n % 2 ? [understood(`u${n}`, n % 10 === 5 ? 'damn' : 'Hello?')] : []
    for (const one of [userItem(`u${n}`), began(`r${n}`), ...heard, over(`r${n}`)]) watch.received(one)
  }
  await settle()
  expect(watch.watched).toBeLessThan(20)
  expect(trips.map(({ responseId }) => responseId)).toEqual(Array.from({ length: 100 }, (_, n) => `r${n * 10 + 5}`))
})

// ── what the user says ─────────────────────────────────────────────────────────────────────────────────────────────

const polite: InputGuardrail<User> = {
  name: 'polite',
  execute: ({ input }) => ({ tripwireTriggered: input.includes('damn'), outputInfo: 'rude' }),
}

test('what the user said is checked when it was understood, and what the user wrote at once', async () => {
  const { play, watch, trips, settle, told } = scene({ input: [polite] })
  await play(userItem('u'), understood('u', 'Please.'), understood('v', 'The damn bill.'), understood('w', ' '))
  watch.said('t', 'damn')
  watch.said('p', '')
  await settle()
  expect(told).toEqual(['0 tripped null v', '0 tripped null t'])
  expect(trips[0]).toMatchObject({
    message: "Guardrail 'polite' tripped on what the user said.",
    kind: 'input',
    guardrail: 'polite',
    outputInfo: 'rude',
    responseId: null,
    itemId: 'v',
    text: 'The damn bill.',
    feedback: expect.stringContaining('polite'),
  })
})

test.each<[string, ServerEvent[], ServerEvent[], string | null]>([
  ['none began', [userItem('u'), understood('u', 'damn')], [], null],
  ['the one that began before it was understood', [userItem('u'), began('r'), understood('u', 'damn')], [], 'r'],
  ['the one that began while it was checked', [userItem('u'), understood('u', 'damn')], [began('r')], 'r'],
  ['the one that is over', [userItem('u'), began('r'), over('r'), understood('u', 'damn')], [], 'r'],
  ['the one that goes on with what a tool answered', [userItem('u'), began('r'), over('r')], [began('s')], 's'],
  ['none that was being given already', [began('r'), userItem('u'), understood('u', 'damn')], [], null],
  ['none that answers what came later', [userItem('u'), began('r'), userItem('v')], [began('s')], 'r'],
  ['the one that answers several', [userItem('u'), userItem('v')], [began('r')], 'r'],
  ['none beside the conversation', [userItem('u')], [began('b', { conversation_id: null })], null],
  [
    'the same when the item is told again',
    [userItem('u'), began('r'), userItem('v'), userItem('u')],
    [began('s')],
    'r',
  ],
])('the response that answers what tripped: %s', async (_, before, meanwhile, responseId) => {
  const w = world()
  const { play, settle, trips } = scene({
    input: [
      slow(
        w,
        () => 50,
        (text) => text === 'damn',
      ),
    ],
    w,
  })
  const last = before.at(-1)!
  await play(...before)
  if (last.type !== 'conversation.item.input_audio_transcription.completed') await play(understood('u', 'damn'))
  await play(...meanwhile)
  await settle()
  expect(trips.map((trip) => trip.responseId)).toEqual([responseId])
})

test('what the user wrote is answered by the response that began when the far end knew it', async () => {
  const w = world()
  const { play, watch, settle, trips } = scene({
    input: [
      slow(
        w,
        () => 50,
        () => true,
      ),
    ],
    w,
  })
  watch.said('t', 'damn')
  await play(began('earlier'), userItem('t'), began('r'))
  await settle()
  expect(trips.map(({ responseId }) => responseId)).toEqual(['r'])
})

test('a response that is stopped for what the user said is not told again for what it says', async () => {
  const { play, told } = scene({ input: [polite], output: [listening().guardrail] })
  await play(userItem('u'), began('r'), understood('u', 'damn'), spoken('forbidden'), over('r'))
  expect(told).toEqual(['0 tripped r u'])
})

// ── guardrails of another SDK ──────────────────────────────────────────────────────────────────────────────────────

test.each(['It costs 5 dollars.', 'It is sunny.'])(
  'a guardrail of @openai/agents-core says here what it says there: %s',
  async (text) => {
    const theirs: Theirs = {
      name: 'no prices',
      execute: async ({ agentOutput }) => ({
        tripwireTriggered: /dollar/.test(agentOutput),
        outputInfo: { agentOutput },
      }),
    }
    const input: TheirInput = {
      name: 'no prices',
      execute: async ({ input }) => ({ tripwireTriggered: /dollar/.test(String(input)), outputInfo: { input } }),
    }
    const there = await defineOutputGuardrail(theirs).run({ agentOutput: text } as never)
    const { play, trips, failures } = scene({ output: [theirs], input: [input] })
    await play(spoken(text), understood('u', text))
    expect(failures).toEqual([])
    expect(trips.map(({ kind }) => kind)).toEqual(there.output.tripwireTriggered ? ['output', 'input'] : [])
    if (there.output.tripwireTriggered) expect(trips[0]?.outputInfo).toEqual(there.output.outputInfo)
  },
)
