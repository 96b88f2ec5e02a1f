/** Which tool is meant: the one whose name, description and arguments share most words with what was said. */
import type { FunctionTool } from '../../protocol/events.ts'
import { fill, hear } from './arguments.ts'
import { descriptionOf } from './kinds.ts'
import { saidTo } from './said.ts'
import { choicesIn, type Shape, shapeOf, slotsOf } from './schema.ts'
import { ending, isLittle, stem, stemsOf, type Token, wordsOf, wordsOfName } from './words.ts'

export interface Choice {
  readonly tool: FunctionTool
  readonly shape: Shape
  readonly score: number
  /** How much of the score is the words' alone, without what they give for the arguments. */
  readonly asked: number
}

/** A tool is meant from here on: about one word of its name, or two of its description. */
export const enough = 1.9

export function isHandoff({ name = '' }: FunctionTool): boolean {
  return /^transfer_?to_?/i.test(name)
}

/** Every tool, the likeliest first; the order of the tools settles a tie. */
export function ranked(tools: readonly FunctionTool[], tokens: readonly Token[]): readonly Choice[] {
  const choices = tools.map((tool) => {
    const shape = shapeOf(tool.parameters)
    return { tool, shape, ...likeness(tool, shape, tokens) }
  })
  return choices.sort((one, other) => other.score - one.score)
}

export function chosen(tools: readonly FunctionTool[], tokens: readonly Token[]): Choice | undefined {
  return ranked(tools, tokens).find(({ score }) => score >= enough)
}

/** Words that many names share: they tell one tool from another, and alone they call for none. */
const common = new Set(
  `get look find check show list fetch make retrieve query see lookup info information data detail current new customer
  transfer handoff agent handle request question issue problem number name value id`
    .split(/\s+/)
    .map(stem),
)
const half = 0.5

function likeness(tool: FunctionTool, shape: Shape, tokens: readonly Token[]): Pick<Choice, 'score' | 'asked'> {
  const words = tokens.map(({ word }) => word).filter((word) => word && !isLittle(word))
  const said = new Set(words.map(stem))
  const exactly = new Set(words.map(ending))
  const name = wordsOfName(tool.name ?? '').filter((word) => !isLittle(word))
  const own = new Set(name.map(stem))
  const told = stemsOf(wordsOf(tool.description ?? ''))
  const named = wordsOfSlots(shape)
  let score = 0
  for (const word of said) {
    if (own.has(word)) score += common.has(word) ? half : 2
    else if (told.has(word) || named.has(word)) score += common.has(word) ? half : isHandoff(tool) ? 2 : 1
  }
  if (score === 0) return { score, asked: score }
  if (isHandoff(tool) && (said.has('transfer') || said.has(stem('agent')) || said.has(stem('human')))) score += 1
  const given = hear(shape, saidTo(tool.name ?? '', tokens))
  const isWhole = given.size > 0 && 'arguments' in fill(shape, given)
  const exact = name.filter((word) => exactly.has(ending(word))).length
  const unsaid = name.filter((word) => !said.has(stem(word))).length
  const asked = score + exact / 10 - unsaid / 100
  return { score: asked + (isWhole ? 1.5 : Math.min(given.size, 2) / 2), asked }
}

function wordsOfSlots(shape: Shape): ReadonlySet<string> {
  const texts = slotsOf(shape).flatMap(({ name, schema }) => [
    ...wordsOfName(name),
    ...wordsOf(descriptionOf(schema)),
    ...(choicesIn(schema) ?? []).flatMap((choice) => (typeof choice === 'string' ? wordsOfName(choice) : [])),
  ])
  return stemsOf(texts)
}
