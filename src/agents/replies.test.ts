import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { farCall, written } from '../../test/far-call.ts'
import type { ClientEvent, KnownServerEvent, ServerEvent } from '../protocol/events.ts'
import { newId } from '../protocol/ids.ts'
import { mulberry32 } from '../protocol/random.ts'
import { scripted } from '../server/brain/scripted.ts'
import type { Utterance, Voice } from '../server/senses.ts'
import { create } from '../session/asks.ts'
import { type Door, door } from '../session/door.ts'
import { farEnd } from '../testing/far-end.ts'
import { type World, world } from '../testing/world.ts'
import { decoded } from '../transports/frame.ts'
import type { Fault } from '../transports/memory.ts'
import { type Replies, type Reply, type ReplyEnd, type ReplyOptions, replies } from './replies.ts'
import { ReplyError } from './reply-error.ts'
import { tool } from './tool.ts'

// ── a session without agents, and a far end that says what it is instructed to say ──────────────────────────────

/** Each letter is 100 ms of samples that spell it: what was heard can be read. */
const samplesALetter = 2_400

const spelling: Voice = {
  rate: 24_000,
  speak: (sentence) => [
    Int16Array.from([...sentence].flatMap((letter) => Array(samplesALetter).fill(letter.charCodeAt(0) * 100))),
  ],
}

function spelt(pieces: readonly Uint8Array[]): string {
  const bytes = Buffer.concat(pieces)
  let words = ''
  for (let n = samplesALetter / 2; 2 * n < bytes.length; n += samplesALetter) {
    words += String.fromCharCode(Math.round(bytes.readInt16LE(2 * n) / 100))
  }
  return words
}

function obedient(instructions: string): readonly Utterance[] {
  if (instructions === 'fail') throw new Error('I cannot think')
  if (instructions === 'call') return [{ type: 'call', name: 'sky', arguments: {} }]
  return [{ type: 'say', text: instructions }]
}

interface Session {
  readonly world: World
  readonly door: Door
  readonly replies: Replies
  readonly sent: readonly ClientEvent[]
  readonly heard: readonly ServerEvent[]
  readonly errors: readonly unknown[]
  messages(): number
  connect(): void
  generate(options: ReplyOptions): Told
}

/** A reply, and what its app sees of it. */
interface Told {
  readonly reply: Reply
  readonly text: string[]
  readonly audio: Uint8Array[]
  end: ReplyEnd | ReplyError | null
}

/** The wiring is that of a session. */
function session(
  options: {
    readonly latency?: () => number
    readonly fault?: (nth: number) => Fault
    readonly think?: typeof obedient
  } = {},
): Session {
  const w = world(1)
  const random = mulberry32(7)
  const sent: ClientEvent[] = []
  const heard: ServerEvent[] = []
  const errors: unknown[] = []
  const { latency, fault, think = obedient } = options
  const far = farEnd(w, {
    brain: scripted(({ instructions }) => think(instructions)),
    voice: spelling,
    sent: (event) => heard.push(event),
    ...(latency ? { latency } : {}),
    ...(fault ? { fault } : {}),
  })
  const mine = door({
    clock: w.clock,
    seed: 1,
    reconnect: { timeoutMs: 5_000 },
    heard() {},
    call() {},
    tell(notice) {
      if (notice.type === 'refused' && !answers.refused(notice.error)) errors.push(notice.error)
      if (notice.type === 'failed') errors.push(notice.error)
      if (notice.type === 'dropped') for (const id of notice.ids) answers.dropped(id)
      if (notice.type === 'unfinished' && notice.isRetried) answers.retried(notice.response.id)
    },
    changed(before, after, input) {
      if (input.type === 'received') answers.received(input.event)
      if (before.link.at === 'live' && after.link.at !== 'live') {
        answers.lost(after.link, (wanted) => after.turn.owed.some(({ id }) => id === wanted))
      }
      if (before.link.at !== 'closed' && after.link.at === 'closed') answers.closed(after.link.cause)
    },
  })
  const answers = replies({
    newId: (prefix) => newId(prefix, random),
    ask: (id, params) => mine.feed({ type: 'asked', ask: { id, params } }),
    cancel(id, response_id) {
      mine.feed({ type: 'unasked', id })
      const response = mine.state.conversation.responses.find((one) => one.id === response_id)
      if (!response_id) return
      if (response?.conversation_id === null) {
        mine.feed({ type: 'sent', event: { type: 'response.cancel', response_id } })
      } else mine.feed({ type: 'cut', response_id })
    },
  })
  return {
    world: w,
    door: mine,
    replies: answers,
    sent,
    heard,
    errors,
    messages: far.messages,
    connect() {
      const dial = (listener: Parameters<typeof far.dial>[0]) => {
        const connection = far.dial(listener)
        const send = (event: ClientEvent) => {
          sent.push(event)
          connection.send(event)
        }
        return { ...connection, send }
      }
      mine
        .connect(
          () => dial,
          async () => ({ output_modalities: ['audio'] }),
        )
        .catch((error) => errors.push(error))
    },
    generate: (wishes) => watched(answers.generate(wishes)),
  }
}

