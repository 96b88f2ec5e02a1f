/**
 * How many calls over WebRTC the local server holds on one core, until the sound has gaps.
 *
 *   node bench/webrtc.mjs               20, 40, 50 and 60 calls
 *   node bench/webrtc.mjs 60 90         so many
 *   node bench/webrtc.mjs 20 --together all callers speak in step, and all answers begin in one instant: the worst case
 *   node bench/webrtc.mjs --quick       4: whether it runs
 *   node --single-threaded-gc bench/webrtc.mjs      the server without the threads that take its core from it
 *
 * Every caller speaks all the time, a sentence and a pause, and is answered all the time: 50 packets of Opus a second each
 * way, and nothing is interrupted. A turn counts as said when its sentence was sent, as heard when its words came back
 * (the ears, which are no recogniser, tell them when they were given sound as loud as was spoken), as answered when the
 * first sound of its answer was sent. The voice is recorded speech at 16 kHz, as the speech synthesis makes it.
 *
 * Before, ten calls came and went. The server has the first core to itself, the clients the second. They encode nothing,
 * and decode a tenth of the calls, to see that these hear the voice. A gap is the time between two packets of an answer:
 * `sent` as the server gives them to its sockets, `heard` as a client has them. The clients stand still at times too: so
 * much longer may a gap be that is heard.
 */
import { fork, spawnSync } from 'node:child_process'
import { Socket } from 'node:dgram'
import { on } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const file = fileURLToPath(import.meta.url)
const root = dirname(dirname(file))
const bundled = join(root, 'node_modules/.cache/bench-webrtc-server.mjs')
/** What each caller says, and how often. The pause after it is long enough for its turn to end. */
const sentence = 'fixtures/caller/thanks.wav'
const turns = 4
const words = 'Thank you.'
/** dB by which a sound may differ from what was spoken. */
const alike = 3
/** The clients measure: they clear away little at a time, and stand still for less. */
const brief = ['--max-semi-space-size=2', '--single-threaded-gc']
/** ms for the last answers to begin. */
const patienceMs = 3_000
const [role, ...args] = process.argv.slice(2)
const counts = process.argv.slice(2).filter((arg) => /^\d+$/.test(arg))

// Who was forked ends with who forked it.
process.once('disconnect', () => process.exit())
if (role === 'server') await beServer()
else if (role === 'clients') await beClients(Number(args[0]), args[1], args[2] === 'together')
else if (process.argv.includes('--quick')) await bench([4])
else await bench(counts.length ? counts.map(Number) : [20, 40, 50, 60])

async function bench(counts) {
  await bundle()
  const head = [
    'calls',
    'longest sent',
    'heard',
    '99 of 100',
    'lost',
    'said',
    'understood',
    'answered',
    'server CPU',
    'a call',
    'waited',
  ]
  console.log([...head, 'clients CPU', 'stood still'].map((cell) => cell.padStart(width(cell))).join(' '))
  for (const count of counts) {
    const { cpu, waited, sentMs, client, stallMs, gaps, missing, said, understood, answered } = await measured(count)
    const sorted = Float64Array.from(gaps).sort()
    const cells = {
      calls: count,
      'longest sent': ms(sentMs),
      heard: ms(sorted.at(-1)),
      '99 of 100': ms(sorted[Math.floor(0.99 * sorted.length)]),
      lost: missing,
      said,
      understood,
      answered,
      'server CPU': percent(cpu),
      'a call': percent(cpu / count, 2),
      waited: percent(waited),
      'clients CPU': percent(client),
      'stood still': ms(stallMs),
    }
    console.log(
      Object.entries(cells)
        .map(([name, cell]) => String(cell).padStart(width(name)))
        .join(' '),
    )
  }
}

function width(name) {
  return Math.max(name.length, 8)
}

function ms(time) {
  return time === undefined ? 'none' : `${time.toFixed(0)} ms`
}

function percent(part, digits = 0) {
  return `${(100 * part).toFixed(digits)} %`
}

/** The packages stay outside: they are what is installed. */
async function bundle() {
  const { build } = await import('esbuild')
  mkdirSync(dirname(bundled), { recursive: true })
  const rooms = ['server/index', 'audio/wav', 'audio/resample', 'audio/pcm']
  await build({
    stdin: { contents: rooms.map((room) => `export * from './src/${room}.ts'`).join('\n'), resolveDir: root },
    outfile: bundled,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'error',
  })
}

async function measured(count) {
  const server = child(0, 'server')
  const { url } = await told(server)
  const clients = child(1, 'clients', String(count), url, process.argv.includes('--together') ? 'together' : 'by turns')
  await told(clients)
  const speaking = told(clients)
  clients.send('begin')
  server.send('begin')
  const used = await told(server)
  await speaking
  server.send('end')
  const [sentMs, heard] = await Promise.all([told(server), told(clients)])
  for (const one of [server, clients]) one.disconnect()
  return { ...heard, ...used, sentMs }
}

