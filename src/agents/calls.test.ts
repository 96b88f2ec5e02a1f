/** Every call is answered once, whatever becomes of its tool. */
import { describe, expect, test } from 'vitest'
import { calling, callOf } from '../../test/calling.ts'
import { plain } from '../session/state.ts'
import type { ToolFailure } from './calls.ts'
import { backgroundResult, type FunctionTool, type ToolOptions, tool } from './tool.ts'

const batch = { ...plain, when: 'batch' }
const made = (options: Partial<ToolOptions<never, unknown>> = {}): FunctionTool =>
  tool({ name: 'look', description: 'Looks.', execute: () => 'seen', ...options } as ToolOptions<never, unknown>)
const never = () => new Promise(() => {})

test('a call is started, answered and ended, in this order', async () => {
  const it = calling([made()])
  expect(await it.call('look')).toEqual({ call_id: 'c', output: 'seen', ask: batch })
  expect(it.log).toEqual(['start look', 'end look: seen'])
  expect(it.errors).toEqual([])
})

test('the same call again is answered with the same, and not run again; other arguments are another call', async () => {
  let runs = 0
  const it = calling([made({ execute: () => `run ${++runs}` })])
  await it.call('look')
  expect(await it.call('look')).toMatchObject({ output: 'run 1' })
  expect(await it.call('look', '{"other":1}')).toMatchObject({ output: 'run 2' })
  expect(runs).toBe(2)
})

test('a tool that is not there is answered with those that are', async () => {
  const it = calling([made()])
  expect((await it.call('lok'))?.output).toBe("The tool failed: There is no tool called 'lok'. The tools are: look.")
  expect(String(it.errors[0])).toContain("no tool called 'lok'")
  expect((await calling([]).call('look'))?.output).toContain('There are no tools.')
})

test('a tool that takes too long is told to the model, and its signal is aborted', async () => {
  let aborted = false
  const execute: ToolOptions<never, unknown>['execute'] = (_args, _context, { signal }) => {
    signal.addEventListener('abort', () => {
      aborted = true
    })
    return never()
  }
  const it = calling([made({ timeoutMs: 5_000, execute })])
  expect(await it.call('look')).toBeUndefined()
  await it.world.settle(5_000)
  expect(it.answered[0]?.output).toBe('The tool failed: The tool took longer than 5000 ms.')
  expect(aborted).toBe(true)
})

describe('what follows an answer', () => {
  const idle = { ...plain, when: 'idle' }
  test.each<[string, Partial<ToolOptions<never, unknown>>, boolean, object | null]>([
    ['a response', {}, false, batch],
    ['a response, though the agent has spoken: the tool has something to tell', {}, true, batch],
    ['nothing: the agent has spoken, and the tool has nothing to tell', { execute: () => undefined }, true, null],
    ['a response, where the tool has nothing to tell and nobody has spoken', { execute: () => '' }, false, batch],
    ['nothing, if the tool is silent', { respond: 'silent' }, false, null],
    ['nothing, if the result is for the background', { execute: () => backgroundResult('noted') }, false, null],
    ['a response in a quiet moment', { respond: 'when-idle' }, false, idle],
  ])('%s', async (_, options, hasSpoken, ask) => {
    const it = calling([made(options)], { hasSpoken: () => hasSpoken })
    expect((await it.call('look'))?.ask).toEqual(ask)
  })

  test('what is for the background is told as it is', async () => {
    expect((await calling([made({ execute: () => backgroundResult({ noted: 1 }) })]).call('look'))?.output).toBe(
      '{"noted":1}',
    )
  })
})

