/** `parley-voice/telemetry`: what happens in a session, as OpenTelemetry spans. Nothing of OpenTelemetry is imported. */
export { type SpansOptions, spans } from './spans.ts'
export type { Attributes, Context, Span, SpanOptions, Tracer } from './tracer.ts'
