/** Turns by hand, each moment at a time of its own: what the scenes of a whole call cannot tell apart. */
import { expect, test } from 'vitest'
import type { AudioDelta, ServerEvent } from '../protocol/events.ts'
import { followTurns } from './measuring.ts'
import type { TurnMetrics } from './metrics.ts'
import { type Input, plain, type State, start } from './state.ts'
import { step } from './step.ts'

type Moment = readonly [at: number, input: Input | (Partial<ServerEvent> & { readonly type: string })]

const facts = new Set([
  'started',
  'opened',
  'dropped',
  'said',
  'asked',
  'sounded',
  'drained',
  'interrupted',
  'silenced',
  'ended',
])

/** Goes through what happens, and gives the turns that are over by it, each with when it was told. */
function told(moments: readonly Moment[], carriesAudio = false): readonly (readonly [at: number, turn: TurnMetrics])[] {
  const follow = followTurns()
  const turns: [number, TurnMetrics][] = []
  let state: State = start()
  const begin: readonly Moment[] = [
    [0, { type: 'started' }],
    [1, { type: 'opened', ...(carriesAudio ? { carriesAudio } : {}) }],
    [2, { type: 'session.updated', session: {} } as never],
  ]
  for (const [at, what] of [...begin, ...moments]) {
    const input = (facts.has(what.type) ? what : { type: 'received', event: what }) as Input
    const [after] = step(state, input, at)
    for (const turn of follow(state, after, input, at)) turns.push([at, turn])
    state = after
  }
  return turns
}

function only<T>(all: readonly T[]): T {
  expect(all).toHaveLength(1)
  return all[0]!
}

const response = (id: string, more: object = {}) => ({
  id,
  object: 'realtime.response',
  output: [],
  metadata: null,
  ...more,
})
const created = (id: string) =>
  ({ type: 'response.created', response: response(id, { status: 'in_progress' }) }) as never
const done = (id: string, status = 'completed') =>
  ({
    type: 'response.done',
    response: response(id, { status, output: [{ id: `${id}_i`, type: 'message', role: 'assistant', content: [] }] }),
  }) as never
const audio = (id: string): AudioDelta =>
  ({
    type: 'response.output_audio.delta',
    response_id: id,
    item_id: `${id}_i`,
    delta: '',
    audio: new Uint8Array(2),
  }) as never
const word = (id: string) =>
  ({
    type: 'response.output_audio_transcript.delta',
    response_id: id,
    item_id: `${id}_i`,
    content_index: 0,
    delta: 'so',
  }) as never
const item = (id: string) =>
  ({
    type: 'conversation.item.added',
    item: { id: `${id}_i`, type: 'message', role: 'assistant', status: 'in_progress', content: [] },
  }) as never
const speech = (type: 'started' | 'stopped', item_id: string) =>
  ({ type: `input_audio_buffer.speech_${type}`, item_id, audio_start_ms: 0, audio_end_ms: 900 }) as never
const committed = (item_id: string) => ({ type: 'input_audio_buffer.committed', item_id }) as never
const buffer = (type: string, response_id: string) => ({ type: `output_audio_buffer.${type}`, response_id }) as never
const sounded = (id: string): Input => ({ type: 'sounded', item_id: `${id}_i`, response_id: id })
const said: Input = { type: 'said', item: { id: 'u', type: 'message', role: 'user', content: [] } as never }

const heard: readonly Moment[] = [
  [1_000, speech('stopped', 'u')],
  [1_010, committed('u')],
  [1_050, created('r')],
  [1_120, item('r')],
]

test('every mark of a spoken turn has its own moment, and the turn is told when it was heard out', () => {
  const turns = told([
    ...heard,
    [1_130, word('r')],
    [1_140, audio('r')],
    [1_190, sounded('r')],
    [1_200, audio('r')],
    [1_400, done('r')],
    [2_000, { type: 'drained' }],
  ])
  expect(turns).toHaveLength(1)
  const [at, turn] = turns[0]!
  expect(at).toBe(2_000)
  expect(turn).toMatchObject({
    by: 'speech',
    userSilent: 500,
    speechEnd: 1_000,
    committed: 1_010,
    created: 1_050,
    firstWord: 1_130,
    firstByte: 1_140,
    firstAudible: 1_190,
    done: 1_400,
    playbackEnd: 2_000,
    latency: { endpointing: 500, committed: 10, created: 50, firstWord: 130, firstByte: 140, firstAudible: 190 },
  })
})

test('a speaker that does not tell when it sounds is taken to sound at once', () => {
  const [, turn] = only(told([...heard, [1_140, audio('r')], [1_400, done('r')], [2_000, { type: 'drained' }]]))
  expect(turn).toMatchObject({ firstByte: 1_140, firstAudible: 1_140 })
})