describe('a call that is ended from without', () => {
  test('an interruption cancels the tools that want that, and no others', async () => {
    const it = calling([made({ execute: never, onInterruption: 'cancel' }), made({ name: 'stay', execute: never })])
    await it.call('look', '{}', 'a')
    await it.call('stay', '{}', 'b')
    it.calls.interrupted()
    await it.world.settle(1_000)
    expect(it.answered).toEqual([
      { call_id: 'a', output: 'The tool failed: It was cancelled: the user interrupted.', ask: null },
    ])
    expect(it.calls.running).toBe(1)
  })

  test('a closed session answers all, also those that wait for an approval; what comes later is of no interest', async () => {
    let finish = (_: string) => {}
    const late = new Promise<string>((resolve) => {
      finish = resolve
    })
    const it = calling([made({ execute: () => late }), made({ name: 'ask', needsApproval: true })], {
      verdict: () => never() as never,
    })
    await it.call('look', '{}', 'a')
    await it.call('ask', '{}', 'b')
    it.calls.closed('the session was closed.')
    finish('late')
    await it.world.settle(1_000)
    expect(it.answered.map(({ call_id, output }) => [call_id, output])).toEqual([
      ['a', 'The tool failed: It was cancelled: the session was closed.'],
      ['b', 'The tool failed: It was cancelled: the session was closed.'],
    ])
    expect(it.log).toEqual(['start look', 'end look: The tool failed: It was cancelled: the session was closed.'])
    expect(it.errors).toEqual([])
  })
})

describe('approval', () => {
  test('is asked for with the call as it was made; then the tool runs', async () => {
    const asked: unknown[] = []
    const verdict = async (item: unknown) => {
      asked.push(item)
      return { approved: true }
    }
    const it = calling([made({ needsApproval: (_, args) => (args as { risky?: boolean }).risky === true })], {
      verdict,
    })
    await it.call('look', '{}', 'a')
    expect(asked).toEqual([])
    expect(await it.call('look', '{"risky":true}', 'b')).toMatchObject({ output: 'seen' })
    expect(asked).toEqual([
      {
        type: 'function_approval',
        callId: 'b',
        itemId: 'item_b',
        name: 'look',
        arguments: '{"risky":true}',
        owner: 'Clerk',
      },
    ])
  })

  test.each([
    [{ approved: false }, 'The user did not approve this.'],
    [{ approved: false, message: 'Too dear.' }, 'Too dear.'],
  ])('a rejection is told to the model, and the tool does not run: %j', async (verdict, output) => {
    const it = calling([made({ needsApproval: true })], { verdict: async () => verdict })
    expect(await it.call('look')).toMatchObject({ output, ask: batch })
    expect(it.log).toEqual([])
  })
})

describe('guardrails of a tool', () => {
  const guard = (behavior: object) => [{ name: 'polite', run: () => ({ behavior }) as never }]
  test.each([
    ['allow', { type: 'allow' }, 'seen'],
    ['tell the model something else', { type: 'rejectContent', message: 'Not that.' }, 'Not that.'],
    ['fail the call', { type: 'throwException' }, "The tool failed: The guardrail 'polite' stopped the call."],
  ])('%s', async (_, behavior, output) => {
    for (const options of [{ inputGuardrails: guard(behavior) }, { outputGuardrails: guard(behavior) }]) {
      expect((await calling([made(options)]).call('look'))?.output).toBe(output)
    }
  })
})

test('a tool that is not enabled now is not run, and the model is told', async () => {
  const it = calling([made({ isEnabled: async () => false })])
  expect((await it.call('look'))?.output).toBe("The tool failed: The tool 'look' is not available now.")
  expect(it.log).toEqual([])
})

test('the app may put failures in its own words; if it fails at that, the usual ones are said', async () => {
  const execute = () => {
    throw new Error('no')
  }
  const inWords = calling([made({ execute })], {
    errorFormatter: ({ kind, toolName, callId, error, defaultMessage }: ToolFailure) =>
      [kind, toolName, callId === '' ? 'no id' : 'id', (error as Error).message, defaultMessage].join(' | '),
  })
  expect((await inWords.call('look'))?.output).toBe('tool_failed | look | id | no | The tool failed: no')
  expect((await inWords.call('hear'))?.output).toMatch(
    /^tool_not_found \| hear \| id \| There is no tool called 'hear'/,
  )
  const failing = calling([made({ execute })], { errorFormatter: execute as never })
  expect((await failing.call('look'))?.output).toBe('The tool failed: no')
  expect(failing.errors).toHaveLength(2)
})

test('calls that run are counted until they are answered', async () => {
  const it = calling([made({ execute: never, timeoutMs: 100 })])
  it.calls.run(callOf('look'), 'r')
  expect(it.calls.running).toBe(1)
  await it.world.settle(200)
  expect(it.calls.running).toBe(0)
})
