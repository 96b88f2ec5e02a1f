/** The outputs of a page, with the three that Chromium makes up. */
import { expect, onTestFinished } from 'vitest'
import { serve } from '../src/server/listen.ts'
import { scriptedEars, toneVoice } from '../src/testing/senses.ts'
import { nothingLeft, openChromium, testWithChromium } from './browser/browser.ts'

testWithChromium.each(['overWebRTC', 'ofBrowserAudio'] as const)(
  'any output can be chosen, before the call and in it, and gives way to the default when it vanishes: %s',
  async (way) => {
    const server = await serve({ port: 0, ears: scriptedEars(['hello']), voice: toneVoice() })
    onTestFinished(() => server.close())
    const script = 'test/browser/outputs.page.ts'
    const page = await openChromium<typeof import('./browser/outputs.page.ts')>({ script })
    const { outputs, refused, speaker, other, unplugged } = await page.run(way, server.callsUrl)
    expect(new Set(outputs.map(([said]) => said)).size).toBe(3)
    for (const [said, real] of outputs) expect(real).toBe(said)
    expect(refused).toMatch(/^MediaError: This speaker cannot be used: .*Choose another\.$/)
    expect([speaker, other, unplugged]).toEqual(['on', outputs.at(-1), [null, '']])
    expect(await page.leftovers()).toEqual(nothingLeft)
  },
)
