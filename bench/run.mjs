/**
 * Measures what Parley costs, as ratios to the least that any client must do, in one run and on the same bytes.
 *
 *   npm run bench                about half a minute
 *   npm run bench -- --quick     under ten seconds, and rougher
 *   npm run bench -- --strict    exit code 1 when a goal is missed
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { frames } from './frames.mjs'
import { farEnd, median, ratio, sampleClients } from './measure.mjs'

const { values: options } = parseArgs({ options: { quick: { type: 'boolean' }, strict: { type: 'boolean' } } })
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const goals = []

buildIfStale()
const { eventCosts } = await import('./history.mjs')
const { toolCalls } = await import('./tools.mjs')
const { size } = await import('./size.mjs')
const began = performance.now()
const far = await farEnd()
try {
  await showReceiving()
  await showSending()
} finally {
  far.stop()
}
await showHistory()
await showTools()
await showSize()
showGoals()

async function showReceiving() {
  const sound = await receiving('Receive: an answer that is spoken, audio deltas of 4 to 16 KB', 5, 1_000)
  goal('receive sound, history and events on', ratio(sound.sessionAndEvents, sound.floor), 1, '× floor')
  const call = await receiving('Receive: a voice call, its words, items and responses', 100)
  goal('receive a voice call, history and events on', ratio(call.sessionAndEvents, call.floor), 1, '× floor')
}

async function receiving(words, turns, pieces) {
  const events = turns * frames(0, 1, pieces).length
  const names = ['wire', 'floor', 'transport', 'session', 'sessionAndEvents']
  const rounds = options.quick ? { rounds: 5, warmups: 2 } : { rounds: 25, warmups: 15 }
  const used = await sampleClients(names, far.url, { turns, pieces }, rounds)
  const row = (words, name) => line(words, micro(median(used[name]) / events), times(ratio(used[name], used.floor)))
  title(words, 'µs CPU an event', '× floor')
  row('wire: ws, the payload dropped', 'wire')
  row('floor: ws, JSON.parse, Buffer.from', 'floor')
  row('OpenAIRealtimeWebSocket alone, every event', 'transport')
  row('RealtimeSession: audio, history', 'session')
  row('RealtimeSession: audio, history, every event', 'sessionAndEvents')
  return used
}

async function showSending() {
  const frames = 500
  const rounds = options.quick ? { rounds: 13, warmups: 8 } : { rounds: 61, warmups: 20 }
  const names = ['upload', 'ready', 'sendAudio', 'uploadAtOnce', 'readyAtOnce', 'sendAudioAtOnce']
  const used = await sampleClients(names, far.url, frames, rounds)
  const show = (words, atOnce) => {
    const floor = used[`upload${atOnce}`]
    const row = (words, name) => line(words, micro(median(used[name]) / frames), times(ratio(used[name], floor)))
    title(`Send: microphone audio, 20 ms of PCM16 at 24 kHz, ${words}`, 'µs CPU a frame', '× floor')
    row('floor: Buffer.toString, JSON.stringify, ws', `upload${atOnce}`)
    row('no client at all: a ready frame, one write', `ready${atOnce}`)
    row('RealtimeSession: sendAudio', `sendAudio${atOnce}`)
    goal(`microphone upload, ${words}`, ratio(used[`sendAudio${atOnce}`], floor), 0.5, '× floor')
  }
  show('a frame a turn', '')
  show('a second a turn', 'AtOnce')
}

async function showHistory() {
  const used = await eventCosts(options.quick ? { rounds: 11, warmups: 5 } : { rounds: 61, warmups: 15 })
  const row = (words, kind) => {
    const [few, many] = ['few', 'many'].map((items) => used[`${kind} ${items}`])
    line(words, micro(median(few)), micro(median(many)), times(ratio(many, few)))
    return ratio(many, few)
  }
  title('An event of a voice turn, no socket, in µs CPU', 'at 10 items', 'at 2,000', '× at 10')
  const stepped = row('step', 'step')
  const parsed = row('RealtimeSession: audio, history; from the event', 'session')
  const told = row('RealtimeSession: audio, history; from the frame', 'frame')
  goal('an event at 2,000 items, step', stepped, 1.1, '× at 10')
  goal('an event at 2,000 items, session, from the frame', told, 1.1, '× at 10')
  goal('an event at 2,000 items, session, already parsed', parsed, 1.1, '× at 10')
}

async function showTools() {
  const { few, many } = await toolCalls(options.quick ? { rounds: 9, warmups: 4 } : { rounds: 41, warmups: 10 })
  title('A tool call, made in full → its output written, in µs', 'at 10 items', 'at 1,000', '× at 10')
  const grown = ratio(many, few)
  line('RealtimeSession: history', micro(median(few)), micro(median(many)), times(grown))
  goal('a tool call at 1,000 items', grown, 1.2, '× at 10')
}

async function showSize() {
  const { atOnce, named, webRTC, webSocket } = await size()
  const row = (words, { raw, gzipped }) => line(words, (raw / 1_000).toFixed(1), (gzipped / 1_000).toFixed(1))
  title('In a browser, bundled and minified, in KB', 'raw', 'gzipped')
  row('RealtimeSession, RealtimeAgent, tool', atOnce)
  row('and both transports by name', named)
  row('more at connect(), over WebRTC', webRTC)
  row('more at connect(), over a WebSocket', webSocket)
  goal('the browser entry', atOnce.gzipped / 1_000, 10, 'KB gzipped')
  goal('the same with the transports by name', named.gzipped / 1_000, 15, 'KB gzipped')
}

function showGoals() {
  console.log('\nGoals')
  for (const { name, figure, limit, unit } of goals) {
    const met = figure <= limit
    console.log(`  ${met ? '✓' : '✗'} ${name}: ${figure.toFixed(2)} ${unit} (at most ${limit.toFixed(2)})`)
    if (!met && options.strict) process.exitCode = 1
  }
  console.log(
    `\nMeasured in ${((performance.now() - began) / 1_000).toFixed(0)} s. bench/README.md says how to read this.`,
  )
}

function goal(name, figure, limit, unit) {
  goals.push({ name, figure, limit, unit })
}

function title(words, ...columns) {
  console.log(`\n${words.padEnd(62)}${columns.map((column) => column.padStart(16)).join('')}`)
}

function line(words, ...figures) {
  console.log(`  ${words.padEnd(60)}${figures.map((figure) => figure.padStart(16)).join('')}`)
}

function micro(figure) {
  return figure.toFixed(figure < 10 ? 2 : 1)
}

function times(figure) {
  return figure.toFixed(2)
}

/** The figures are those of the sources as they are. */
function buildIfStale() {
  const built = join(root, 'dist/index.js')
  const files = readdirSync(join(root, 'src'), { recursive: true }).map((file) => join(root, 'src', file))
  const newest = Math.max(...files.map((file) => statSync(file).mtimeMs))
  if (existsSync(built) && statSync(built).mtimeMs >= newest) return
  const { status } = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
