/** `parley dev`: a page to talk to an agent, served by the local realtime server from its own origin. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { misuse } from './misuse.ts'
import { playground } from './playground.ts'

const help = `parley dev: a page where you speak and an agent answers

  --port PORT     default: 8787, or a free one where that is taken
  --host HOST     default: 127.0.0.1
  --url URL       talk to a compatible server instead of the local one
  --key KEY       talk to OpenAI (or the server at --url) with this key; default: OPENAI_API_KEY, for OpenAI alone.
                  The key stays here: the page is given client secrets
  --model MODEL   the model to ask for
  --no-open       open no browser

Without a key and a URL the agent answers from this machine, and needs no network.`

export async function devCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
      url: { type: 'string' },
      key: { type: 'string' },
      model: { type: 'string' },
      'no-open': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return console.log(help)

  const { host, url, model } = values
  if (url !== undefined && !isAddress(url)) throw misuse(`--url begins with ws, wss, http or https, not '${url}'.`)
  // A key that was put into the environment for OpenAI is shown to nobody else.
  const key = values.key ?? (url === undefined ? process.env['OPENAI_API_KEY'] : undefined)
  const folder = fileURLToPath(new URL('../playground', import.meta.url))
  const options = { folder, host, url, key: key || undefined, model }
  const served =
    values.port === undefined
      ? await playground({ ...options, port: 8787 }).catch((error) => elsewhere(error, options))
      : await playground({ ...options, port: portOf(values.port) })

  for (const missing of served.missing) console.error(`  ! ${missing}`)
  console.log(`  ${served.url}  (${served.behind}; Ctrl-C ends it)`)
  if (!values['no-open'] && !process.env['CI']) open(served.url)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void served.close())
}

/** The usual port is taken, by an earlier `parley dev` perhaps: any other will do. */
function elsewhere(error: NodeJS.ErrnoException, options: Omit<Parameters<typeof playground>[0], 'port'>) {
  if (error.code !== 'EADDRINUSE') throw error
  return playground({ ...options, port: 0 })
}

function isAddress(url: string): boolean {
  return URL.canParse(url) && /^(?:ws|http)s?:$/.test(new URL(url).protocol)
}

function portOf(text: string): number {
  const port = Number(text)
  if (text.trim() && Number.isInteger(port) && port >= 0 && port < 65_536) return port
  throw misuse(`--port takes a number from 0 to 65535, not '${text}'.`)
}

/** Opens the default browser, where there is a screen. One that cannot be opened is no failure: the URL is printed. */
function open(url: string): void {
  const [command, ...args] = opener()
  if (!command) return
  const browser = spawn(command, [...args, url], { stdio: 'ignore', detached: true })
  browser.on('error', () => {})
  browser.unref()
}

function opener(): readonly string[] {
  if (process.platform === 'darwin') return ['open']
  if (process.platform === 'win32') return ['cmd', '/c', 'start', '""']
  return process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY'] ? ['xdg-open'] : []
}
