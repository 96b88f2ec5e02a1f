/** What the caller wants done, from all that was said of it: a request, and the answers to what was asked back. */
import { textOf } from '../../conversation/conversation.ts'
import type { FunctionTool, Item } from '../../protocol/events.ts'
import type { Thought } from '../senses.ts'
import { type Arguments, fill, type Given, hear } from './arguments.ts'
import { type Choice, chosen, enough, ranked } from './choose.ts'
import { kindOf } from './kinds.ts'
import { saidTo } from './said.ts'
import { choicesIn, type Shape, type Slot, slotsOf, typeOf } from './schema.ts'
import { asideTo } from './talk.ts'
import { isLittle, type Token, tokensOf, wordsOfName } from './words.ts'

/** One tool that is wanted, with what was given for it. */
export interface Wish {
  readonly tool: FunctionTool
  readonly shape: Shape
  readonly given: Given
  readonly filled: { readonly arguments: Arguments } | { readonly missing: Slot }
}
export interface Request {
  readonly wishes: readonly Wish[]
  /** The place of the user's message that it began with. */
  readonly since: number
}

/** A request is traced back through this many answers. */
const longest = 8

export function understand(thought: Thought, at: number, depth = 0): Request {
  const { items } = thought
  const tokens = tokensOf(textOf(items[at]!))
  const previous = items.slice(0, at).findLastIndex(isOfUser)
  const asked =
    previous < 0 || depth > longest ? '' : textOf(items.slice(previous, at).findLast(isOfAssistant) ?? items[at]!)
  if (asked.includes('Which')) {
    const before = understand(thought, previous, depth + 1)
    const open = before.wishes.find(
      (wish) => 'missing' in wish.filled && isAsked(asked, questionFor(wish.filled.missing)),
    )
    const continued = open && answered(thought, before, open, tokens)
    if (continued) return continued
  }
  const wishes = wishesIn(thought, tokens)
  if (wishes.length || previous < 0 || depth > longest || !isFollowUp(tokens)) return { wishes, since: at }
  const last = understand(thought, previous, depth + 1).wishes.at(-1)
  const next = last && nextOf(last, tokens, slotsOf(last.shape).find(isNameable))
  return { wishes: next ? [next] : [], since: at }
}

/** "and in paris", "what about paris" */
function isFollowUp(tokens: readonly Token[]): boolean {
  return /^(?:and |or )?(?:what about|how about|and|in|for) \S/.test(tokens.map(({ word }) => word).join(' '))
}

/** The same wish for another thing, if one is named. */
function nextOf({ tool, shape, given, filled }: Wish, tokens: readonly Token[], asked?: Slot): Wish | undefined {
  if ('missing' in filled) return
  const known = new Map([...given].filter(([slot]) => slot !== asked))
  const next = hear(shape, saidTo(tool.name ?? '', tokens), known, asked)
  const isOther = [...next].some(([slot, value]) => isNameable(slot) && given.has(slot) && given.get(slot) !== value)
  const whole = fill(shape, next)
  return isOther && 'arguments' in whole ? { tool, shape, given: next, filled: whole } : undefined
}

/** A choice, a place or a language can be named alone, after another. */
function isNameable(slot: Slot): boolean {
  if (typeOf(slot.schema) !== 'string') return false
  return choicesIn(slot.schema) !== undefined || /^(?:place|destination|language)$/.test(kindOf(slot))
}

/** The agent's last words are the question, or as much of it as the caller let it say. */
function isAsked(words: string, question: string): boolean {
  const last = words.slice(words.lastIndexOf('Which')).trim()
  return last.startsWith(question) || question.startsWith(last)
}

/** The request with the answer in it; undefined when the words are no answer. */
function answered(thought: Thought, before: Request, open: Wish, tokens: readonly Token[]): Request | undefined {
  const aside = asideTo(tokens)
  if (aside === 'repeat' || aside === 'unsure') return before
  const isReply =
    aside === 'yes' || aside === 'no' || (/^(?:hello|thanks)$/.test(aside ?? '') && !tokens.every(isSmall))
  if (aside && !isReply) return
  const choices = ranked(thought.tools, tokens)
  const likest = choices[0]
  const own = choices.find(({ tool }) => tool === open.tool)
  if (likest && own && likest.score >= enough && own.score < likest.score - 1 && own.score < 1) return
  const asked = 'missing' in open.filled ? open.filled.missing : undefined
  const given = hear(open.shape, saidTo(open.tool.name ?? '', tokens), open.given, asked)
  const wish = { ...open, given, filled: fill(open.shape, given) }
  return { ...before, wishes: before.wishes.map((one) => (one === open ? wish : one)) }
}

