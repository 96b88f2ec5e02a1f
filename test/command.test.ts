/** The `parley` command as people run it: a process, its output, its exit code. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { ClientOptions } from 'ws'
import { channelOf, readWav } from '../src/audio/wav.ts'
import { serve } from '../src/server/index.ts'
import { scriptedEars, toneVoice } from '../src/testing/index.ts'
import { builtCommand, type Command, type Running } from './command.ts'
import { farSocket } from './far-socket.ts'
import { certificate, type Line, line } from './line.ts'

let command: Command
let folder: string
beforeAll(() => {
  command = builtCommand()
  folder = mkdtempSync(join(tmpdir(), 'parley-command-'))
}, 60_000)
afterAll(() => {
  command.remove()
  rmSync(folder, { recursive: true, force: true })
})

const key = 'sk-for-openai-and-nobody-else'
const wellEnded = { code: 0, signal: null }

function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function serving(...args: string[]): Promise<{ readonly url: string; readonly running: Running }> {
  const running = command.run(['serve', '--port', '0', ...args])
  return { url: await running.firstLine, running }
}

function dialed(url: string, key: string, options: ClientOptions = {}): Line {
  return line(`${url}?model=gpt-realtime-2.1`, [], { ...options, headers: { authorization: `Bearer ${key}` } })
}

async function greeted(url: string, key = 'any', options: ClientOptions = {}): Promise<Line> {
  const call = dialed(url, key, options)
  await call.next('session.created')
  return call
}

async function hangUp({ socket, closed }: Line): Promise<void> {
  socket.close(1000)
  expect((await closed).code).toBe(1000)
}

test('serve prints its URL on one line when it is ready, and nothing else', async () => {
  const { url, running } = await serving()
  expect(url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/v1\/realtime$/)
  await hangUp(await greeted(url))
  running.process.kill('SIGTERM')
  await running.ended
  expect(running.out()).toBe(`${url}\n`)
})

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends the calls, and serve with them: exit code 0', async (signal) => {
  const { url, running } = await serving()
  const { closed } = await greeted(url)
  running.process.kill(signal)
  expect(await closed).toEqual({ code: 1001, reason: 'The server is closing.' })
  expect(await running.ended).toEqual(wellEnded)
})

test('serve --host listens there', async () => {
  const { url } = await serving('--host', 'localhost')
  expect(url).toMatch(/^ws:\/\/localhost:\d+\//)
  await hangUp(await greeted(url))
})

test('serve --cert and --key speak TLS', async () => {
  const tls = certificate()
  const { url } = await serving('--cert', file('cert.pem', tls.cert), '--key', file('key.pem', tls.key))
  expect(url).toMatch(/^wss:\/\/127\.0\.0\.1:\d+\/v1\/realtime$/)
  await hangUp(await greeted(url, 'any', { ca: tls.cert }))
})

test('serve --api-key lets in the keys that it names, and no other', async () => {
  const { url } = await serving('--api-key', 'sk-one', '--api-key', 'sk-two')
  for (const known of ['sk-one', 'sk-two']) await hangUp(await greeted(url, known))
  const refused = dialed(url, 'sk-three')
  expect((await refused.next('error')).error).toMatchObject({ code: 'invalid_api_key' })
  expect((await refused.closed).code).toBe(3000)
})

test('serve --pace says how much faster than speech the audio comes', async () => {
  const [slow, fast] = await Promise.all(['1', '1000'].map((pace) => serving('--pace', pace)))
  const order: string[] = []
  const answered = async (name: string, url: string) => {
    const call = await greeted(url)
    call.send({ type: 'response.create', response: { instructions: 'Say: "One two three four five six seven."' } })
    await call.next('response.output_audio.delta')
    order.push(`${name} begins`)
    await call.next('response.done')
    order.push(`${name} ends`)
    return call
  }
  const slowly = answered('slow', slow!.url)
  await hangUp(await answered('fast', fast!.url))
  await hangUp(await slowly)
  expect(order.at(-1)).toBe('slow ends')
})

test('what stands in the way of serve is told in a sentence', async () => {
  const { url } = await serving()
  const { port } = new URL(url)
  const second = command.run(['serve', '--port', port])
  expect(await second.ended).toEqual({ code: 1, signal: null })
  expect(second.err()).toBe(`parley serve: Port ${port} is taken: name another with --port, or 0 for a free one.\n`)
})

const noPort = (given: string) => `--port takes a number from 0 to 65535, not '${given}'.`
const noUrl = (given: string) => `--url begins with ws, wss, http or https, not '${given}'.`
test.each([
  ['serve --port 70000', noPort('70000')],
  ['serve --port 1.5', noPort('1.5')],
  ['serve --port http', noPort('http')],
  ['serve --port', '--port takes a value.'],
  ['serve --port -1', '--port takes a value.'],
  ['serve --pace 0', "--pace takes a number above 0, not '0'."],
  ['serve --pace Infinity', "--pace takes a number above 0, not 'Infinity'."],
  ['serve --vad ears', "--vad is energy or silero, not 'ears'."],
  ['serve --cert cert.pem', '--cert and --key go together.'],
  ['serve --cert no.pem --key no.pem', "--cert cannot be read: there is no file 'no.pem'."],
  [
    'serve --cert package.json --key package.json',
    /^--cert and --key are no PEM certificate with its own key \(.*\)\.$/,
  ],
  ['serve --colour red', "Unknown option '--colour'."],
  ['serve 8787', "Unexpected argument '8787'."],
  ['dev --port 70000', noPort('70000')],
  ['dev --url ftp://here', noUrl('ftp://here')],
  ['call --url here', noUrl('here')],
  ['call --out', '--out takes a value.'],
])('parley %s: exit code 2, and one sentence', async (words, sentence) => {
  const { ended, out, err } = command.run(words.split(' '))
  expect(await ended).toEqual({ code: 2, signal: null })
  expect(out()).toBe('')
  const [, name, said] = /^parley (\w+): (.*)\n$/.exec(err()) ?? []
  expect(name).toBe(words.split(' ')[0])
  if (typeof sentence === 'string') expect(said).toBe(sentence)
  else expect(said).toMatch(sentence)
})

test.each([[['help']], [['serve', '--help']], [['call', '--help']], [['dev', '-h']], [['--version']]])(
  'parley %j tells what it can, and exits 0',
  async (args) => {
    const { ended, out, err } = command.run(args)
    expect(await ended).toEqual(wellEnded)
    expect(out()).not.toBe('')
    expect(err()).toBe('')
  },
)

test('a command that is not there: exit code 2, and those that are', async () => {
  const { ended, err } = command.run(['sing'])
  expect(await ended).toEqual({ code: 2, signal: null })
  expect(err()).toMatch(/^parley: there is no command 'sing'\.\n[\s\S]*parley serve/)
})

test.each([
  ['none', [], undefined],
  ['the one that is named', ['--key', 'sk-theirs'], 'Bearer sk-theirs'],
])('call --url shows another server no key of the environment, but %s', async (_, args, authorization) => {
  const far = await farSocket({ line: ({ socket }) => socket.close(3000, 'no') })
  onTestFinished(() => far.close())
  const running = command.run(['call', '--url', far.url, ...args], { OPENAI_API_KEY: key })
  expect((await running.ended).code).toBe(1)
  expect(running.err()).toMatch(/^parley call: .+\n$/)
  const { headers, url } = (await far.line()).request
  expect(headers.authorization).toBe(authorization)
  expect(JSON.stringify([headers, url]) + running.out() + running.err()).not.toContain(key)
})

test('call --url --key plays a whole call with another server', { timeout: 60_000 }, async () => {
  const far = await serve({
    port: 0,
    pace: 40,
    apiKeys: ['sk-theirs'],
    ears: scriptedEars(['where is my order the number is 12345', 'thank you goodbye']),
    voice: toneVoice({ msPerLetter: 4 }),
  })
  onTestFinished(() => far.close())
  const out = join(folder, 'call.wav')
  const running = command.run(['call', '--url', far.url, '--key', 'sk-theirs', '--out', out])
  expect(await running.ended).toEqual(wellEnded)
  expect(running.out()).toMatch(
    /Calling ws.*line {4}live\n.*\(speaks\).*where is my order.*look_up_order.*→ .*shipped.*thank you.*line {4}closed/s,
  )
  const { rate, channels } = readWav(readFileSync(out))
  expect([rate, channels]).toEqual([24_000, 2])
  for (const side of [0, 1])
    expect(channelOf(readWav(readFileSync(out)), side).some((sample) => sample > 1_000)).toBe(true)
})
