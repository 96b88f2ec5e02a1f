/** `parley dev`: a page to talk to an agent, served by the local realtime server from its own origin. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { addressOf, keyOf, portOf, whyNotListening } from './flags.ts'
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

  const { host, model } = values
  const url = addressOf(values.url)
  const port = portOf(values.port ?? '8787')
  const folder = fileURLToPath(new URL('../playground', import.meta.url))
  const options = { folder, host, url, key: keyOf(values) ?? undefined, model }
  const served = await playground({ ...options, port })
    .catch((error) => (values.port === undefined ? elsewhere(error, options) : Promise.reject(error)))
    .catch((error) => Promise.reject(whyNotListening(error, { host, port })))

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
