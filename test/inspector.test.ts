/** The inspector as people have it: the built page, served by `parley dev`, in a real browser. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, expect, onTestFinished, vi } from 'vitest'
import { playground } from '../src/cli/playground.ts'
import { RealtimeAgent, type State, tool } from '../src/index.ts'
import { type Recorder, type ReplayStep, record, replay } from '../src/trace/index.ts'
import { openChromium, testWithChromium } from './browser/browser.ts'
import { callTool, lastWords, say, talk } from './talk.ts'

vi.setConfig({ testTimeout: 60_000 })
const folder = mkdtempSync(join(tmpdir(), 'parley-inspector-'))
/** A call that was recorded: a question that a tool answers, by voice and in writing, and an answer that is cut off. */
let trace = ''
beforeAll(async () => {
  vi.stubEnv('NODE_ENV', 'production')
  await build({ configFile: 'playground/vite.config.ts', logLevel: 'silent', build: { outDir: folder } })
  vi.unstubAllEnvs()
  trace = await recordedCall()
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function recordedCall(): Promise<string> {
  let recorder!: Recorder
  const look = tool({
    name: 'look_up_order',
    description: 'Looks up an order.',
    execute: async () => 'It is on its way.',
  })
  const clerk = new RealtimeAgent({ name: 'Clerk', tools: [look] })
  const script = (thought: Parameters<typeof lastWords>[0]) =>
    thought.items.at(-1)?.type === 'function_call_output' || lastWords(thought) === 'thank you'
      ? [say('Your order is on its way. It will be with you on Tuesday.')]
      : [callTool('look_up_order', { order_number: '42' })]
  const {
    session,
    world,
    run,
    say: write,
  } = await talk(clerk, script, {
    ears: ['where is my order'],
    before: (session) => {
      recorder = record(session)
    },
  })
  for (let frame = 0; frame < 20; frame++) {
    world.after(frame * 100, () => session.sendAudio(frame < 8 ? loud : new Uint8Array(loud.length)))
  }
  await run()
  await write('where is my order', 1_500)
  session.interrupt()
  await run()
  await write('thank you')
  session.close()
  await run()
  return recorder.text()
}

const loud = new Uint8Array(new Int16Array(2_400).map((_, n) => (n % 80 < 40 ? 16_384 : -16_384)).buffer)

/** The inspector, before any call. */
async function opened(): Promise<Page> {
  const { url, close } = await playground({ folder, port: 0, host: '127.0.0.1' })
  onTestFinished(close)
  const { playwright: page } = await openChromium({ script: 'test/browser/harness.page.ts' })
  page.setDefaultTimeout(15_000)
  await page.setViewportSize({ width: 1280, height: 800 })
  await page.goto(url)
  await page.getByRole('tab', { name: 'Inspector' }).click()
  return page
}

const tab = (page: Page, name: string) => page.getByRole('tab', { name }).click()
const list = (page: Page) => page.getByRole('listbox', { name: 'Events' })
const rows = (page: Page) => list(page).getByRole('option')
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const slider = (page: Page) => page.getByRole('slider', { name: 'Step' })

/** Talks over WebSocket: the agent greets. */
async function calling(page: Page): Promise<void> {
  await tab(page, 'Conversation')
  await page.locator('label', { hasText: 'WebSocket' }).click()
  await button(page, 'Start talking Space').click()
  await page.locator('.message.assistant', { hasText: 'order desk' }).waitFor()
  await page.getByRole('status').getByText('Listening').waitFor()
}

async function write(page: Page, text: string, answer: RegExp): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text)
  await page.keyboard.press('Enter')
  await page.locator('.message.assistant', { hasText: answer }).waitFor()
}

async function save(page: Page): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Save this call').click()])
  expect(download.suggestedFilename()).toMatch(/^call-[\dT-]+\.jsonl$/)
  return readFileSync(await download.path(), 'utf8')
}

