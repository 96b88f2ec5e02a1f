/** What is asked of OpenTelemetry, by shape: a `Tracer` of `@opentelemetry/api` 1.x is one. */

export type Attributes = Record<string, string | number | boolean | string[]>

/** Times are ms since 1970. */
export interface Tracer {
  startSpan(name: string, options?: SpanOptions, context?: Context): Span
}

export interface SpanOptions {
  kind?: number
  startTime?: number
  attributes?: Attributes
}

export interface Span {
  setAttributes(attributes: Attributes): unknown
  setStatus(status: { code: number; message?: string }): unknown
  addEvent(name: string, attributes?: Attributes, time?: number): unknown
  end(time?: number): void
}

export interface Context {
  getValue(key: symbol): unknown
  setValue(key: symbol, value: unknown): Context
  deleteValue(key: symbol): Context
}

/** A span that is over before it is made: times are ms of the session's clock. */
export interface PastSpan {
  readonly name: string
  /** It waits for another process. */
  readonly isRemote?: boolean
  readonly begin: number
  readonly end: number
  readonly attributes: Attributes
  readonly events: readonly PastEvent[]
  readonly error?: Failure | null
  readonly children: readonly PastSpan[]
}

export interface PastEvent {
  readonly name: string
  readonly at: number
  readonly attributes?: Attributes
}

/** `type`: one of few. */
export interface Failure {
  readonly type: string
  readonly message?: string | undefined
}

const kinds = { internal: 0, client: 2 } as const
const errorCode = 2

/** By which all versions of OpenTelemetry's API find the span of a context. */
const spanKey = Symbol.for('OpenTelemetry Context Key SPAN')

/** The context in which what is begun is a part of this span. */
export function within(span: Span, outer: Context = contextOf(new Map())): Context {
  return outer.setValue(spanKey, span)
}

function contextOf(values: ReadonlyMap<symbol, unknown>): Context {
  return {
    getValue: (key) => values.get(key),
    setValue: (key, value) => contextOf(new Map(values).set(key, value)),
    deleteValue: (key) => contextOf(new Map([...values].filter(([other]) => other !== key))),
  }
}

/** Whatever the tracer throws, what was begun is ended. `epochOf`: ms since 1970, of a time of the session's clock. */
export function write(
  { name, isRemote, begin, end, attributes, events, error, children }: PastSpan,
  tracer: Tracer,
  context: Context | undefined,
  epochOf: (at: number) => number,
): void {
  const kind = isRemote ? kinds.client : kinds.internal
  const span = tracer.startSpan(name, { kind, startTime: epochOf(begin), attributes }, context)
  try {
    for (const event of events) span.addEvent(event.name, event.attributes ?? {}, epochOf(event.at))
    if (error) fail(span, error)
    for (const child of children) write(child, tracer, within(span, context), epochOf)
  } finally {
    span.end(epochOf(end))
  }
}

export function fail(span: Span, { type, message }: Failure): void {
  span.setAttributes({ 'error.type': type })
  span.setStatus({ code: errorCode, ...(message === undefined ? {} : { message }) })
}

/** The attributes that are known. */
export function known(attributes: Readonly<Record<string, Attributes[string] | null | undefined>>): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, Attributes[string]] => entry[1] != null),
  )
}
