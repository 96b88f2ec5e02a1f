/** What an event costs late in a long call, beside what it costs at its beginning. No socket: only Parley is measured. */
import { tool } from 'parley-voice'
import { start } from '../dist/session/state.js'
import { step } from '../dist/session/step.js'
import { bytesReader } from '../dist/transports/socket.node.js'
import { frames, lastItemOf, voiceTurn, writtenItems } from './frames.mjs'
import { clean, cpu, sampleByTurns } from './measure.mjs'
import { inHand } from './sessions.mjs'

const few = 10
const many = 2_000
const turns = 40
const sound = new Uint8Array(7_680)
/** The turns whose frames are measured follow one that is told, so that all of them stand where they should. */
const told = frames(0, turns + 1)
const eventsOfTurn = told.length / (turns + 1)

/**
 * Samples of µs CPU an event of a voice turn, at few and at many items: through `step`, through a session, and through a
 * session from the bytes of the frame on.
 */
export function eventCosts(rounds) {
  return sampleByTurns(
    {
      'step few': () => inStep(few),
      'step many': () => inStep(many),
      'session few': () => inSession(few),
      'session many': () => inSession(many),
      'frame few': () => fromFrames(few),
      'frame many': () => fromFrames(many),
    },
    rounds,
  )
}

function inStep(items) {
  let state = start()
  const feed = (input) => ([state] = step(state, input, 0))
  const hear = (event) => feed({ type: 'received', event })
  feed({ type: 'started' })
  feed({ type: 'opened' })
  hear({ type: 'session.updated', event_id: 'event_joined', session: {} })
  for (const event of writtenItems(items)) hear(event)
  return cpuOfEach(parsed(items), hear)
}

async function inSession(items) {
  const { hear, end } = await listening(items)
  const used = await cpuOfEach(parsed(items), hear)
  end(items + 2 * turns)
  return used
}

async function fromFrames(items) {
  const read = bytesReader()
  const { hear, end } = await listening(items - 2)
  for (const frame of told.slice(0, eventsOfTurn)) hear(read(frame))
  const used = await cpuOfEach(told.slice(eventsOfTurn), (frame) => hear(read(frame)))
  end(items + 2 * turns)
  return used
}

const weather = tool({ name: 'weather', description: 'Tells the weather.', execute: () => 'Sun.' })

/** A session of an agent with a tool, with so many items, and listeners of audio and history, as an app has them. */
async function listening(items) {
  const { call, hear } = await inHand({ tools: [weather] })
  for (const event of writtenItems(items)) hear(event)
  let { length } = call.history
  call.on('audio', () => {})
  call.on('history_updated', (history) => (length = history.length))
  const end = (expected) => {
    call.close()
    if (length !== expected) throw new Error(`The history has ${length} items: the figure says nothing.`)
  }
  return { hear, end }
}

/** The events of some turns behind so many items, their audio decoded. */
function parsed(items) {
  return Array.from({ length: turns }, (_, n) =>
    voiceTurn(n, n === 0 ? `item_old_${items - 1}` : lastItemOf(n - 1), () => ({ audio: sound })),
  ).flat()
}

async function cpuOfEach(events, hear) {
  let used = 0
  clean()
  for (let from = 0; from < events.length; from += eventsOfTurn) {
    const turn = events.slice(from, from + eventsOfTurn)
    await new Promise(setImmediate)
    const before = cpu()
    for (const event of turn) hear(event)
    used += cpu(before)
  }
  return used / events.length
}