async function open(page: Page, text: string, name = 'saved.jsonl'): Promise<void> {
  const buffer = Buffer.from(text)
  await page.getByLabel('A saved call').setInputFiles({ name, mimeType: 'application/x-ndjson', buffer })
}

/** The types of all events, read by going through the list by keyboard. */
async function allTypes(page: Page): Promise<readonly string[]> {
  const seen = new Map<number, string>()
  await list(page).focus()
  await page.keyboard.press('Home')
  for (let pages = 0; ; pages++) {
    if (pages > 200) throw new Error(`Of the events, ${seen.size} were come by.`)
    const inView = await rows(page).evaluateAll((all) =>
      all.map((row) => ({
        position: Number(row.ariaPosInSet),
        count: Number(row.ariaSetSize),
        type: row.querySelector('.event-type')!.textContent!,
      })),
    )
    for (const { position, type } of inView) seen.set(position, type)
    if (seen.size >= (inView[0]?.count ?? 0)) return [...seen].sort(([a], [b]) => a - b).map(([, type]) => type)
    await page.keyboard.press('PageDown')
  }
}

/** What is written beside the bars, turn by turn, the last turn first. */
function waterfalls(page: Page): Promise<readonly (readonly string[])[]> {
  return page
    .locator('.waterfall')
    .evaluateAll((all) =>
      all.map((one) =>
        [...one.querySelectorAll('tr')].map((row) => [...row.cells].map((cell) => cell.textContent).join('|')),
      ),
    )
}

/** `byApp`: who it was that interrupted without speaking. */
function expectedWaterfalls(text: string, byApp = 'by the app'): readonly (readonly unknown[])[] {
  const inMs = (ms: number) => `${Math.round(ms)} ms`.replace(/\B(?=(\d{3})+ )/g, '\u202f')
  const row = (name: string, ms: number | null) => (ms === null ? [] : [`${name}||${inMs(ms)}`])
  return replay(text)
    .turns.toReversed()
    .map(({ latency, tools, interruption }) => [
      ...row('end of speech', latency.endpointing),
      ...row('connected', latency.connected),
      ...row('committed', latency.committed),
      ...row('response created', latency.created),
      ...row('first byte', latency.firstByte),
      ...row('first sound', latency.firstAudible),
      ...tools.map(({ name, began, ended }) => `${name}||${inMs(ended! - began)}`),
      ...(interruption
        ? [expect.stringMatching(`^interrupted\\|${byApp} at .*\\|${inMs(latency.interruption!)}$`)]
        : []),
    ])
}

/** The end of the call, as all the views show it. */
async function views(page: Page) {
  const { state, usage } = await shownState(page)
  return { state, usage, turns: await waterfalls(page), medians: await page.locator('.medians').allTextContents() }
}

async function shownState(page: Page) {
  const [state, usage] = await Promise.all([
    page
      .locator('.state-view')
      .evaluate((view) => [...view.querySelectorAll('dd, .said li')].map((one) => one.textContent)),
    page.locator('.usage').textContent(),
  ])
  return { state, usage }
}

testWithChromium('events stand in order, the newest in view, unless somebody reads further up', async () => {
  const page = await opened()
  await list(page).getByText('Nothing has happened yet').waitFor()
  await calling(page)
  await write(page, 'Where is order 42?', /walnut/)
  await tab(page, 'Inspector')
  const order = ['started', 'opened', 'session.created', 'asked', 'response.created', 'said', 'answered']
  const all = await allTypes(page)
  expect(all.filter((type, n) => order.includes(type) && all.indexOf(type) === n)).toEqual(order)
  // More has come since the last page was gone through.
  await page.keyboard.press('End')

  const distance = () => list(page).evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight)
  const count = async () => Number((await page.locator('.count').textContent())!.replace(/\D/g, ''))
  const before = await count()
  await expect.poll(count, { timeout: 15_000 }).toBeGreaterThan(before)
  expect(await distance()).toBeLessThan(30)

  await list(page).evaluate((box) => {
    box.scrollTop = 90
  })
  await button(page, 'Newest ↓').waitFor()
  const later = await count()
  await expect.poll(count, { timeout: 15_000 }).toBeGreaterThan(later)
  expect(await list(page).evaluate((box) => box.scrollTop)).toBe(90)
})

