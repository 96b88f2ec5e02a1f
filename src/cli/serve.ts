import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { parseArgs } from 'node:util'
import { messageOf } from '../protocol/errors.ts'
import { serve, silero } from '../server/index.ts'
import { portOf, whyNotListening } from './flags.ts'
import { misuse } from './misuse.ts'

const help = `parley serve: a local realtime server

  --port PORT      default: 8787; 0 picks a free one
  --host HOST      default: 127.0.0.1
  --cert FILE      PEM certificate and key: with both the server speaks TLS
  --key FILE
  --api-key KEY    lets in this key only; may stand more than once
  --pace N         sends audio N times faster than it is heard; default: 4
  --vad NAME       how speech is told from noise: energy (default), or silero, which needs
                   npm install onnxruntime-web @ricky0123/vad-web`

/** `parley serve`: prints the URL on one line when ready; ends with SIGINT or SIGTERM. */
export async function serveCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string', default: '8787' },
      host: { type: 'string', default: '127.0.0.1' },
      cert: { type: 'string' },
      key: { type: 'string' },
      'api-key': { type: 'string', multiple: true },
      pace: { type: 'string', default: '4' },
      vad: { type: 'string', default: 'energy' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return console.log(help)

  const { host, vad } = values
  if (!['energy', 'silero'].includes(vad)) throw misuse(`--vad is energy or silero, not '${vad}'.`)
  const port = portOf(values.port)
  const options = { port, host, pace: paceOf(values.pace), ...(await certified(values)) }
  const server = await serve({
    ...options,
    ...(vad === 'silero' ? { vad: await silero() } : {}),
    ...(values['api-key'] ? { apiKeys: values['api-key'] } : {}),
  }).catch((error) => Promise.reject(whyNotListening(error, options)))
  for (const missing of server.missing) console.error(missing)
  console.log(server.url)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close())
}

function paceOf(text: string): number {
  const pace = Number(text)
  if (text.trim() && pace > 0 && Number.isFinite(pace)) return pace
  throw misuse(`--pace takes a number above 0, not '${text}'.`)
}

/** Both files, looked at before anything listens; or neither. */
async function certified(files: {
  readonly cert?: string | undefined
  readonly key?: string | undefined
}): Promise<{ readonly cert?: Buffer; readonly key?: Buffer }> {
  if (!files.cert && !files.key) return {}
  if (!files.cert || !files.key) throw misuse('--cert and --key go together.')
  const cert = await contentOf('cert', files.cert)
  const key = await contentOf('key', files.key)
  try {
    createSecureContext({ cert, key })
  } catch (error) {
    throw misuse(`--cert and --key are no PEM certificate with its own key (${messageOf(error)}).`)
  }
  return { cert, key }
}

function contentOf(name: string, file: string): Promise<Buffer> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw misuse(`--${name} cannot be read: ${error.code === 'ENOENT' ? `there is no file '${file}'` : error.message}.`)
  })
}
