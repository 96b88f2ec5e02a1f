/** The playground as people have it: the built page, served by `parley dev`, in a real browser. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build as bundle } from 'esbuild'
import type { Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { devCommand } from '../src/cli/dev.ts'
import { type Playground, type PlaygroundOptions, playground } from '../src/cli/playground.ts'
import { type ServeOptions, type Server, serve } from '../src/server/index.ts'
import type { Beside } from './browser/beside-playground.page.ts'
import { type BrowserOptions, openChromium, testWithChromium, testWithChromiumAndEars } from './browser/browser.ts'

const folder = mkdtempSync(join(tmpdir(), 'parley-playground-'))
beforeAll(async () => {
  vi.stubEnv('NODE_ENV', 'production')
  await build({ configFile: 'playground/vite.config.ts', logLevel: 'silent', build: { outDir: folder } })
  vi.unstubAllEnvs()
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const host = '127.0.0.1'
const key = 'sk-of-the-owner-and-nobody-else'

async function started(options: Partial<PlaygroundOptions> = {}): Promise<Playground> {
  const served = await playground({ folder, port: 0, host, ...options })
  onTestFinished(() => served.close())
  return served
}

async function farEnd(options: ServeOptions = {}): Promise<Server> {
  const server = await serve({ port: 0, ...options })
  onTestFinished(() => server.close())
  return server
}

/** The page, opened; requests to anywhere else are refused, and told. */
async function opened(
  { url }: Playground,
  options: Partial<BrowserOptions> = {},
): Promise<{ readonly page: Page; readonly elsewhere: readonly string[] }> {
  const { playwright: page } = await openChromium({ script: 'test/browser/harness.page.ts', ...options })
  const elsewhere: string[] = []
  await page.route(
    (to) => to.origin !== new URL(url).origin,
    (route) => {
      elsewhere.push(route.request().url())
      return route.abort()
    },
  )
  page.setDefaultTimeout(12_000)
  await page.goto(url)
  await page.getByRole('textbox', { name: 'Message' }).waitFor()
  return { page, elsewhere }
}

async function write(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text)
  await page.keyboard.press('Enter')
}

const heard = (page: Page, words: string | RegExp) =>
  page.locator('.message .words, .handoff', { hasText: words }).last().waitFor()

declare const beside: Beside

/** Loads the page again, with a microphone that says a recording when it is told to. */
async function mouthOf(page: Page): Promise<(name: string) => Promise<void>> {
  const entryPoints = ['test/browser/beside-playground.page.ts']
  const { outputFiles } = await bundle({ entryPoints, bundle: true, write: false, format: 'iife' })
  await page.addInitScript({ content: outputFiles[0]!.text })
  await page.reload()
  await page.getByRole('textbox', { name: 'Message' }).waitFor()
  return (name) => {
    const wav = readFileSync(`fixtures/caller/${name}.wav`).toString('base64')
    return page.evaluate((said) => beside.say(said), wav)
  }
}

const choose = (page: Page, name: string) => page.locator('label', { hasText: name }).click()

testWithChromium('the page loads without a network, and a typed question is answered by way of the tool', async () => {
  const { page, elsewhere } = await opened(await started())
  await write(page, 'Where is order 42?')
  await heard(page, /^Order 42, a walnut desk lamp, has left our warehouse/)
  await page.getByRole('log').getByText('look up order').click()
  expect(await page.locator('.tool dl').textContent()).toMatch(/order number\s*42/)
  expect(elsewhere).toEqual([])
})

testWithChromium('a refund waits, and is approved of by keyboard alone', async () => {
  const { page } = await opened(await started())
  await page.keyboard.press('/')
  await page.keyboard.type('I want a refund for order 42')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Approve' }).waitFor()
  await page.getByText('Waiting for your decision').waitFor()
  expect(await page.getByRole('log').textContent()).not.toContain('refunded')
  await tabTo(page, 'Approve', 'Shift+Tab')
  await page.keyboard.press('Enter')
  await heard(page, 'I have refunded 89 euros for a walnut desk lamp.')
  expect(await focused(page)).toContain('refund order')
})

