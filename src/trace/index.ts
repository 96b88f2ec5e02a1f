/** `parley-voice/trace`: saves a call as JSON lines, and plays it again, state by state. */
export type { TurnMetrics } from '../session/metrics.ts'
export type { TraceEntry } from '../session/observing.ts'
export type { TraceAudio, TraceDropped, TraceHeader } from './format.ts'
export { type Recordable, type Recorder, type RecordOptions, record } from './record.ts'
export { type Replay, type ReplayStep, replay, TraceError, type TraceProblem } from './replay.ts'
