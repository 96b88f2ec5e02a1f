import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { testWithEars } from '../../../test/ears.ts'
import { encodeAlaw, encodeUlaw } from '../../audio/g711.ts'
import { toBytes } from '../../audio/pcm.ts'
import { resampler } from '../../audio/resample.ts'
import { channelOf, readWav } from '../../audio/wav.ts'
import type { AudioFormat } from '../../protocol/events.ts'
import { realClock } from '../../session/clock.ts'
import { wordsOf } from '../brain/words.ts'
import { pocketsphinx } from '../ears/pocketsphinx.ts'
import { defaultSession } from '../rules/session-config.ts'
import { hearing } from './hearing.ts'
import { energyVad } from './vad.ts'

const said: Readonly<Record<string, string>> = JSON.parse(await readFile('fixtures/caller/words.json', 'utf8'))

const narrow = (samples: Int16Array) => {
  const down = resampler(24_000, 8_000)
  return Int16Array.from([...down.push(samples), ...down.flush()])
}
const encoders = {
  'audio/pcm': toBytes,
  'audio/pcmu': (samples: Int16Array) => encodeUlaw(narrow(samples)),
  'audio/pcma': (samples: Int16Array) => encodeAlaw(narrow(samples)),
}

testWithEars.each(
  (['audio/pcm', 'audio/pcmu', 'audio/pcma'] as const).flatMap((type) =>
    ['order', 'thanks'].map((name) => [type, name] as const),
  ),
)('%s: the words of "%s" are understood', async (type, name) => {
  const session = defaultSession('m')
  const words: Promise<string>[] = []
  const microphone = hearing({
    clock: realClock,
    ears: pocketsphinx(),
    vad: energyVad,
    session: () => ({
      ...session,
      audio: { input: { turn_detection: session.audio!.input!.turn_detection!, format: { type } as AudioFormat } },
    }),
    newId: (prefix) => prefix,
    started: () => {},
    stopped: (_at, turn) => words.push(turn.words),
  })
  const speech = channelOf(readWav(await readFile(`fixtures/caller/${name}.wav`)))
  microphone.write(encoders[type](Int16Array.from([...speech, ...new Int16Array(24_000)])))
  const heard = async () => (await Promise.all(words)).join(' ').trim()
  await expect.poll(heard, { timeout: 20_000 }).toBe(wordsOf(said[`${name}.wav`]!).join(' '))
})

test.each([1, 333, 4_801])('appends of %i bytes lose no half of a sample', (size) => {
  const speech = Int16Array.from({ length: 9_600 }, (_, n) => (n * 37) % 20_000)
  const microphone = hearing({
    clock: realClock,
    ears: { rate: 24_000, listen: () => ({ hear() {}, finish: async () => '', cancel() {} }) },
    vad: energyVad,
    session: () => ({ ...defaultSession('m'), audio: { input: { turn_detection: null } } }),
    newId: (prefix) => prefix,
    started: () => {},
    stopped: () => {},
  })
  const bytes = toBytes(speech)
  for (let from = 0; from < bytes.length; from += size) microphone.write(bytes.subarray(from, from + size))
  expect(Buffer.concat(microphone.take().audio.map((piece) => piece.bytes))).toEqual(Buffer.from(bytes))
})
