import { describe, expect, test } from 'vitest'
import {
  added,
  created,
  done,
  dropped,
  event,
  type Hand,
  message,
  noticed,
  over,
  sent,
  session,
} from '../../test/in-hand.ts'
import { alarm, type Effect, type Input, type Start } from './state.ts'

const joined: Input[] = [
  { type: 'started' },
  { type: 'opened', carriesAudio: true },
  event('session.updated', { session: {} }),
]
const answer = { id: 'a', type: 'message', role: 'assistant', status: 'in_progress', content: [] }
const words = (delta: string) =>
  event('response.output_audio_transcript.delta', {
    response_id: 'r',
    item_id: 'a',
    output_index: 0,
    content_index: 0,
    delta,
  })
const given: Input[] = [created('r'), added(answer), words('It is on its way and will be there on Tuesday.')]
const buffer = (what: 'started' | 'stopped' | 'cleared', response_id = 'r') =>
  event(`output_audio_buffer.${what}`, { response_id })
const truncated = (audio_end_ms: unknown, item_id = 'a') =>
  event('conversation.item.truncated', { item_id, content_index: 0, audio_end_ms })
const speech = event('input_audio_buffer.speech_started', { item_id: 'u', audio_start_ms: 0 })
const interrupted: Input = { type: 'interrupted', cancel: true }

/** A call in which an answer sounds since ms 1000. Orders to hush are done. */
function sounding(options: Start = {}): Hand {
  const hand = session(options)
  hand.play(...joined, ...given)
  hand.at(1_000)
  hand.play(buffer('started'))
  const play = (...inputs: readonly Input[]): Effect[] =>
    inputs.flatMap((input) => {
      const effects = hand.play(input)
      return effects.some(({ type }) => type === 'hush')
        ? [...effects, ...hand.play({ type: 'silenced', heard: [] })]
        : effects
    })
  return {
    play,
    at: hand.at,
    get state() {
      return hand.state
    },
  }
}

test('what the far end says it plays is what is heard, until it says that it is not', () => {
  const { play, state } = sounding()
  expect(state.playback.item).toEqual({ item_id: 'a', response_id: 'r', since: 1_000 })
  const hand = sounding()
  expect(noticed(hand.play(over('r', [{ ...answer, status: 'completed' }]), buffer('stopped', 'another')))).toEqual([])
  expect(hand.state.playback.item?.item_id).toBe('a')
  expect(noticed(hand.play(buffer('stopped')))).toEqual([])
  expect(hand.state.playback).toMatchObject({ item: null, cuts: {} })
  expect(sent(play())).toEqual([])
})

test('interrupted while it is given: the response is cancelled, then what is to be heard is cleared; nothing is truncated', () => {
  const { play, state } = sounding()
  expect(sent(play(interrupted))).toEqual(['response.cancel', 'output_audio_buffer.clear'])
  expect(state.playback.item).not.toBeNull()
})

test('interrupted when it was given and is still heard: it is cleared, and nothing is cancelled', () => {
  const { play } = sounding()
  play(over('r', [answer]))
  const effects = play(interrupted)
  expect(sent(effects)).toEqual(['output_audio_buffer.clear'])
  expect(noticed(effects)).toEqual([{ type: 'audio_interrupted' }])
  expect(noticed(play(buffer('cleared'))), 'told once').toEqual([])
})

test('who speaks in between is left to the far end, which clears by itself', () => {
  const { play } = sounding()
  expect(sent(play(speech))).toEqual([])
  expect(noticed(play(buffer('cleared')))).toEqual([{ type: 'audio_interrupted' }])
})

test('how much was heard is known by the clock at once, and exactly when the far end says it', () => {
  const hand = sounding()
  hand.at(2_500)
  hand.play(speech, buffer('cleared'))
  expect(hand.state.playback).toMatchObject({ item: null, cuts: { a: { heardMs: 1_500 } } })
  hand.play(truncated(1_420))
  expect(hand.state.playback.cuts['a']).toMatchObject({ heardMs: 1_420 })
})

const spoken = { ...answer, status: 'incomplete', content: [{ type: 'output_audio', transcript: 'It is on its way.' }] }
const cancelled = event('response.done', { response: { id: 'r', status: 'cancelled', output: [spoken] } })
const deleted = event('conversation.item.deleted', { item_id: 'a' })
const nothing = { heardMs: 0, receivedMs: 0 }

