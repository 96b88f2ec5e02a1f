/** What must hold of the metrics of every call, whatever happened in whatever order. */
import { expect, test } from 'vitest'
import type { TurnMetrics } from '../src/index.ts'
import { interleave } from './interleaving.ts'

const seeds = Array.from({ length: 80 }, (_, n) => n)

interface Measured {
  readonly turns: readonly TurnMetrics[]
  /** Responses to the conversation that began, and calls that were answered. */
  readonly created: readonly string[]
  readonly answered: readonly string[]
}

async function measured(seed: number, holds: boolean): Promise<Measured> {
  const turns: TurnMetrics[] = []
  const created: string[] = []
  const { session } = await interleave(seed, {
    holds,
    async before(session) {
      session.on('metrics', (turn) => turns.push(turn))
      session.on('transport_event', (event) => {
        if (event.type === 'response.created' && event.response.conversation_id !== null)
          created.push(event.response.id)
      })
      await import('../src/session/measuring.ts')
    },
  })
  const { items } = session.state.conversation
  const answered = items.flatMap((item) => (item.type === 'function_call_output' ? [item.call_id] : []))
  return { turns, created, answered }
}

/** Moments that follow on each other, where they are known. */
const orders: readonly (readonly (keyof TurnMetrics)[])[] = [
  ['userSilent', 'speechEnd', 'committed', 'created', 'firstByte', 'firstAudible'],
  ['firstAudible', 'playbackEnd'],
  ['said', 'created', 'done'],
  ['asked', 'done'],
  ['created', 'firstWord', 'done'],
]

function brokenLaws({ turns, created, answered }: Measured): readonly string[] {
  const responses = turns.flatMap((turn) => turn.responses)
  const tools = turns.flatMap((turn) => turn.tools)
  const laws: Readonly<Record<string, boolean>> = {
    'each response is of one turn': same(
      responses.map(({ responseId }) => responseId),
      created,
    ),
    'each call that was answered is told once': answered.every(
      (id) => tools.filter(({ callId, ended }) => callId === id && ended !== null).length === 1,
    ),
    'time goes forward': turns.every((turn) => orders.every((marks) => isAscending(marks.map((mark) => turn[mark])))),
    'no latency is negative': turns.every(({ latency }) =>
      Object.values(latency).every((ms: number | null) => ms === null || ms >= 0),
    ),
    'what was heard was silenced': turns.every((turn) => turn.firstAudible === null || turn.playbackEnd !== null),
    'each turn was answered, or its answer was lost': turns.every((turn) => turn.responses.length > 0),
    'a tool ends after it began': tools.every(({ began, ended }) => ended === null || ended >= began),
  }
  return Object.keys(laws).filter((law) => !laws[law])
}

function same(some: readonly string[], others: readonly string[]): boolean {
  return JSON.stringify(some.toSorted()) === JSON.stringify(others.toSorted())
}

function isAscending(marks: readonly unknown[]): boolean {
  const known = marks.filter((mark) => typeof mark === 'number')
  return known.every((mark, n) => n === 0 || known[n - 1]! <= mark)
}

test.each([
  ['a line that holds', true],
  ['a line that is lost', false],
])('the metrics of random calls over %s are whole, in order and told once', async (_, holds) => {
  const broken: string[] = []
  for (const seed of seeds) {
    const laws = brokenLaws(await measured(seed, holds))
    broken.push(...laws.map((law) => `seed ${seed}: ${law}`))
  }
  expect(broken).toEqual([])
})
