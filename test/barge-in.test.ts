/**
 * Interruptions as they sound: real speech, real ears, a real voice, a real socket, real time. What was heard of the agent
 * is what a sound card of this test played, sample by sample; a recogniser says which words those are.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, type TestContext } from 'vitest'
import { toBytes, toSamples } from '../src/audio/pcm.ts'
import { readWav } from '../src/audio/wav.ts'
import { isSpoken } from '../src/conversation/item.ts'
import {
  pacedSpeaker,
  RealtimeAgent,
  type RealtimeMessageItem,
  RealtimeSession,
  realClock,
  type Speaker,
} from '../src/index.ts'
import { scripted, serve } from '../src/server/index.ts'
import { recognise, wordErrorRate } from '../src/testing/recognise.ts'
import { testWithEars } from './ears.ts'
import { recognisePart } from './recognise-part.ts'

const rate = 24_000
const frameMs = 20
/** ms by which the session may be wrong about how much was heard: half of a short word. */
const toleranceMs = 100
/**
 * Words by which the history and an ear may differ: the word in which the sound stops is half a word to the ear, and the
 * history tells the words by their share of the sound, though some are spoken faster than others.
 */
const wordsAtTheCut = 2
/** The same of the first answer that did not come whole: how fast this voice speaks is not known yet. */
const wordsByUsualRate = 4
/** ms of the story after which it is cut. */
const cutAfterMs = 3_900
const interruptedAfterMs = 6_800
/** Words that the ear may take for others where a pause breaks a word in two: it guesses the phrase around it anew. */
const wordsAtThePause = 4
/** A pace at which an answer has come whole before much of it is heard, on a slow machine too. */
const atOnce = 50

const sentences = [
  'The garden is open every day from nine in the morning.',
  'You can walk along the river and look at the old trees.',
  'There is a small house near the water where you can buy bread and coffee.',
  'The garden will close at six in the evening.',
]
const story = sentences.join(' ')
const shortStory = sentences.slice(0, 2).join(' ')
const oneSentence = `${story.replace(/\. /g, ' and ').replace(/\.$/, '')}.`
const reply = 'I will wait for you.'
const interruption = 'Wait a minute, please stop.'

// A call is mostly waiting: the calls of a group are held at the same time.
describe.concurrent('the caller speaks over the agent', () => {
  for (const [what, mode] of [
    ['at once', 'immediate'],
    ['after a pause, in confirm mode', 'confirm'],
  ] as const) {
    testWithEars(
      `${what} it falls silent, and history says what was heard`,
      async (context) => {
        const it = await call(context, { text: story, mode, pace: atOnce })
        const cut = await bargedIn(it, cutAfterMs)
        expect(it.done).toEqual(['completed', 'completed'])
        expect(it.pauses).toEqual(mode === 'confirm' ? ['paused'] : [])
        await expectWords(it, story, cut)
      },
      30_000,
    )
  }

  testWithEars(
    'while the answer is still given: what comes of it afterwards is not heard',
    async (context) => {
      const it = await call(context, { text: story, pace: 2 })
      await bargedIn(it, 1_500)
      expect(it.done).toEqual(['cancelled', 'completed'])
    },
    30_000,
  )
})

