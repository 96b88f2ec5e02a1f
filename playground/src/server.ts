/** What stands behind the page, as the server that serves it tells. */
export interface Config {
  /** `local`: the server that serves the page answers itself. Else the host that does. */
  readonly provider: string
  readonly model: string
  /** Null: the page's own origin. */
  readonly url: string | null
  /** The page asks the server for a client secret at each connection. */
  readonly needsSecret: boolean
  /** What the server cannot do, and what to install: one sentence each. */
  readonly missing: readonly string[]
}

export async function fetchConfig(): Promise<Config> {
  const response = await fetch('/playground/config')
  if (!response.ok) throw new Error(`The server answered HTTP ${response.status}.`)
  return response.json()
}

/** A client secret for a session of this config. Rejects with the server's reason. */
export async function mint(session: object): Promise<string> {
  const response = await fetch('/playground/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(session),
  }).catch(() => {
    throw new Error('the server of this page does not answer. Is parley dev still running?')
  })
  const told: { readonly value?: string; readonly error?: string } = await response.json()
  if (told.value) return told.value
  throw new Error(told.error ?? `The server made no client secret (HTTP ${response.status}).`)
}
