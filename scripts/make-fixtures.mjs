/** Makes fixtures/caller again: a caller's turns, spoken by Flite, and noise without speech. Needs `npm run build` first. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { resample } from '../dist/audio/resample.js'
import { writeWav } from '../dist/audio/wav.js'
import { flite } from '../dist/server/voice/flite.js'

const folder = new URL('../fixtures/caller/', import.meta.url)
const rate = 24_000
const words = {
  'order.wav': 'Where is my order? The number is one two three four five.',
  'thanks.wav': 'Thank you very much. Goodbye.',
  'barge.wav': 'Wait a minute, please stop.',
}

mkdirSync(folder, { recursive: true })
for (const [file, said] of Object.entries(words)) write(file, await spoken(said))
write('noise.wav', pinkNoise(2 * rate))
writeFileSync(new URL('words.json', folder), `${JSON.stringify({ ...words, 'noise.wav': '' }, null, 2)}\n`)

function write(file, samples) {
  const padded = new Int16Array(0.3 * rate + samples.length + 1.2 * rate)
  padded.set(samples, 0.3 * rate)
  writeFileSync(new URL(file, folder), writeWav({ rate, samples: padded }))
  console.log(`${file}: ${(padded.length / rate).toFixed(2)} s`)
}

async function spoken(text) {
  const voice = flite()
  const how = { name: 'awb', speed: 1, signal: new AbortController().signal }
  for await (const audio of voice.speak(text, how)) return resample(audio, voice.rate, rate)
}

/** White noise through a few leaky sums of different lengths, at about -34 dBFS; the same at each run. */
function pinkNoise(length) {
  const leaks = [0.997, 0.985, 0.95, 0.85, 0.6, 0]
  const sums = leaks.map(() => 0)
  let seed = 20
  return Int16Array.from({ length }, () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    const white = seed / 2 ** 31 - 1
    leaks.forEach((leak, n) => {
      sums[n] = leak * sums[n] + white * Math.sqrt(1 - leak * leak)
    })
    return 225 * sums.reduce((total, sum) => total + sum, 0)
  })
}
