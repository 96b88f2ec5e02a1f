/** What Parley's own tests use, for yours: time, chance and faults in one process, and a far end made of the server's rules. */
export { type FarEnd, type FarEndOptions, farEnd } from './far-end.ts'
export { scriptedEars, toneVoice } from './senses.ts'
export { type World, world } from './world.ts'