test('cut before any of it was heard: it is deleted once its response has ended, and stands in history as unheard', () => {
  const hand = sounding()
  hand.play(speech, buffer('cleared'))
  expect(sent(hand.play(truncated(0)))).toEqual([])
  expect(sent(hand.play(cancelled))).toEqual(['conversation.item.delete'])
  hand.play(deleted)
  expect(hand.state.conversation.items.map(({ id }) => id)).toEqual(['a'])
  expect(hand.state.playback.cuts['a']).toEqual(nothing)
})

test('so is what was cut before it began to sound', () => {
  const hand = session()
  hand.play(...joined, ...given, { type: 'cut', response_id: 'r' })
  expect(sent(hand.play(cancelled))).toEqual(['conversation.item.delete'])
  expect(hand.state.playback.cuts['a']).toEqual(nothing)
})

test('what began to sound is not deleted, as long as nobody says that nothing of it was heard', () => {
  const hand = sounding()
  hand.play(speech)
  expect(sent(hand.play(cancelled, buffer('cleared'), truncated(400)))).toEqual([])
})

test('a call that stands without us forgets by itself', () => {
  const hand = session()
  hand.play(
    { type: 'started', attached: true },
    { type: 'opened' },
    event('session.updated', { session: {} }),
    ...given,
  )
  expect(sent(hand.play(buffer('started'), speech, buffer('cleared'), truncated(0), cancelled))).toEqual([])
})

test('the words that were heard are told by the rate at which answers before were spoken', () => {
  const hand = sounding()
  const rateOf = () => hand.state.playback.cuts['b']!.charsPerMs!
  const whole = { ...answer, status: 'completed', content: [{ type: 'output_audio', transcript: 'x'.repeat(300) }] }
  hand.play(done(whole), over('r', [whole]))
  hand.at(61_000)
  hand.play(buffer('stopped'))
  const next = { ...answer, id: 'b' }
  hand.play(
    created('s'),
    event('conversation.item.added', { item: next, previous_item_id: 'a' }),
    buffer('started', 's'),
  )
  hand.at(62_000)
  hand.play(speech, buffer('cleared', 's'))
  expect(rateOf()).toBeCloseTo((300 + 54) / 63_000, 6)
})

test.each([
  ['no number', 'soon'],
  ['nothing', undefined],
  ['infinity', Number.POSITIVE_INFINITY],
])('a truncation at %s changes nothing', (_, ms) => {
  const hand = sounding()
  hand.play(truncated(ms), truncated(400, 'unknown'))
  expect(hand.state.playback.cuts).toEqual({})
})

test('what was cut before it sounded is cleared when it begins to', () => {
  const { play, state } = session()
  const hand = session()
  hand.play(...joined, ...given)
  expect(sent(hand.play({ type: 'cut', response_id: 'r' }))).toEqual(['response.cancel'])
  expect(sent(hand.play(buffer('started')))).toEqual(['output_audio_buffer.clear'])
  expect(hand.state.playback.item).toBeNull()
  expect([play(), state.playback.item]).toEqual([[], null])
})

test('one response that is heard is cut by its name, whatever else is given', () => {
  const { play } = sounding()
  expect(sent(play({ type: 'cut', response_id: 'r' }))).toEqual(['response.cancel', 'output_audio_buffer.clear'])
})

test('a line that is lost takes the sound with it: it was heard until then, and nothing is sent', () => {
  const hand = sounding()
  hand.play(over('r', [answer]))
  hand.at(3_000)
  const effects = hand.play(dropped())
  expect(sent(effects)).toEqual([])
  expect(noticed(effects)).toEqual([{ type: 'audio_interrupted' }])
  expect(hand.state.playback).toMatchObject({ item: null, cuts: { a: { heardMs: 2_000 } } })
})

test('an answer waits for what is heard to end, where it is to wait for that', () => {
  const { play } = sounding()
  const idle: Input = { type: 'asked', ask: { id: null, params: {}, when: 'idle' } }
  expect(sent(play(over('r', [answer]), idle))).toEqual([])
  expect(sent(play(buffer('stopped')))).toEqual(['response.create'])
})

describe('interruptions that are confirmed first', () => {
  const confirm: Start = {
    interruption: { mode: 'confirm', minMs: 300 },
    config: { audio: { input: { turn_detection: { type: 'server_vad', silence_duration_ms: 200 } } } },
  }

  test('the sound goes on, since it cannot be paused, and is cleared when it is one', () => {
    const hand = sounding(confirm)
    const before = hand.play(speech)
    expect([sent(before), noticed(before)]).toEqual([[], []])
    hand.at(5_000)
    const effects = hand.play({ type: 'woke' })
    expect(sent(effects)).toEqual(['response.cancel', 'output_audio_buffer.clear'])
  })

  test('it was nothing: nothing was lost, and nothing is told', () => {
    const hand = sounding(confirm)
    const effects = hand.play(speech, event('input_audio_buffer.speech_stopped', { item_id: 'u', audio_end_ms: 250 }))
    expect([sent(effects), noticed(effects)]).toEqual([[], []])
    expect(hand.state.playback.item?.item_id).toBe('a')
  })
})