/** Reads all that a reply tells, as it is told. */
function watched(reply: Reply): Told {
  const seen: Told = { reply, text: [], audio: [], end: null }
  void copy(reply.text, seen.text).catch(() => {})
  void copy(reply.audio, seen.audio).catch(() => {})
  reply.done.then(
    (end) => {
      seen.end = end
    },
    (error) => {
      seen.end = error
    },
  )
  return seen
}

async function copy<T>(from: AsyncIterable<T>, to: T[] = []): Promise<readonly T[]> {
  for await (const piece of from) to.push(piece)
  return to
}

const asked = ({ sent }: Session) => sent.filter(({ type }) => type === 'response.create')
const ends = ({ heard }: Session) =>
  (heard as readonly KnownServerEvent[]).flatMap((event) => (event.type === 'response.done' ? [event.response] : []))
const besides = { conversation: 'none' } as const

// ── whose words they are ────────────────────────────────────────────────────────────────────────────────────────

test('each reply gets its own words and its own sound, whatever is asked for, cancelled and lost meanwhile', async () => {
  const act = fc.record({
    what: fc.constantFrom('in', 'beside', 'beside', 'cancel', 'written'),
    which: fc.nat(9),
    ms: fc.constantFrom(0, 3, 40, 300, 2_000),
  })
  const seen = { completed: 0, cancelled: 0, lost: 0, together: 0 }
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { minLength: 2, maxLength: 12 }),
      fc.nat(1_000),
      fc.option(fc.nat(150), { freq: 3 }),
      async (acts, seed, cutAt) => {
        const chance = mulberry32(seed)
        const latency = () => Math.floor(chance() * 60)
        const s = session({ latency, fault: (nth) => (nth === cutAt ? 'cut' : 'pass') })
        const all: { readonly told: Told; readonly words: string; readonly isWritten: boolean }[] = []
        s.connect()
        for (const [nth, { what, which, ms }] of acts.entries()) {
          if (what === 'cancel') all[which % (all.length || 1)]?.told.reply.cancel()
          else {
            const words = `${'abcdefghijkl'[nth]!.repeat(which + 1)} and ${'mnopqrstuvwx'[nth]!.repeat(4)}`
            const isWritten = what === 'written'
            const modality = isWritten ? 'text' : 'audio'
            const told = s.generate({
              instructions: words,
              outputModalities: [modality],
              ...(what === 'in' ? {} : besides),
            })
            all.push({ told, words, isWritten })
          }
          await s.world.settle(s.world.now() + ms)
          if (s.door.state.conversation.responses.length > 1) seen.together++
        }
        await s.world.settle(s.world.now() + 120_000)
        expect(s.door.state.link.at).toBe('live')
        expect(s.errors).toEqual([])
        for (const { told, words, isWritten } of all) {
          const { end } = told
          const [text, sound] = [told.text.join(''), spelt(told.audio)]
          const whole = isWritten ? '' : words
          if (end instanceof ReplyError) {
            seen.lost++
            expect(end.why).toBe('lost')
            expect([words.startsWith(text), whole.startsWith(sound)]).toEqual([true, true])
          } else {
            expect(end).not.toBeNull()
            // What a lost line cut off is said again from its beginning: then the streams have both.
            if (end!.status === 'completed') {
              expect([end!.text, text.endsWith(words), sound.endsWith(whole)]).toEqual([words, true, true])
              expect([
                words.startsWith(text.slice(0, -words.length).trimEnd()),
                whole.startsWith(sound.slice(0, sound.length - whole.length)),
              ]).toEqual([true, true])
            } else expect([end!.status, words.startsWith(end!.text)]).toEqual(['cancelled', true])
            seen[end!.status as 'completed' | 'cancelled']++
          }
        }
      },
    ),
    { seed: 11, numRuns: 60 },
  )
  for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(10)
})

