import { Worker } from 'node:worker_threads'
import { level } from '../../audio/pcm.ts'
import type { Voice } from '../senses.ts'
import { queue } from './queue.ts'

/** Flite's voices of 16 kHz: a woman (`slt`) and two men (`rms`, and `awb`, who is Scottish). */
export type FliteVoice = 'slt' | 'rms' | 'awb'

export interface FliteOptions {
  /** Which of Flite's voices speaks for a voice of the protocol. Joined with the usual ones. */
  readonly voices?: Readonly<Record<string, FliteVoice>>
}

const usualVoices: Readonly<Record<string, FliteVoice>> = {
  alloy: 'slt',
  ash: 'rms',
  ballad: 'awb',
  coral: 'slt',
  echo: 'rms',
  sage: 'slt',
  shimmer: 'slt',
  verse: 'awb',
  marin: 'slt',
  cedar: 'rms',
  slt: 'slt',
  rms: 'rms',
  awb: 'awb',
}

interface Spoken {
  readonly samples: Int16Array
  readonly rate: number
}

/** One worker for the process: a sentence takes it some 50 ms, and sessions take turns. */
const mouth = queue<{ text: string; voice: FliteVoice; stretch: number }, Spoken | { readonly failure: string }>(
  () =>
    new Worker(new URL('./flite-worker.mjs', import.meta.url), {
      name: 'flite',
      execArgv: ['--disable-warning=ExperimentalWarning'],
    }),
)

/**
 * The Flite voice, built in: CMU's small synthesiser as WebAssembly, in a worker shared by all sessions. It speaks English, at
 * 16000 Hz, PCM16 mono, one piece of audio a sentence. Voices that it does not know are spoken by `slt`. Speed is honoured
 * by Flite itself, which stretches the sounds and keeps the pitch.
 *
 * Characters that Flite cannot say are left out; a text with nothing to say gives no audio. An abort ends the audio without an
 * error. Rejects with an `Error` when the synthesiser fails; the next sentence gets a fresh one.
 */
export function flite({ voices = {} }: FliteOptions = {}): Voice {
  const byName = new Map(Object.entries({ ...usualVoices, ...voices }))
  return {
    rate: 16_000,
    async *speak(sentence, { name, speed, signal }) {
      const text = sayable(sentence)
      if (!/[a-z0-9]/i.test(text) || signal.aborted) return
      const spoken = await mouth
        .ask({ text, voice: byName.get(name) ?? 'slt', stretch: 1 / Math.min(4, Math.max(0.25, speed)) }, signal)
        .catch((error) => {
          if (signal.aborted) return undefined
          throw new Error(`The flite voice could not speak: ${error.message}`, { cause: error })
        })
      if (!spoken) return
      if ('failure' in spoken) throw new Error(`The flite voice could not speak: ${spoken.failure}`)
      yield afterSilence(spoken.samples, spoken.rate)
    },
  }
}

/** Flite reads ASCII: accents are dropped, typographic marks made plain, and marks of layout left unsaid. */
function sayable(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\u2018\u2019\u02bc]/g, "'")
    .replace(/[\u2013\u2014]/g, ', ')
    .replace(/\u20ac/g, ' euros ')
    .replace(/\u00a3/g, ' pounds ')
    .replace(/\u00b0/g, ' degrees ')
    .replace(/\p{M}/gu, '')
    .replace(/[^\x20-\x7e]|[*_#`~|<>[\]{}\\]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}

/** Flite begins each text with some 200 ms of near silence; the listener waits for none of it but the last 50. */
function afterSilence(samples: Int16Array, rate: number): Int16Array {
  const frame = rate / 100
  let at = 0
  while (at + frame < samples.length && level(samples.subarray(at, at + frame)) < -45) at += frame
  return samples.subarray(Math.max(0, at - 5 * frame))
}