describe.concurrent('the agent is silenced, or is not, in the middle of a text', () => {
  // The server tells a sentence's words before its sound.
  testWithEars(
    'of a long sentence that is still given, history tells no more words than were heard',
    async (context) => {
      const it = await call(context, { text: oneSentence, pace: 2 })
      it.session.sendMessage('Tell me about the garden.')
      await it.until(() => it.heardMs() > 3_000)
      it.session.interrupt()
      await expectWords(it, oneSentence, messages(it.session, 'assistant')[0]!, wordsByUsualRate)
    },
    30_000,
  )

  testWithEars(
    'somebody coughs: the agent waits and goes on from the same sample, and no word is lost or said twice',
    async (context) => {
      const it = await call(context, { text: shortStory, mode: 'confirm' })
      const leftMs: number[] = []
      it.session.on('audio_stopped', () => leftMs.push(it.queuedMs()))
      it.session.sendMessage('Tell me about the garden.')
      await it.until(() => it.heardMs() > 2_700)
      it.speak(cough())
      await it.until(() => leftMs.length > 0 && it.isQuiet())

      const told = messages(it.session, 'assistant')[0]!
      const sent = it.sentOf(told.itemId)
      const { sound, silentMs } = it.timelineOf(told.itemId)
      expect(it.pauses).toEqual(['paused', 'resumed'])
      expect(silentMs).toBeGreaterThan(100)
      expect(Buffer.compare(toBytes(it.heardOf(told.itemId)), toBytes(sent)), 'what came is what was heard').toBe(0)
      expect(leftMs).toHaveLength(1)
      expect(leftMs[0], 'it counts as heard to its end when it is').toBeLessThanOrEqual(toleranceMs)
      const [through, waited] = await Promise.all([recognise(sent, rate), recognise(sound, rate)])
      expect(wordErrorRate(shortStory, through), through).toBeLessThanOrEqual(0.05)
      expect(edits(through, waited), waited).toBeLessThanOrEqual(wordsAtThePause)
      expect(order(it.session)).toEqual(['user', 'assistant'])
      expect(told).toMatchObject({ status: 'completed', content: [{ transcript: shortStory }] })
      expect(told).not.toHaveProperty('interrupted')
      expect(it.done).toEqual(['completed'])
      expect(it.errors).toEqual([])
    },
    30_000,
  )

  testWithEars(
    'the app interrupts what has been given to its end and is still heard: the far end is told where',
    async (context) => {
      const it = await call(context, { text: story, pace: atOnce })
      it.session.sendMessage('Tell me about the garden.')
      await it.until(() => it.heardMs() > interruptedAfterMs)
      expect(it.done).toEqual(['completed'])
      it.session.interrupt()
      expect(it.isQuiet()).toBe(true)
      await it.until(() => it.truncatedAt.length > 0)

      const cut = messages(it.session, 'assistant')[0]!
      expectHeard(it, cut)
      await expectWords(it, story, cut)
      expect(it.errors).toEqual([])
    },
    30_000,
  )
})

/** The caller speaks after so many ms of the story, and is answered. */
async function bargedIn(it: Call, afterMs: number): Promise<RealtimeMessageItem> {
  it.session.sendMessage('Tell me about the garden.')
  await it.until(() => it.heardMs() > afterMs)
  it.speak(recordingOf('barge.wav'))
  await it.until(() => it.done.length === 2 && it.isQuiet())

  const [cut, answer] = messages(it.session, 'assistant')
  const said = wordsOf(messages(it.session, 'user')[1]!)
  expectHeard(it, cut!)
  expect(order(it.session)).toEqual(['user', 'assistant', 'user', 'assistant'])
  expect(wordErrorRate(interruption, said), said).toBeLessThanOrEqual(0.2)
  expect(wordsOf(answer!)).toBe(reply)
  expect(answer).not.toHaveProperty('interrupted')
  const heardReply = await recognise(it.heardOf(answer!.itemId), rate)
  expect(wordErrorRate(reply, heardReply), heardReply).toBeLessThanOrEqual(0.2)
  expect(it.errors).toEqual([])
  return cut!
}

/** History, and the far end, know of an item as many ms as have sounded, to a tolerance. */
function expectHeard(it: Call, { itemId, interrupted, heardMs = 0 }: RealtimeMessageItem): void {
  const ms = (it.heardOf(itemId).length / rate) * 1_000
  expect(interrupted).toBe(true)
  expect(Math.abs(heardMs - ms), `history says ${heardMs} ms, ${ms} ms were heard`).toBeLessThanOrEqual(toleranceMs)
  expect(it.truncatedAt).toHaveLength(1)
  expect(Math.abs(it.truncatedAt[0]! - ms), `the far end knows of ${it.truncatedAt}`).toBeLessThanOrEqual(toleranceMs)
}

/** History tells the words of an item that an ear heard, which knows the text and listens how far it went. */
async function expectWords(
  it: Call,
  text: string,
  { itemId, heardText = '' }: RealtimeMessageItem,
  tolerance = wordsAtTheCut,
): Promise<void> {
  const heard = await recognisePart(it.heardOf(itemId), rate, text)
  expect(heard.split(' ').length, heard).toBeGreaterThan(5)
  expect(edits(heard, heardText), `history says "${heardText}", heard was "${heard}"`).toBeLessThanOrEqual(tolerance)
}