describe('a far end that never says that it fell silent', () => {
  const spokenWhole = {
    ...answer,
    status: 'completed',
    content: [{ type: 'output_audio', transcript: 'x'.repeat(54) }],
  }
  const whole = [done(spokenWhole), over('r', [spokenWhole])]
  const idle: Input = { type: 'asked', ask: { id: null, params: {}, when: 'idle' } }

  /** At this ms it counts as heard to its end. */
  const boundOf = ({ state }: Hand): number | null =>
    alarm({ ...state, link: { at: 'closed', cause: null }, turn: { ...state.turn, given: null } })

  test('has been heard once its words have had far more time than they take', () => {
    const hand = sounding()
    expect(boundOf(hand), 'it may say more').toBeNull()
    hand.play(...whole)
    const bound = boundOf(hand)!
    expect(bound).toBe(1_000 + 4 * 3_000 + 5_000)
    hand.at(bound - 1)
    expect(sent(hand.play({ type: 'woke' }, idle))).toEqual([])
    expect(hand.state.playback.item?.item_id).toBe('a')
    hand.at(bound)
    const effects = hand.play({ type: 'woke' })
    expect([sent(effects), noticed(effects)]).toEqual([['response.create'], []])
    expect(hand.state.playback).toMatchObject({ item: null, cuts: {} })
    expect([boundOf(hand), hand.state.playback.rate]).toEqual([null, undefined])
    expect(noticed(hand.play(buffer('stopped'))), 'late').toEqual([])
  })

  test('has it sooner where it is known how fast the agent speaks, and later where it was told to speak slowly', () => {
    const fast = sounding()
    fast.play(...whole)
    fast.at(4_000)
    fast.play(buffer('stopped'), added(message('u', 'Go on.')), created('s'))
    fast.play(event('conversation.item.added', { item: { ...answer, id: 'b' }, previous_item_id: 'u' }))
    fast.play(buffer('started', 's'))
    fast.play(done({ ...spokenWhole, id: 'b' }), over('s', [{ ...spokenWhole, id: 'b' }]))
    expect(boundOf(fast)).toBe(4_000 + 2 * 3_000 + 5_000)
    const slow = sounding({ config: { audio: { output: { speed: 0.25 } } } })
    slow.play(...whole)
    expect(boundOf(slow)).toBe(1_000 + 16 * 3_000 + 5_000)
  })

  test('has it from when the response is done, where that took longer; and where the sound came after it was', () => {
    const late = sounding()
    late.at(60_000)
    late.play(...whole)
    expect(boundOf(late)).toBe(60_000 + 5_000)
    const after = session()
    after.play(...joined, ...given, ...whole)
    expect(boundOf(after)).toBeNull()
    after.at(2_000)
    after.play(buffer('started'))
    expect(boundOf(after)).toBe(2_000 + 4 * 3_000 + 5_000)
  })

  test('counts all that it says in one response', () => {
    const hand = sounding()
    const second = { ...spokenWhole, id: 'b' }
    hand.play(done(spokenWhole), added({ ...answer, id: 'b' }), done(second), over('r', [spokenWhole, second]))
    expect(boundOf(hand)).toBe(1_000 + 4 * 6_000 + 5_000)
  })

  test('is not asked for ever: the bound is gone with what sounded', () => {
    const hand = sounding()
    hand.play(...whole, buffer('stopped'))
    expect(boundOf(hand)).toBeNull()
  })
})

test('a turn that nobody put into words is no sound of ours to say again: its answer is asked for', () => {
  const transcribed = { audio: { input: { transcription: { model: 'm' } } } }
  const hand = session({ config: transcribed })
  const turn = { id: 'u', type: 'message', role: 'user', content: [{ type: 'input_audio', transcript: null }] }
  hand.play(...joined, added(turn), created('r'), dropped())
  expect(hand.state.conversation.items.map(({ id }) => id)).toEqual(['u'])
  expect(hand.state.turn.owed).toHaveLength(1)
})

test('the next line may carry no audio: then it is played here again', () => {
  const hand = sounding()
  hand.play(dropped())
  hand.at(10_000)
  hand.play({ type: 'woke' }, { type: 'opened' }, event('session.updated', { session: {} }))
  expect(hand.state.playback.isFar).toBeUndefined()
  expect(hand.play(buffer('started', 'r2'))).toEqual([])
})
