/** What several commands are told, looked at in one place. */
import { misuse } from './misuse.ts'

/** Of `--port`: 0 picks a free one. */
export function portOf(text: string): number {
  const port = Number(text)
  if (text.trim() && Number.isInteger(port) && port >= 0 && port < 65_536) return port
  throw misuse(`--port takes a number from 0 to 65535, not '${text}'.`)
}

/** Of `--url`: where a compatible server is, if it is given. */
export function addressOf(url: string | undefined): string | undefined {
  if (url === undefined || (URL.canParse(url) && /^(?:ws|http)s?:$/.test(new URL(url).protocol))) return url
  throw misuse(`--url begins with ws, wss, http or https, not '${url}'.`)
}

/** A key that was put into the environment for OpenAI is shown to nobody else: a server at `--url` gets only `--key`. */
export function keyOf(given: { readonly url?: string | undefined; readonly key?: string | undefined }): string | null {
  return (given.key ?? (given.url === undefined ? process.env['OPENAI_API_KEY'] : undefined)) || null
}

/** Why nothing can listen there, in a sentence; what it is not about, as it came. */
export function whyNotListening(
  error: unknown,
  { host, port }: { readonly host: string; readonly port: number },
): unknown {
  const why = reasons[String((error as { readonly code?: unknown } | null)?.code)]
  return why ? new Error(why(host, port), { cause: error }) : error
}

const reasons: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (_, port) => `Port ${port} is taken: name another with --port, or 0 for a free one.`,
  EACCES: (_, port) => `Port ${port} takes more rights than this process has: name one above 1023 with --port.`,
  EADDRNOTAVAIL: (host) => `'${host}' is no address of this machine: name one with --host, such as 127.0.0.1.`,
  ENOTFOUND: (host) => `'${host}' is no address of this machine: name one with --host, such as 127.0.0.1.`,
}
