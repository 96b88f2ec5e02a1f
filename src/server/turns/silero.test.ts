/** The neural detector, on real speech and real noise: what it answers late must come to the same turns. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { level } from '../../audio/pcm.ts'
import { resample } from '../../audio/resample.ts'
import { channelOf, readWav } from '../../audio/wav.ts'
import { mulberry32 } from '../../protocol/random.ts'
import { realClock } from '../../session/clock.ts'
import { defaultSession } from '../rules/session-config.ts'
import { hearing } from './hearing.ts'
import { silero } from './silero.ts'
import { turnDetector } from './vad.ts'

const rate = 16_000
const usual = { threshold: 0.5, prefixMs: 0, silenceMs: 500 }
const make = await silero()

async function recording(name: string): Promise<Int16Array> {
  return resample(channelOf(readWav(await readFile(`fixtures/caller/${name}.wav`))), 24_000, rate)
}

/** ms at which the sound is first and last louder than a whisper. */
function spokenIn(samples: Int16Array): { readonly from: number; readonly to: number } {
  const loud = Array.from({ length: Math.floor(samples.length / 160) }, (_, n) => n * 10).filter(
    (ms) => level(samples.subarray(ms * 16, ms * 16 + 160)) > -48,
  )
  return { from: loud[0]!, to: loud.at(-1)! + 10 }
}

test.each(['order', 'thanks', 'barge'])('%s is one turn, as long as it was spoken', async (name) => {
  const speech = Int16Array.from([...(await recording(name)), ...new Int16Array(rate)])
  const { from, to } = spokenIn(speech)
  const heard = await turnDetector(make(), () => usual).hear(speech)
  expect(heard.map(({ type }) => type)).toEqual(['started', 'stopped'])
  expect(Math.abs(heard[0]!.at - from)).toBeLessThanOrEqual(150)
  expect(Math.abs(heard[1]!.at - usual.silenceMs - to)).toBeLessThanOrEqual(150)
})

test('noise is no speech, and what is said in it is', async () => {
  const random = mulberry32(1)
  const noise = (length: number) => Int16Array.from({ length }, () => (random() - 0.5) * 3_000)
  expect(await turnDetector(make(), () => usual).hear(noise(10 * rate))).toEqual([])
  const speech = await recording('order')
  const room = noise(speech.length + rate).map((sample, n) => sample + (speech[n] ?? 0))
  const heard = await turnDetector(make(), () => usual).hear(room)
  expect(heard.map(({ type }) => type)).toEqual(['started', 'stopped'])
})

test('two turns in one piece are two turns, with all that was said in each', async () => {
  const session = defaultSession('m')
  const turns: { readonly ms: number; readonly at: number }[] = []
  let bothSaid = () => {}
  const turnsSaid = new Promise<void>((resolve) => {
    bothSaid = resolve
  })
  let samples = 0
  const microphone = hearing({
    clock: realClock,
    ears: {
      rate,
      listen: () => ({
        hear(audio) {
          samples += audio.length
        },
        finish: async () => '',
        cancel() {},
      }),
    },
    vad: make,
    session: () => session,
    newId: (prefix) => prefix,
    started: () => {},
    stopped(at, { ms }) {
      turns.push({ ms, at })
      if (turns.length === 2) bothSaid()
    },
  })
  const said = channelOf(readWav(await readFile('fixtures/caller/thanks.wav')))
  const twice = Int16Array.from([...said, ...new Int16Array(24_000), ...said, ...new Int16Array(24_000)])
  microphone.write(new Uint8Array(twice.buffer))
  await turnsSaid
  const { from, to } = spokenIn(await recording('thanks'))
  for (const { ms } of turns) expect(ms).toBeGreaterThan(to - from)
  expect(turns[1]!.at - turns[0]!.at).toBeGreaterThan(to - from)
  expect(samples / 16).toBeGreaterThan(2 * (to - from))
})
