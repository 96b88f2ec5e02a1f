/** What goes wrong at the first try, against the local server: over a real socket, and told in words that help. */
import { expect, onTestFinished, test } from 'vitest'
import { RealtimeAgent, RealtimeSession } from '../src/index.ts'
import { serve } from '../src/server/index.ts'

const apiKey = 'local-key'

async function connecting(given: { readonly key?: string; readonly path?: string }): Promise<RealtimeSession> {
  const { key = apiKey, path = '/v1/realtime' } = given
  const server = await serve({ port: 0, apiKeys: [apiKey] })
  const session = new RealtimeSession(new RealtimeAgent({ name: 'A' }), { apiKey: key, transport: 'websocket' })
  onTestFinished(async () => {
    session.close()
    await server.close()
  })
  await session.connect({ url: `ws://127.0.0.1:${server.port}${path}` })
  return session
}

test.each([`${apiKey}\n`, `${apiKey}\r\n`, ` ${apiKey} `, `\t${apiKey}`])(
  'a key as a file has it is the key: %j',
  async (key) => {
    const session = await connecting({ key })
    expect(session.state.link).toMatchObject({ at: 'live' })
  },
)

test.each(['', '/', '/v1'])('a server without its path says what is there: %j', async (path) => {
  await expect(connecting({ path })).rejects.toThrow(/HTTP 404: Invalid URL.* \/v1\/realtime, a WebSocket/)
})