testWithChromium('a refund that is rejected is not paid', async () => {
  const { page } = await opened(await started())
  await write(page, 'I want a refund for order 42')
  await page.getByRole('button', { name: 'Reject' }).click()
  await page.locator('.message.assistant').waitFor()
  expect(await page.getByRole('log').textContent()).not.toContain('I have refunded')
})

testWithChromium('reception hands over, and the next agent answers under its own name', async () => {
  const { page } = await opened(await started())
  await choose(page, 'Triage')
  await write(page, 'My internet is broken')
  await heard(page, 'Handed over to Repairs')
  await page.locator('.message.assistant .who', { hasText: 'Repairs' }).waitFor()
})

testWithChromium('another agent begins another conversation, and the keyboard stays where it was', async () => {
  const { page } = await opened(await started())
  await write(page, 'Where is order 43?')
  await heard(page, /linen cushions/)
  await page.getByRole('radio', { name: /^Order desk/ }).focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  await page.getByRole('heading', { name: 'Language tutor' }).waitFor()
  expect(await page.evaluate(() => (document.activeElement as HTMLInputElement).value)).toBe('tutor')
  expect(await page.getByRole('log').textContent()).not.toContain('cushions')
  await write(page, 'How do you say good morning in Spanish?')
  await heard(page, /buenos días/)
})

testWithChromium('an answer that is cut off shows what was not heard', async () => {
  const { page } = await opened(await started())
  await write(page, 'List my orders')
  await page.getByRole('status').getByText('Speaking').waitFor()
  await heard(page, /walnut desk lamp/)
  await page.keyboard.press('Escape')
  await page.locator('.message .cut').waitFor()
  expect(await page.locator('.message .unheard').textContent()).not.toBe('')
  await page.getByText('Waiting for you').waitFor()
})

for (const transport of ['WebRTC', 'WebSocket']) {
  testWithChromiumAndEars(
    `a question is spoken over ${transport}, its answer is heard, and falls silent when it is spoken into`,
    async () => {
      const { page } = await opened(await started())
      const said = await mouthOf(page)
      await choose(page, transport)
      await page.keyboard.press('Space')
      await page.getByRole('status').getByText('Listening').waitFor()
      await said('order')
      await heard(page, /one two three four five/)
      await page.getByRole('status').getByText('Speaking').waitFor()
      await said('barge')
      await page.locator('.message .cut').waitFor()
      await heard(page, /^Order 12345, an oak stool/)
      expect(await page.evaluate(() => beside.loudest())).toBeGreaterThan(0.02)
    },
    40_000,
  )
}

testWithChromium('what was written goes on when one begins to talk', async () => {
  const { page } = await opened(await started())
  await write(page, 'Where is order 43?')
  await heard(page, /linen cushions/)
  await page.getByRole('button', { name: 'Talk' }).click()
  await page.getByRole('button', { name: 'Mute' }).waitFor()
  await heard(page, /linen cushions/)
})

testWithChromium('without a microphone the page says so, and writing goes on', async () => {
  const { page } = await opened(await started(), { microphone: 'denied' })
  await page.getByRole('button', { name: 'Start talking' }).click()
  await page.getByRole('alert').getByText('The microphone is not allowed').waitFor()
  await write(page, 'Where is order 42?')
  await heard(page, /walnut desk lamp/)
})

testWithChromium('who is asked for the microphone can write instead', async () => {
  const { page } = await opened(await started())
  await page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => new Promise(() => {})
  })
  await page.getByRole('button', { name: 'Start talking' }).click()
  await page.getByText('Your browser asks whether this page may use the microphone').waitFor()
  await write(page, 'Where is order 42?')
  await heard(page, /walnut desk lamp/)
})