function child(core, ...args) {
  const made = fork(file, args, { execArgv: args[0] === 'clients' ? brief : process.execArgv })
  const pinned = spawnSync('taskset', ['-a', '-c', '-p', String(core), String(made.pid)], { stdio: 'ignore' })
  if (pinned.status !== 0) console.error('taskset is missing: server and clients share all cores.')
  // Two messages may come in one turn: each waits until it is asked for.
  return Object.assign(made, { messages: on(made, 'message', { close: ['exit'] }) })
}

async function told({ messages }) {
  const { done, value } = await messages.next()
  if (done) throw new Error('A process of the bench ended.')
  return value[0]
}

async function spoken() {
  const tools = await import(pathToFileURL(bundled).href)
  return { ...tools, ...tools.readWav(readFileSync(join(root, sentence))) }
}

/** CPU time of this process while all callers speak: from the second turn of the first to its end. */
function cpuWhileAllSpeak(turnMs) {
  return new Promise((resolve) => {
    setTimeout(() => {
      const before = process.cpuUsage()
      const waitedBefore = waitedMs()
      const began = performance.now()
      setTimeout(
        () => {
          const { user, system } = process.cpuUsage(before)
          const tookMs = performance.now() - began
          resolve({ cpu: (user + system) / 1_000 / tookMs, waited: (waitedMs() - waitedBefore) / tookMs })
        },
        (turns - 1) * turnMs,
      )
    }, turnMs)
  })
}

/** ms that this process would have run, while its core was another's. */
function waitedMs() {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6
  } catch {
    return Number.NaN
  }
}

async function beServer() {
  const { scripted, serve, resample, level, samples, rate } = await spoken()
  const narrow = resample(samples, rate, 16_000)
  // A little longer than what it answers: the next answer comes before the end of this one.
  const voice = { rate: 16_000, speak: () => [narrow, narrow.subarray(0, 8_000)] }
  const loudest = loudestOf(level, samples, rate)
  const ears = { rate: 16_000, listen: () => earsThatListen(level, loudest) }
  const brain = scripted(() => [{ type: 'say', text: 'I am glad that I could help you with your order today.' }])
  const longestSent = gapsOfSound()
  const server = await serve({ port: 0, voice, ears, brain })
  process.on('message', async (word) => {
    if (word === 'end') return process.send(longestSent.ms)
    longestSent.begin()
    process.send(await cpuWhileAllSpeak((samples.length / rate) * 1_000))
  })
  process.send({ url: server.callsUrl })
}

/** Of the packets of sound that leave this process, by the socket of each call, the longest time between two. */
function gapsOfSound() {
  const sentAt = new Map()
  const longest = {
    ms: 0,
    begin() {
      sentAt.clear()
      longest.ms = 0
    },
  }
  const { send } = Socket.prototype
  Socket.prototype.send = function (data, ...rest) {
    // RTP without an extension; RTCP has types from 200 on (RFC 5761).
    if (data[0] === 0x80 && (data[1] & 0x7f) >= 96) {
      const now = performance.now()
      longest.ms = Math.max(longest.ms, now - (sentAt.get(this) ?? now))
      sentAt.set(this, now)
    }
    return send.call(this, data, ...rest)
  }
  return longest
}

/** dBFS of the loudest tenth of a second. */
function loudestOf(level, samples, rate) {
  let loudest = Number.NEGATIVE_INFINITY
  for (let from = 0; from < samples.length; from += rate / 10)
    loudest = Math.max(loudest, level(samples.subarray(from, from + rate / 10)))
  return loudest
}

function earsThatListen(level, loudest) {
  const pieces = []
  return {
    hear: (samples) => void pieces.push(samples.slice()),
    async finish() {
      const all = new Int16Array(pieces.reduce((sum, { length }) => sum + length, 0))
      let at = 0
      for (const piece of pieces) {
        all.set(piece, at)
        at += piece.length
      }
      return Math.abs(loudestOf(level, all, 16_000) - loudest) < alike ? words : ''
    },
    cancel() {},
  }
}

async function beClients(count, url, together) {
  const { createEncoder } = await import('libopus-wasm')
  const { level, samples, rate } = await spoken()
  const encoder = await createEncoder({ sampleRate: rate, channels: 1, frameSize: rate / 50, bitrate: 32_000 })
  const frames = Array.from({ length: Math.floor((50 * samples.length) / rate) }, (_, nth) =>
    encoder.encode(samples.slice((nth * rate) / 50, ((nth + 1) * rate) / 50)),
  )
  const loudest = loudestOf(level, samples, rate)
  await warmUp(url, frames)
  const calls = []
  for (let nth = 0; nth < count; nth++) {
    const silentFrames = together ? 0 : Math.round((nth / count) * frames.length)
    calls.push(await call(url, { frames, silentFrames, loudness: nth % 10 === 0 ? await loudness(level) : null }))
  }
  process.send({ connected: count })
  await new Promise((resolve) => process.once('message', resolve))
  const client = cpuWhileAllSpeak(frames.length * 20)
  const stallMs = await speak(calls, (turns + 1) * frames.length)
  process.send('spoken')
  const deadline = performance.now() + patienceMs
  while (calls.some((one) => one.heard.answered < turns) && performance.now() < deadline)
    await new Promise(setImmediate)
  const heard = calls.map((one) => one.heard)
  const quiet = heard.find((one) => one.loudness && Math.abs(one.loudness.dBFS() - loudest) > alike)
  if (quiet) throw new Error(`An answer was heard at ${quiet.loudness.dBFS()} dBFS instead of ${loudest}.`)
  const sum = (name) => heard.reduce((sum, one) => sum + one[name], 0)
  process.send({
    stallMs,
    gaps: heard.flatMap(({ gaps }) => gaps),
    missing: sum('missing'),
    said: count * turns,
    understood: sum('understood'),
    answered: sum('answered'),
    client: (await client).cpu,
  })
}

