/** Guardrails, a held speaker and a paced one, at random, as a session joins them. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AudioDelta, AudioFormat, ServerEvent } from '../protocol/events.ts'
import { pacedSpeaker } from '../session/paced-speaker.ts'
import { noUsage } from '../session/usage.ts'
import { world } from '../testing/world.ts'
import { RealtimeAgent } from './agent.ts'
import type { GuardrailResult, GuardrailTripped } from './guardrail.ts'
import { guards } from './guards.ts'
import { type HeldSpeaker, heldSpeaker } from './holdback.ts'

const format = (): AudioFormat => ({ type: 'audio/pcm', rate: 24_000 })

type Act =
  | { readonly act: 'say'; readonly letters: number; readonly last: string }
  | { readonly act: 'sound' | 'wait'; readonly ms: number }
  | { readonly act: 'item' | 'end' | 'hush' }

const act = <Name extends Act['act']>(name: Name) => fc.constant(name)
const upTo = (max: number) => fc.integer({ min: 1, max })
/** Guardrail `quick` trips on `!`, and `slow` on `?`. */
const last = fc.constantFrom(...'.'.repeat(50), ...'!???')
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ act: act('say'), letters: upTo(30), last }) },
    { weight: 8, arbitrary: fc.record({ act: act('sound'), ms: upTo(200) }) },
    { weight: 4, arbitrary: fc.record({ act: act('wait'), ms: upTo(300) }) },
    { weight: 4, arbitrary: fc.record({ act: fc.constantFrom('item' as const, 'end', 'end', 'end', 'hush') }) },
  ),
  { minLength: 5, maxLength: 80, size: 'max' },
)

/** A piece of sound: the words that were known of its item as it came, and what became of it. */
interface Piece {
  readonly audio: AudioDelta
  readonly ms: number
  readonly words: string
  fate: 'held' | 'played' | 'hushed' | 'refused'
  /** When it begins to sound. */
  at: number
}