test('where the line carries the audio, the far end tells when it sounds and when it is silent', () => {
  const spoken: readonly Moment[] = [...heard, [1_130, word('r')], [1_180, buffer('started', 'r')], [1_300, done('r')]]
  const [, whole] = only(told([...spoken, [2_500, buffer('stopped', 'r')]], true))
  expect(whole).toMatchObject({
    firstByte: null,
    firstWord: 1_130,
    firstAudible: 1_180,
    playbackEnd: 2_500,
    interruption: null,
  })
  const [at, cut] = only(told([...spoken, [1_700, speech('started', 'v')], [1_760, buffer('cleared', 'r')]], true))
  expect(at).toBe(1_760)
  expect(cut).toMatchObject({
    playbackEnd: 1_760,
    interruption: { by: 'user', at: 1_700, silent: 1_760 },
    latency: { interruption: 60 },
  })
})

test('what a line tells of its sound goes before the word of the far end, for each answer', () => {
  const begun: readonly Moment[] = [...heard, [1_130, word('r')], [1_180, buffer('started', 'r')]]
  const over: readonly Moment[] = [
    [1_300, done('r')],
    [2_500, buffer('stopped', 'r')],
  ]
  const next: readonly Moment[] = [
    [3_000, said],
    [3_001, { type: 'asked', ask: plain }],
    [3_010, created('s')],
    [3_050, buffer('started', 's')],
    [3_100, done('s')],
    [3_900, buffer('stopped', 's')],
  ]
  const turns = told([...begun, [1_260, { type: 'sounded', response_id: 'r' }], ...over, ...next], true)
  expect(turns.map(([, { firstAudible }]) => firstAudible)).toEqual([1_260, 3_050])
})

test('what is under way when the session ends is told once, and never again', () => {
  const turns = told([
    ...heard,
    [1_140, audio('r')],
    [1_500, { type: 'ended' }],
    [1_501, { type: 'silenced', heard: [] }],
    [1_600, done('r')],
  ])
  expect(turns.map(([at, { playbackEnd, responses }]) => [at, playbackEnd, responses[0]!.status])).toEqual([
    [1_501, 1_501, 'lost'],
  ])
})

test('who goes on before there is an answer goes on with the same turn', () => {
  const turns = told([[500, speech('stopped', 'a')], [510, committed('a')], ...heard, [1_400, done('r')]])
  expect(turns.map(([, { speechEnd, committed: at }]) => [speechEnd, at])).toEqual([[1_000, 1_010]])
})

test('turns that are never over are let go, the oldest first', () => {
  const moments = Array.from({ length: 40 }, (_, n): readonly Moment[] => [
    [10 + n * 10, said],
    [11 + n * 10, { type: 'asked', ask: plain }],
    [12 + n * 10, created(`r${n}`)],
  ])
  const turns = told(moments.flat())
  expect(turns.length).toBeGreaterThanOrEqual(20)
  expect(turns.map(([, { said: at }]) => at)).toEqual(turns.map((_, n) => 10 + n * 10))
})

test('a call that is made as others are forgotten is measured', () => {
  const follow = followTurns()
  let state: State = start()
  const play = (input: Input, at: number) => {
    const [after] = step(state, input, at)
    follow(state, after, input, at)
    state = after
  }
  const begin: readonly Input[] = [
    { type: 'started' },
    { type: 'opened' },
    { type: 'received', event: { type: 'session.updated', session: {} } as never },
    said,
    { type: 'received', event: created('r') },
  ]
  for (const input of begin) play(input, 1)
  const call = { id: 'new', type: 'function_call', call_id: 'c', name: 'look', arguments: '{}', status: 'completed' }
  const before: State = { ...state, turn: { ...state.turn, calls: [{ id: 'old', batch: 'gone' }] } }
  const conversation = { ...state.conversation, calls: [call as never] }
  const after: State = { ...before, conversation, turn: { ...before.turn, calls: [{ id: 'new', batch: 'r' }] } }
  expect(follow(before, after, { type: 'drained' }, 5)).toEqual([])
  state = { ...after, conversation: { ...conversation, calls: [] } }
  const answer: Input = { type: 'answered', item: { type: 'function_call_output', call_id: 'c' } as never, ask: null }
  follow(state, state, answer, 9)
  const over: Input = { type: 'received', event: done('r') }
  const [ended] = step(state, over, 10)
  expect(only(follow(state, ended, over, 10)).tools).toMatchObject([{ name: 'look', callId: 'c' }])
})
