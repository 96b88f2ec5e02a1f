/**
 * What goes wrong in the OpenAI Agents SDK's realtime part, as its user meets it, and that it cannot here: who speaks and what was heard.
 * The numbers are those of a list of its defects; those of WebRTC and of telephones alone are not here, and W31 is in
 * `attached.test.ts`.
 */
import { describe, expect, test } from 'vitest'
import { type RealtimeSessionEvents, type RealtimeSessionOptions, tool } from '../src/index.ts'
import { agentOf, asksIn, outputsIn, refusal, typesOf } from './peer-scenes.ts'
import { assistant, began, calling, ended, itemBegan, puppet, sound, usual } from './puppet.ts'
import { speak } from './speaking.ts'
import { callTool, type Script, say, talk } from './talk.ts'

describe('W8: what is still heard when all was generated', () => {
  const answer = 'This is an answer of some length.'
  async function stillHeard(options: Partial<RealtimeSessionOptions<unknown>> = {}) {
    const it = await talk(agentOf(), () => [say(answer)], { ears: ['Wait.'], ...options })
    const log: string[] = []
    const starts: number[] = []
    it.session.on('audio_start', () => starts.push(it.world.now()))
    it.session.on('audio_interrupted', () => log.push(`cut at ${it.world.now() - starts[0]!}`))
    await it.say('hello', 800)
    expect(it.heard.some(({ type }) => type === 'response.done')).toBe(true)
    const truncates = () =>
      it.told.flatMap((event) => (event.type === 'conversation.item.truncate' ? [`cut at ${event.audio_end_ms}`] : []))
    return { it, log, truncates }
  }

  test('is cut off by interrupt(), at the milliseconds heard', async () => {
    const { it, log, truncates } = await stillHeard()
    it.session.interrupt()
    await it.run(100)
    expect(log).toHaveLength(1)
    expect(truncates()).toEqual(log)
    expect(typesOf(it.told)).not.toContain('response.cancel')
    expect(it.errors).toEqual([])
  })

  test('is cut off by who speaks', async () => {
    const { it, log, truncates } = await stillHeard()
    await speak(it, 'tttttt')
    expect(log).toHaveLength(1)
    expect(truncates()).toEqual(log)
    expect(it.errors).toEqual([])
  })

  test('is cut off by a guardrail that trips at its end', async () => {
    const noLength = {
      name: 'no length',
      execute: ({ agentOutput }: { agentOutput: string }) => ({ tripwireTriggered: agentOutput === answer }),
    }
    const { log, truncates } = await stillHeard({
      outputGuardrails: [noLength],
      outputGuardrailSettings: { debounceTextLength: -1 },
    })
    expect(log).toHaveLength(1)
    expect(truncates()).toEqual(log)
  })
})

test('W9: of two items that are queued, the first is cut where it was heard, the second, unheard, is deleted', async () => {
  const it = await puppet(agentOf())
  await it.say(
    began('r'),
    ...itemBegan('r', 'a'),
    sound('r', 'a', 1_000),
    ...itemBegan('r', 'b', 'a'),
    sound('r', 'b', 800),
  )
  await it.run(380)
  it.session.interrupt()
  await it.say(ended('r', { status: 'cancelled' }))
  expect(it.toldOf('conversation.item.truncate')).toMatchObject([{ item_id: 'a', audio_end_ms: 420 }])
  expect(it.toldOf('conversation.item.delete')).toMatchObject([{ item_id: 'b' }])
})

