/**
 * Tests in a real browser. A test names a module for the page; what it exports, the test calls, with types:
 *
 * ```ts
 * // test/browser/voice-turn.page.ts: runs in the page; imports from 'parley-voice', 'parley-voice/browser', …/react or ../../src
 * export async function turn(url: string): Promise<string> { … }
 *
 * // test/voice-turn.test.ts: runs in Node
 * testWithChromium('a question is answered', async () => {
 *   const page = await openChromium<typeof import('./browser/voice-turn.page.ts')>({
 *     script: 'test/browser/voice-turn.page.ts',
 *     microphone: 'fixtures/caller/order.wav',
 *   })
 *   expect(await page.run('turn', server.url)).toBe('…')
 *   expect(await page.leftovers()).toEqual({ ...nothingLeft })
 * })
 * ```
 *
 * - Arguments and results travel as JSON. The page and its web server are closed when the test is over, however it ends, and
 *   the browser too, or when its file is (those whose microphone is silent are shared). An uncaught error or a `console.error` in the page fails the test, unless it is one of `expectedErrors`.
 * - The microphone plays its wav once, from the moment that the page first opens it, and then is silent (harness and browser
 *   see to that). For several utterances at chosen moments use `mouth()` of `hearing.page.ts` in the page.
 * - What the page hears: `record(stream)` (a remote track, say) or `listenIn()` (whatever the page's AudioContexts play) of
 *   `hearing.page.ts`; return `await recording.stop()` and take `samplesOf` it in Node, to measure (`sounds.ts`) or to
 *   `recognise` (`src/testing/recognise.ts`, under `testWithChromiumAndEars`).
 * - No sleeps: `until('what', () => …)` of `hearing.page.ts` waits in the page for a condition, within a bound.
 * - `page.playwright` is Playwright's page, for clicks, screenshots, sizes and colour schemes (Chromium only).
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type Browser, type Page as PlaywrightPage, chromium as playwright } from 'playwright-core'
import { launch } from 'puppeteer-core'
import { afterAll, onTestFinished, type TestAPI, test } from 'vitest'
import { channelOf, readWav, writeWav } from '../../src/audio/wav.ts'
import { testWithEars } from '../ears.ts'
import type { Leftovers } from './leftovers.page.ts'
import { type PageOptions, servePage } from './page.ts'

export interface BrowserOptions extends PageOptions {
  /**
   * What the microphone hears: a wav file, or samples. Default: `silent` (a fake device's own beeps would be taken for speech).
   * `none`: there is no microphone. `denied`: the user says no. Firefox knows only its own fake device: a tone.
   */
  readonly microphone?: string | { readonly rate: number; readonly samples: Int16Array } | 'silent' | 'none' | 'denied'
  /** The page comes over http from a host that is not this one: an insecure place (Chromium only). */
  readonly isInsecure?: boolean
  /** `blocked`: nothing sounds before a click. */
  readonly autoplay?: 'allowed' | 'blocked'
  /** Errors in the page that belong to the test. */
  readonly expectedErrors?: RegExp
}

type Functions<Exported> = {
  [Name in keyof Exported as Exported[Name] extends (...args: never[]) => unknown ? Name : never]: Exported[Name]
}

export interface BrowserPage<Exported> {
  /** Calls what the page's module exports; rejects as it does. */
  run<Name extends keyof Functions<Exported> & string>(
    name: Name,
    ...args: Parameters<Extract<Exported[Name], (...args: never[]) => unknown>>
  ): Promise<Awaited<ReturnType<Extract<Exported[Name], (...args: never[]) => unknown>>>>
  /** What the page has opened and not closed. */
  leftovers(): Promise<Leftovers>
  readonly url: string
  /** Closes page, browser and web server; rejects when the page had errors. Called for you when the test is over. */
  close(): Promise<void>
}

export const nothingLeft: Leftovers = { tracks: 0, contexts: 0, peers: 0, sockets: 0, timers: 0 }

export const chromiumPath: string | null = find('CHROMIUM_PATH', 'chromium', 'chromium-browser', 'google-chrome')
export const firefoxPath: string | null = find('FIREFOX_PATH', 'firefox-esr', 'firefox')

/** Left out, and said to be, where the browser cannot be installed. */
export const testWithChromium: TestAPI = chromiumPath ? test : (test.skip as TestAPI)
export const testWithFirefox: TestAPI = firefoxPath ? test : (test.skip as TestAPI)
export const testWithChromiumAndEars: TestAPI = chromiumPath ? testWithEars : (test.skip as TestAPI)
export const testWithFirefoxAndEars: TestAPI = firefoxPath ? testWithEars : (test.skip as TestAPI)

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP app.test 127.0.0.1',
]

/** The browsers of this test file, by how they were started: those with a microphone of their own are not kept. */
const kept = new Map<string, Promise<Browser>>()
afterAll(async () => {
  for (const browser of kept.values()) await browser.then((one) => one.close()).catch(() => {})
  kept.clear()
})

/** Opens a page, with cookies and permissions of its own. */
export async function openChromium<Exported>(
  options: BrowserOptions,
): Promise<BrowserPage<Exported> & { readonly playwright: PlaywrightPage }> {
  const ending = closing()
  const { microphone = 'silent', autoplay = 'allowed' } = options
  const kind = `${microphone} ${autoplay}`
  const isKept = ['silent', 'none', 'denied'].includes(microphone as string)
  const isAlive = async () => (await kept.get(kind)?.catch(() => null))?.isConnected() === true
  const browser = isKept && (await isAlive()) ? kept.get(kind)! : launchChromium(microphone, autoplay)
  if (isKept) kept.set(kind, browser)
  else ending.push(async () => (await browser).close())
  const context = await (await browser).newContext()
  ending.push(() => context.close())
  const page = await context.newPage()
  const session = await page.context().newCDPSession(page)
  /** Playwright's own would count as something that the user did: blocked audio would play. */
  const evaluate = async (expression: string) => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
  }
  return { ...(await opened<Exported>(page, evaluate, options, ending)), playwright: page }
}