test('a second reply of the conversation waits for the first; those beside it do not', async () => {
  const s = session()
  s.connect()
  await s.world.settle(1_000)
  const first = s.generate({ instructions: 'a long first answer' })
  const second = s.generate({ instructions: 'then this' })
  const beside = s.generate({ instructions: 'note', ...besides })
  await s.world.settle(1_150)
  expect([first, second, beside].map(({ reply }) => reply.responseId !== null)).toEqual([true, false, true])
  await s.world.settle(60_000)
  expect([first, second, beside].map(({ text }) => text.join(''))).toEqual(['a long first answer', 'then this', 'note'])
  expect([first, second, beside].map(({ audio }) => spelt(audio))).toEqual(['a long first answer', 'then this', 'note'])
})

test('a response that the far end began by itself is no reply', async () => {
  const s = session()
  s.connect()
  await s.world.settle(1_000)
  s.door.feed({ type: 'asked', ask: { id: null, params: {} } })
  await s.world.settle(1_100)
  const reply = s.generate({ instructions: 'mine' })
  await s.world.settle(60_000)
  expect(reply.text.join('')).toBe('mine')
  expect(ends(s)).toHaveLength(2)
})

// ── how it is asked for ─────────────────────────────────────────────────────────────────────────────────────────

const sky = tool({ name: 'sky', description: 'Looks up.', execute: () => 'sunny', timeoutMs: 5, strict: true })
const skyOnTheWire = { type: 'function', name: 'sky', description: 'Looks up.', parameters: sky.parameters }
const greeting = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] } as const

test.each<[ReplyOptions, object]>([
  [{}, {}],
  [{ instructions: 'Greet.' }, { instructions: 'Greet.' }],
  [{ tools: [sky] }, { tools: [skyOnTheWire] }],
  [{ tools: [] }, { tools: [] }],
  [{ tools: [{ type: 'function', name: 'wind' }] }, { tools: [{ type: 'function', name: 'wind' }] }],
  [
    { tools: [{ type: 'mcp', server_label: 'm', server_url: 'https://example.com' }] },
    { tools: [{ type: 'mcp', server_label: 'm', server_url: 'https://example.com' }] },
  ],
  [{ toolChoice: 'required' }, { tool_choice: 'required' }],
  [{ toolChoice: { type: 'function', name: 'sky' } }, { tool_choice: { type: 'function', name: 'sky' } }],
  [{ outputModalities: ['text'] }, { output_modalities: ['text'] }],
  [
    { conversation: 'none', input: [] },
    { conversation: 'none', input: [] },
  ],
  [{ input: [greeting] }, { input: [greeting] }],
  [{ maxOutputTokens: 'inf' }, { max_output_tokens: 'inf' }],
  [{ voice: 'cedar' }, { audio: { output: { voice: 'cedar' } } }],
  [{ voice: { id: 'voice_1' } }, { audio: { output: { voice: { id: 'voice_1' } } } }],
  [{ metadata: { topic: 'sky' }, signal: new AbortController().signal }, { metadata: { topic: 'sky' } }],
])('%j is asked for in the words of the wire, and the far end takes it', async (options, params) => {
  const far = await farCall()
  const random = mulberry32(1)
  let event: ClientEvent | null = null
  const answers = replies({
    newId: (prefix) => newId(prefix, random),
    ask(id, wanted) {
      expect(wanted).toEqual(params)
      const effect = create({ id, params: wanted }, id)
      if (effect.type === 'transmit') event = effect.event
    },
    cancel() {},
  })
  const reply = answers.generate(options)
  await far.say([event!])
  for (const told of far.events) answers.received(decoded(told)!)
  const { status, response, responseId, usage } = await reply.done
  expect(far.all('error')).toEqual([])
  expect(status).toBe('completed')
  const { response: theirs } = far.last('response.done')
  expect([responseId, reply.responseId]).toEqual([theirs.id, theirs.id])
  expect(usage).toEqual(theirs.usage)
  expect(theirs.metadata).toEqual({ ...options.metadata, parley_reply: reply.id })
  expect(response).toEqual({ ...theirs, metadata: options.metadata ?? null })
})

