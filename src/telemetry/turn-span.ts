/**
 * A turn as spans: the turn, what the user said, each response, each tool. Names are those of OpenTelemetry's semantic
 * conventions for generative AI, as of July 2026, where they have one, else `parley.*`.
 */
import type { Usage } from '../protocol/events.ts'
import type { ResponseMetrics, ToolSpan, TurnMetrics } from '../session/metrics.ts'
import type { Handoff, Notes } from './notes.ts'
import { type Attributes, type Failure, known, type PastEvent, type PastSpan } from './tracer.ts'
import { saidIn } from './words.ts'

/** What is known beside the turn. */
export interface Around {
  readonly notes: Notes
  /** Of every span. */
  readonly common: Attributes
  readonly model: string | undefined
  readonly agent: string
  /** What was said, where that may be told. */
  readonly content: boolean
  /** What the user said in this turn; null where it is not known, or not to be told. */
  readonly input: string | null
}

export function turnSpan(turn: TurnMetrics, around: Around): PastSpan {
  const { by, latency, responses, tools, interruption } = turn
  const { notes, common, input } = around
  const speech = turn.speechEnd === null ? undefined : notes.speeches.findLast(({ ended }) => ended === turn.speechEnd)
  const begin = Math.min(
    ...times(speech?.began, turn.userSilent, turn.speechEnd, turn.said, turn.committed, turn.asked, turn.created),
  )
  const end = Math.max(
    begin,
    ...times(turn.playbackEnd, turn.done, turn.committed, interruption?.at, interruption?.silent),
    ...responses.map((response) => response.done ?? response.created),
    ...tools.map((tool) => tool.ended ?? tool.began),
  )
  const agent = notes.responses.get(responses[0]?.responseId ?? '')?.agent ?? around.agent
  const handoffs = notes.handoffs.filter(({ at }) => at >= begin && at <= end)
  const spoken = speech && {
    name: 'parley.user_speech',
    begin: speech.began,
    end: Math.max(speech.began, turn.userSilent ?? speech.ended),
    attributes: {},
    events: [],
    children: [],
  }
  return {
    name: `invoke_agent ${agent}`,
    begin,
    end,
    attributes: {
      ...common,
      ...known({
        'gen_ai.operation.name': 'invoke_agent',
        'gen_ai.agent.name': agent,
        'gen_ai.request.model': around.model,
        'gen_ai.input.messages': input === null ? null : messages('user', [{ type: 'text', content: input }]),
        'parley.turn.by': by,
        'parley.turn.lines_lost': turn.linesLost || null,
        'parley.interruption.by': interruption?.by,
        ...Object.fromEntries(Object.entries(latency).map(([mark, ms]) => [`parley.latency.${wireName(mark)}_ms`, ms])),
      }),
    },
    events: [...marksOf(turn), ...handoffs.map(handoffEvent)].toSorted((one, other) => one.at - other.at),
    error: failureOf(responses.at(-1), around),
    children: [
      ...(spoken ? [spoken] : []),
      ...responses.map((response) => responseSpan(response, end, around)),
      ...tools.map((tool) => toolSpan(tool, end, around)),
    ],
  }
}

export function handoffEvent({ at, from, to }: Handoff): PastEvent {
  return { name: 'parley.handoff', at, attributes: { 'parley.handoff.from': from, 'parley.handoff.to': to } }
}

function marksOf(turn: TurnMetrics): readonly PastEvent[] {
  const { interruption } = turn
  const marks = {
    said: turn.said,
    speech_end: turn.speechEnd,
    connected: turn.connected,
    committed: turn.committed,
    response_created: turn.created,
    first_byte: turn.firstByte,
    first_word: turn.firstWord,
    first_audible: turn.firstAudible,
  }
  const events = Object.entries(marks).flatMap(([mark, at]) => (at === null ? [] : [{ name: `parley.${mark}`, at }]))
  if (!interruption) return events
  const { by, at, silent } = interruption
  const cut = { name: 'parley.interruption', at, attributes: { 'parley.interruption.by': by } }
  return [...events, cut, ...times(silent).map((since) => ({ name: 'parley.silent', at: since }))]
}

// ── a response ───────────────────────────────────────────────────────────────────────────────────────────────────────