/** Plays a script as a session would: a trip cuts its own response, and never one that came after it. */
async function play(script: readonly Act[], seed: number, debounceTextLength: number) {
  const w = world(seed)
  const pieces: Piece[] = []
  const words = new Map<string, string>()
  const passes = { quick: [] as string[], slow: [] as string[] }
  const tripped = new Set<string>()
  const cut = new Set<string>()
  let quietAt = Number.NEGATIVE_INFINITY
  const failures: unknown[] = []
  let hushes = 0
  /** The response that is heard, as far as the session knows. */
  let heard: string | null = null
  let response = 0
  let item = 0

  const inner = pacedSpeaker({ clock: w.clock, format, queued: sink })({ drained: () => speaker.drained() })
  const speaker: HeldSpeaker = heldSpeaker(inner, {
    clock: w.clock,
    format,
    lengthOf: (...ids) => watch.lengthOf(...ids),
    drained() {
      expect(pieces.filter(({ fate }) => fate === 'held')).toEqual([])
      quietAt = w.now()
      heard = null
    },
  })
  const guardrail = (name: keyof typeof passes, ms: number, bad: string) => ({
    name,
    execute: ({ agentOutput }: { agentOutput: string }) =>
      new Promise<GuardrailResult>((resolve) => {
        w.after(Math.floor(w.random() * ms), () => {
          const tripwireTriggered = agentOutput.includes(bad)
          if (!tripwireTriggered) passes[name].push(agentOutput)
          resolve({ tripwireTriggered })
        })
      }),
  })
  const watch = guards({
    output: [guardrail('quick', 30, '!'), guardrail('slow', 800, '?')],
    input: [],
    settings: { debounceTextLength, mode: 'holdback' },
    agentOf: () => new RealtimeAgent({ name: 'a' }),
    context: { context: undefined, history: [], usage: noUsage },
    tripped: trip,
    failed: (error) => failures.push(error),
    passed: speaker.passed,
  })

  /** Nothing unchecked, nothing of a response that tripped, and nothing out of its order. */
  function sink(audio: AudioDelta, at: number): void {
    const piece = pieces.find((one) => one.audio === audio)!
    for (const texts of Object.values(passes)) {
      expect(
        texts.some((text) => text.startsWith(piece.words)),
        `'${piece.words}' has passed`,
      ).toBe(true)
    }
    expect(tripped).not.toContain(audio.response_id)
    expect(piece).toBe(pieces.find(({ fate }) => fate === 'held'))
    piece.fate = 'played'
    piece.at = at
  }

  function trip({ responseId }: GuardrailTripped): void {
    const id = responseId!
    expect(tripped).not.toContain(id)
    tripped.add(id)
    cut.add(id)
    if (heard === id && w.random() < 0.5) speaker.refused(id)
    if (heard === id) hush()
    for (const piece of pieces) {
      if (piece.fate === 'held' && piece.audio.response_id === id) piece.fate = 'refused'
    }
    speaker.refused(id)
  }

  /** What is told of each item is what came of it, and what of that has sounded. */
  function hush(): void {
    hushes++
    quietAt = w.now()
    const wasRefused = new Set(pieces.filter(({ fate }) => fate === 'refused').map(({ audio }) => audio.item_id))
    const expected = [...new Set(pieces.map(({ audio }) => audio.item_id))]
      .map((id) => [id, pieces.filter(({ audio }) => audio.item_id === id)] as const)
      .filter(([item_id, its]) => !wasRefused.has(item_id) && its.every(({ fate }) => fate !== 'hushed'))
      .map(([item_id, its]) => ({
        item_id,
        content_index: 0,
        heardMs: its.reduce((sum, { at, ms }) => sum + Math.min(Math.max(quietAt - at, 0), ms), 0),
        receivedMs: its.reduce((sum, { ms }) => sum + ms, 0),
      }))
      .filter(({ heardMs, receivedMs }) => heardMs < receivedMs)
    expect(speaker.hush().filter(({ item_id }) => !wasRefused.has(item_id))).toEqual(expected)
    const items = new Set(expected.map(({ item_id }) => item_id))
    for (const piece of pieces) {
      if (piece.fate === 'held' || (piece.fate === 'played' && items.has(piece.audio.item_id))) piece.fate = 'hushed'
    }
    cut.add(`r${response}`)
    heard = null
  }

  // ── the far end ──

  function tell(type: string, rest: object): void {
    const ids = { response_id: `r${response}`, item_id: `i${item}`, content_index: 0 }
    watch.received({ type, event_id: 'e', ...ids, ...rest } as unknown as ServerEvent)
  }

  const saidSoFar = () => words.get(`i${item}`) ?? ''

  /** No two items say the same. */
  function say(letters: number, end: string): void {
    const delta = `${String.fromCharCode(0x4e00 + item)}${'x'.repeat(letters)}${end}`
    words.set(`i${item}`, saidSoFar() + delta)
    tell('response.output_audio_transcript.delta', { delta })
  }

  function sound(ms: number): void {
    const ids = { item_id: `i${item}`, response_id: `r${response}` }
    if (!saidSoFar() || cut.has(ids.response_id)) return
    const rest = { type: 'response.output_audio.delta', event_id: 'e', output_index: 0, content_index: 0 } as const
    const audio: AudioDelta = { ...rest, ...ids, delta: '', audio: new Uint8Array(ms * 48) }
    pieces.push({ audio, ms, words: saidSoFar(), fate: 'held', at: Number.POSITIVE_INFINITY })
    heard = ids.response_id
    speaker.play(audio)
  }

  function endItem(): void {
    if (saidSoFar()) tell('response.output_audio_transcript.done', { transcript: saidSoFar() })
    item++
  }

  function endResponse(): void {
    endItem()
    tell('response.done', { response: { id: `r${response}`, output: [] } })
    response++
    tell('response.created', { response: { id: `r${response}` } })
  }

  tell('response.created', { response: { id: 'r0' } })
  for (const act of script) {
    if (act.act === 'say') say(act.letters, act.last)
    else if (act.act === 'sound') sound(act.ms)
    else if (act.act === 'wait') await w.settle(w.now() + act.ms)
    else if (act.act === 'item') endItem()
    else if (act.act === 'end') endResponse()
    else hush()
  }
  endResponse()
  await w.settle()
  if (failures.length) throw failures[0]
  return { pieces, tripped, hushes, quietAt }
}

test('nothing unchecked is heard, nothing that passed is lost, and what was cut is known to the ms', async () => {
  const seen = { held: 0, played: 0, hushed: 0, refused: 0, hushes: 0, trips: 0 }
  await fc.assert(
    fc.asyncProperty(acts, fc.nat(), fc.constantFrom(-1, 0, 10, 100), async (script, seed, debounceTextLength) => {
      const { pieces, tripped, hushes, quietAt } = await play(script, seed, debounceTextLength)
      const isRightlyGone = ({ fate, audio }: Piece) => fate !== 'refused' || tripped.has(audio.response_id)
      expect(pieces.filter((piece) => piece.fate === 'held' || !isRightlyGone(piece))).toEqual([])
      for (const { fate, at, ms } of pieces) if (fate === 'played') expect(quietAt).toBeGreaterThanOrEqual(at + ms)
      for (const { fate } of pieces) seen[fate]++
      seen.hushes += hushes
      seen.trips += tripped.size
    }),
    { seed: 8, numRuns: 400 },
  )
  const { held, ...rest } = seen
  expect(held).toBe(0)
  for (const [name, count] of Object.entries(rest)) expect(count, name).toBeGreaterThan(50)
})
