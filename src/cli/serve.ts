import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { serve, silero } from '../server/index.ts'
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

  const { cert, key } = values
  if (Boolean(cert) !== Boolean(key)) throw misuse('--cert and --key go together.')
  if (!['energy', 'silero'].includes(values.vad)) throw misuse(`--vad is energy or silero, not '${values.vad}'.`)
  const server = await serve({
    port: numberOf('port', values.port),
    host: values.host,
    pace: numberOf('pace', values.pace, Number.MIN_VALUE),
    ...(values.vad === 'silero' ? { vad: await silero() } : {}),
    ...(cert && key ? { cert: await readFile(cert), key: await readFile(key) } : {}),
    ...(values['api-key'] ? { apiKeys: values['api-key'] } : {}),
  })
  for (const missing of server.missing) console.error(missing)
  console.log(server.url)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close())
}

function numberOf(name: string, text: string, least = 0): number {
  const number = Number(text)
  if (text.trim() && number >= least) return number
  throw misuse(`--${name} takes a number${least ? ' above 0' : ''}, not '${text}'.`)
}
