import type { RealtimeAgent } from './agent.ts'
import type { RunContext } from './context.ts'

/** What a guardrail found: whether its tripwire was triggered, and whatever it wants to tell the app of it. */
export interface GuardrailResult {
  readonly tripwireTriggered: boolean
  readonly outputInfo?: unknown
}

export interface OutputGuardrailData<Context = unknown> {
  /** The agent whose response it is. */
  readonly agent: RealtimeAgent<Context>
  /** All that this item of the response says so far. */
  readonly agentOutput: string
  readonly context: RunContext<Context>
}

/** Looks at what the agent says, while it says it. */
export interface OwnOutputGuardrail<Context = unknown> {
  readonly name: string
  /** What the model is told that it should have kept to. Default: the name. */
  readonly policyHint?: string | undefined
  execute(data: OutputGuardrailData<Context>): GuardrailResult | Promise<GuardrailResult>
}

export interface InputGuardrailData<Context = unknown> {
  /** The agent that answers. */
  readonly agent: RealtimeAgent<Context>
  /** What the user said, as it was understood, or wrote. */
  readonly input: string
  readonly context: RunContext<Context>
}

/** Looks at what the user says, once it was understood. */
export interface OwnInputGuardrail<Context = unknown> {
  readonly name: string
  /** What the model is told that the user may not have. Default: the name. */
  readonly policyHint?: string | undefined
  execute(data: InputGuardrailData<Context>): GuardrailResult | Promise<GuardrailResult>
}

/** A guardrail of another SDK. Its classes of agents and contexts are not ours; what it is given has their main fields. */
export interface ForeignGuardrail {
  readonly name: string
  readonly policyHint?: string | undefined
  readonly execute: CallableFunction
}

/**
 * A guardrail for what the agent says. Those of `@openai/agents` work as they are. It runs beside the others, on the
 * whole text so far. One that throws, rejects or gives no verdict is reported as an `error`; then its text counts as
 * passed in mode `monitor`, and as tripped in mode `holdback`.
 */
export type OutputGuardrail<Context = unknown> = OwnOutputGuardrail<Context> | ForeignGuardrail

/**
 * A guardrail for what the user says. It runs on the final transcript of each turn, and on what the user writes. One that
 * throws, rejects or gives no verdict counts as an `OutputGuardrail` that does.
 */
export type InputGuardrail<Context = unknown> = OwnInputGuardrail<Context> | ForeignGuardrail

export interface GuardrailSettings {
  /** Characters by which the agent's text grows from one check to the next. Default: 100. -1: checked at its end only. */
  readonly debounceTextLength?: number
  /**
   * `monitor` (default): the agent is heard while it is checked, and cut off when a guardrail trips. `holdback`: nothing is
   * heard before it was checked, which delays it by what the guardrails take and by the text that they wait for.
   */
  readonly mode?: 'monitor' | 'holdback'
}

/** What tripped, and on what. */
export interface Trip {
  readonly kind: 'input' | 'output'
  /** The guardrail's name. */
  readonly guardrail: string
  readonly policyHint?: string | undefined
  readonly outputInfo?: unknown
  /** What it was that failed, where the guardrail failed and so counts as tripped. */
  readonly cause?: unknown
  /** The response that said it; for what the user said, the one that answers it, or null where none has begun. */
  readonly responseId: string | null
  readonly itemId: string
  /** What was checked. */
  readonly text: string
}

/** A guardrail's tripwire was triggered by what the agent or the user said. */
export class GuardrailTripped extends Error {
  override readonly name = 'GuardrailTripped'
  readonly kind: 'input' | 'output'
  /** The guardrail's name. */
  readonly guardrail: string
  /** What the guardrail tells of it. */
  readonly outputInfo: unknown
  /** The response that said it; for what the user said, the one that answers it, or null where none has begun. */
  readonly responseId: string | null
  readonly itemId: string
  /** What was checked: all that the item said until then. */
  readonly text: string
  /** What the model is told of it. */
  readonly feedback: string

  constructor(trip: Trip) {
    super(messageFor(trip), 'cause' in trip ? { cause: trip.cause } : undefined)
    this.kind = trip.kind
    this.guardrail = trip.guardrail
    this.outputInfo = trip.outputInfo
    this.responseId = trip.responseId
    this.itemId = trip.itemId
    this.text = trip.text
    this.feedback = feedbackFor(trip)
  }
}

function messageFor(trip: Trip): string {
  const what = trip.kind === 'output' ? 'what the agent said' : 'what the user said'
  if ('cause' in trip)
    return `Guardrail '${trip.guardrail}' failed on ${what}: in mode 'holdback' that counts as tripped.`
  return `Guardrail '${trip.guardrail}' tripped on ${what}.`
}

function feedbackFor({ kind, guardrail, policyHint = guardrail }: Trip): string {
  return kind === 'output'
    ? `Your last answer was stopped, because it is against this policy: ${policyHint}. Do not say it again, in any words. Answer in a way that keeps to the policy.`
    : `What the user said last is against this policy: ${policyHint}. Do not do it and do not answer it. Say briefly that you cannot help with that.`
}

/** What a guardrail says. Rejects with what it throws, and where it says nothing: its type does not tell of another SDK's. */
export async function verdictOf(guardrail: ForeignGuardrail, data: unknown): Promise<GuardrailResult> {
  const execute = guardrail.execute as (data: unknown) => unknown
  const result = await execute.call(guardrail, data)
  if (typeof result === 'object' && result && 'tripwireTriggered' in result) return result as GuardrailResult
  throw new TypeError('It gave no verdict: let it return { tripwireTriggered: true } or { tripwireTriggered: false }.')
}