test('it may answer an item of the conversation in place of all', async () => {
  const far = await farCall({
    brain: scripted(({ items }) => [{ type: 'say', text: items.map(({ id }) => id).join() }]),
  })
  const answers = replies({
    newId: (prefix) => `${prefix}1`,
    ask: (id, params) =>
      void far.say([written('one', 'i1'), written('two', 'i2'), asEvent(create({ id, params }, id))]),
    cancel() {},
  })
  const reply = answers.generate({ input: [{ type: 'item_reference', id: 'i2' }], outputModalities: ['text'] })
  await far.world.settle(far.world.now() + 60_000)
  for (const told of far.events) answers.received(decoded(told)!)
  expect((await reply.done).text).toBe('i2')
})

function asEvent(effect: ReturnType<typeof create>): ClientEvent {
  if (effect.type !== 'transmit') throw new Error('It transmits nothing.')
  return effect.event
}

test.each<[string, Record<string, string>, RegExp]>([
  [
    'sixteen pairs',
    Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`k${n}`, 'v'])),
    /16 pairs. Use at most 15/,
  ],
  ['a long key', { ['k'.repeat(65)]: 'v' }, /longer than 64/],
  ['a long value', { k: 'v'.repeat(513) }, /'k'.* at most 512/],
  ['a value that is no text', { k: 1 as never }, /'k'.* must be a string/],
  ["the session's own key", { parley_reply: 'x' }, /'parley_reply'.*own/],
])('metadata with %s is refused at the call, and nothing is asked for', (_, metadata, why) => {
  const answers = replies({ newId: (prefix) => prefix, ask: () => expect.fail('asked'), cancel() {} })
  const generate = () => answers.generate({ metadata })
  expect(generate).toThrow(why)
  expect(generate).toThrow(expect.objectContaining({ name: 'UserError' }))
})

test('metadata may be as long as the protocol takes it', async () => {
  const metadata = Object.fromEntries(Array.from({ length: 15 }, (_, n) => [`${n}`.padStart(64, 'k'), 'v'.repeat(512)]))
  const s = session()
  s.connect()
  const reply = s.generate({ instructions: 'hi', metadata })
  await s.world.settle(60_000)
  expect(reply.end).toMatchObject({ status: 'completed', response: { metadata } })
})

test('before the session is connected, a reply waits', async () => {
  const s = session()
  const both = [s.generate({ instructions: 'one' }), s.generate({ instructions: 'two', ...besides })]
  await s.world.settle(1_000)
  expect(s.sent).toEqual([])
  s.connect()
  await s.world.settle(60_000)
  expect(both.map(({ text }) => text.join(''))).toEqual(['one', 'two'])
})

// ── how it ends ─────────────────────────────────────────────────────────────────────────────────────────────────

test('a reply that only calls a tool has no words', async () => {
  const s = session()
  s.connect()
  const reply = s.generate({ instructions: 'call', ...besides })
  await s.world.settle(60_000)
  expect(reply).toMatchObject({ text: [], audio: [], end: { status: 'completed', text: '' } })
  expect((reply.end as ReplyEnd).response?.output).toMatchObject([{ type: 'function_call', name: 'sky' }])
})