function isSmall({ word }: Token): boolean {
  return isLittle(word)
}

function wishesIn({ tools, toolChoice }: Thought, tokens: readonly Token[]): readonly Wish[] {
  if (toolChoice === 'none') return []
  if (typeof toolChoice === 'object') {
    const named = tools.find(({ name }) => name !== undefined && name === toolChoice.name)
    return named ? ranked([named], tokens).map((choice) => wishFor(choice, tokens)) : []
  }
  const wishes = clauses(tools, tokens).flatMap(({ choice, tokens: own, others }) => {
    const wish = wishFor(choice, own)
    // "cancel order one two three and refund it": what one clause leaves out, another may have said.
    if ('missing' in wish.filled) return [wishFor(choice, tokens)]
    return [wish, ...others.flatMap((part) => nextOf(wish, part) ?? [])]
  })
  if (wishes.length || toolChoice !== 'required') return wishes
  const all = ranked(tools, tokens).map((choice) => wishFor(choice, tokens))
  const ready = all.find(({ filled }) => 'arguments' in filled) ?? all[0]
  return ready ? [ready] : []
}

function wishFor({ tool, shape }: Pick<Choice, 'tool' | 'shape'>, tokens: readonly Token[]): Wish {
  const given = hear(shape, saidTo(tool.name ?? '', tokens))
  return { tool, shape, given, filled: fill(shape, given) }
}

interface Clause {
  readonly choice: Choice
  readonly tokens: readonly Token[]
  /** "and in paris": parts that name another thing for the same tool. */
  readonly others: readonly (readonly Token[])[]
}

/** Two things asked for in one breath: parts that are joined by "and" and want a tool each. */
function clauses(tools: readonly FunctionTool[], tokens: readonly Token[]): readonly Clause[] {
  const parts: { choice: Choice | undefined; tokens: readonly Token[]; others: (readonly Token[])[] }[] = []
  for (const part of partsOf(tokens)) {
    const choice = chosen(tools, part)
    const last = parts.at(-1)
    if (!last || (choice && last.choice && isOther(choice, part, last.choice, last.tokens))) {
      parts.push({ choice, tokens: part, others: [] })
    } else if (!choice && last.choice && nextOf(wishFor(last.choice, last.tokens), part)) {
      last.others.push(part)
    } else {
      last.tokens = [...last.tokens, ...part]
      last.choice = chosen(tools, last.tokens)
    }
  }
  return parts.flatMap(({ choice, tokens, others }) => (choice ? [{ choice, tokens, others }] : []))
}

/** Another tool, or the same for another thing: each part is whole without the other, and they cannot be one. */
function isOther(choice: Choice, tokens: readonly Token[], last: Choice, lastTokens: readonly Token[]): boolean {
  if (choice.asked < enough) return false
  if (choice.tool !== last.tool) return true
  if (slotsOf(choice.shape).some(({ schema }) => typeOf(schema) === 'array')) return false
  const [one, other] = [wishFor(choice, tokens).filled, wishFor(last, lastTokens).filled]
  if (!('arguments' in one) || !('arguments' in other)) return false
  const before = other.arguments
  return Object.entries(one.arguments).some(
    ([name, value]) => name in before && JSON.stringify(before[name]) !== JSON.stringify(value),
  )
}

function partsOf(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const parts: Token[][] = [[]]
  for (const token of tokens) {
    if (/^(?:and|then|also|plus)$/.test(token.word)) parts.push([])
    parts.at(-1)!.push(token)
  }
  return parts.filter((part) => part.length)
}

/** What is asked for when an argument is missing. */
export function questionFor({ name, schema }: Slot): string {
  const words = wordsOfName(name).join(' ') || 'one'
  const choices = choicesIn(schema)?.filter((choice) => typeof choice === 'string' || typeof choice === 'number') ?? []
  if (typeOf(schema) === 'boolean') return `Which ${words}: yes or no?`
  if (choices.length < 2 || choices.length > 6) return `Which ${words}?`
  const said = choices.map((choice) => (typeof choice === 'string' ? wordsOfName(choice).join(' ') : String(choice)))
  return `Which ${words}: ${said.slice(0, -1).join(', ')} or ${said.at(-1)}?`
}

export function isOfUser(item: Item): boolean {
  return item.type === 'message' && item.role === 'user'
}

export function isOfAssistant(item: Item): boolean {
  return item.type === 'message' && item.role === 'assistant'
}
