import { grouped } from './events.ts'

/** `3.210`: seconds of the call. */
export function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}

export function inMs(ms: number | null): string {
  return ms === null ? '–' : `${grouped(Math.round(ms))} ms`
}