testWithChromium('a call is saved, and opened it has the same views and the same end', async () => {
  const page = await opened()
  await calling(page)
  await write(page, 'Where is order 42?', /walnut/)
  await page.getByRole('status').getByText('Listening').waitFor()
  await write(page, 'List my orders', /linen/)
  await page.getByRole('status').getByText('Speaking').waitFor()
  await page.keyboard.press('Escape')
  await page.locator('.message .cut').waitFor()
  await button(page, 'End').click()
  await tab(page, 'Inspector')
  await expect.poll(() => page.locator('.waterfall').count()).toBeGreaterThan(1)
  const before = await views(page)
  const text = await save(page)
  const { steps, turns } = replay(text)
  expect(turns.length).toBe(before.turns.length)
  expect(turns.some(({ interruption }) => interruption)).toBe(true)
  expect(before.turns, 'who pressed Escape').toEqual(expectedWaterfalls(text, 'by hand'))
  const types = await allTypes(page)
  expect(types).toEqual(steps.map(({ event }) => event.type))

  await open(page, text)
  await page.getByText('saved.jsonl').waitFor()
  const whole = await views(page)
  expect(whole.turns, 'of a file it is not known').toEqual(expectedWaterfalls(text))
  expect({ ...whole, turns: before.turns }).toEqual(before)
  expect(await allTypes(page)).toEqual(types)
  await button(page, 'Back to this call').click()
  await page.getByText('This call', { exact: true }).waitFor()

  await button(page, 'Step through').click()
  await page.getByText('This call, until now').waitFor()
  expect(await views(page)).toEqual(before)
  await button(page, 'Back to this call').click()

  await tab(page, 'Conversation')
  await page.locator('label', { hasText: 'Triage' }).click()
  await tab(page, 'Inspector')
  await list(page).getByText('Nothing has happened yet').waitFor()
  await button(page, 'The call before').click()
  await slider(page).waitFor()
  expect(await views(page)).toEqual(before)
  expect(await save(page)).toContain(text)
})

testWithChromium('events are filtered by words and by direction, and one is shown in full', async () => {
  const page = await opened()
  await open(page, trace)
  await page.getByText('saved.jsonl').waitFor()
  await page.locator('body').click({ position: { x: 300, y: 20 } })
  const { steps } = replay(trace)
  const shows = async (passes: (step: ReplayStep) => boolean) => {
    const expected = steps.filter(passes).map(({ event }) => String(event.type))
    await page.getByText(`${expected.length} of ${steps.length}`, { exact: true }).waitFor()
    expect(await allTypes(page)).toEqual(expected)
  }
  await page.keyboard.press('/')
  await page.keyboard.type('LOOK_UP')
  await shows(({ event, audio }) => !audio && JSON.stringify(event).includes('look_up'))
  await page.getByRole('searchbox').focus()
  await page.keyboard.press('Escape')
  expect(await page.getByRole('searchbox').inputValue()).toBe('')
  for (const [name, left] of [
    ['received', 'in'],
    ['sent', 'out'],
    ['here', 'local'],
  ] as const) {
    await page.getByRole('checkbox', { name }).uncheck()
    await shows(({ direction }) => direction !== left)
    await page.getByRole('checkbox', { name }).check()
  }
  await page.getByRole('checkbox', { name: 'audio and deltas' }).uncheck()
  await shows(({ event }) => !/\.delta$|^input_audio_buffer\.append$/.test(String(event.type)))
  await page.getByRole('checkbox', { name: 'audio and deltas' }).check()

  await page.getByRole('searchbox').fill('response.output_audio.delta')
  await page.locator('.count').getByText(` of ${steps.length}`).waitFor()
  await list(page).focus()
  await page.keyboard.press('Home')
  await page.keyboard.press('Enter')
  const detail = page.getByRole('region', { name: 'Event in full' })
  const json = JSON.parse((await detail.locator('pre').textContent())!)
  expect(Object.keys(json).slice(0, 3)).toEqual(['type', 'item_id', 'response_id'])
  expect(json.audio).toEqual({ bytes: expect.any(Number), ms: expect.any(Number), peak: expect.any(Number) })
  await page.keyboard.press('ArrowDown')
  await expect.poll(() => list(page).locator('[aria-selected=true]').getAttribute('aria-posinset')).toBe('2')
  await page.keyboard.press('Escape')
  await detail.waitFor({ state: 'hidden' })
})

