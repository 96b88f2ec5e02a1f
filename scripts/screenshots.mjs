/**
 * Pictures of the playground in each of its states, for looking at: `node scripts/screenshots.mjs FOLDER`. Without a folder
 * only those of the documentation are made: docs/images/playground.png and inspector.png. Needs `npm run build` first, and Chromium (CHROMIUM_PATH).
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { playground } from '../dist/cli/playground.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = process.argv[2]
const built = join(root, 'dist/playground')
const served = await playground({ folder: built, port: 0, host: '127.0.0.1' })
const unserved = await playground({ folder: built, port: 0, host: '127.0.0.1', url: 'ws://127.0.0.1:9/v1/realtime' })
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-audio-capture=${join(root, 'fixtures/caller/order.wav')}%noloop`,
    '--autoplay-policy=no-user-gesture-required',
  ],
})

const phone = { viewport: { width: 360, height: 720 } }
const scenes = {
  idle: [{}],
  connecting: [{}, held, talk, state('Connecting')],
  listening: [{}, choose('WebRTC'), talk, state('Speaking'), heard('Hello'), state('Listening')],
  thinking: [{}, write('Where is order 42?'), state('Thinking')],
  speaking: [{}, write('List my orders'), state('Speaking'), loud],
  cut: [{}, write('List my orders'), heard('walnut'), loud, press('Escape'), heard('Order')],
  tool: [{}, write('Where is order 42?'), heard('lamp'), click('summary')],
  handoff: [{}, choose('Triage'), write('I have a question about my invoice'), heard('Hello')],
  tutor: [{}, choose('Language tutor'), write('How do you say good morning in Spanish?'), heard('buenos')],
  failed: [{ served: unserved }, choose('WebSocket'), talk, click('text=Try again', 30_000, 'trial')],
  hold: [{}, choose('Hold to talk'), talk, state('Hold to talk', 20_000), down(' '), state('Listening')],
  approval: [{}, write('I want a refund for order 42'), card],
  'dark-approval': [{ colorScheme: 'dark' }, write('I want a refund for order 42'), card],
  'dark-failed': [
    { colorScheme: 'dark', served: unserved },
    choose('WebSocket'),
    talk,
    click('text=Try again', 30_000, 'trial'),
  ],
  inspector: [{}, write('Where is order 42?'), heard('lamp'), click('role=tab[name=Inspector]')],
  phone: [phone],
  'phone-setup': [phone, click('.fold')],
  'phone-approval': [phone, write('I want a refund for order 42'), card],
  'phone-dark-talk': [{ ...phone, colorScheme: 'dark' }, talk, state('Speaking'), heard('Hello')],
  'phone-inspector': [phone, write('Where is order 42?'), heard('lamp'), click('role=tab[name=Inspector]')],
}

try {
  if (folder) {
    mkdirSync(folder, { recursive: true })
    for (const [name, scene] of Object.entries(scenes)) await picture(join(folder, `${name}.png`), scene)
  }
  mkdirSync(join(root, 'docs/images'), { recursive: true })
  await picture(join(root, 'docs/images/playground.png'), [
    { deviceScaleFactor: 1.5 },
    write('List my orders'),
    heard('cushions'),
    press('Escape'),
    write('I want a refund for order 42'),
    card,
    drained,
  ])
  await picture(join(root, 'docs/images/inspector.png'), [
    {},
    choose('WebSocket'),
    talk,
    heard('oak stool'),
    state('Listening'),
    write('Where is order 42?'),
    heard('lamp'),
    state('Listening'),
    write('List my orders'),
    heard('cushions'),
    loud,
    press('Escape'),
    state('Listening'),
    click('role=tab[name=Inspector]'),
    turns(4),
  ])
} finally {
  await browser.close()
  await Promise.all([served.close(), unserved.close()])
}

async function picture(file, [{ served: from = served, ...options }, ...steps]) {
  const context = await browser.newContext({ viewport: { width: 1180, height: 760 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  try {
    await page.goto(from.url)
    await page.locator('.composer').waitFor()
    for (const step of steps) await step(page)
    await page.screenshot({ path: file })
    console.log(file)
  } catch (error) {
    console.error(`${file}: ${error.message}`)
    process.exitCode = 1
  } finally {
    await context.close()
  }
}

/** No client secret is made: the page goes on connecting. */
async function held(page) {
  await page.route('**/playground/session', () => {})
}

async function talk(page) {
  await page.getByRole('button', { name: 'Start talking' }).click()
}

async function card(page) {
  await page.getByRole('button', { name: 'Approve' }).waitFor()
}

/** Until the agent is loud. */
async function loud(page) {
  const level = () => document.querySelector('.meter[data-which=output]')?.style.getPropertyValue('--audio-level')
  while (!(Number(await page.evaluate(level)) > 0.08)) await page.evaluate(() => new Promise(requestAnimationFrame))
}

async function drained(page) {
  await page.getByText('Waiting for your decision').waitFor()
}

/** Until this many turns are over. */
function turns(count) {
  return (page) =>
    page
      .locator('.waterfall')
      .nth(count - 1)
      .waitFor()
}

function write(text) {
  return async (page) => {
    await page.locator('.composer input').fill(text)
    await page.keyboard.press('Enter')
  }
}

function choose(name) {
  return (page) => page.locator('label', { hasText: name }).click()
}

function state(name, timeout) {
  return (page) => page.locator('.state', { hasText: name }).waitFor({ timeout })
}

function heard(words) {
  return (page) => page.locator('.message.assistant .words', { hasText: words }).last().waitFor()
}

function press(key) {
  return (page) => page.keyboard.press(key)
}

function down(key) {
  return (page) => page.keyboard.down(key)
}

function click(selector, timeout, trial) {
  return (page) =>
    page
      .locator(selector)
      .first()
      .click({ timeout, trial: trial !== undefined })
}