testWithChromium('sound that the browser keeps back is told, and played when it is asked for', async () => {
  const { url } = await started()
  const { playwright: page } = await openChromium({ script: 'test/browser/harness.page.ts', autoplay: 'blocked' })
  page.setDefaultTimeout(12_000)
  await page.goto(url)
  // Playwright's own ways to look and to write count as something that the user did.
  const session = await page.context().newCDPSession(page)
  const evaluate = async (expression: string) =>
    (await session.send('Runtime.evaluate', { expression, returnByValue: true })).result.value
  const there = (words: string) =>
    vi.waitFor(async () => expect(await evaluate('document.body.innerText')).toContain(words), { timeout: 12_000 })
  await there('Start talking')
  await evaluate(`{
    const input = document.querySelector('.composer input')
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, 'List my orders')
    input.dispatchEvent(new Event('input', { bubbles: true }))
    input.form.requestSubmit()
  }`)
  await there('There are 4 orders')
  await there('No sound yet')
  await page.getByRole('button', { name: 'Play it' }).click()
  await page.getByRole('status').getByText('Speaking').waitFor()
  await page.getByText('keeps the sound back').waitFor({ state: 'detached' })
})

testWithChromium('a server that has no ears says so, before the call and in it', async () => {
  vi.stubEnv('PATH', '')
  const served = await started()
  vi.unstubAllEnvs()
  const { page } = await opened(served)
  const note = page.getByText('You can type, but what you say is not understood yet.')
  await note.waitFor()
  await page.getByRole('button', { name: 'Start talking' }).click()
  await heard(page, /Hello/)
  await note.waitFor()
})