async function launchChromium(
  microphone: NonNullable<BrowserOptions['microphone']>,
  autoplay: NonNullable<BrowserOptions['autoplay']>,
): Promise<Browser> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-browser-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  const wav = join(folder, 'microphone.wav')
  try {
    if (microphone !== 'none' && microphone !== 'denied') writeFileSync(wav, endedInSilence(microphone))
    const browser = await playwright.launch({
      executablePath: chromiumPath ?? 'chromium',
      args: [
        ...flags,
        `--use-fake-ui-for-media-stream${microphone === 'denied' ? '=deny' : ''}`,
        ...(microphone === 'none' ? [] : ['--use-fake-device-for-media-stream']),
        ...(existsSync(wav) ? [`--use-file-for-fake-audio-capture=${wav}%noloop`] : []),
        `--autoplay-policy=${autoplay === 'blocked' ? 'document-user-activation-required' : 'no-user-gesture-required'}`,
      ],
      ignoreDefaultArgs: ['--mute-audio'],
    })
    browser.on('disconnected', remove)
    return browser
  } catch (error) {
    remove()
    throw error
  }
}

/** Opens a page in a Firefox of its own. */
export async function openFirefox<Exported>(options: BrowserOptions): Promise<BrowserPage<Exported>> {
  const ending = closing()
  const browser = await launch({
    browser: 'firefox',
    executablePath: firefoxPath ?? 'firefox-esr',
    headless: true,
    extraPrefsFirefox: {
      'media.navigator.streams.fake': options.microphone !== 'none',
      'media.navigator.permission.disabled': options.microphone !== 'denied',
      'media.autoplay.default': options.autoplay === 'blocked' ? 1 : 0,
      'media.autoplay.blocking_policy': 0,
      // Where there is no sound device, an AudioContext would never begin to run.
      'media.cubeb.force_mock_context': true,
    },
  })
  ending.push(() => browser.close())
  const page = await browser.newPage()
  return opened<Exported>(page, (text) => page.evaluate(text), options, ending)
}

/** What both drivers have in common. */
interface DrivenPage {
  on(event: 'pageerror', listener: (error: unknown) => void): unknown
  on(event: 'console', listener: (message: { type(): string; text(): string }) => void): unknown
  goto(url: string): Promise<unknown>
}

async function opened<Exported>(
  driven: unknown,
  evaluate: (text: string) => Promise<unknown>,
  options: BrowserOptions,
  ending: Ending,
): Promise<BrowserPage<Exported>> {
  const page = driven as DrivenPage
  const errors: Error[] = []
  const note = (text: string) => {
    if (!options.expectedErrors?.test(text)) errors.push(new Error(`In the page: ${text}`))
  }
  page.on('pageerror', (error) => note(error instanceof Error ? (error.stack ?? error.message) : String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') note(message.text())
  })
  const server = await servePage(options)
  ending.push(() => server.close())
  ending.push(() => {
    if (errors.length === 1) throw errors[0]
    if (errors.length) throw new AggregateError(errors, errors.map(({ message }) => message).join('\n'))
  })
  await page.goto(options.isInsecure ? server.url.replace('127.0.0.1', 'app.test') : server.url)
  await evaluate(`new Promise((ready, fail) => {
    const script = document.querySelector('script')
    script.addEventListener('error', () => fail(new Error('the page could not load its module')))
    const look = () => (globalThis.exported ? ready() : setTimeout(look, 5))
    look()
  })`)
  return {
    url: server.url,
    run: (name, ...args) => {
      const call = `exported[${JSON.stringify(name)}](...${JSON.stringify(args)})`
      return evaluate(call) as never
    },
    leftovers: () => evaluate('leftovers()') as Promise<Leftovers>,
    close: () => ending.close(),
  }
}

interface Ending {
  push(step: () => unknown): void
  close(): Promise<void>
}

/** Runs all that was pushed, the last first, once; also when the test fails before it closes the page itself. */
function closing(): Ending {
  const steps: (() => unknown)[] = []
  const close = async () => {
    const failures: unknown[] = []
    for (let step = steps.pop(); step; step = steps.pop()) {
      try {
        await step()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length) throw failures[0]
  }
  onTestFinished(close)
  return { push: (step) => steps.push(step), close }
}

/** Mono, and a second of silence behind it: Chromium repeats the last 10 ms of a fake microphone's file for ever. */
function endedInSilence(microphone: string | { readonly rate: number; readonly samples: Int16Array }): Uint8Array {
  if (microphone === 'silent') return writeWav({ rate: 48_000, samples: new Int16Array(48_000) })
  const wav = typeof microphone === 'string' ? readWav(readFileSync(microphone)) : { ...microphone, channels: 1 }
  const said = channelOf(wav)
  const samples = new Int16Array(said.length + wav.rate)
  samples.set(said)
  return writeWav({ rate: wav.rate, samples })
}

/** As scripts/setup.mjs looks for it: the file that the environment names, or else a command on the PATH. */
function find(variable: string, ...names: readonly string[]): string | null {
  const named = process.env[variable]
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const paths = named ? [named] : names.flatMap((name) => folders.map((folder) => join(folder, name)))
  return paths.find((path) => existsSync(path)) ?? null
}
