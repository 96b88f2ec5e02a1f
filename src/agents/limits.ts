import type { Clock } from '../protocol/clock.ts'
import { UserError } from '../protocol/errors.ts'
import type { SessionUsage } from '../session/usage.ts'
import { isPriced, knownCost, type Prices } from './prices.ts'

/** How long a session may last, and how much it may use. What is not given has no limit. */
export interface Limits {
  /** ms from the moment that the session is connected. */
  readonly maxDurationMs?: number
  /** ms in which neither side says anything. The agent's speech and running tools are no idle time. */
  readonly maxIdleMs?: number
  /** Tokens of all responses, input and output: `usage.totalTokens`. */
  readonly maxTokens?: number
  /** USD, as `costOf` estimates it. What has no price, such as a transcriber that is not known, costs nothing. */
  readonly maxCost?: number
  /** From what part of a limit on the app is warned, above 0 and up to 1. Default: 0.8. */
  readonly warnAt?: number
  /** What the agent is asked to say before the session ends. */
  readonly goodbye?: string
  /** Prices besides the built-in ones, or in their place. */
  readonly prices?: Prices
}

/** A limit that is near (`isWarning`), or that was reached and ends the session. */
export interface LimitReached {
  readonly kind: 'duration' | 'idle' | 'tokens' | 'cost'
  /** ms, tokens or USD; so is `value`. */
  readonly limit: number
  readonly value: number
  readonly isWarning: boolean
}

export interface LimitsOptions {
  readonly limits: Limits
  readonly clock: Clock
  readonly model: string
  readonly prices?: Prices
  /** What was used up to now: asked for when the session starts. */
  readonly usage: () => SessionUsage
  readonly warn: (limit: LimitReached) => void
  readonly end: (limit: LimitReached) => void
}

/** Watches over the limits of one session. What happens is told to it, in the past tense. */
export interface LimitsWatch {
  /** The session is connected. Only the first time counts, until it has stopped: not a line that came back. */
  started(): void
  /** Either side said something: speech or text of the user, audio of the agent. Cheap: for every delta. */
  active(): void
  /** The agent is speaking or a tool is running, or neither is any more. */
  busy(isBusy: boolean): void
  used(usage: SessionUsage): void
  /** The session was closed: nothing is left on the clock. */
  stopped(): void
}

const none = Number.POSITIVE_INFINITY

/** Throws UserError where a limit makes no sense, or could not be kept. */
export function limits(options: LimitsOptions): LimitsWatch {
  const { clock, model, prices = {}, warn, end } = options
  const { maxDurationMs = none, maxIdleMs = none, maxTokens = none, maxCost = none, warnAt = 0.8 } = checked(options)
  let phase: 'stopped' | 'watching' | 'ended' = 'stopped'
  let isBusy = false
  let startedAt = 0
  let activeAt = 0
  let tokens = 0
  let cost = 0
  let seen: SessionUsage | null = null
  const warned = new Set<LimitReached['kind']>()
  let alarm: { readonly at: number; readonly cancel: () => void } | null = null

  /** What is limited, and how far it has come. With `since` it grows by itself, a ms each ms. */
  function measured(): Measured[] {
    const now = clock.now()
    return [
      { kind: 'duration', limit: maxDurationMs, value: now - startedAt, since: startedAt },
      { kind: 'idle', limit: maxIdleMs, value: isBusy ? 0 : now - activeAt, since: isBusy ? null : activeAt },
      { kind: 'tokens', limit: maxTokens, value: tokens, since: null },
      { kind: 'cost', limit: maxCost, value: cost, since: null },
    ]
  }

  function check(): void {
    if (phase !== 'watching') return
    const now = clock.now()
    const all = measured()
    const over = all.find((one) => isDue(one, 1, now))
    if (over) {
      stopped()
      phase = 'ended'
      end(reached(over, false))
      return
    }
    for (const near of all) {
      if (warned.has(near.kind) || !isDue(near, warnAt, now)) continue
      warned.add(near.kind)
      warn(reached(near, true))
      if (phase !== 'watching') return
    }
    arm()
  }

  /** One timer for all, at the next moment that anything may come due. One that proves early is set anew. */
  function arm(): void {
    const times = measured().map((one) => dueAt(one, warned.has(one.kind) ? 1 : warnAt))
    const at = Math.min(...times)
    if (at === none || (alarm && alarm.at <= at)) return
    alarm?.cancel()
    const cancel = clock.at(at, () => {
      alarm = null
      check()
    })
    alarm = { at, cancel }
  }

  /** Each silence is warned of anew. */
  function active(): void {
    activeAt = clock.now()
    warned.delete('idle')
  }

  function used(usage: SessionUsage): void {
    if (usage === seen) return
    seen = usage
    tokens = Math.max(usage.totalTokens, usage.inputTokens + usage.outputTokens)
    if (maxCost < none) cost = knownCost(usage, model, prices).cost
    check()
  }

  function stopped(): void {
    phase = 'stopped'
    alarm?.cancel()
    alarm = null
  }

  return {
    started() {
      if (phase !== 'stopped') return
      startedAt = clock.now()
      warned.clear()
      active()
      used(options.usage())
      phase = 'watching'
      check()
    },
    active,
    busy(now) {
      if (now === isBusy) return
      isBusy = now
      active()
      check()
    },
    used,
    stopped,
  }
}

interface Measured {
  readonly kind: LimitReached['kind']
  readonly limit: number
  readonly value: number
  readonly since: number | null
}

/** When this part of the limit is reached by time alone. */
function dueAt({ limit, since }: Measured, part: number): number {
  return since === null ? none : since + limit * part
}

/** Time is compared as the timer was set, so that no rounding makes a timer early for ever. */
function isDue(one: Measured, part: number, now: number): boolean {
  return one.since === null ? one.value >= one.limit * part : now >= dueAt(one, part)
}

function reached({ kind, limit, value }: Measured, isWarning: boolean): LimitReached {
  return { kind, limit, value, isWarning }
}

function checked({ limits, model, prices = {} }: LimitsOptions): Limits {
  for (const name of ['maxDurationMs', 'maxIdleMs', 'maxTokens', 'maxCost', 'warnAt'] as const) {
    const value: unknown = limits[name]
    if (value === undefined || (typeof value === 'number' && value > 0)) continue
    throw new UserError(`\`limits.${name}\` is ${String(value)}: it must be a number above 0, or be left out.`)
  }
  if ((limits.warnAt ?? 0) > 1) {
    throw new UserError(`\`limits.warnAt\` is ${limits.warnAt}: it is a part of the limit, from above 0 up to 1.`)
  }
  if (limits.goodbye !== undefined && typeof limits.goodbye !== 'string') {
    throw new UserError('`limits.goodbye` must be a text: what the agent is asked to say before the session ends.')
  }
  if (limits.maxCost !== undefined && !isPriced(model, prices)) {
    throw new UserError(
      `\`limits.maxCost\` cannot be kept: the price of the model '${model}' is not known. Pass it in \`prices\`, ` +
        `in USD per 1M tokens: { '${model}': { textInput, audioInput, textOutput, audioOutput } }.`,
    )
  }
  return limits
}
