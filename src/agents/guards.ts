/** Runs the guardrails: on what the agent says, by response and item, while it grows; on what the user said. */
import { contentOf, textOf } from '../conversation/conversation.ts'
import { messageOf } from '../protocol/errors.ts'
import type { AudioDelta, Item, Response, ServerEvent } from '../protocol/events.ts'
import type { RealtimeAgent } from './agent.ts'
import type { RunContext } from './context.ts'
import {
  type GuardrailSettings,
  GuardrailTripped,
  type InputGuardrail,
  type OutputGuardrail,
  type Trip,
  verdictOf,
} from './guardrail.ts'

export interface GuardsOptions<Context> {
  readonly output: readonly OutputGuardrail<Context>[]
  readonly input: readonly InputGuardrail<Context>[]
  readonly settings: GuardrailSettings
  /** Whose a response is; the current agent for null. */
  readonly agentOf: (response_id: string | null) => RealtimeAgent<Context>
  readonly context: RunContext<Context>
  /**
   * At most once for what a response says, and once for each thing that the user said. It may come late: `responseId` says
   * which response is meant, whatever has begun since.
   */
  readonly tripped: (error: GuardrailTripped) => void
  readonly failed: (error: unknown) => void
  /**
   * All guardrails have passed the first `checkedLength` characters of an item. `isFinal`: of all of it, and its response
   * is over. Not told any more of a response that tripped.
   */
  readonly passed?: (response_id: string, item_id: string, checkedLength: number, isFinal: boolean) => void
}

export interface Guards {
  received(event: ServerEvent): void
  /** The user wrote something. */
  said(item_id: string, text: string): void
  /** How many characters of an item are known, of those that `passed` counts. */
  lengthOf(response_id: string, item_id: string): number
  /** How many responses and user turns are remembered. */
  readonly watched: number
}

/** What one response says. */
interface Answer {
  readonly id: string
  readonly items: Map<string, Said>
  /** Checks that are under way. */
  checks: number
  /** Its beginning was told. */
  isAnnounced: boolean
  isOver: boolean
  hasTripped: boolean
}

/** Null when it has passed. Never rejects. */
type Verdict = Promise<Trip | null>
type On = Omit<Trip, 'guardrail'>

interface Said {
  /** By content index. */
  readonly parts: Map<number, string>
  /** What was given to the guardrails last, and what they said. */
  checked: { readonly text: string; readonly verdict: Verdict }
}

type InPart = Pick<AudioDelta, 'response_id' | 'item_id' | 'content_index'>

/** What the user said in one go, and the response that answers it. */
interface Turn {
  responseId: string | null
}

/** What the user said is understood within so many turns. */
const mostTurns = 16

/**
 * A guardrail that throws, rejects or gives no verdict is told to `failed`; the text counts as passed in mode `monitor`,
 * and as tripped in mode `holdback`.
 */