/** Words that must be put in, left out or exchanged to make one text into the other. */
function edits(said: string, heard: string): number {
  const count = said.split(/\s+/).filter((word) => /\w/.test(word)).length
  return Math.round(wordErrorRate(said, heard) * Math.max(1, count))
}

// ── a call ───────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Script {
  readonly text: string
  readonly mode?: 'immediate' | 'confirm'
  /** How many times faster than it is heard the far end gives its answers. */
  readonly pace?: number
}

interface Call {
  readonly session: RealtimeSession
  readonly errors: readonly unknown[]
  /** How the far end's responses ended. */
  readonly done: readonly unknown[]
  /** Where the far end cut its items, in ms. */
  readonly truncatedAt: readonly number[]
  /** What the app was told: `paused`, `resumed`. */
  readonly pauses: readonly string[]
  /** The caller says this, at the pace of speech. */
  speak(samples: Int16Array): void
  /** Resolves when something has come true; asked every few ms. */
  until(isTrue: () => boolean): Promise<void>
  /** ms of the agent that have sounded so far. */
  heardMs(): number
  /** ms of the agent that wait to sound. */
  queuedMs(): number
  /** Nobody speaks, and nothing of the agent waits. */
  isQuiet(): boolean
  /** What sounded of an item, and what came of it. */
  heardOf(item_id: string): Int16Array
  sentOf(item_id: string): Int16Array
  /** What sounded of an item, with the silence while it was paused. */
  timelineOf(item_id: string): { readonly sound: Int16Array; readonly silentMs: number }
}

/** The agent tells `text`, and has another answer for whoever speaks aloud. */
async function call(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  { text, mode = 'immediate', pace = 4 }: Script,
): Promise<Call> {
  const brain = scripted(({ items }) => {
    const last = items.findLast((item) => item.type === 'message' && item.role === 'user')
    return [{ type: 'say', text: last && isSpoken(last) ? reply : text }]
  })
  const server = await serve({ port: 0, brain, pace })
  const card = soundCard()
  const errors: unknown[] = []
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Guide' }), {
    speaker: (listener) =>
      card.beside(pacedSpeaker({ clock: realClock, format: () => ({ type: 'audio/pcm', rate }) })(listener)),
    config: { audio: { input: { turnDetection: { type: 'server_vad', silenceDurationMs: 500 } } } },
    interruption: { mode },
  })
  const done: unknown[] = []
  const truncatedAt: number[] = []
  const pauses: string[] = []
  const sent: Sound[] = []
  session.on('error', ({ error }) => errors.push(error))
  session.on('audio_paused', () => pauses.push('paused'))
  session.on('audio_resumed', () => pauses.push('resumed'))
  session.on('audio', ({ itemId, data }) => sent.push({ item_id: itemId, samples: toSamples(new Uint8Array(data)) }))
  session.on('transport_event', (event) => {
    if (event.type === 'response.done') done.push(event.response.status)
    if (event.type === 'conversation.item.truncated') truncatedAt.push(event.audio_end_ms)
  })
  await session.connect({ url: server.url })

  let speech: Int16Array = new Int16Array(0)
  const waiting = new Set<{ readonly isTrue: () => boolean; readonly resolve: () => void }>()
  const begin = realClock.now()
  let frames = 0
  const timer = setInterval(() => {
    for (; begin + frames * frameMs <= realClock.now(); frames++) {
      const frame = new Int16Array((rate * frameMs) / 1_000)
      frame.set(speech.subarray(0, frame.length))
      speech = speech.subarray(frame.length)
      session.sendAudio(toBytes(frame))
    }
    card.advance()
    for (const one of waiting) {
      if (!one.isTrue()) continue
      waiting.delete(one)
      one.resolve()
    }
  }, frameMs / 2)
  onTestFinished(async () => {
    clearInterval(timer)
    session.close()
    await server.close()
  })
  return {
    session,
    errors,
    done,
    truncatedAt,
    pauses,
    speak(samples) {
      speech = samples
    },
    until: (isTrue) => new Promise((resolve) => waiting.add({ isTrue, resolve })),
    heardMs: card.heardMs,
    queuedMs: card.queuedMs,
    isQuiet: () => speech.length === 0 && card.queuedMs() === 0 && !session.state.playback.item,
    heardOf: (item_id) => joined(card.heard.filter((piece) => piece.item_id === item_id && !piece.isSilence)),
    sentOf: (item_id) => joined(sent.filter((piece) => piece.item_id === item_id)),
    timelineOf(item_id) {
      const pieces = card.heard.filter((piece) => piece.item_id === item_id)
      return { sound: joined(pieces), silentMs: msOf(pieces.filter(({ isSilence }) => isSilence)) }
    },
  }
}

