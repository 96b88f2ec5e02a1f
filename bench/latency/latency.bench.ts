/** How long a turn takes over WebRTC on loopback, from a page in Chromium, with real ears and a real voice: medians. */
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { scripted, serve } from '../../src/server/index.ts'
import { openChromium, testWithChromiumAndEars } from '../../test/browser/browser.ts'
import { median } from '../measure.mjs'

const count = 10
const answer = 'Your order is on its way to you.'

testWithChromiumAndEars(
  'ten turns',
  async () => {
    const server = await serve({ port: 0, brain: scripted(() => [{ type: 'say', text: answer }]) })
    const page = await openChromium<typeof import('./page.ts')>({ script: 'bench/latency/page.ts' })
    const said = readFileSync('fixtures/caller/thanks.wav').toString('base64')
    const { connectedMs, turns } = await page.run('turns', server.callsUrl, said, count)
    await server.close()
    expect(turns).toHaveLength(count)
    const marks = ['committed', 'created', 'firstWord', 'firstAudible', 'done', 'playbackEnd'] as const
    for (const turn of turns) expect(turn.responses, 'each was answered').toMatchObject([{ status: 'completed' }])
    for (const mark of marks)
      expect(
        turns.map((turn) => turn[mark]),
        mark,
      ).not.toContain(null)
    const steps = marks.map(
      (mark) => `${mark} ${median(turns.map((turn) => turn[mark]! - turn.speechEnd!)).toFixed(0)}`,
    )
    console.warn(`connected in ${connectedMs.toFixed(0)} ms; ms after the speech end: ${steps.join(' → ')}`)
  },
  120_000,
)
