/**
 * Pictures of the playground in each of its states, for looking at: `node scripts/screenshots.mjs FOLDER`, or with the names
 * of some of them. Without a folder only those of the documentation are made: docs/images/playground.png and inspector.png.
 * Needs `npm run build` first, and Chromium (CHROMIUM_PATH).
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { playground } from '../dist/cli/playground.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const [folder, ...names] = process.argv.slice(2)
const built = join(root, 'dist/playground')
const served = await playground({ folder: built, port: 0, host: '127.0.0.1' })
const unserved = await playground({ folder: built, port: 0, host: '127.0.0.1', url: 'ws://127.0.0.1:9/v1/realtime' })
/** A server of the scene's own, which may end in it. */
const brief = () => playground({ folder: built, port: 0, host: '127.0.0.1' })
/** What the user says to the microphone, and whether sound must wait for a click: one browser for each. */
const yes = '--use-fake-ui-for-media-stream'
const allowed = [yes, '--autoplay-policy=no-user-gesture-required']
const denied = [`${yes}=deny`, '--autoplay-policy=no-user-gesture-required']
const blocked = [yes, '--autoplay-policy=document-user-activation-required']
const browsers = new Map()

function browserWith(flags) {
  if (!browsers.has(flags)) browsers.set(flags, launched(flags))
  return browsers.get(flags)
}

function launched(flags) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-audio-capture=${join(root, 'fixtures/caller/order.wav')}%noloop`,
      ...flags,
    ],
  })
}

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
  muted: [{}, choose('WebSocket'), talk, heard('oak stool'), state('Listening', 20_000), press('m'), state('Muted')],
  reconnecting: [{ served: brief }, choose('WebSocket'), write('Where is order 42?'), heard('lamp'), lost, see('back')],
  asked: [{}, unanswered, talk, state('Allow the microphone'), see('Your browser asks')],
  denied: [{ flags: denied }, talk, see('not allowed')],
  blocked: [{ flags: blocked }, writeUntouched('Where is order 42?')],
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
  'inspector-dark': [
    { colorScheme: 'dark' },
    write('Where is order 42?'),
    heard('lamp'),
    click('role=tab[name=Inspector]'),
    click('role=option[name=/response.done/]'),
  ],
  stepper: [{}, write('Where is order 42?'), heard('lamp'), saved, click('role=option[name=/response.created/]')],
  'stepper-dark': [{ colorScheme: 'dark' }, write('List my orders'), heard('walnut'), press('Escape'), saved],
  phone: [phone],
  'phone-reconnecting': [{ ...phone, served: brief }, write('Where is order 42?'), heard('lamp'), lost, see('back')],
  'phone-denied': [{ ...phone, flags: denied, colorScheme: 'dark' }, talk, see('not allowed')],
  'phone-stepper': [phone, write('Where is order 42?'), heard('lamp'), saved],
  'phone-setup': [phone, click('.fold')],
  'phone-approval': [phone, write('I want a refund for order 42'), card],
  'phone-dark-talk': [{ ...phone, colorScheme: 'dark' }, talk, state('Speaking'), heard('Hello')],
  'phone-inspector': [phone, write('Where is order 42?'), heard('lamp'), click('role=tab[name=Inspector]')],
}

const shown = {
  playground: [
    { deviceScaleFactor: 1.5 },
    write('List my orders'),
    heard('cushions'),
    press('Escape'),
    write('I want a refund for order 42'),
    card,
    drained,
  ],
  inspector: [
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
  ],
}

try {
  if (folder) await pictures(folder, names.length ? only(scenes, names) : scenes)
  if (!names.length) await pictures(join(root, 'docs/images'), shown)
} finally {
  for (const browser of browsers.values()) await (await browser).close()
  await Promise.all([served.close(), unserved.close()])
}

async function pictures(to, all) {
  mkdirSync(to, { recursive: true })
  for (const [name, scene] of Object.entries(all)) await picture(join(to, `${name}.png`), scene)
}

function only(all, names) {
  const unknown = names.find((name) => !Object.hasOwn(all, name))
  if (unknown) throw new Error(`There is no picture '${unknown}', but ${Object.keys(all).join(', ')}.`)
  return Object.fromEntries(names.map((name) => [name, all[name]]))
}

async function picture(file, [{ served: from = served, flags = allowed, ...options }, ...steps]) {
  const server = typeof from === 'function' ? await from() : from
  const context = await (await browserWith(flags)).newContext({ viewport: { width: 1180, height: 760 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  try {
    await page.goto(server.url)
    await seen(page, '.composer')
    for (const step of steps) await step(page, server)
    await page.screenshot({ path: file })
    console.log(file)
  } catch (error) {
    console.error(`${file}: ${error.message}`)
    process.exitCode = 1
  } finally {
    await context.close()
    if (server !== from) await server.close()
  }
}

/** The server ends: the line is dialed again, and nobody is there. */
async function lost(_page, server) {
  await server.close()
}

/** Saves the call, and opens the file. */
async function saved(page) {
  await page.getByRole('tab', { name: 'Inspector' }).click()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByText('Save this call').click()])
  const buffer = readFileSync(await download.path())
  const file = { name: 'call.jsonl', mimeType: 'application/x-ndjson', buffer }
  await page.getByLabel('A saved call').setInputFiles(file)
  await page.getByRole('group', { name: 'Steps' }).waitFor()
}

/** Nobody answers when the browser asks for the microphone: without a screen it would say no by itself. */
async function unanswered(page) {
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => new Promise(() => {})
  })
  await page.reload()
}

/** Writes without a click or a key, which would allow the sound. */
function writeUntouched(text) {
  return async (page) => {
    await evaluate(
      page,
      `{
        const input = document.querySelector('.composer input')
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, ${JSON.stringify(text)})
        input.dispatchEvent(new Event('input', { bubbles: true }))
        input.form.requestSubmit()
      }`,
    )
    await seen(page, '.trouble button')
    await seen(page, '.message.assistant .words')
  }
}

/** Playwright's own way to look counts as something that the user did. */
async function seen(page, selector) {
  const until = Date.now() + 15_000
  while (!(await evaluate(page, `document.querySelector(${JSON.stringify(selector)}) !== null`))) {
    if (Date.now() > until) throw new Error(`There is no ${selector}.`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function evaluate(page, expression) {
  const session = await page.context().newCDPSession(page)
  const { result } = await session.send('Runtime.evaluate', { expression, returnByValue: true })
  await session.detach()
  return result.value
}

function see(words) {
  return (page) => page.locator('.trouble', { hasText: words }).waitFor()
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