test('a reply that grows too long ends incomplete, with the words that came', async () => {
  const s = session()
  s.connect()
  const reply = s.generate({ instructions: 'one two three four five', maxOutputTokens: 5, outputModalities: ['text'] })
  await s.world.settle(60_000)
  expect(reply.end).toMatchObject({
    status: 'incomplete',
    text: 'one two three fou',
    response: { status_details: { reason: 'max_output_tokens' } },
  })
})

test('a reply that fails is rejected with what the far end said, and so are its readers', async () => {
  const s = session()
  s.connect()
  const { reply } = s.generate({ instructions: 'fail', ...besides })
  await s.world.settle(60_000)
  const error = await reply.done.catch((cause: unknown) => cause)
  expect(error).toBeInstanceOf(ReplyError)
  expect(error).toMatchObject({
    why: 'failed',
    message: 'The reply failed: I cannot think.',
    cause: { code: 'server_error' },
    status_details: { type: 'failed', error: { message: 'I cannot think' } },
    responseId: reply.responseId,
  })
  await expect(copy(reply.text)).rejects.toBe(error)
  await expect(copy(reply.audio)).rejects.toBe(error)
})

test('a failure that the session tries again is not the end', async () => {
  let thoughts = 0
  const s = session({ think: (words) => (thoughts++ ? obedient(words) : obedient('fail')) })
  s.connect()
  const reply = s.generate({ instructions: 'at last' })
  await s.world.settle(60_000)
  expect(asked(s)).toHaveLength(2)
  expect(reply).toMatchObject({ end: { status: 'completed', text: 'at last' } })
  expect(reply.text.join('')).toBe('at last')
  expect(reply.reply.responseId).toBe(ends(s).at(-1)?.id)
})

test('one that fails each time is rejected when it is not tried any more', async () => {
  const s = session()
  s.connect()
  const reply = s.generate({ instructions: 'fail' })
  const next = s.generate({ instructions: 'go on' })
  await s.world.settle(60_000)
  expect(reply.end).toMatchObject({ why: 'failed' })
  expect(next.end).toMatchObject({ status: 'completed', text: 'go on' })
})

test.each([{}, besides])('a refusal rejects the reply that it answers, and no other: %j', async (where) => {
  const s = session()
  s.connect()
  const bad = s.generate({ instructions: 'x', input: [{ type: 'item_reference', id: 'nowhere' }], ...where })
  const good = s.generate({ instructions: 'well', ...where })
  await s.world.settle(60_000)
  expect(bad.end).toBeInstanceOf(ReplyError)
  expect(bad.end).toMatchObject({ why: 'refused', cause: { code: 'item_not_found' }, responseId: null })
  expect(good.end).toMatchObject({ status: 'completed', text: 'well' })
  expect(s.errors).toEqual([])
})

test('a line that is lost rejects what had begun beside the conversation; in it, it is said again on the next line', async () => {
  let cutAt = Number.POSITIVE_INFINITY
  const s = session({ fault: (nth) => (nth === cutAt ? 'cut' : 'pass') })
  s.connect()
  await s.world.settle(1_000)
  const [first, beside] = [{}, besides].map((where) => s.generate({ instructions: 'this is cut off', ...where }))
  const waiting = s.generate({ instructions: 'still wanted' })
  await s.world.settle(1_200)
  cutAt = s.messages()
  await s.world.settle(60_000)
  expect(first!.end).toMatchObject({ status: 'completed', text: 'this is cut off' })
  expect(spelt(first!.audio)).toMatch(/this is cut off$/)
  for (const told of [beside!]) {
    expect(told.end).toBeInstanceOf(ReplyError)
    expect(told.end).toMatchObject({ why: 'lost', cause: { code: 1006 }, responseId: told.reply.responseId })
    expect((told.end as ReplyError).message).toMatch(/^The line was lost.*Ask again\.$/)
    expect(told.reply.responseId).not.toBeNull()
    const kept: string[] = []
    await expect(copy(told.reply.text, kept)).rejects.toBe(told.end)
    expect(kept.join('')).toBe('this is cut off')
    expect('this is cut off'.startsWith(spelt(told.audio))).toBe(true)
    expect(spelt(told.audio)).not.toBe('this is cut off')
  }
  expect(waiting.end).toMatchObject({ status: 'completed', text: 'still wanted' })
  expect(spelt(waiting.audio)).toBe('still wanted')
})

