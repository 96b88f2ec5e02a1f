/** A conversation of thirty turns, written and spoken, with tools and a handoff: all are answered, in order. */
import { expect, test } from 'vitest'
import { RealtimeAgent, tool } from '../src/index.ts'
import { oneTurn, speak } from './speaking.ts'
import { callTool, lastWords, type Script, say, talk } from './talk.ts'

const turns = Array.from({ length: 30 }, (_, n) => n + 1)
const isSpoken = (turn: number) => turn % 5 === 2
const usesTool = (turn: number) => turn % 3 === 0
const handsOver = (turn: number) => turn === 16

/** Looks up every third number, hands over at the sixteenth, and says which tool it has. */
const script: Script = (thought) => {
  const last = thought.items.at(-1)
  const turn = Number(lastWords(thought).match(/\d+/)?.[0])
  const [name] = thought.tools.flatMap((one) => one.name ?? [])
  if (last?.type === 'message' && usesTool(turn)) return [callTool(name!, { n: turn })]
  if (last?.type === 'message' && handsOver(turn)) return [callTool('transfer_to_Second')]
  const squared = last?.type === 'function_call_output' && usesTool(turn) ? `, squared ${last.output}` : ''
  return [say(`Answer ${turn}${squared}, with ${name}.`)]
}

test('thirty turns', async () => {
  const ran: unknown[] = []
  const square = tool({
    name: 'square',
    description: 'Squares.',
    parameters: { type: 'object', properties: { n: { type: 'number' } } },
    execute: ({ n }) => {
      ran.push(n)
      return new Promise((done) => it.world.after(300, () => done(Number(n) ** 2)))
    },
  })
  const second = new RealtimeAgent({ name: 'Second', tools: [{ ...square, name: 'power' }] })
  const first = new RealtimeAgent({ name: 'First', tools: [square], handoffs: [second] })
  const it = await talk(first, script, { ears: turns.filter(isSpoken).map((turn) => `spoken ${turn}`) })
  let heard = 0
  const handoffs: string[] = []
  it.session.on('audio_stopped', () => heard++)
  it.session.on('agent_handoff', (_context, from, to) => handoffs.push(`${from.name} to ${to.name}`))
  for (const turn of turns) {
    if (isSpoken(turn)) await speak(it, oneTurn)
    else it.session.sendMessage(`written ${turn}`)
    await it.run(6_000)
  }
  const said = it.words.filter((words) => /^(user|assistant)/.test(words))
  expect(said).toEqual(
    turns.flatMap((turn) => [
      `user: ${isSpoken(turn) ? 'spoken' : 'written'} ${turn}`,
      `assistant: Answer ${turn}${usesTool(turn) ? `, squared ${turn ** 2}` : ''}, with ${turn < 16 ? 'square' : 'power'}.`,
    ]),
  )
  expect(ran).toEqual(turns.filter(usesTool))
  expect([it.session.currentAgent, handoffs]).toEqual([second, ['First to Second']])
  expect(heard, 'each answer was heard to its end').toBe(30)
  expect(it.session.state.turn).toMatchObject({ owed: [], asked: null, given: null })
  expect(it.errors).toEqual([])
})
