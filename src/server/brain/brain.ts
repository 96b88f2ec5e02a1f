/**
 * The embedded brain: no model, no network, the same answer to the same words. It chooses a tool by the words of its
 * name, description and parameters, fills in the arguments from what was said, and speaks what the tool told.
 */
import { textOf } from '../../conversation/conversation.ts'
import type { FunctionCallOutput, FunctionTool, Item } from '../../protocol/events.ts'
import type { Brain, Thought, Utterance } from '../senses.ts'
import { isHandoff } from './choose.ts'
import { force, forcedBy } from './force.ts'
import { greeting, orderedBy, reply } from './talk.ts'
import { handedTo, tell } from './tell.ts'
import { isOfAssistant, isOfUser, questionFor, type Request, understand } from './understand.ts'
import { tokensOf } from './words.ts'

export function brain(): Brain {
  return { think }
}

function think(thought: Thought): readonly Utterance[] {
  const { items, instructions } = thought
  const asked = items.findLastIndex(isOfUser)
  const since = items.slice(asked + 1)
  const said = since.findLastIndex((item) => isOfAssistant(item) && !isCutShort(item))
  const outputs = since.slice(said + 1).filter((item) => item.type === 'function_call_output')

  const isWaiting = asked >= 0 && said < 0 && !since.some(({ type }) => type === 'function_call')
  const ordered = orderedBy(instructions, isWaiting) ?? orderedInside(items.at(-1))

  if (outputs.length) return answer(thought, asked, outputs)
  const forced = forcedBy(thought)
  if (forced.length) return mustAct(thought, asked, forced)
  if (ordered !== undefined) return say(ordered)
  if (asked < 0) return say(greeting(instructions))
  if (isWaiting) return act(thought, understand(thought, asked)) ?? talk(thought, asked)
  return say(said < 0 ? 'One moment, please.' : 'Is there anything else that I can do for you?')
}

/** The tools have answered: their answers are spoken. Where one handed the call over, the new agent goes on. */
function answer(thought: Thought, asked: number, outputs: readonly FunctionCallOutput[]): readonly Utterance[] {
  const handed = outputs.map(({ output }) => handedTo(output)).find((name) => name !== undefined)
  const told = outputs
    .filter(({ output }) => handedTo(output) === undefined)
    .flatMap(({ output }) => say(...tell(output)))
  const next = asked < 0 ? null : act(thought, understand(thought, asked))
  if (handed === undefined) return [...told, ...(next ?? [])]
  return [...told, ...(next ?? say(greeting(thought.instructions, handed)))]
}

/** The calls that the request asks for and that were not made; else what is missing for one. Null when there are none. */
function act({ items, toolChoice }: Thought, { wishes, since }: Request): readonly Utterance[] | null {
  if (toolChoice === 'none') return null
  const made = new Set(items.slice(since).flatMap((item) => (item.type === 'function_call' ? keysOf(item) : [])))
  const calls: Utterance[] = []
  for (const { tool, filled } of wishes) {
    if (!('arguments' in filled)) continue
    const { name = '' } = tool
    const key = isHandoff(tool) ? name : keyOf(name, filled.arguments)
    if (made.has(key)) continue
    made.add(key)
    calls.push({ type: 'call', name, arguments: filled.arguments })
  }
  if (calls.length) return calls
  const open = wishes.find(({ filled }) => 'missing' in filled)?.filled
  return open && 'missing' in open ? say(questionFor(open.missing)) : null
}

/** A tool has to be called: one that is asked for, else one all the same. */
function mustAct(thought: Thought, asked: number, tools: readonly FunctionTool[]): readonly Utterance[] {
  const { wishes, since } = asked < 0 ? { wishes: [], since: 0 } : understand(thought, asked)
  const acted = act(thought, { since, wishes }) ?? []
  return acted.some(({ type }) => type === 'call') ? acted : [force(thought, tools, asked, wishes)]
}

/** A call is known by its name and arguments, a handoff by its name alone: nobody is handed over twice in a turn. */
function keysOf({ name, arguments: args }: Extract<Item, { type: 'function_call' }>): readonly string[] {
  try {
    return [name, keyOf(name, JSON.parse(args))]
  } catch {
    return [name]
  }
}

function keyOf(name: string, args: unknown): string {
  return `${name} ${JSON.stringify(args)}`
}

function talk({ items, instructions, tools }: Thought, asked: number): readonly Utterance[] {
  const last = items.slice(0, asked).findLast((item) => isOfAssistant(item) && textOf(item))
  return say(...reply(tokensOf(textOf(items[asked]!)), { instructions, tools, last: last ? textOf(last) : '' }))
}

/** A system message may order what to say, as instructions may. */
function orderedInside(item: Item | undefined): string | undefined {
  return item?.type === 'message' && item.role === 'system' ? orderedBy(textOf(item), false) : undefined
}

function isCutShort(item: Item): boolean {
  return 'status' in item && item.status === 'incomplete'
}

function say(...texts: readonly string[]): readonly Utterance[] {
  return texts.map((text) => ({ type: 'say', text }))
}