function responseSpan(response: ResponseMetrics, turnEnd: number, around: Around): PastSpan {
  const { responseId, firstByte, firstWord, status, usage } = response
  const { notes, common, model } = around
  const note = notes.responses.get(responseId)
  const begin = response.asked ?? response.created
  const first = Math.min(...times(firstByte, firstWord))
  const reason = note?.status?.status_details?.reason ?? status
  const isSpoken = note?.status?.output_modalities?.includes('audio')
  return {
    name: model === undefined ? 'chat' : `chat ${model}`,
    isRemote: true,
    begin,
    end: response.done ?? leftAt(response, around)?.at ?? Math.max(begin, turnEnd),
    attributes: {
      ...common,
      ...known({
        'gen_ai.operation.name': 'chat',
        'gen_ai.request.model': model,
        'gen_ai.request.stream': true,
        'gen_ai.response.id': responseId,
        'gen_ai.response.model': notes.model,
        'gen_ai.response.finish_reasons': reason ? [reason] : null,
        'gen_ai.response.time_to_first_chunk': Number.isFinite(first) ? (first - begin) / 1_000 : null,
        'gen_ai.output.type': isSpoken === undefined ? null : isSpoken ? 'speech' : 'text',
        'gen_ai.agent.name': note?.agent,
        'gen_ai.output.messages': note?.output && messages('assistant', saidIn(note.output), reason ?? 'unknown'),
        ...tokens(usage),
      }),
    },
    events: [
      { name: 'parley.response_created', at: response.created },
      ...times(firstByte).map((at) => ({ name: 'parley.first_byte', at })),
      ...times(firstWord).map((at) => ({ name: 'parley.first_word', at })),
    ],
    error: failureOf(response, around),
    children: [],
  }
}

function tokens(usage: Usage | null | undefined): Readonly<Record<string, number | null | undefined>> {
  const { input_token_details: input, output_token_details: output } = usage ?? {}
  return {
    'gen_ai.usage.input_tokens': usage?.input_tokens,
    'gen_ai.usage.output_tokens': usage?.output_tokens,
    'gen_ai.usage.cache_read.input_tokens': input?.cached_tokens,
    'gen_ai.usage.audio.input_tokens': input?.audio_tokens,
    'gen_ai.usage.text.input_tokens': input?.text_tokens,
    'gen_ai.usage.image.input_tokens': input?.image_tokens,
    'gen_ai.usage.audio.output_tokens': output?.audio_tokens,
    'gen_ai.usage.text.output_tokens': output?.text_tokens,
  }
}

/** Who is cut off, by the user or by the app, has not failed. */
function failureOf(response: ResponseMetrics | undefined, around: Around): Failure | null {
  if (response?.status === 'lost') return leftAt(response, around)?.isOurs ? null : { type: 'line_lost' }
  if (response?.status !== 'failed' && response?.status !== 'incomplete') return null
  const { error, reason } = around.notes.responses.get(response.responseId)?.status?.status_details ?? {}
  return { type: error?.code ?? reason ?? response.status, message: error?.message }
}

function leftAt({ created, status }: ResponseMetrics, { notes }: Around): Notes['leaves'][number] | undefined {
  return status === 'lost' ? notes.leaves.find(({ at }) => at >= created) : undefined
}

// ── a tool ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function toolSpan(tool: ToolSpan, turnEnd: number, { notes, common, agent, content }: Around): PastSpan {
  const { name, callId, began, approvalAsked, ended, failed } = tool
  const note = notes.tools.get(callId)
  const { 'gen_ai.provider.name': _, ...rest } = common
  return {
    name: `execute_tool ${name}`,
    begin: began,
    end: ended ?? Math.max(began, turnEnd),
    attributes: {
      ...rest,
      ...known({
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': name,
        'gen_ai.tool.type': 'function',
        'gen_ai.tool.call.id': callId,
        'gen_ai.agent.name': note?.agent ?? agent,
        'gen_ai.tool.call.arguments': content ? note?.arguments : null,
        'gen_ai.tool.call.result': content ? note?.result : null,
      }),
    },
    events: times(approvalAsked).map((at) => ({ name: 'parley.approval_asked', at })),
    error: failed ? { type: 'tool_failed' } : ended === null ? { type: 'not_answered' } : null,
    children: [],
  }
}

// ── the small ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** As the conventions have messages: JSON. */
function messages(role: string, parts: readonly object[], finish_reason?: string): string {
  return JSON.stringify([{ role, parts, ...(finish_reason === undefined ? {} : { finish_reason }) }])
}

function times(...marks: readonly (number | null | undefined)[]): readonly number[] {
  return marks.filter((mark): mark is number => mark != null)
}

function wireName(mark: string): string {
  return mark.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
