/** A line that leads nowhere, in Chromium: what the page is told. */
import { expect, onTestFinished } from 'vitest'
import { scripted } from '../src/server/brain/scripted.ts'
import { type Server, serve } from '../src/server/listen.ts'
import { scriptedEars, toneVoice } from '../src/testing/senses.ts'
import { nothingLeft, openChromium, testWithChromium } from './browser/browser.ts'
import { say } from './talk.ts'

type Page = typeof import('./browser/line.page.ts')
const script = 'test/browser/line.page.ts'

async function server(): Promise<Server> {
  const quiet = { ears: scriptedEars(['hello']), voice: toneVoice(), brain: scripted(() => [say('Yes.')]) }
  const made = await serve({ port: 0, ...quiet })
  onTestFinished(() => made.close())
  return made
}

testWithChromium('a firewall is told to be one, before the browser itself has given up', async () => {
  const { callsUrl } = await server()
  const page = await openChromium<Page>({ script })
  const { code, reason, stages } = await page.run('fail', callsUrl, { isBlocked: true, ms: 4_000 })
  expect(code, reason).toBe('ice_failed')
  expect(reason).toMatch(/The far end answered, but no way to it was found within 4000 ms\. Does a firewall/)
  expect(stages).toEqual(['key', 'offer', 'answer', 'way'])
  expect(await page.leftovers()).toEqual(nothingLeft)
})

testWithChromium.each(['webrtc', 'websocket'] as const)(
  'a page that did not come over https is told why it has no microphone, over %s',
  async (way) => {
    const { callsUrl, url } = await server()
    const page = await openChromium<Page>({ script, isInsecure: true })
    const { code, reason, microphone } = await page.run('fail', way === 'webrtc' ? callsUrl : url, { way })
    expect([code, microphone], reason).toEqual(['microphone_insecure', 'insecure'])
    expect(reason).toMatch(/must come over https \(or from localhost\)/)
    expect(await page.leftovers()).toEqual(nothingLeft)
  },
)