describe('W16: a response that did not complete is told, with its details', () => {
  test.each([
    [
      'failed',
      { type: 'failed', error: { type: 'invalid_request_error', code: 'bad', message: 'Bad input.' } },
      /failed: Bad input\./,
    ],
    ['incomplete', { type: 'incomplete', reason: 'max_output_tokens' }, /incomplete: max_output_tokens/],
    ['cancelled', { type: 'cancelled', reason: 'turn_detected' }, null],
  ])('%s', async (status, status_details, message) => {
    const it = await puppet(agentOf())
    const unfinished: RealtimeSessionEvents<unknown>['response_unfinished'][] = []
    it.session.on('response_unfinished', (...told) => unfinished.push(told))
    await it.say(began('r'), ended('r', { status, status_details }))
    expect(unfinished).toHaveLength(1)
    expect(unfinished[0]![2]).toMatchObject({ responseId: 'r', why: status, response: { status_details } })
    if (message) expect((it.errors[0] as Error).message).toMatch(message)
    expect(it.errors).toHaveLength(message ? 1 : 0)
  })
})

test('W17: what a tool has told is spoken of, though another response came first', async () => {
  let isBusy = true
  const it = await puppet(agentOf({ tools: [tool({ name: 'sky', description: 'Sky.', execute: () => 'sunny' })] }), {
    answer(event) {
      if (event.type === 'conversation.item.create') return [began('theirs'), ...usual(event)]
      return event.type === 'response.create' && isBusy ? [refusal(event)] : undefined
    },
  })
  await it.say(...calling('r', 'sky'))
  expect(asksIn(it.told)).toHaveLength(1)
  isBusy = false
  await it.say(ended('theirs', { output: [assistant('x', { status: 'completed' })] }))
  expect(outputsIn(it.told)).toEqual(['sunny'])
  expect(asksIn(it.told)).toHaveLength(2)
  expect(it.errors).toEqual([])
})

test('W18: an error that names no event holds up nothing: what is said next is answered', async () => {
  let asks = 0
  const it = await puppet(agentOf(), {
    answer(event) {
      if (event.type !== 'response.create') return undefined
      if (asks++ > 0) return [began('r')]
      return [refusal(event, { type: 'server_error', code: null, message: 'Something broke.', event_id: null })]
    },
  })
  it.session.sendMessage('one')
  await it.run(100)
  it.session.sendMessage('two')
  await it.run(100)
  expect(asks).toBe(2)
  expect(it.session.state.conversation.responses).toMatchObject([{ id: 'r' }])
  expect(it.errors).toMatchObject([{ message: 'Something broke.' }])
})

test('W19: two calls in one breath are spoken of once, when both have been answered', async () => {
  const after = (name: string, ms: number) =>
    tool({ name, description: name, execute: () => new Promise((done) => it.world.after(ms, () => done(name))) })
  const script: Script = ({ items }) => {
    const outputs = items.flatMap((item) => (item.type === 'function_call_output' ? [item.output] : []))
    return outputs.length ? [say(`I have ${outputs.join(' and ')}.`)] : [callTool('sky'), callTool('wind')]
  }
  const it = await talk(agentOf({ tools: [after('sky', 5), after('wind', 3_000)] }), script)
  await it.say('how is the weather?')
  expect(it.words.filter((words) => words.startsWith('assistant'))).toEqual(['assistant: I have sky and wind.'])
  expect(asksIn(it.told)).toHaveLength(2)
})

describe('W20: a tool knows when it is not wanted any more', () => {
  const waiting = (onInterruption: 'continue' | 'cancel') => {
    const signals: AbortSignal[] = []
    const wait = tool({
      name: 'wait',
      description: 'Waits.',
      onInterruption,
      timeoutMs: 20_000,
      execute: (_args, _context, { signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      },
    })
    const script: Script = ({ items }) =>
      items.at(-1)?.type === 'message' ? [say('A long moment, please.'), callTool('wait')] : [say('So.')]
    return { signals, wait, script }
  }
  test.each([
    ['the user interrupts', 'cancel', 'interrupt'],
    ['the session is closed', 'continue', 'close'],
    ['its time is up', 'continue', null],
  ] as const)('%s', async (_, onInterruption, end) => {
    const { signals, wait, script } = waiting(onInterruption)
    const it = await talk(agentOf({ tools: [wait] }), script)
    await it.say('wait', 1_000)
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    if (end) it.session[end]()
    await it.run(end ? 100 : 20_000)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })
})
