/** Real browsers call the local server: they hear it, and each side notices when the other leaves. */
import { expect, onTestFinished } from 'vitest'
import { scripted } from '../src/server/brain/scripted.ts'
import { type Server, serve } from '../src/server/listen.ts'
import { scriptedEars, toneVoice } from '../src/testing/senses.ts'
import { type BrowserPage, openChromium, openFirefox, testWithChromium, testWithFirefox } from './browser/browser.ts'
import { samplesOf, toneIn } from './browser/sounds.ts'
import { line } from './line.ts'
import { say } from './talk.ts'

type Page = typeof import('./browser/server-webrtc.page.ts')
const script = 'test/browser/server-webrtc.page.ts'

async function called(open: (options: { script: string }) => Promise<BrowserPage<Page>>) {
  const server: Server = await serve({
    port: 0,
    ears: scriptedEars(['hello']),
    brain: scripted(() => [say('All is well.')]),
    voice: toneVoice(),
  })
  onTestFinished(() => server.close())
  const page = await open({ script })
  const { location, types, sound } = await page.run('call', server.callsUrl)
  const id = location?.split('/').at(-1) ?? ''
  return { server, page, types, sound, id }
}

for (const [name, testWith, open] of [
  ['Chromium', testWithChromium, openChromium<Page>],
  ['Firefox', testWithFirefox, openFirefox<Page>],
] as const) {
  testWith(
    `${name} hears the answer, and when it leaves it is gone at once`,
    async () => {
      const { server, page, types, sound, id } = await called(open)
      expect(types[0]).toBe('session.created')
      expect(types.slice(-1)).toEqual(['output_audio_buffer.stopped'])
      const samples = samplesOf(sound)
      const begin = samples.findIndex((sample) => Math.abs(sample) > 2_000)
      const middle = samples.subarray(begin + sound.rate / 10, begin + sound.rate / 2)
      // The voice is a tone of 440 Hz at an amplitude of 6 000.
      expect(toneIn(middle, 440, sound.rate)).toBeGreaterThan(0.03)
      const side = line(`${server.url}?call_id=${id}`)
      await new Promise((resolve) => side.socket.once('open', resolve))
      await page.run('close')
      expect((await side.closed).code).toBe(1000)
      expect(server.calls()).toBe(0)
    },
    60_000,
  )

  testWith(
    `${name} may be silent for as long as it likes`,
    async () => {
      const { server, page } = await called(open)
      expect(await page.run('idle')).toContain('input_audio_buffer.timeout_triggered')
      expect(server.calls()).toBe(1)
    },
    90_000,
  )

  testWith(
    `${name} hangs up the call that it gives up`,
    async () => {
      const server = await serve({ port: 0, ears: scriptedEars([]), voice: toneVoice() })
      onTestFinished(() => server.close())
      const page = await open({ script })
      expect(await page.run('giveUp', server.callsUrl)).toEqual([201, 200])
      expect(server.calls()).toBe(0)
    },
    60_000,
  )

  testWith(
    `${name} is told at once when the server hangs up`,
    async () => {
      const { server, page, id } = await called(open)
      expect((await fetch(`${server.callsUrl}/${id}/hangup`, { method: 'POST' })).status).toBe(200)
      expect(await page.run('closed')).toBe(true)
    },
    60_000,
  )
}
