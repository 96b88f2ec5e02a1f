/**
 * `parley call`: one call, played aloud into a file. A caller's speech goes out at the pace of speech, a tool runs, the
 * agent answers; the conversation is printed as it happens, and both sides are recorded as they were heard.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { RealtimeAgent } from '../agents/agent.ts'
import { RealtimeSession } from '../agents/session.ts'
import { tool } from '../agents/tool.ts'
import { toBytes, toSamples } from '../audio/pcm.ts'
import { recorder } from '../audio/recorder.ts'
import { channelOf, readWav, writeWav } from '../audio/wav.ts'
import { serve } from '../server/index.ts'
import { realClock } from '../session/clock.ts'
import { pacedSpeaker } from '../session/paced-speaker.ts'
import { addressOf, keyOf } from './flags.ts'
import { timeline } from './timeline.ts'

const help = `parley call: play one call, with a caller's recorded speech

  --url URL       call a compatible server instead of the local one
  --key KEY       call OpenAI (or the server at --url) with this key; default: OPENAI_API_KEY, for OpenAI alone
  --model MODEL   the model to ask for
  --out FILE      where the recording goes; default: out/call.wav

Without a key and a URL the agent answers from this machine, and needs no network.`

const orders: Readonly<Record<string, object>> = {
  '12345': { order: '12345', status: 'shipped', arrival_day: 'Tuesday' },
}

const lookUpOrder = tool({
  name: 'look_up_order',
  description: 'Look up the status of an order by its order number.',
  parameters: {
    type: 'object',
    properties: { order_number: { type: 'string', description: 'the order number, in digits' } },
    required: ['order_number'],
  },
  execute: async ({ order_number }) => {
    const number = String(order_number).replace(/\D/g, '')
    return orders[number] ?? { error: `There is no order ${number || 'without a number'}.` }
  },
})

const clerk = new RealtimeAgent({
  name: 'Ada',
  instructions: 'You are Ada, who answers the phone of an order desk. Be brief. Look up orders with the tool.',
  voice: 'cedar',
  tools: [lookUpOrder],
})

/** What the caller says, one recording a turn. */
const turns = ['order', 'thanks'] as const
const rate = 24_000
const frameMs = 20
/** ms that the agent may take for an answer before the call is given up. */
const patienceMs = 30_000

export async function callCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      url: { type: 'string' },
      key: { type: 'string' },
      model: { type: 'string' },
      out: { type: 'string', default: 'out/call.wav' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return console.log(help)

  const [to, key] = [addressOf(values.url), keyOf(values)]
  const local = to || key ? null : await serve({ port: 0 })
  if (local) for (const missing of local.missing) console.log(`  ! ${missing}`)
  try {
    const url = to ?? local?.url
    console.log(`  Calling ${url ?? 'OpenAI'}\n`)
    await call({ url, apiKey: key ?? undefined, model: values.model, out: resolve(values.out) })
  } finally {
    await local?.close()
  }
}

interface CallOptions {
  readonly url: string | undefined
  readonly apiKey: string | undefined
  readonly model: string | undefined
  readonly out: string
}

async function call({ url, apiKey, model, out }: CallOptions): Promise<void> {
  const begin = realClock.now()
  const recording = recorder(rate, begin)
  const prints = timeline(begin)
  const session = new RealtimeSession(clerk, {
    speaker: pacedSpeaker({
      clock: realClock,
      format: () => ({ type: 'audio/pcm', rate }),
      queued: (delta, at) => {
        const samples = toSamples(delta.audio)
        recording.agent(samples, at)
        prints.queued(samples, at, rate)
      },
      hushed: (at) => {
        recording.hushed(at)
        prints.hushed()
      },
    }),
  })
  prints.follow(session)
  await session.connect({ url, apiKey, ...(model ? { model } : {}) }).finally(prints.end)

  const caller = microphone((samples, at) => {
    recording.caller(samples, at)
    session.sendAudio(toBytes(samples))
  })
  try {
    for (const turn of turns) {
      const before = prints.answers()
      await caller.speak(await readFixture(turn))
      await answered(session, () => prints.answers() > before)
    }
  } finally {
    caller.stop()
    session.close()
    prints.end()
  }
  prints.summary()
  await mkdir(dirname(out), { recursive: true })
  await writeFile(out, writeWav(recording.wav()))
  console.log(`\n  Recorded as it was heard (caller left, agent right): ${out}`)
}

/** Sends a frame every 20 ms, silence between the caller's words: a live line is never still. */
function microphone(send: (samples: Int16Array, at: number) => void) {
  const length = (rate * frameMs) / 1000
  const begin = realClock.now()
  let speech: Int16Array = new Int16Array(0)
  let spoken: (() => void) | null = null
  let frames = 0

  const tick = () => {
    for (; begin + frames * frameMs <= realClock.now(); frames++) {
      const frame = new Int16Array(length)
      frame.set(speech.subarray(0, length))
      speech = speech.subarray(length)
      send(frame, begin + frames * frameMs)
      if (speech.length === 0) {
        spoken?.()
        spoken = null
      }
    }
  }
  const timer = setInterval(tick, frameMs / 2)
  return {
    speak(samples: Int16Array): Promise<void> {
      speech = samples
      return new Promise((resolve) => {
        spoken = resolve
      })
    },
    stop: () => clearInterval(timer),
  }
}

/** Waits until the agent has said its answer to the end: heard it out, nothing owed, no tool at work. */
async function answered(session: RealtimeSession, isAnswered: () => boolean): Promise<void> {
  const until = realClock.now() + patienceMs
  for (;;) {
    const { link, turn, playback, conversation } = session.state
    if (link.at === 'closed') throw new Error(`The call ended: ${link.cause?.reason}`)
    const silent = !playback.item && conversation.responses.length === 0 && !turn.asked && turn.owed.length === 0
    if (silent && isAnswered()) return
    if (realClock.now() > until) throw new Error(`The agent did not answer within ${patienceMs / 1000} seconds.`)
    await sleep(50)
  }
}

async function readFixture(name: string): Promise<Int16Array> {
  const file = new URL(`../../fixtures/caller/${name}.wav`, import.meta.url)
  return channelOf(readWav(await readFile(file)))
}
