import { expect, test } from 'vitest'
import { mulberry32 } from '../src/protocol/random.ts'
import { holds, play } from './scene.ts'

for (const how of ['written', 'spoken'] as const) {
  test(`a clear line (${how})`, async () => {
    const scene = await play(how)
    holds(scene, 'a clear line')
    expect(scene.far.lines).toHaveLength(1)
  })

  test(`the line cut at every message (${how})`, async () => {
    const clear = (await play(how)).far.messages()
    expect(clear).toBeGreaterThan(60)
    for (let nth = 0; nth < clear; nth++) {
      holds(await play(how, { fault: (n) => (n === nth ? 'cut' : 'pass') }), `cut at ${nth}`)
    }
  }, 120_000)
}

for (const how of ['written', 'spoken'] as const) {
  test(`the line goes dead at every message, and looks alive (${how})`, async () => {
    const clear = (await play(how)).far.messages()
    for (let nth = 0; nth < clear; nth++) {
      const scene = await play(how, { openMicrophone: true, fault: (n) => (n === nth ? 'lose' : 'pass') })
      holds(scene, `dead at ${nth}`)
    }
  }, 120_000)
}

for (const how of ['written', 'spoken'] as const) {
  test(`the line cut at every pair of messages (${how})`, async () => {
    const clear = (await play(how)).far.messages()
    for (let first = 0; first < clear; first++) {
      for (let second = first + 1; second < clear; second++) {
        const scene = await play(how, { fault: (n) => (n === first || n === second ? 'cut' : 'pass') })
        holds(scene, `cut at ${first} and ${second}`)
      }
    }
  }, 240_000)
}

test('400 seeds of latency and cuts', async () => {
  for (let seed = 1; seed <= 400; seed++) {
    const random = mulberry32(seed)
    const cuts = new Set([60, 120, 180].map((most) => Math.floor(random() * most)))
    const scene = await play(
      seed % 4 ? 'written' : 'spoken',
      { fault: (n) => (cuts.has(n) ? 'cut' : 'pass'), latency: (chance) => 1 + chance() * 120 },
      seed,
    )
    holds(scene, `seed ${seed}`)
  }
}, 240_000)
