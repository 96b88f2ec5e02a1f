/** The guide to React is true: its app runs in a browser as it stands, and a person gets through it. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, onTestFinished, vi } from 'vitest'
import { type Server, serve } from '../src/server/index.ts'
import { scriptedEars, toneVoice } from '../src/testing/index.ts'
import { openChromium, testWithChromium } from './browser/browser.ts'
import { fencesIn } from './snippets.ts'

let server: Server
beforeAll(async () => {
  server = await serve({ port: 0, pace: 40, voice: toneVoice({ msPerLetter: 2 }), ears: scriptedEars(['hello']) })
})
afterAll(() => server?.close())

testWithChromium(
  'the app of the guide connects, shows the words, asks for approval and hangs up',
  { timeout: 60_000 },
  async () => {
    const [first] = fencesIn('docs/react.md').filter(({ fence }) => fence === 'tsx')
    const folder = 'out/react-guide'
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    mkdirSync(folder, { recursive: true })
    const code = first!.code.replace('connect()', `connect({ url: '${server.url}' })`)
    expect(code).not.toBe(first!.code)
    writeFileSync(`${folder}/app.tsx`, code)
    writeFileSync(
      `${folder}/guide.page.tsx`,
      `import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
export const begin = () => createRoot(document.querySelector('#root')!).render(<App />)`,
    )
    const made = await fetch(`${server.url.replace('ws', 'http')}/client_secrets`, {
      method: 'POST',
      body: JSON.stringify({ session: { type: 'realtime', model: 'gpt-realtime-2.1' } }),
    })
    const secret: string = (await made.json()).value
    const page = await openChromium<{ begin(): void }>({
      script: `${folder}/guide.page.tsx`,
      files: { '/client-secret': secret },
    })
    const { playwright } = page
    await page.run('begin')
    await playwright.getByRole('button', { name: 'Call' }).click()
    await playwright.getByText('connected, listening').waitFor()
    await playwright.getByRole('button', { name: 'Mute' }).click()
    await playwright.getByRole('button', { name: 'Speak' }).click()
    await playwright.getByRole('button', { name: 'Ask for a refund' }).click()
    await playwright.getByText('May it run refund_order?').waitFor()
    await playwright.getByRole('button', { name: 'Yes' }).click()
    await playwright.getByText('assistant: It was refunded.').waitFor()
    expect(await playwright.getByText('May it run').count()).toBe(0)
    await playwright.getByRole('button', { name: 'Hang up' }).click()
    await playwright.getByRole('button', { name: 'Call' }).waitFor()
    await vi.waitFor(() => expect(server.calls()).toBe(0))
  },
)
