/** The local realtime server: the Realtime API on your own machine, with ears, a brain and a voice that you can replace. */
export { brain } from './brain/brain.ts'
export { scripted } from './brain/scripted.ts'
export { deaf } from './ears/deaf.ts'
export { missingEars, pocketsphinx } from './ears/pocketsphinx.ts'
export { type ServeOptions, type Server, serve } from './listen.ts'
export type { Brain, Ears, Listening, Thought, Utterance, Voice } from './senses.ts'
export { energyVad, type Vad } from './vad.ts'
export { flite } from './voice/flite.ts'