// ── what is heard ────────────────────────────────────────────────────────────────────────────────────────────────────

interface Sound {
  readonly item_id: string
  readonly samples: Int16Array
  readonly isSilence?: boolean
}

/** Plays what a speaker is told to play, sample by sample, and keeps what sounded: it knows nothing of items' lengths. */
function soundCard() {
  const heard: Sound[] = []
  let queue: Sound[] = []
  let isPaused = false
  let until = realClock.now()

  function advance(): void {
    const now = realClock.now()
    let due = Math.max(0, Math.floor(((now - until) * rate) / 1_000))
    if (isPaused) {
      if (queue[0]) heard.push({ item_id: queue[0].item_id, samples: new Int16Array(due), isSilence: true })
      until += (due / rate) * 1_000
      return
    }
    while (due > 0 && queue[0]) {
      const { item_id, samples } = queue[0]
      const played = samples.subarray(0, due)
      heard.push({ item_id, samples: played })
      until += (played.length / rate) * 1_000
      due -= played.length
      if (played.length < samples.length) queue[0] = { item_id, samples: samples.subarray(played.length) }
      else queue.shift()
    }
    if (!queue.length) until = now
  }

  return {
    heard,
    advance,
    heardMs: () => msOf(heard.filter(({ isSilence }) => !isSilence)),
    queuedMs: () => msOf(queue),
    /** The card plays what this speaker counts. */
    beside(speaker: Speaker): Speaker {
      return {
        play(audio) {
          advance()
          queue.push({ item_id: audio.item_id, samples: toSamples(audio.audio).slice() })
          speaker.play(audio)
        },
        hush() {
          advance()
          queue = []
          isPaused = false
          return speaker.hush()
        },
        pause() {
          advance()
          isPaused = true
          speaker.pause?.()
        },
        resume() {
          advance()
          isPaused = false
          speaker.resume?.()
        },
      }
    },
  }
}

function msOf(pieces: readonly Sound[]): number {
  return (pieces.reduce((length, { samples }) => length + samples.length, 0) / rate) * 1_000
}

function joined(pieces: readonly Sound[]): Int16Array {
  const all = new Int16Array(pieces.reduce((length, { samples }) => length + samples.length, 0))
  let at = 0
  for (const { samples } of pieces) {
    all.set(samples, at)
    at += samples.length
  }
  return all
}

function recordingOf(file: string): Int16Array {
  return readWav(readFileSync(new URL(`../fixtures/caller/${file}`, import.meta.url))).samples
}

/** 200 ms of a rough voice that dies away: speech to an ear that knows only sound. */
function cough(): Int16Array {
  const breath = recordingOf('noise.wav').subarray(0.5 * rate)
  return Int16Array.from({ length: 0.2 * rate }, (_, n) => {
    const buzz = ((n % (rate / 160)) / (rate / 160) - 0.5) * 16_000
    return (buzz + 4 * breath[n]!) * (1 - n / (0.25 * rate))
  })
}

// ── what history says ────────────────────────────────────────────────────────────────────────────────────────────────

function messages(session: RealtimeSession, role: RealtimeMessageItem['role']): readonly RealtimeMessageItem[] {
  return session.history.filter((item) => item.type === 'message').filter((item) => item.role === role)
}

const order = ({ history }: RealtimeSession) => history.map((item) => (item.type === 'message' ? item.role : item.type))

function wordsOf({ content }: RealtimeMessageItem): string {
  return content
    .map((part) => ('transcript' in part ? part.transcript : 'text' in part ? part.text : '') ?? '')
    .join(' ')
}
