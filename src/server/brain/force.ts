/** `tool_choice` may force a call: it is made whatever was said, and what nobody said is as little as the schema allows. */
import { textOf } from '../../conversation/conversation.ts'
import type { FunctionTool } from '../../protocol/events.ts'
import type { Thought, Utterance } from '../senses.ts'
import { type Arguments, fill, type Given, hear } from './arguments.ts'
import { ranked } from './choose.ts'
import { leastOf } from './least.ts'
import { saidTo } from './said.ts'
import { type Shape, slotsOf } from './schema.ts'
import type { Wish } from './understand.ts'
import { tokensOf } from './words.ts'

/** The tools one of which has to be called; none where the choice is free, or names none that is there. */
export function forcedBy({ tools, toolChoice }: Thought): readonly FunctionTool[] {
  if (typeof toolChoice === 'object') return tools.filter(({ name }) => name !== undefined && name === toolChoice.name)
  return toolChoice === 'required' ? tools : []
}

/** The call that has to be made: what is wished for, else what the words are likest to. */
export function force(
  thought: Thought,
  tools: readonly FunctionTool[],
  asked: number,
  wishes: readonly Wish[],
): Utterance {
  const [wish] = wishes
  if (wish) return call(wish.tool, wish.shape, wish.given)
  const tokens = tokensOf(asked < 0 ? '' : textOf(thought.items[asked]!))
  const choices = ranked(tools, tokens).map(({ tool, shape }) => {
    return { tool, shape, given: hear(shape, saidTo(tool.name ?? '', tokens)) }
  })
  const ready = choices.find(({ shape, given }) => 'arguments' in fill(shape, given)) ?? choices[0]!
  return call(ready.tool, ready.shape, ready.given)
}

function call({ name = '' }: FunctionTool, shape: Shape, given: Given): Utterance {
  return { type: 'call', name, arguments: fillAll(shape, given) }
}

/** The arguments, where what is missing is as little as may be. */
function fillAll(shape: Shape, given: Given): Arguments {
  const all = new Map(given)
  for (let left = slotsOf(shape).length; ; left--) {
    const filled = fill(shape, all)
    if ('arguments' in filled) return filled.arguments
    if (left <= 0) return {}
    all.set(filled.missing, leastOf(filled.missing))
  }
}
