/**
 * How many calls over WebRTC the local server holds on one core, until the sound has gaps.
 *
 *   node bench/webrtc.mjs               20, 40, 60 … calls, until a gap is longer than 100 ms
 *   node bench/webrtc.mjs 60 90         so many
 *   node bench/webrtc.mjs --quick       4: whether it runs
 *
 * Each call sends and hears 50 packets of Opus a second. The server has the first core to itself, the clients the second;
 * they neither encode nor decode. A gap that is no longer than the clients themselves stood still says nothing about the
 * server: the machine is busy with other things. The voice is a tone: what is measured is the line, not the speech synthesis.
 */
import { fork, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const file = fileURLToPath(import.meta.url)
const root = dirname(dirname(file))
const bundled = join(root, 'node_modules/.cache/bench-webrtc-server.mjs')
const measuredMs = 8_000
const longestGapMs = 100
/** Packets: half a second. */
const underWay = 25
const [role, ...args] = process.argv.slice(2)

// Who was forked ends with who forked it.
process.once('disconnect', () => process.exit())
if (role === 'server') await beServer()
else if (role === 'clients') await beClients(Number(args[0]), args[1])
else if (role === '--quick') await bench([4])
else await bench(role ? [role, ...args].map(Number) : [20, 40, 60, 80, 100, 120])

async function bench(counts) {
  await bundle()
  console.log('calls   longest gap   clients stood still   late over 40 ms   lost   server CPU   of one core a call')
  for (const count of counts) {
    const { stallMs, gapMs, late, packets, missing, cpu } = await measured(count)
    const share = (part, whole) => `${((100 * part) / whole).toFixed(2)} %`
    const cells = [
      String(count).padStart(5),
      `${gapMs.toFixed(0)} ms`.padStart(13),
      `${stallMs.toFixed(0)} ms`.padStart(21),
      share(late, packets).padStart(17),
      String(missing).padStart(6),
      `${(100 * cpu).toFixed(0)} %`.padStart(12),
      `${((100 * cpu) / count).toFixed(2)} %`.padStart(20),
    ]
    console.log(cells.join(' '))
    if (gapMs > Math.max(longestGapMs, stallMs) || packets === 0) break
  }
}

/** The packages stay outside: they are what is installed. */
async function bundle() {
  const { build } = await import('esbuild')
  mkdirSync(dirname(bundled), { recursive: true })
  await build({
    entryPoints: [join(root, 'src/server/index.ts')],
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
  const clients = child(1, 'clients', String(count), url)
  await told(clients)
  server.send('begin')
  const [{ cpu }, heard] = await Promise.all([told(server), told(clients)])
  server.kill()
  clients.kill()
  return { ...heard, cpu }
}

function child(core, ...args) {
  const made = fork(file, args)
  const pinned = spawnSync('taskset', ['-a', '-c', '-p', String(core), String(made.pid)], { stdio: 'ignore' })
  if (pinned.status !== 0) console.error('taskset is missing: server and clients share all cores.')
  return made
}

function told(from) {
  return new Promise((resolve, reject) => {
    from.once('message', resolve)
    from.once('exit', (code) => reject(new Error(`A process of the bench ended: ${code}`)))
  })
}

async function beServer() {
  const { scripted, serve } = await import(pathToFileURL(bundled).href)
  const rate = 24_000
  // Made before: a real voice speaks in a worker, and does not hold up the calls.
  const tone = Int16Array.from({ length: 4 * rate }, (_, n) => 6_000 * Math.sin(n / 9) * (1 + Math.sin(n / 3_000)))
  const voice = { rate, speak: () => [tone] }
  const ears = { rate: 16_000, listen: () => ({ hear() {}, finish: async () => 'hello', cancel() {} }) }
  const brain = scripted(() => [{ type: 'say', text: 'A sentence. '.repeat(10) }])
  const server = await serve({ port: 0, voice, ears, brain })
  process.on('message', () => {
    const before = process.cpuUsage()
    const began = performance.now()
    setTimeout(() => {
      const { user, system } = process.cpuUsage(before)
      process.send({ cpu: (user + system) / 1_000 / (performance.now() - began) })
    }, measuredMs)
  })
  process.send({ url: server.callsUrl })
}

async function beClients(count, url) {
  const { createEncoder } = await import('libopus-wasm')
  const encoder = await createEncoder({ sampleRate: 24_000, channels: 1, frameSize: 480, bitrate: 32_000 })
  // Too quiet to be speech, and no silence: it costs what a microphone costs.
  const frames = Array.from({ length: 50 }, (_, nth) =>
    encoder.encode(Int16Array.from({ length: 480 }, (_, n) => 20 * Math.sin((nth * 480 + n) ** 1.2))),
  )
  const calls = []
  for (let nth = 0; nth < count; nth++) calls.push(await call(url, frames))
  process.send({ connected: count })
  const total = { stallMs: 0, gapMs: 0, late: 0, packets: 0, missing: 0 }
  const began = performance.now()
  for (const one of calls) one.begin()
  let due = began
  let beatAt = began
  const beat = () => {
    total.stallMs = Math.max(total.stallMs, performance.now() - beatAt - 20)
    beatAt = performance.now()
    for (; due <= performance.now(); due += 20) for (const one of calls) one.speak()
    if (performance.now() - began < measuredMs) return setTimeout(beat, due - performance.now())
    for (const { gapMs, late, packets, missing } of calls.map((one) => one.heard())) {
      total.gapMs = Math.max(total.gapMs, gapMs)
      total.late += late
      total.packets += packets
      total.missing += missing
    }
    process.send(total)
  }
  beat()
}

async function call(url, frames) {
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
  const heard = { gapMs: 0, late: 0, packets: 0, missing: 0 }
  line.onTrack.subscribe((track) => {
    track.onReceiveRtp.subscribe(({ header: { sequenceNumber } }) => {
      const now = performance.now()
      heard.packets++
      // All answers begin in the same instant, which no real calls do: what is measured begins when they are under way.
      if (last !== null && heard.packets > underWay) {
        heard.gapMs = Math.max(heard.gapMs, now - last)
        if (now - last > 40) heard.late++
        heard.missing += Math.max(0, ((sequenceNumber - lastNumber) & 0xffff) - 1)
      }
      last = now
      lastNumber = sequenceNumber
    })
  })
  await line.setLocalDescription(await line.createOffer())
  const response = await fetch(`${url}?model=bench`, {
    method: 'POST',
    headers: { 'content-type': 'application/sdp', authorization: 'Bearer k' },
    body: line.localDescription.sdp,
  })
  await line.setRemoteDescription({ type: 'answer', sdp: await response.text() })
  await new Promise((resolve) => {
    channel.stateChanged.subscribe((state) => state === 'open' && resolve())
    if (channel.readyState === 'open') resolve()
  })
  let spoken = 0
  return {
    begin: () => channel.send(JSON.stringify({ type: 'response.create' })),
    speak() {
      const header = new RtpHeader({ sequenceNumber: spoken & 0xffff, timestamp: spoken * 960, payloadType: 0 })
      void sender.sendRtp(new RtpPacket(header, Buffer.from(frames[spoken++ % frames.length])))
    },
    heard: () => heard,
  }
}