testWithChromium('who closes an event by keyboard is back at the list', async () => {
  const page = await opened()
  await open(page, trace)
  await page.getByText('saved.jsonl').waitFor()
  for (const close of ['Enter', 'Escape']) {
    await list(page).focus()
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Enter')
    await button(page, 'Close the event').focus()
    await page.keyboard.press(close)
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Events')
  }
})

testWithChromium('a call is gone through step by step: its words, its line, who speaks, what is heard', async () => {
  const { steps } = replay(trace)
  const page = await opened()
  await open(page, trace)
  await slider(page).waitFor()
  expect(await slider(page).inputValue()).toBe(String(steps.length - 1))
  expect(await waterfalls(page)).toEqual(expectedWaterfalls(trace))

  const heard = steps.findIndex(({ state }) => state.playback.item)
  const calls = steps.findIndex(({ state }) => state.conversation.calls.length)
  const cut = steps.findIndex(({ state }) => Object.keys(state.playback.cuts).length)
  for (const step of [heard, calls, cut, steps.length - 1]) {
    await slider(page).fill(String(step))
    const { state } = steps[step]!
    await expect
      .poll(async () => (await shownState(page)).state.slice(2, 4))
      .toEqual([
        state.conversation.calls.map(({ name }) => name).join(', ') || 'none open',
        state.playback.item?.item_id ?? 'silent',
      ])
    const { state: shown } = await shownState(page)
    expect(shown[0]).toMatch(state.link.at)
    expect(shown.slice(5)).toEqual(wordsIn(state).map((words) => expect.stringContaining(words)))
    expect(await list(page).locator('[aria-selected=true] .event-type').textContent()).toBe(steps[step]!.event.type)
  }
  expect(await page.locator('.said').textContent()).toMatch(/cut after \d\.\d s/)

  await button(page, 'First step').click()
  expect(await slider(page).inputValue()).toBe('0')
  await button(page, 'Step on').click()
  await slider(page).focus()
  await page.keyboard.press('ArrowRight')
  await list(page).focus()
  await page.keyboard.press('ArrowDown')
  expect(await slider(page).getAttribute('aria-valuetext')).toMatch(`Step 4 of ${steps.length}`)
  await button(page, 'Turn 2: show it on the time line').click()
  const { at } = steps[Number(await slider(page).inputValue())]!
  const turn = replay(trace).turns[1]!
  expect(at).toBe(turn.said)
})

function wordsIn({ conversation }: State): readonly string[] {
  const open = new Map(conversation.open.map((item) => [item.id, item]))
  return conversation.items.map((announced) => {
    const item = open.get(announced.id) ?? announced
    if (item.type === 'message') return item.content.map((part) => ('text' in part ? part.text : '')).join('')
    return item.type === 'function_call' ? item.name : item.type === 'function_call_output' ? item.output : ''
  })
}

