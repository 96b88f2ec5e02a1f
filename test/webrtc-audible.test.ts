/** When an answer over WebRTC is heard: it is told by what the page plays out, not by the far end's word. */
import { expect, onTestFinished } from 'vitest'
import { scripted } from '../src/server/brain/scripted.ts'
import { serve } from '../src/server/listen.ts'
import { scriptedEars, toneVoice } from '../src/testing/senses.ts'
import { nothingLeft, openChromium, testWithChromium } from './browser/browser.ts'
import { say } from './talk.ts'

type Page = typeof import('./browser/audible.page.ts')
const script = 'test/browser/audible.page.ts'

testWithChromium('each answer is heard when the track sounds, once, and not before the far end says so', async () => {
  const brain = scripted(() => [say('Yes, of course.')])
  const server = await serve({ port: 0, ears: scriptedEars(['hello']), voice: toneVoice(), brain })
  onTestFinished(() => server.close())
  const page = await openChromium<Page>({ script })
  const heard = await page.run('answers', server.callsUrl, 5)
  for (const { started, told, toldAt, firstAudible } of heard) {
    expect({ told, firstAudible }).toEqual({ told: 1, firstAudible: toldAt })
    expect(firstAudible).toBeGreaterThanOrEqual(started)
  }
  expect(await page.leftovers()).toEqual(nothingLeft)
})

testWithChromium(
  'an answer that begins with silence is heard when that ends, where the frames tell how loud they are',
  async () => {
    const page = await openChromium<Page>({ script })
    const { began, firstAudible, told } = await page.run('lateSound', true)
    expect(told).toBe(1)
    expect(firstAudible).toBeGreaterThanOrEqual(began)
    expect(await page.leftovers()).toEqual(nothingLeft)
  },
)

testWithChromium('a platform that does not tell what it plays out takes the word of the far end', async () => {
  const page = await openChromium<Page>({ script })
  const { started, firstAudible, told } = await page.run('lateSound', false)
  expect({ told, firstAudible }).toEqual({ told: 0, firstAudible: started })
})

testWithChromium('nobody looks any more when the call is over', async () => {
  const page = await openChromium<Page>({ script })
  await page.run('closedEarly')
  expect(await page.leftovers()).toEqual(nothingLeft)
})