/** Ten calls of one turn, that leave again: what is measured is no server that still compiles its own code. */
async function warmUp(url, frames) {
  const calls = []
  for (let nth = 0; nth < 10; nth++) calls.push(await call(url, { frames, silentFrames: 10 * nth, loudness: null }))
  await speak(calls, 2 * frames.length)
  for (const one of calls) await one.leave()
}

/** Each call speaks every 20 ms. Resolves with how long this process stood still at the most. */
function speak(calls, ticks) {
  return new Promise((resolve) => {
    const began = performance.now()
    let stallMs = 0
    let beatAt = began
    let nth = 0
    const beat = () => {
      const now = performance.now()
      stallMs = Math.max(stallMs, now - beatAt - 20)
      beatAt = now
      for (; began + 20 * nth <= now && nth < ticks; nth++) for (const one of calls) one.speak(nth)
      if (nth === ticks) resolve(stallMs)
      else setTimeout(beat, began + 20 * nth - performance.now())
    }
    beat()
  })
}

async function loudness(level) {
  const { createDecoder } = await import('libopus-wasm')
  const decoder = await createDecoder({ sampleRate: 24_000, channels: 1 })
  let window = []
  let loudest = Number.NEGATIVE_INFINITY
  return {
    hear(opus) {
      window.push(...decoder.decode(opus))
      if (window.length < 2_400) return
      loudest = Math.max(loudest, level(Int16Array.from(window)))
      window = []
    },
    dBFS: () => loudest,
  }
}

async function call(url, { frames, silentFrames, loudness }) {
  const { MediaStreamTrack, RTCPeerConnection, RtpHeader, RtpPacket } = await import('werift')
  const line = new RTCPeerConnection({
    iceServers: [],
    iceUseIpv6: false,
    iceAdditionalHostAddresses: ['127.0.0.1'],
  })
  const channel = line.createDataChannel('oai-events')
  const { sender } = line.addTransceiver(new MediaStreamTrack({ kind: 'audio' }), { direction: 'sendrecv' })
  let last = null
  let lastNumber = 0
  let isOver = false
  const heard = { gaps: [], missing: 0, understood: 0, answered: 0, loudness }
  line.onTrack.subscribe((track) => {
    track.onReceiveRtp.subscribe(({ header: { sequenceNumber }, payload }) => {
      if (isOver) return
      const now = performance.now()
      if (last !== null) {
        heard.gaps.push(now - last)
        heard.missing += Math.max(0, ((sequenceNumber - lastNumber) & 0xffff) - 1)
      }
      last = now
      lastNumber = sequenceNumber
      loudness?.hear(payload)
    })
  })
  channel.onMessage.subscribe((data) => {
    const event = JSON.parse(String(data))
    if (event.type === 'conversation.item.input_audio_transcription.completed' && event.transcript === words)
      heard.understood++
    // The answers stand in line: the later ones are not begun when all is said, but given.
    if (event.type === 'response.done' && event.response.status === 'completed') heard.answered++
  })
  await line.setLocalDescription(await line.createOffer())
  const session = {
    type: 'realtime',
    audio: {
      input: {
        transcription: { model: 'whisper-1' },
        turn_detection: { type: 'server_vad', silence_duration_ms: 500, interrupt_response: false },
      },
    },
  }
  const form = new FormData()
  form.set('sdp', line.localDescription.sdp)
  form.set('session', JSON.stringify(session))
  const response = await fetch(`${url}?model=gpt-realtime`, {
    method: 'POST',
    headers: { authorization: 'Bearer k' },
    body: form,
  })
  if (!response.ok) throw new Error(await response.text())
  await line.setRemoteDescription({ type: 'answer', sdp: await response.text() })
  await new Promise((resolve) => {
    channel.stateChanged.subscribe((state) => state === 'open' && resolve())
    if (channel.readyState === 'open') resolve()
  })
  let sequenceNumber = 0
  return {
    speak(tick) {
      const nth = tick - silentFrames
      // Before its first turn and after its last a caller is silent, as the end of the recording is.
      const isSaying = nth >= 0 && nth < turns * frames.length
      const payload = frames[isSaying ? nth % frames.length : frames.length - 1 - (tick % 10)]
      if (tick === (turns + 1) * frames.length - 1) isOver = true
      const header = new RtpHeader({ sequenceNumber: sequenceNumber++ & 0xffff, timestamp: tick * 960, payloadType: 0 })
      void sender.sendRtp(new RtpPacket(header, Buffer.from(payload)))
    },
    heard,
    leave: () => line.close(),
  }
}
