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

const folder = mkdtempSync(join(tmpdir(), 'parley-inspector-'))
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
        all.map(
          (row) => [Number(row.ariaPosInSet), row.querySelector('.event-type')!.textContent, row.ariaSetSize] as const,
        ),
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

testWithChromium('events stand in order, are filtered, and one is shown in full', async () => {
  const page = await inspected('Where is order 42?')
  const all = await allTypes(page)
  const order = ['said', 'started', 'opened', 'session.created', 'response.created', 'answered', 'response.done']
  expect(all.filter((type, n) => order.includes(type) && all.indexOf(type) === n)).toEqual(order)

  await page.keyboard.press('/')
  await page.keyboard.type('look_up_order')
  await status(page).getByText(' of ').waitFor()
  expect(await list(page).textContent()).toContain('look_up_order(')
  expect(await types(page)).toContain('response.function_call_arguments.done')
  await page.getByRole('checkbox', { name: 'received' }).uncheck()
  await expect.poll(() => list(page).locator('[data-direction=in]').count()).toBe(0)
  expect(await list(page).locator('.event').count()).toBeGreaterThan(0)
  await page.getByRole('searchbox').focus()
  await page.keyboard.press('Escape')
  await page.getByRole('checkbox', { name: 'received' }).check()

  await page.getByRole('checkbox', { name: 'audio and deltas' }).uncheck()
  await status(page).getByText(' of ').waitFor()
  expect((await allTypes(page)).filter((type) => type.endsWith('.delta'))).toEqual([])
  await page.getByRole('checkbox', { name: 'audio and deltas' }).check()

  await page.getByRole('searchbox').fill('response.output_audio.delta')
  await status(page).getByText(' of ').waitFor()
  await list(page).focus()
  await page.keyboard.press('Home')
  await page.keyboard.press('Enter')
  const detail = page.getByRole('region', { name: 'Event in full' })
  const json = JSON.parse(await detail.locator('pre').innerText())
  expect(Object.keys(json).slice(0, 3)).toEqual(['type', 'item_id', 'response_id'])
  expect(json.audio).toEqual({ bytes: expect.any(Number), ms: expect.any(Number), peak: expect.any(Number) })
  await page.keyboard.press('ArrowDown')
  await expect.poll(() => list(page).locator('[aria-selected=true]').getAttribute('aria-posinset')).toBe('2')
  await page.keyboard.press('Escape')
  await detail.waitFor({ state: 'hidden' })
})

testWithChromium('a saved call is opened in the same views, and ends in the same state', async () => {
  const page = await inspected('Where is order 42?', 'Where is order 43?')
  await page.locator('.waterfall').nth(1).waitFor()
  const before = { ...(await views(page)), types: await allTypes(page) }
  const text = await saved(page)
  const told = replay(text)

  expect(told.turns.length).toBe(2)
  const shown = await page.locator('.waterfall .ms').allInnerTexts()
  const numbers = shown.map((words) => Number(words.replace(/\D/g, '')))
  expect(numbers).toEqual(numbersOf({ ...told, turns: told.turns.toReversed() }))

  await open(page, text)
  await page.getByText('saved.jsonl').waitFor()
  expect(await page.getByLabel('Step', { exact: true }).inputValue()).toBe(String(told.steps.length - 1))
  expect({ ...(await views(page)), types: await allTypes(page) }).toEqual({
    ...before,
    types: told.steps.map(({ event }) => event.type),
  })
  await page.locator('.strip path').first().waitFor()

  await button(page, 'Back to this call').click()
  await page.getByText('This call', { exact: true }).waitFor()
})