test('a session that is renewed says again what had begun', async () => {
  const s = session()
  s.connect()
  await s.world.settle(1_000)
  const first = s.generate({ instructions: 'this is cut off' })
  const waiting = s.generate({ instructions: 'still wanted' })
  await s.world.settle(1_200)
  s.door.feed({ type: 'renewed' })
  await s.world.settle(60_000)
  expect(first.end).toMatchObject({ status: 'completed', text: 'this is cut off' })
  expect(waiting.end).toMatchObject({ status: 'completed', text: 'still wanted' })
})

test('a session that is closed rejects all that are left, and does not ask for them when it is connected again', async () => {
  const s = session()
  s.connect()
  await s.world.settle(1_000)
  const all = [{}, {}, besides].map((where) => s.generate({ instructions: 'hear me out, please', ...where }))
  await s.world.settle(1_100)
  s.door.feed({ type: 'ended' })
  const late = s.replies.generate({ instructions: 'later' })
  await s.world.settle(2_000)
  for (const { end } of all) expect(end).toMatchObject({ why: 'closed', cause: { initiator: 'us' } })
  const before = asked(s).length
  s.connect()
  await s.world.settle(60_000)
  const names = asked(s)
    .slice(before)
    .map(({ event_id }) => event_id)
  expect(names).not.toContain(all[1]!.reply.id)
  expect(names).toContain(late.id)
  expect((await late.done).text).toBe('later')
})

test('nobody has to read a reply, or to wait for its end', async () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  const s = session()
  s.connect()
  s.replies.generate({ instructions: 'fail', ...besides })
  const { audio } = s.replies.generate({ instructions: 'fail', ...besides })
  await s.world.settle(60_000)
  expect(audio).toBeDefined()
  expect(ends(s)).toHaveLength(2)
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})

// ── cancelling ──────────────────────────────────────────────────────────────────────────────────────────────────

test.each([
  ['before the session is connected', 0, false],
  ['while it waits for another', 1_100, false],
  ['while it is on its way to the far end', 1_005, true],
  ['before its response is heard of', 1_015, true],
  ['while it speaks', 1_300, true],
])('cancelled %s, it is not given, and says nothing more', async (_, ms, isAsked) => {
  const s = session()
  const cancelAt = ms === 0 ? 0 : 1_000
  if (cancelAt) {
    s.connect()
    await s.world.settle(cancelAt)
  }
  const other = ms === 1_100 ? s.generate({ instructions: 'the first of two' }) : null
  const reply = s.generate({ instructions: 'a rather long answer that nobody wants to hear to its end' })
  await s.world.settle(ms)
  reply.reply.cancel()
  reply.reply.cancel()
  const toldBefore = reply.audio.length
  if (!cancelAt) s.connect()
  await s.world.settle(60_000)
  expect(reply.end).toMatchObject({ status: 'cancelled' })
  expect(reply.audio).toHaveLength(toldBefore)
  expect(other?.end ?? { status: 'completed' }).toMatchObject({ status: 'completed' })
  const mine = asked(s).filter(({ event_id }) => event_id === reply.reply.id)
  expect(mine).toHaveLength(isAsked ? 1 : 0)
  const theirs = ends(s).filter(({ metadata }) => metadata?.['parley_reply'] === reply.reply.id)
  expect(theirs.map(({ status }) => status)).toEqual(isAsked ? ['cancelled'] : [])
  expect(s.errors).toEqual([])
})

test.each([1_005, 1_015, 1_300])('cancelled beside the conversation at %i ms, it is cut there too', async (ms) => {
  const s = session()
  s.connect()
  await s.world.settle(1_000)
  const inBand = s.generate({ instructions: 'this goes on as if nothing were' })
  const reply = s.generate({ instructions: 'a rather long answer that nobody wants to hear to its end', ...besides })
  await s.world.settle(ms)
  reply.reply.cancel()
  await s.world.settle(60_000)
  expect(reply.end).toMatchObject({ status: 'cancelled' })
  expect(inBand.end).toMatchObject({ status: 'completed', text: 'this goes on as if nothing were' })
  expect(ends(s).map(({ status }) => status)).toEqual(['cancelled', 'completed'])
})

