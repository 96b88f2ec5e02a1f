/** `parley-voice/browser`: the microphone and the speaker of a page, for lines that do not carry the audio themselves. */

export type { Media, MediaState, MicrophoneState, SessionAudio } from '../session/media.ts'
export { MediaError } from '../session/media.ts'
export { type BrowserAudioOptions, browserAudio } from './browser-audio.ts'
export { type MicrophoneOptions, type OpenMicrophone, openMicrophone } from './microphone.ts'
export { browserSpeaker, type SpeakerOptions } from './speaker.ts'
export { workletSource } from './worklet.ts'