for (const transport of ['WebRTC', 'WebSocket']) {
  testWithChromium(`a call over ${transport} that is ended is over, and nothing is wrong`, async () => {
    const { page } = await opened(await started())
    await choose(page, transport)
    await page.getByRole('button', { name: 'Start talking' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('status').getByText('Speaking').waitFor()
    expect(await focused(page), 'the button that went had the keyboard').toBe('Call')
    await page.getByRole('button', { name: 'End', exact: true }).click()
    await page.getByRole('status').getByText('Ended').waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
    await page.getByRole('button', { name: 'Start talking' }).waitFor()
  })
}

testWithChromium('another way to connect goes on with what was said', async () => {
  const { page } = await opened(await started())
  await write(page, 'Where is order 42?')
  await heard(page, /walnut desk lamp/)
  await choose(page, 'WebSocket')
  await page.getByRole('status').getByText('Waiting for you').waitFor()
  await write(page, 'Where is order 43?')
  await heard(page, /linen cushions/)
  await heard(page, /walnut desk lamp/)
})

testWithChromium('Space talks where no control has a use for it, and not in the inspector', async () => {
  const { page } = await opened(await started())
  const status = () => page.locator('.dot').getAttribute('data-status')
  await page.getByRole('tab', { name: 'Inspector' }).click()
  await page.getByRole('heading', { name: 'Turns' }).click()
  await page.keyboard.press('Space')
  expect(await status()).toBe('idle')
  await page.getByRole('tab', { name: 'Conversation' }).click()
  for (const role of ['tab', 'combobox', 'textbox'] as const) {
    await page.getByRole(role).first().focus()
    await page.keyboard.press('Space')
    expect(await status(), role).toBe('idle')
    await page.keyboard.press('Escape')
  }
  await page.getByRole('heading', { name: 'Order desk' }).click()
  await page.keyboard.press('Space')
  expect(await status()).not.toBe('idle')
})

testWithChromium('the newest is in view, unless somebody reads further up and writes nothing', async () => {
  const { page } = await opened(await started())
  await page.setViewportSize({ width: 360, height: 520 })
  const log = page.getByRole('log')
  const distance = () => log.evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight)
  await write(page, 'List my orders')
  await heard(page, /oak stool/)
  await write(page, 'Where is order 42?')
  await heard(page, /^Order 42/)
  await expect.poll(distance).toBeLessThan(2)
  await page.setViewportSize({ width: 360, height: 420 })
  await expect.poll(distance).toBeLessThan(2)

  const up = () =>
    log.evaluate((box) => {
      box.scrollTop = 0
    })
  await up()
  await page.getByRole('button', { name: 'Newest' }).click()
  await expect.poll(distance).toBeLessThan(2)
  await up()
  await page.getByRole('button', { name: 'Newest' }).waitFor()
  await write(page, 'I want a refund for order 42')
  await page.getByRole('button', { name: 'Approve' }).waitFor()
  await expect.poll(distance).toBeLessThan(2)

  await page.getByRole('button', { name: 'Approve' }).click()
  await up()
  await page.getByRole('button', { name: 'Newest' }).waitFor()
  await heard(page, /I have refunded/)
  expect(await log.evaluate((box) => box.scrollTop)).toBe(0)
})

testWithChromium('on a phone the setup scrolls, and hides under nothing', async () => {
  const { page } = await opened(await started())
  await page.setViewportSize({ width: 340, height: 560 })
  await page.getByRole('button', { name: /Change/ }).click()
  const hold = page.getByText('Hold to talk', { exact: true })
  await hold.click()
  expect(await page.getByRole('radio', { name: 'Hold to talk' }).isChecked()).toBe(true)
  const [setup, dock] = await Promise.all(['.setup', '.dock'].map((part) => page.locator(part).boundingBox()))
  expect(setup!.y + setup!.height).toBeLessThanOrEqual(dock!.y)
  expect(dock!.y + dock!.height).toBeLessThanOrEqual(560)
})

testWithChromium('a far end that lets nobody in is named, with its reason', async () => {
  const server = await farEnd({ apiKeys: [key] })
  const { page } = await opened(await started({ url: server.url }), { expectedErrors: /./ })
  await choose(page, 'WebSocket')
  await page.getByRole('button', { name: 'Start talking' }).click()
  const alert = page.getByRole('alert')
  await alert.getByText('There is no connection').waitFor()
  expect(await alert.textContent()).toMatch(/API key/)
  await alert.getByRole('button', { name: 'Try again' }).waitFor()
})

testWithChromium('every control has a name, and shows when the keyboard is on it', async () => {
  const { page } = await opened(await started())
  await write(page, 'I want a refund for order 42')
  await page.getByRole('button', { name: 'Approve' }).waitFor()
  const { nodes } = await (await page.context().newCDPSession(page)).send('Accessibility.getFullAXTree')
  const controls = nodes.filter(({ role }) => /button|textbox|radio|combobox|tab$/i.test(role?.value ?? ''))
  expect(controls.length).toBeGreaterThan(10)
  expect(controls.filter(({ name, ignored }) => !ignored && !name?.value)).toEqual([])

  const seen: string[] = []
  for (let stop = 0; stop < 25; stop++) {
    await page.keyboard.press('Tab')
    const name = await focused(page)
    if (name === '') continue
    seen.push(name)
    expect(await outlined(page), `the outline of ${name}`).toBe(true)
  }
  for (const name of ['Order desk', 'Auto', 'Automatic', 'Approve', 'Reject', 'Message', 'Conversation'])
    expect(seen.join('\n')).toContain(name)
})

testWithChromium('a server that is not there is named, after it was tried again', async () => {
  const { port, close } = await serve({ port: 0 })
  await close()
  const { page } = await opened(await started({ url: `ws://127.0.0.1:${port}/v1/realtime` }), { expectedErrors: /./ })
  await choose(page, 'WebSocket')
  await page.getByRole('button', { name: 'Start talking' }).click()
  await page.getByText('Trying again').waitFor()
  await page.getByRole('alert').getByText(`Is 127.0.0.1:${port} running`).waitFor()
})

test('the key stays with the server, whatever it is asked for', async () => {
  const server = await farEnd({ apiKeys: [key] })
  const { url } = await started({ url: server.url, key })
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const answers = await Promise.all([
    ...['', 'playground/config', 'playground/session', 'playground/else', ...files].map((path) => fetch(url + path)),
    mint(url, { type: 'realtime' }),
    mint(url, { type: 'no such thing' }),
    mint(url, '{'),
  ])
  for (const answer of answers) {
    const told = `${JSON.stringify([...answer.headers])} ${await answer.text()}`
    expect(told).not.toContain(key)
  }
  const minted = (await (await mint(url, { type: 'realtime' })).json()) as { value: string }
  expect(minted).toEqual({ value: expect.stringMatching(/^ek_/) })
  const again = await fetch(`${server.callsUrl}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${minted.value}` },
  })
  expect(again.status).not.toBe(401)
})