testWithChromium(
  'of a file that is broken, newer, or no trace, it is said what is wrong and what could be read',
  async () => {
    const page = await opened()
    const { steps } = replay(trace)
    const broken = trace.split('\n')
    broken[4] = broken[4]!.slice(0, 20)
    broken[6] = '{"at":1,"direction":"in","input":{"type":"foreseen"}}'
    await open(page, broken.join('\n'), 'broken.jsonl')
    await page.getByText(`2 lines could not be played. ${steps.length - 2} events are shown.`).click()
    await page.getByText('Line 5: It is no JSON').waitFor()
    await page.getByText('Line 7: Nothing is known').waitFor()
    expect(await slider(page).getAttribute('max')).toBe(String(steps.length - 3))

    await open(page, trace.replace('"version":1', '"version":2'), 'newer.jsonl')
    await page.getByRole('alert').getByText('newer.jsonl cannot be opened').waitFor()
    expect(await page.getByRole('alert').textContent()).toMatch(
      /version 2, .*update parley-voice.*recorded .* with Clerk, \d+ lines/,
    )
    await page.getByText('broken.jsonl').waitFor()
    await button(page, 'Dismiss').click()

    await drop(page, 'shopping.jsonl', 'milk\nbread')
    await page.getByRole('alert').getByText('shopping.jsonl cannot be opened. Line 1: This is no trace').waitFor()
    await drop(page, 'dropped.jsonl', trace)
    await page.getByText('dropped.jsonl').waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
  },
)

function drop(page: Page, name: string, text: string): Promise<void> {
  return page.locator('.inspection').evaluate(
    (element, [name, text]) => {
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File([text], name))
      for (const type of ['dragover', 'drop'])
        element.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }))
    },
    [name, text] as const,
  )
}

testWithChromium('of twenty thousand events only those in view are in the page', async () => {
  const page = await opened()
  const event = (n: number) => ({ type: 'rate_limits.updated', event_id: `event_${n}`, rate_limits: [] })
  const line = (n: number) => JSON.stringify({ at: n, direction: 'in', input: { type: 'received', event: event(n) } })
  await open(page, [trace.split('\n')[0], ...Array.from({ length: 20_000 }, (_, n) => line(n))].join('\n'))
  await page.getByText('20000 events').waitFor()
  await list(page).focus()
  for (const [key, position] of [
    ['Home', '1'],
    ['End', '20000'],
  ] as const) {
    await page.keyboard.press(key)
    await expect.poll(() => list(page).locator('[aria-selected=true]').getAttribute('aria-posinset')).toBe(position)
  }
  for (const share of [0.1, 0.5, 0.9]) {
    await list(page).evaluate((box, share) => {
      box.scrollTop = box.scrollHeight * share
    }, share)
    await expect
      .poll(async () => Number(await rows(page).nth(20).getAttribute('aria-posinset')))
      .toBeGreaterThan(20_000 * share)
    expect(await rows(page).count()).toBeLessThan(50)
  }
  await page.keyboard.press('/')
  await page.keyboard.type('event_1234')
  await page.getByText('11 of 20000').waitFor()
  expect(await page.evaluate(() => document.querySelectorAll('*').length)).toBeLessThan(600)
})

testWithChromium('every control has a name, and nothing is wider than a narrow phone', async () => {
  const page = await opened()
  await open(page, trace)
  await slider(page).waitFor()
  await list(page).focus()
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Enter')
  const { nodes } = await (await page.context().newCDPSession(page)).send('Accessibility.getFullAXTree')
  const controls = nodes.filter(({ role }) => /button|box|slider|radio|tab$/i.test(role?.value ?? ''))
  expect(controls.length).toBeGreaterThan(15)
  expect(controls.filter(({ name, ignored }) => !ignored && !name?.value)).toEqual([])

  await page.setViewportSize({ width: 340, height: 700 })
  for (const view of ['Turns', 'Levels', 'Usage', 'State', 'Events']) {
    await page.getByRole('group', { name: 'What to look at' }).getByRole('button', { name: view }).click()
    const wide = await page.evaluate(() =>
      [...document.querySelectorAll('.inspection *')]
        .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1)
        .map((one) => one.className),
    )
    expect(wide, view).toEqual([])
  }
})
