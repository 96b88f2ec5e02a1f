import type { RealtimeSessionEvents } from '../agents/events.ts'
import type { RealtimeSession } from '../agents/session.ts'
import { realClock } from '../session/clock.ts'
import type { TurnMetrics } from '../session/metrics.ts'
import type { Link } from '../session/state.ts'
import type { Cause } from '../session/transport.ts'
import { type Handoff, notes } from './notes.ts'
import { type Attributes, type Context, fail, known, type Span, type Tracer, within, write } from './tracer.ts'
import { handoffEvent, turnSpan } from './turn-span.ts'
import { saidBefore } from './words.ts'

export interface SpansOptions {
  /** Of `@opentelemetry/api`: `trace.getTracer('my-app')`. */
  readonly tracer: Tracer
  /** The context that sessions are a part of. Default: the one that is active when a session connects. */
  readonly parent?: Context
  /** Whether spans carry what was said, and what tools were given and gave. Default: false. */
  readonly content?: boolean
}

/** A session from `connect()` to its end. */
interface Call {
  readonly span: Span
  readonly context: Context
  readonly epochOf: (at: number) => number
  isOver: boolean
}

/**
 * Tells OpenTelemetry of a session: a span from each `connect()` to its end, and in it one for each turn, with what the
 * user said, the responses and the tools. Begin before `connect()`. What the tracer throws is an `error` event.
 *
 * Returns a function that ends it, and the span of the session with it.
 */
export function spans<Value>(session: RealtimeSession<Value>, options: SpansOptions): () => void {
  const { tracer, parent, content = false } = options
  const { clock = realClock, groupId, workflowName } = session.options
  const noted = notes(content)
  const common: Attributes = known({ 'gen_ai.provider.name': 'openai', 'gen_ai.conversation.id': groupId })
  /** When what is being told of happened: ms of the session's clock. */
  let now = clock.now()
  let call: Call | null = null

  // ── the session ──────────────────────────────────────────────────────────────────────────────────────────────────

  function linked(link: Link): void {
    if (link.at === 'closed') return ended(link.cause, now)
    if (!call || call.isOver) call = begun(link.at === 'live' ? link.since : now)
    if (link.at === 'dialing') happened('parley.dialing', { 'parley.tries': link.tries })
    if (link.at === 'live') happened('parley.connected', known({ 'gen_ai.response.model': noted.model }))
    if (link.at === 'waiting') happened('parley.line_lost', attributesOf(link.cause))
  }

  function begun(at: number): Call {
    const offset = Date.now() - clock.now()
    const epochOf = (time: number) => time + offset
    const attributes = {
      ...common,
      ...known({
        'gen_ai.request.model': session.options.model,
        'gen_ai.agent.name': session.currentAgent.name,
        'gen_ai.workflow.name': workflowName,
      }),
    }
    const span = tracer.startSpan('parley.session', { startTime: epochOf(at), attributes }, parent)
    return { span, context: within(span, parent), epochOf, isOver: false }
  }

  function happened(name: string, attributes: Attributes, at = now): void {
    if (call && !call.isOver) call.span.addEvent(name, attributes, call.epochOf(at))
  }

  function ended(cause: Cause | null, at: number): void {
    if (!call || call.isOver) return
    call.isOver = true
    try {
      if (cause) call.span.setAttributes(attributesOf(cause))
      if (cause && cause.initiator !== 'us') fail(call.span, { type: typeOf(cause), message: cause.reason })
    } finally {
      call.span.end(call.epochOf(at))
    }
  }

  // ── its turns ────────────────────────────────────────────────────────────────────────────────────────────────────

  function told(turn: TurnMetrics): void {
    if (!call) return
    const { currentAgent, state } = session
    const first = noted.responses.get(turn.responses[0]?.responseId ?? '')
    const span = turnSpan(turn, {
      notes: noted,
      common,
      model: session.options.model ?? noted.model,
      agent: currentAgent.name,
      content,
      input: content ? saidBefore(state.conversation.items, first?.output ?? []) : null,
    })
    write(span, tracer, call.context, call.epochOf)
  }

  /** One that a tool asks for is of its turn. */
  function handedOver(handoff: Handoff): void {
    if (session.state.turn.calls.length) return noted.handedOver(handoff)
    const { name, at, attributes = {} } = handoffEvent(handoff)
    happened(name, attributes, at)
  }

  // ── listening ────────────────────────────────────────────────────────────────────────────────────────────────────

  const unobserved = session.observe((entry) => {
    if (entry.direction === 'out') return
    now = entry.at
    noted.happened(entry.input, now)
  })
  type Events = RealtimeSessionEvents<Value>
  const ends = [unobserved]
  function on<Name extends keyof Events>(name: Name, listener: (...args: Events[Name]) => void): void {
    session.on(name, listener)
    ends.push(() => session.off(name, listener))
  }

  on('connection_change', linked)
  on('metrics', told)
  on('agent_start', (_context, { name }) => noted.spoken(name))
  on('agent_handoff', (_context, from, to) => handedOver({ at: now, from: from.name, to: to.name }))
  on('agent_tool_start', (_context, { name: agent }, _tool, { toolCall }) => {
    noted.called(toolCall.callId, { agent, ...(content ? { arguments: toolCall.arguments } : {}) })
  })
  on('agent_tool_end', (_context, { name: agent }, _tool, result, { toolCall }) => {
    noted.called(toolCall.callId, { agent, ...(content ? { result } : {}) })
  })
  if (session.state.link.at !== 'closed') linked(session.state.link)

  return () => {
    for (const end of ends.splice(0)) end()
    try {
      ended(null, clock.now())
    } catch (error) {
      console.error('The tracer could not end the span of the session:', error)
    }
  }
}

function attributesOf({ reason, code, initiator }: Cause): Attributes {
  return known({ 'parley.cause.reason': reason, 'parley.cause.code': code, 'parley.cause.initiator': initiator })
}

function typeOf({ code, initiator }: Cause): string {
  return code === null ? initiator.replace(' ', '_') : String(code)
}
