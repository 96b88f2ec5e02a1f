/** The worked examples that the playground offers: an agent, what it is for, and what one may say to it. */
import type { RealtimeAgent } from 'parley-voice'
import { orderDesk } from './orders.ts'
import { reception } from './triage.ts'
import { tutor } from './tutor.ts'

export interface Example {
  readonly id: string
  readonly agent: RealtimeAgent
  readonly title: string
  readonly about: string
  readonly greeting: string
  readonly sayings: readonly string[]
}

export const examples: readonly [Example, ...Example[]] = [
  {
    id: 'orders',
    agent: orderDesk,
    title: 'Order desk',
    about: 'Looks up orders with a tool. A refund waits for your approval.',
    greeting: 'Hello, this is the order desk. Which order is it about?',
    sayings: ['Where is order 42?', 'List my orders', 'I want a refund for order 42'],
  },
  {
    id: 'triage',
    agent: reception,
    title: 'Triage',
    about: 'Reception hands the call over to Billing or to Repairs.',
    greeting: 'Hello. Is it about a bill, or is something broken?',
    sayings: ['I have a question about my invoice', 'My internet is broken', 'Talk to billing'],
  },
  {
    id: 'tutor',
    agent: tutor,
    title: 'Language tutor',
    about: 'Teaches phrases in four languages, and asks for them.',
    greeting: 'Hello. Which language shall we practise?',
    sayings: ['How do you say good morning in Spanish?', 'Good night in Italian', 'Quiz me in French'],
  },
]

export function exampleOf(id: string): Example {
  return examples.find((example) => example.id === id) ?? examples[0]
}
