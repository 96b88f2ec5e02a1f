/** Small talk, and what the instructions say to say. */
import type { FunctionTool } from '../../protocol/events.ts'
import { type Token, wordsOfName } from './words.ts'

export type Aside =
  | 'goodbye'
  | 'thanks'
  | 'repeat'
  | 'unsure'
  | 'never mind'
  | 'hello'
  | 'name'
  | 'how are you'
  | 'abilities'
  | 'yes'
  | 'no'

/** The first that fits is meant. */
const asides: readonly (readonly [Aside, RegExp])[] = [
  ['goodbye', /\b(?:good ?bye|bye|see you|good night|hang up|talk to you later|farewell)\b/],
  [
    'repeat',
    /\b(?:repeat|say (?:that|it) again|come again|once more|one more time|what did you (?:just )?say|pardon)\b|^(?:again|what|sorry|excuse me|huh)(?: please)?$|\bagain$/,
  ],
  ['never mind', /\b(?:never ?mind|forget (?:it|about it)|nothing(?: else)?$|thats all|that is all)\b/],
  ['thanks', /\b(?:thanks?|thank you|cheers)\b/],
  ['unsure', /^(?:i )?(?:dont|do not) (?:know|understand|have (?:it|one))\b|\bnot sure\b/],
  [
    'name',
    /\b(?:who are you|whats your name|what is your name|who am i (?:talking|speaking) (?:to|with)|who is this)\b/,
  ],
  ['how are you', /\bhow (?:are you|is it going|do you do)\b/],
  [
    'abilities',
    /\bwhat (?:can|do) you do\b|\bhow can you help\b|\bcan you help\b|^help(?: me)?(?: please)?$|\bi need (?:some )?help$/,
  ],
  ['hello', /^(?:oh )?(?:hello|hi|hey|good (?:morning|afternoon|evening|day)|greetings)\b/],
  ['no', /^(?:no|nope|nah|not (?:now|yet|really))\b/],
  ['yes', /^(?:yes|yeah|yep|sure|ok|okay|alright|all right|fine|great|good|perfect|i see)\b/],
]

export function asideTo(tokens: readonly Token[]): Aside | undefined {
  const text = tokens.map(({ word }) => word).join(' ')
  return asides.find(([, pattern]) => pattern.test(text))?.[0]
}

export interface Talk {
  readonly instructions: string
  readonly tools: readonly FunctionTool[]
  /** What the agent said last, if it said anything. */
  readonly last: string
}

/** The answer to words that no tool is for. */
export function reply(tokens: readonly Token[], talk: Talk): readonly string[] {
  const text = tokens.map(({ word }) => word).join(' ')
  const name = nameIn(talk.instructions)
  switch (tokens.length ? asideTo(tokens) : undefined) {
    case 'goodbye':
      return [/\bthank/.test(text) || /^You're welcome/.test(talk.last) ? "You're welcome. Goodbye." : 'Goodbye.']
    case 'thanks':
      return ["You're welcome."]
    case 'repeat':
      return talk.last ? [talk.last] : ['I have not said anything yet.', ...abilities(talk.tools)]
    case 'never mind':
    case 'no':
      return ['All right.']
    case 'yes':
      return ['All right. What can I do for you?']
    case 'name':
      return [name ? `My name is ${name}.` : 'I am a voice agent without a name.']
    case 'how are you':
      return ['I am well, thank you. How can I help you?']
    case 'abilities':
      return talk.tools.length ? abilities(talk.tools) : ['I can talk with you. I have no tools.']
    case 'hello':
      return [greeting(talk.instructions)]
    default:
      return [`I'm sorry, I did not ${tokens.length ? 'understand that' : 'hear any words'}.`, ...abilities(talk.tools)]
  }
}

function abilities(tools: readonly FunctionTool[]): readonly string[] {
  const able = tools.flatMap(({ name = '', description = '' }) => {
    const words = /^.*?(?=[.!?](?:\s|$)|$)/s.exec(description.trim())?.[0] || wordsOfName(name).join(' ')
    return words ? [words.replace(/\s+/g, ' ')] : []
  })
  return able.length ? [`What I can do: ${able.join('; ')}.`] : []
}

/** What the instructions say to greet with; else a greeting by the name that they give. */
export function greeting(instructions: string, otherwise?: string): string {
  const exactly = /\b(?:say(?:ing)?|with)(?: exactly)?:? ["“]([^"“”]+)["”]/i.exec(instructions)?.[1]
  if (exactly) return exactly
  const name = nameIn(instructions) ?? otherwise
  return name ? `Hello, this is ${name}. How can I help you?` : 'Hello. How can I help you?'
}

function nameIn(instructions: string): string | undefined {
  return /\b(?:[Yy]ou are|[Yy]ou're|[Yy]our name is|[Nn]amed|[Cc]alled) (?!(?:A|An|The)\b)(\p{Lu}[\p{L}\p{M}'’-]*)/u.exec(
    instructions,
  )?.[1]
}

const aUser = '(?:the |your )?(?:user|caller|customer|guest|them)s?'
/** What follows is to be said to the user, in these words. */
const toSay =
  /^(?:please )?(?:say|reply|answer|respond)(?: (?:with|exactly|only|just|this))*(?:\s*:\s*|\s+(?=["“]))(.+)$/is
const toTell = new RegExp(
  `^(?:please )?(?:tell|inform|remind|let) ${aUser}(?: know)?(?: that|:| (?=["“]))\\s*(.+)$`,
  'is',
)
const toAsk = new RegExp(`^(?:please )?ask ${aUser}(?::| (?=["“]))\\s*(.+)$`, 'is')
const toAskFor = new RegExp(`^(?:please )?ask ${aUser} for (.+?)[.!]?$`, 'is')

/**
 * "Tell the user that their order has shipped": what the instructions of one response order to be said. "Say …" may also
 * be how a session begins: it waits while the user does.
 */
export function orderedBy(instructions: string, isWaiting: boolean): string | undefined {
  const text = instructions.trim()
  const [tell, ask, wanted] = [toTell, toAsk, toAskFor].map((order) => order.exec(text)?.[1]?.trim())
  const say = isWaiting ? undefined : toSay.exec(text)?.[1]?.trim()
  if (wanted) return `What is ${toYou(wanted)}?`
  const words = tell ?? ask ?? say
  if (!words) return
  const quoted = /^["“]([^"“”]+)["”]/.exec(words)?.[1]
  return quoted ?? sentence(tell ? toYou(words) : words)
}

/** Told of the user, then to the user. */
function toYou(text: string): string {
  return text
    .replace(/\bthe (?:user|caller|customer) (?:is|are)\b/gi, 'you are')
    .replace(/\bthe (?:user|caller|customer) has\b/gi, 'you have')
    .replace(/\b(?:the (?:user|caller|customer)'s|their)\b/gi, 'your')
    .replace(/\b(?:the (?:user|caller|customer)|they|them)\b/gi, 'you')
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?…]["”]?$/.test(capital) ? capital : `${capital}.`
}
