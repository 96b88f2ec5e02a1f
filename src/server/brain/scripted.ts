import type { Brain, Thought, Utterance } from '../senses.ts'

/** A brain that says what `answer` says: for tests, and for agents that follow a script. */
export function scripted(answer: (thought: Thought) => readonly Utterance[]): Brain {
  return { think: answer }
}
