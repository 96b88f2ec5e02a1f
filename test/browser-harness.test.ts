/** Browsers as the tests see them: what would go wrong unseen there would make every other test in a browser worthless. */
import { expect } from 'vitest'
import { nothingLeft, openChromium, openFirefox, testWithChromium, testWithFirefox } from './browser/browser.ts'
import { samplesOf, tone, toneIn } from './browser/sounds.ts'

type Page = typeof import('./browser/harness.page.ts')
const script = 'test/browser/harness.page.ts'

testWithChromium('Chromium runs a page of TypeScript and hears its microphone', async () => {
  const page = await openChromium<Page>({ script, microphone: { rate: 24_000, samples: tone(440, 1_000) } })
  expect(await page.run('add', 1, 2)).toBe(3)
  const heard = samplesOf(await page.run('listen', 1_800))
  const loud = heard.subarray(24_000, 36_000)
  expect(toneIn(loud, 440, 48_000)).toBeCloseTo(0.5, 1)
  expect(toneIn(loud, 1_000, 48_000)).toBeLessThan(0.01)
  expect(toneIn(heard.subarray(-4_800), 440, 48_000)).toBeLessThan(0.001)
  expect(await page.leftovers()).toEqual({ ...nothingLeft, tracks: 1 })
})

testWithFirefox('Firefox runs a page of TypeScript and hears what it plays', async () => {
  const page = await openFirefox<Page>({ script })
  expect(await page.run('add', 1, 2)).toBe(3)
  const heard = samplesOf(await page.run('play', 440))
  expect(toneIn(heard.subarray(-12_000), 440, 48_000)).toBeGreaterThan(0.5)
  expect(await page.leftovers()).toEqual(nothingLeft)
})

testWithChromium('what a page throws rejects, and what it throws unseen fails the test that closes it', async () => {
  const page = await openChromium<Page>({ script })
  await expect(page.run('fail')).rejects.toThrow('the page has its reasons')
  await page.run('complain')
  await page.run('failLater')
  await expect(page.close()).rejects.toThrow(/the page complains[\s\S]*the page has its reasons/)
})

testWithChromium('what a page forgets to close is counted', async () => {
  const page = await openChromium<Page>({ script })
  expect(await page.leftovers()).toEqual(nothingLeft)
  await page.run('forget')
  expect(await page.leftovers()).toEqual({ ...nothingLeft, contexts: 1, timers: 1 })
})

testWithChromium.each([
  ['none', 'NotFoundError'],
  ['denied', 'NotAllowedError'],
] as const)('a microphone can be %s', async (microphone, name) => {
  const page = await openChromium<Page>({ script, microphone })
  await expect(page.run('listen', 1)).rejects.toThrow(name)
})
