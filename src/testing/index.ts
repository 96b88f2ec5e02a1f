/** What Parley's own tests use, for yours: time, chance and faults in one process, and a far end made of the server's rules. */
export { scripted } from '../server/brain/scripted.ts'
export type { Thought, Utterance } from '../server/senses.ts'
export type { Fault } from '../transports/memory.ts'
export { type FarEnd, type FarEndOptions, farEnd } from './far-end.ts'
export { scriptedEars, toneVoice } from './senses.ts'
export { type World, world } from './world.ts'