test('once it was cancelled it never rejects: not when the far end refuses it, nor when the line or the session is lost', async () => {
  const s = session()
  s.connect()
  await s.world.settle(1_000)
  const refused = s.generate({ input: [{ type: 'item_reference', id: 'nowhere' }], ...besides })
  const cut = s.generate({ instructions: 'a rather long answer' })
  await s.world.settle(1_005)
  refused.reply.cancel()
  await s.world.settle(1_200)
  expect(cut.reply.responseId).not.toBeNull()
  cut.reply.cancel()
  s.door.feed({ type: 'ended' })
  await s.world.settle(60_000)
  expect([refused.end, cut.end]).toMatchObject([{ status: 'cancelled' }, { status: 'cancelled', response: null }])
  expect(s.errors).toEqual([])
})

test('a signal that is aborted already asks for nothing', async () => {
  const s = session()
  s.connect()
  await s.world.settle(1_000)
  const reply = s.generate({ instructions: 'never', signal: AbortSignal.abort() })
  await s.world.settle(60_000)
  expect(reply).toMatchObject({ end: { status: 'cancelled', responseId: null, text: '' }, text: [], audio: [] })
  expect(asked(s)).toEqual([])
})

test('a signal that is aborted later cancels all that it was given to, once', async () => {
  const s = session()
  const stop = new AbortController()
  s.connect()
  await s.world.settle(1_000)
  const over = s.generate({ instructions: 'ok', signal: stop.signal })
  await s.world.settle(5_000)
  const both = [{}, besides].map((where) =>
    s.generate({ instructions: 'a rather long answer', signal: stop.signal, ...where }),
  )
  await s.world.settle(5_200)
  expect(getEventListeners(stop.signal, 'abort')).toHaveLength(2)
  stop.abort()
  await s.world.settle(60_000)
  expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0)
  expect(over.end).toMatchObject({ status: 'completed' })
  for (const { end } of both) expect(end).toMatchObject({ status: 'cancelled', response: { status: 'cancelled' } })
  expect(s.sent.filter(({ type }) => type === 'response.cancel')).toHaveLength(2)
})

test('what the session gives up when it is interrupted ends as cancelled', async () => {
  const s = session()
  const waiting = s.generate({ instructions: 'never mind' })
  s.door.feed({ type: 'interrupted', cancel: true })
  await s.world.settle(1_000)
  expect(waiting.end).toMatchObject({ status: 'cancelled', responseId: null })
  const speaking = s.generate({ instructions: 'a rather long answer' })
  s.connect()
  await s.world.settle(1_300)
  s.door.feed({ type: 'interrupted', cancel: true })
  await s.world.settle(60_000)
  expect(speaking.end).toMatchObject({ status: 'cancelled', response: { status: 'cancelled' } })
})

// ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────

test('text can be read late, and by many; sound is kept from when it is first asked for', async () => {
  const s = session()
  s.connect()
  await s.world.settle(1_000)
  const early = s.replies.generate({ instructions: 'some words', ...besides })
  const late = s.replies.generate({ instructions: 'other words', ...besides })
  const never = s.replies.generate({ instructions: 'unheard', ...besides })
  expect(early.audio).toBe(early.audio)
  await s.world.settle(1_100)
  expect(late.audio).toBeDefined()
  await s.world.settle(60_000)
  expect(await copy(early.text)).toEqual(await copy(early.text))
  expect((await copy(early.text)).join('')).toBe('some words')
  expect(spelt(await copy(early.audio))).toBe('some words')
  const heardLate = spelt(await copy(late.audio))
  expect(heardLate).not.toBe('')
  expect('other words'.endsWith(heardLate)).toBe(true)
  expect(heardLate).not.toBe('other words')
  expect(await copy(never.audio)).toEqual([])
})