export function guards<Context>(options: GuardsOptions<Context>): Guards {
  const { output, input, context, failed } = options
  const { debounceTextLength = 100, mode = 'monitor' } = options.settings
  const answers = new Map<string, Answer>()
  const turns = new Map<string, Turn>()
  let turn: Turn = { responseId: null }

  function received(event: ServerEvent): void {
    if (input.length) followTurn(event)
    if (output.length || options.passed) followAnswer(event)
  }

  // ── what the agent says ──────────────────────────────────────────────────────────────────────────────────────────

  function followAnswer(event: ServerEvent): void {
    switch (event.type) {
      case 'session.created':
        return endAll(() => true)
      case 'response.created':
        endAll(({ isAnnounced }) => !isAnnounced)
        answerOf(event.response.id).isAnnounced = true
        return
      case 'response.output_text.delta':
      case 'response.output_audio_transcript.delta':
        return grew(event, (before) => before + event.delta)
      case 'response.output_text.done':
        return ended(event, event.text)
      case 'response.output_audio_transcript.done':
        return ended(event, event.transcript)
      case 'response.done':
        return over(event.response)
    }
  }

  function grew(part: InPart, more: (before: string) => string): void {
    const answer = answerOf(part.response_id)
    const said = write(saidIn(answer, part.item_id), part.content_index, more)
    const growth = lengthOf(said) - said.checked.text.length
    if (debounceTextLength >= 0 && growth >= debounceTextLength) check(answer, part.item_id, said)
  }

  function ended(part: InPart, text: string): void {
    const answer = answerOf(part.response_id)
    const said = write(saidIn(answer, part.item_id), part.content_index, () => text)
    check(answer, part.item_id, said)
  }

  /** Its items are told once more as it ends: what was not told as it grew is checked now. */
  function over({ id, output = [] }: Response): void {
    const answer = answerOf(id)
    for (const item of output) {
      if (item.type !== 'message') continue
      const said = saidIn(answer, item.id)
      for (const [n, part] of contentOf(item).entries()) {
        const words = textOf({ ...item, content: [part] } as Item)
        if (words) write(said, n, (before) => (words.length > before.length ? words : before))
      }
    }
    end(answer)
  }

  /** What a lost line has cut off never ends by itself; nor does one that was known by a late word only. */
  function endAll(isMeant: (answer: Answer) => boolean): void {
    for (const answer of answers.values()) if (isMeant(answer)) end(answer)
  }

  function end(answer: Answer): void {
    answer.isOver = true
    for (const [item_id, said] of answer.items) check(answer, item_id, said)
    forget(answer)
  }

  /** The same text is not given to the guardrails twice. */
  function check(answer: Answer, item_id: string, said: Said): void {
    if (answer.hasTripped) return
    const text = textIn(said)
    const isFinal = answer.isOver
    if (text !== said.checked.text)
      said.checked = { text, verdict: verdictOn(answer, item_id, text, said.checked.verdict) }
    answer.checks++
    void said.checked.verdict
      .then((trip) => {
        answer.checks--
        forget(answer)
        if (answer.hasTripped) return
        if (!trip) return options.passed?.(answer.id, item_id, text.length, isFinal && text === textIn(said))
        answer.hasTripped = true
        options.tripped(new GuardrailTripped(trip))
      })
      .catch(failed)
  }

  /** A text has passed when all that was checked of its item before has passed too: in which order they end is no matter. */
  function verdictOn(answer: Answer, itemId: string, text: string, before: Verdict): Verdict {
    const data = () => ({ agent: options.agentOf(answer.id), agentOutput: text, context })
    return firstTrip([before, ...runs(output, data, { kind: 'output', responseId: answer.id, itemId, text })])
  }

  function answerOf(id: string): Answer {
    const known = answers.get(id)
    if (known) return known
    const answer: Answer = { id, items: new Map(), checks: 0, isAnnounced: false, isOver: false, hasTripped: false }
    answers.set(id, answer)
    return answer
  }

  function forget(answer: Answer): void {
    if (answer.isOver && answer.checks === 0) answers.delete(answer.id)
  }

  // ── what the user says ───────────────────────────────────────────────────────────────────────────────────────────

  function followTurn(event: ServerEvent): void {
    switch (event.type) {
      case 'conversation.item.created':
      case 'conversation.item.added':
        return placed(event.item)
      case 'response.created':
        if (event.response.conversation_id !== null) turn.responseId = event.response.id
        return
      case 'conversation.item.input_audio_transcription.completed':
        return said(event.item_id, event.transcript)
    }
  }

  /** What stands in the conversation when a response begins is answered by it, and by those that follow on its calls. */
  function placed(item: Item): void {
    if (item.type !== 'message' || item.role !== 'user' || turns.has(item.id)) return
    if (turn.responseId !== null) turn = { responseId: null }
    turns.set(item.id, turn)
    if (turns.size > mostTurns) turns.delete(turns.keys().next().value!)
  }

  function said(itemId: string, text: string): void {
    const known = turns.get(itemId)
    const answering = () => (known ?? turns.get(itemId))?.responseId ?? null
    const data = () => ({ agent: options.agentOf(answering()), input: text, context })
    void firstTrip(runs(input, data, { kind: 'input', responseId: null, itemId, text }))
      .then((trip) => {
        if (!trip) return
        const responseId = answering()
        const answer = answers.get(responseId ?? '')
        if (answer) answer.hasTripped = true
        options.tripped(new GuardrailTripped({ ...trip, responseId }))
      })
      .catch(failed)
  }

  // ── the guardrails ───────────────────────────────────────────────────────────────────────────────────────────────

  type Guardrail = OutputGuardrail<Context> | InputGuardrail<Context>

  /** All run at once; none for a text without words: it costs nothing. */
  function runs(all: readonly Guardrail[], data: () => unknown, on: On): readonly Verdict[] {
    return on.text.trim() === '' ? [] : all.map((guardrail) => tripOf(guardrail, data, on))
  }

  async function tripOf(guardrail: Guardrail, data: () => unknown, on: On): Promise<Trip | null> {
    const { name, policyHint } = guardrail
    try {
      const { tripwireTriggered, outputInfo } = await verdictOf(guardrail, data())
      return tripwireTriggered ? { ...on, guardrail: name, policyHint, outputInfo } : null
    } catch (cause) {
      failed(new Error(`Guardrail '${name}' failed: ${messageOf(cause)}`, { cause }))
      return mode === 'holdback' ? { ...on, guardrail: name, policyHint, cause } : null
    }
  }

  return {
    received,
    said(item_id, text) {
      if (input.length) said(item_id, text)
    },
    lengthOf(response_id, item_id) {
      const known = answers.get(response_id)?.items.get(item_id)
      return known ? lengthOf(known) : 0
    },
    get watched() {
      return answers.size + turns.size
    },
  }
}

/** The first that trips decides. */
function firstTrip(verdicts: readonly Verdict[]): Verdict {
  return new Promise((resolve) => {
    for (const verdict of verdicts) void verdict.then((trip) => trip && resolve(trip))
    void Promise.all(verdicts).then(() => resolve(null))
  })
}

const nothing: Said['checked'] = { text: '', verdict: Promise.resolve(null) }

function saidIn({ items }: Answer, item_id: string): Said {
  const known = items.get(item_id)
  if (known) return known
  const said: Said = { parts: new Map(), checked: nothing }
  items.set(item_id, said)
  return said
}

function write(said: Said, content_index: number, change: (before: string) => string): Said {
  said.parts.set(content_index, change(said.parts.get(content_index) ?? ''))
  return said
}

function textIn({ parts }: Said): string {
  return [...parts.values()].join('\n')
}

/** As long as `textIn`, without making it: a delta costs the same in a long answer as in a short one. */
function lengthOf({ parts }: Said): number {
  let length = Math.max(parts.size - 1, 0)
  for (const part of parts.values()) length += part.length
  return length
}
