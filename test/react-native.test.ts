/** WebRTC where the platform has the shape of React Native's: no document, and a URL and a FormData with less in them. */
import { request } from 'node:http'
import { afterEach, expect, test, vi } from 'vitest'
import { OpenAIRealtimeWebRTC, RealtimeAgent, RealtimeSession } from '../src/index.ts'
import { farRtc } from './far-rtc.ts'
import { platform } from './werift-platform.ts'

/** As React Native's own: nothing can be set, and a path ends in a slash. */
class NativeUrl {
  readonly #url: string
  constructor(url: string) {
    this.#url = /[/?#]$|[?#]/.test(url) ? url : `${url}/`
  }
  get href(): string {
    return this.#url
  }
  get protocol(): string {
    return /^\w+:/.exec(this.#url)?.[0] ?? ''
  }
  get pathname(): string {
    return /^\w+:\/\/[^/]*([^?#]*)/.exec(this.#url)?.[1] ?? ''
  }
  get searchParams(): never {
    throw new Error('URLSearchParams is not implemented.')
  }
}

class NativeFormData {
  readonly parts: [string, string][] = []
  append(name: string, value: string): void {
    this.parts.push([name, value])
  }
}

const boundary = 'b'.repeat(40)

/** By Node's own requests, which ask for none of the two. */
const nativeFetch = ((to: string, { method, headers, body }: { method: string; headers: object; body: unknown }) =>
  new Promise((resolve, reject) => {
    const isForm = body instanceof NativeFormData
    const type = isForm ? { 'content-type': `multipart/form-data; boundary=${boundary}` } : {}
    const asked = request(to, { method, headers: { ...headers, ...type } }, async (response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk as Buffer)
      const { statusCode: status = 0, headers: said } = response
      const text = async () => Buffer.concat(chunks).toString()
      resolve({ ok: status < 300, status, headers: { get: (name: string) => said[name] ?? null }, text })
    })
    asked.on('error', reject)
    const part = ([name, value]: [string, string]) =>
      `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
    asked.end(isForm ? `${body.parts.map(part).join('')}--${boundary}--\r\n` : body)
  })) as unknown as typeof fetch

afterEach(() => vi.unstubAllGlobals())

test.each([
  ['a client secret', 'ek_secret', '/v1/realtime/calls?model=m'],
  ['a key', 'sk-test-0123456789', '/v1/realtime/calls'],
])('a call is made with %s, and hung up', async (_, apiKey, path) => {
  const far = await farRtc({
    line(line) {
      line.channel.onMessage.subscribe(() => line.say({ type: 'session.updated', event_id: 'e', session: {} }))
    },
  })
  const here = platform()
  vi.stubGlobal('URL', NativeUrl)
  vi.stubGlobal('FormData', NativeFormData)
  vi.stubGlobal('XMLHttpRequest', class {})
  expect('document' in globalThis).toBe(false)
  const transport = new OpenAIRealtimeWebRTC({ ...here, fetch: nativeFetch, useInsecureApiKey: true })
  const session = new RealtimeSession(new RealtimeAgent({ name: 'A' }), { transport, apiKey, model: 'm' })
  await session.connect({ url: far.url.replace('http', 'ws').replace('/calls', '') })
  expect((await far.request()).path).toBe(path)
  expect([session.state.link.at, transport.callId]).toEqual(['live', 'rtc_0'])
  session.close()
  expect(here.left()).toEqual({ tracks: 0, peers: 0 })
  vi.unstubAllGlobals()
  await far.close()
})
