/** The inspector as people have it: the built page, served by `parley dev`, in a real browser. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, expect, onTestFinished, vi } from 'vitest'
import { playground } from '../src/cli/playground.ts'
import { type Replay, replay } from '../src/trace/index.ts'
import { openChromium, testWithChromium } from './browser/browser.ts'

const folder = mkdtempSync(join(tmpdir(), 'parley-shots-'))
beforeAll(async () => {
  vi.stubEnv('NODE_ENV', 'production')
  await build({ configFile: 'playground/vite.config.ts', logLevel: 'silent', build: { outDir: folder } })
  vi.unstubAllEnvs()
}, 60_000)
vi.setConfig({ testTimeout: 60_000 })
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The page, after a question that a tool answered, with the inspector in view. */
async function inspected(...questions: readonly string[]): Promise<Page> {
  const { url, close } = await playground({ folder, port: 0, host: '127.0.0.1' })
  onTestFinished(close)
  const { playwright: page } = await openChromium({ script: 'test/browser/harness.page.ts' })
  page.setDefaultTimeout(12_000)
  await page.setViewportSize({ width: 1280, height: 800 })
  await page.goto(url)
  await page.locator('label', { hasText: 'WebSocket' }).click()
  for (const [n, question] of questions.entries()) {
    await page.getByRole('textbox', { name: 'Message' }).fill(question)
    await page.keyboard.press('Enter')
    await page.locator('.message.user').nth(n).waitFor()
    await expect.poll(() => page.locator('.message.assistant .words').count(), { timeout: 12_000 }).toBe(n + 1)
    await page.getByRole('status').getByText('Waiting for you').waitFor({ timeout: 30_000 })
  }
  await page.getByRole('tab', { name: 'Inspector' }).click()
  return page
}

const list = (page: Page) => page.getByRole('listbox', { name: 'Events' })
const types = (page: Page) => list(page).locator('.event-type').allTextContents()
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const status = (page: Page) => page.locator('.count')

async function saved(page: Page): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Save this call').click()])
  expect(download.suggestedFilename()).toMatch(/^call-[\dT-]+\.jsonl$/)
  return readFileSync(await download.path(), 'utf8')
}

async function open(page: Page, text: string, name = 'saved.jsonl'): Promise<void> {
  const buffer = Buffer.from(text)
  await page.getByLabel('A saved call').setInputFiles({ name, mimeType: 'application/x-ndjson', buffer })
}

/** All events, by going through the list from its first to its last. */
async function allTypes(page: Page): Promise<readonly string[]> {
  const seen = new Map<number, string>()
  await list(page).focus()
  await page.keyboard.press('Home')
  for (;;) {
    const rows = await list(page)
      .locator('.event')
      .evaluateAll((all) =>
        all.map((row) => [Number(row.ariaPosInSet), row.querySelector('.event-type')!.textContent, row.ariaSetSize] as const),
      )
    for (const [position, type] of rows) seen.set(position, type!)
    const count = Number(rows[0]?.[2] ?? 0)
    if (seen.size >= count) return [...seen].sort(([a], [b]) => a - b).map(([, type]) => type)
    await page.keyboard.press('PageDown')
  }
}

/** What the views show of a call. */
async function views(page: Page) {
  const words = (selector: string) => page.locator(selector).allInnerTexts()
  return {
    turns: await words('.waterfall'),
    medians: await words('.medians'),
    usage: await words('.usage'),
    state: await words('.state-view'),
  }
}

function numbersOf({ turns }: Replay): readonly number[] {
  return turns.flatMap(({ latency, tools }) =>
    [latency.created, latency.firstByte, latency.firstAudible, ...tools.map(({ began, ended }) => ended! - began)].map(
      (ms) => Math.round(ms!),
    ),
  )
}


testWithChromium('shots', async () => {
  const page = await inspected('Where is order 42?', 'List my orders')
  const shot = (name: string) => page.screenshot({ path: `/tmp/insp/${name}.png` })
  await page.waitForTimeout(800)
  await shot('1-light')
  await list(page).focus()
  await page.keyboard.press('End')
  for (let n = 0; n < 6; n++) await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Enter')
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.waitForTimeout(300)
  await shot('2-dark-detail')
  const text = await saved(page)
  const { writeFileSync } = await import('node:fs')
  writeFileSync('/tmp/insp/call.jsonl', text)
  await open(page, text)
  await page.getByLabel('Step', { exact: true }).fill('60')
  await page.waitForTimeout(300)
  await shot('3-dark-open')
  await page.emulateMedia({ colorScheme: 'light' })
  await open(page, text.split('\n').map((l, n) => n === 12 ? l.slice(0, 30) : n === 15 ? '{"at":1,"direction":"in","input":{"type":"x"}}' : l).join('\n'), 'broken.jsonl')
  await page.waitForTimeout(300)
  await shot('4-light-broken')
  await page.setViewportSize({ width: 340, height: 700 })
  await page.waitForTimeout(300)
  await shot('5-phone-events')
  for (const name of ['Turns', 'Levels', 'Usage', 'State']) {
    await page.locator('.views').getByRole('button', { name }).click()
    await page.waitForTimeout(200)
    await shot('6-phone-' + name)
  }
  await open(page, text.replace('"version":1', '"version":9'), 'newer.jsonl')
  await page.waitForTimeout(300)
  await shot('7-phone-newer')
  await button(page, 'Back to this call').click()
  await page.locator('.views').getByRole('button', { name: 'Events' }).click()
  await page.waitForTimeout(300)
  await shot('8-phone-live')
})