test('a key that the far end refuses is not in the reason', async () => {
  const server = await farEnd({ apiKeys: ['another'] })
  const { url } = await started({ url: server.url, key })
  const refused = await mint(url, { type: 'realtime' })
  expect(refused.status).toBe(502)
  const { error } = (await refused.json()) as { error: string }
  expect(error).toMatch(/made no client secret \(HTTP 401\)/)
  expect(error).not.toContain(key)
})

for (const [who, headers, status] of [
  ['the page itself', {}, 200],
  ['the page, as browsers say it', { origin: 'http://{host}', 'sec-fetch-site': 'same-origin' }, 200],
  ['a page of another origin', { origin: 'https://elsewhere.example' }, 403],
  ['a page without an origin', { origin: 'null' }, 403],
  ['another port of this machine', { origin: 'http://127.0.0.1:1' }, 403],
  ['a form of another site', { 'sec-fetch-site': 'cross-site', 'content-type': 'text/plain' }, 403],
  ['a form of this site', { 'content-type': 'text/plain' }, 415],
] as const) {
  test(`a client secret is ${status === 200 ? 'made' : 'not made'} for ${who}`, async () => {
    const { url } = await started()
    const own = Object.entries(headers).map(([name, value]) => [name, value.replace('{host}', new URL(url).host)])
    const answer = await mint(url, { type: 'realtime' }, Object.fromEntries(own))
    expect(answer.status).toBe(status)
    expect(answer.headers.get('access-control-allow-origin')).toBe(null)
  })
}

test('a name that was made to point here gets nothing', async () => {
  const { url } = await started()
  const { hostname, port } = new URL(url)
  const statusFor = (name: string) =>
    new Promise((resolve, reject) => {
      const headers = { host: `${name}:${port}`, origin: `http://${name}:${port}` }
      get({ hostname, port, path: '/playground/config', headers }, ({ statusCode }) => resolve(statusCode)).on(
        'error',
        reject,
      )
    })
  expect(await statusFor('rebound.example')).toBe(403)
  expect(await statusFor('localhost')).toBe(200)
})

test('who asks for a page that was not built is told how to build it', async () => {
  await expect(playground({ folder: join(folder, 'nothing'), port: 0, host })).rejects.toThrow(/npm run build/)
  await expect(devCommand(['--no-open', '--port', '0'])).rejects.toThrow(/The page is not built/)
})

for (const args of [['--port', 'x'], ['--port', '70000'], ['--url', 'somewhere'], ['--no-such-option']]) {
  test(`parley dev ${args.join(' ')} is a misuse`, async () => {
    await expect(devCommand(args)).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_PARSE_ARGS/) })
  })
}

test('nothing is served but the page', async () => {
  const { url } = await started()
  for (const path of ['../package.json', '%2e%2e/package.json', 'assets/../../package.json', 'playground/nothing'])
    expect((await fetch(url + path)).status).toBe(404)
  const page = await fetch(url)
  expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  expect((await fetch(url, { method: 'DELETE' })).status).toBe(405)
})

function mint(url: string, session: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`${url}playground/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof session === 'string' ? session : JSON.stringify(session),
  })
}

async function tabTo(page: Page, name: string, by: 'Tab' | 'Shift+Tab'): Promise<void> {
  for (let stop = 0; stop < 20; stop++) {
    await page.keyboard.press(by)
    if ((await focused(page)) === name) return
  }
  throw new Error(`'${name}' is not reached by ${by}.`)
}

/** What the keyboard is on, by the words that name it. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement
    if (!element || element === document.body) return ''
    const labels = element instanceof HTMLInputElement ? [...(element.labels ?? [])] : []
    return (element.getAttribute('aria-label') ?? [element, ...labels].map((one) => one.textContent).join(' ')).trim()
  })
}

/** The outline is the control's own, or that of the label around it. */
function outlined(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const element = document.activeElement!
    return [element, element.closest('label') ?? element].some((one) => {
      const { outlineStyle, outlineWidth } = getComputedStyle(one)
      return outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2
    })
  })
}
