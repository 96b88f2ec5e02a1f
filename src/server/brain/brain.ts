/**
 * The embedded brain: no model, no network, the same answer to the same words. It chooses a tool by the words of its
 * name, description and parameters, fills in the arguments from what was said, and speaks what the tool told.
 */
import { textOf } from '../../conversation/conversation.ts'
import type { FunctionTool, Item } from '../../protocol/events.ts'
import type { Brain, Thought, Utterance } from '../senses.ts'
import { numbersIn } from './numbers.ts'
import { tell } from './tell.ts'
import { isLittle, stem, wordsOf } from './words.ts'

type Schema = Readonly<Record<string, unknown>>

export function brain(): Brain {
  return { think }
}

function think(thought: Thought): readonly Utterance[] {
  const { items, instructions } = thought
  const asked = items.findLastIndex((item) => item.type === 'message' && item.role === 'user')
  const words = items[asked] ? wordsOf(textOf(items[asked])) : []
  const outputs = items.slice(asked + 1).filter((item) => item.type === 'function_call_output')
  if (outputs.length) return answerWith(thought, words, asked, outputs)
  if (asked < 0) return say(greeting(instructions))
  return called(thought, words) ?? smallTalk(thought, words)
}

function say(...texts: readonly string[]): readonly Utterance[] {
  return texts.map((text) => ({ type: 'say', text }))
}

/** The tools have answered: their answers are spoken, unless one handed the call to another agent. */
function answerWith(
  thought: Thought,
  words: readonly string[],
  asked: number,
  outputs: readonly Item[],
): readonly Utterance[] {
  const done = new Set(thought.items.slice(asked).flatMap((item) => (item.type === 'function_call' ? [item.name] : [])))
  const handed = outputs.some((item) => item.type === 'function_call_output' && /^\{"assistant":/.test(item.output))
  if (handed) {
    const tools = thought.tools.filter(({ name }) => !done.has(name ?? ''))
    return called({ ...thought, tools }, words) ?? say(greeting(thought.instructions))
  }
  return outputs.flatMap((item) => say(...tell(textOf(item))))
}

function called(thought: Thought, words: readonly string[]): readonly Utterance[] | null {
  const { toolChoice } = thought
  if (toolChoice === 'none') return null
  const named = typeof toolChoice === 'object' ? thought.tools.find(({ name }) => name === toolChoice.name) : undefined
  const tool = named ?? choose(thought, words)
  if (!tool) return null
  const filled = fill((tool.parameters ?? {}) as Schema, words, thought)
  if ('missing' in filled) return say(`Which ${filled.missing}?`)
  return [{ type: 'call', name: tool.name ?? '', arguments: filled.values }]
}

/** The tool that shares most words with what was said; what was asked back for counts as said before. */
function choose({ tools, items, toolChoice }: Thought, words: readonly string[]): FunctionTool | undefined {
  const before = items.filter((item) => item.type === 'message' && item.role === 'user').map(textOf)
  const lastAnswer = textOf(items.findLast((item) => item.type === 'message' && item.role === 'assistant') ?? items[0]!)
  const isReply = /^Which .*\?$/.test(lastAnswer) && before.length > 1
  const said = new Set([...words, ...(isReply ? wordsOf(before.at(-2)!) : [])].map(stem))
  const scored = tools.map((tool) => ({ tool, score: likeness(tool, said) }))
  const best = scored.reduce((one, other) => (other.score > one.score ? other : one), { tool: tools[0], score: 0 })
  return best.score >= 2 || toolChoice === 'required' ? best.tool : undefined
}

function likeness({ name = '', description = '', parameters }: FunctionTool, said: ReadonlySet<string>): number {
  const properties = Object.entries(
    ((parameters as Schema | undefined)?.['properties'] ?? {}) as Record<string, Schema>,
  )
  const own = new Set(wordsOf(`${name} ${name}`.replaceAll('_', ' ')).map(stem))
  const told = new Set(
    wordsOf(
      `${description} ${properties.map(([key, { description = '' }]) => `${key} ${description}`).join(' ')}`.replaceAll(
        '_',
        ' ',
      ),
    ).map(stem),
  )
  let score = 0
  for (const word of said) if (!isLittle(word)) score += own.has(word) ? 2 : told.has(word) ? 1 : 0
  return score
}

type Filled = { readonly values: Readonly<Record<string, unknown>> } | { readonly missing: string }

/** Arguments from what was said, by their schema; what is required and was not said is asked for. */
function fill(schema: Schema, words: readonly string[], { items }: Thought): Filled {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>)
  const required = (schema['required'] ?? []) as readonly string[]
  const numbers = [...numbersIn(words)]
  const values: Record<string, unknown> = {}
  for (const [name, property] of properties) {
    const value = argumentOf(property, words, numbers, items)
    if (value !== undefined) values[name] = value
    else if (required.includes(name)) return { missing: name.replaceAll('_', ' ') }
  }
  return { values }
}

function argumentOf(property: Schema, words: readonly string[], numbers: string[], items: readonly Item[]): unknown {
  if ('const' in property) return property['const']
  const choices = property['enum']
  if (Array.isArray(choices)) {
    return (
      choices.find((choice) =>
        wordsOf(String(choice)).every((word) => words.some((said) => stem(said) === stem(word))),
      ) ?? property['default']
    )
  }
  switch (property['type']) {
    case 'integer':
    case 'number': {
      const number = numbers.shift()
      return number === undefined ? property['default'] : Number(number)
    }
    case 'boolean':
      return words.some((word) => ['no', 'not', 'never'].includes(word))
        ? false
        : words.includes('yes')
          ? true
          : property['default']
    case 'string':
      return numbers.shift() ?? quoted(items) ?? property['default']
    default:
      return property['default']
  }
}

function quoted(items: readonly Item[]): string | undefined {
  const said = items.findLast((item) => item.type === 'message' && item.role === 'user')
  return said ? /["“]([^"”]+)["”]/.exec(textOf(said))?.[1] : undefined
}

function smallTalk({ tools, items, instructions }: Thought, words: readonly string[]): readonly Utterance[] {
  const has = (...some: readonly string[]) => some.some((word) => words.includes(word))
  if (has('goodbye', 'bye')) return say("You're welcome. Goodbye.")
  if (has('thanks', 'thank')) return say("You're welcome.")
  if (has('repeat', 'again')) {
    const last = items.findLast((item) => item.type === 'message' && item.role === 'assistant')
    if (last) return say(textOf(last))
  }
  if (has('hello', 'hi', 'hey') && words.length < 4) return say(greeting(instructions))
  const able = tools.map(({ description = '' }) => description.split('.')[0]!.trim()).filter((text) => text)
  return say("I'm sorry, I did not understand that.", ...(able.length ? [`What I can do: ${able.join('; ')}.`] : []))
}

/** What the instructions say to say; else a greeting by the name that they give. */
function greeting(instructions: string): string {
  const exactly = /\b(?:say|with)(?: exactly)?:? ["“]([^"”]+)["”]/i.exec(instructions)?.[1]
  if (exactly) return exactly
  const name = /\b[Yy]ou are ([A-Z]\w+)/.exec(instructions)?.[1]
  return name ? `Hello, this is ${name}. How can I help you?` : 'Hello. How can I help you?'
}
