/** What the harness is tried with. */

import type { Recorded } from './hearing.page.ts'
import { record, until } from './hearing.page.ts'

export function add(a: number, b: number): number {
  return a + b
}

/** Opens the microphone, and records it for `ms`. */
export async function listen(ms: number): Promise<Recorded> {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  })
  const recording = await record(stream)
  await until('the microphone is recorded', () => recording.samples().length >= (ms * recording.rate) / 1000)
  return recording.stop()
}

export async function play(frequency: number): Promise<Recorded> {
  const context = new AudioContext({ sampleRate: 48_000 })
  const oscillator = context.createOscillator()
  oscillator.frequency.value = frequency
  const to = context.createMediaStreamDestination()
  oscillator.connect(to)
  oscillator.start()
  const recording = await record(to.stream)
  await until('the tone is recorded', () => recording.samples().length >= 48_000)
  const recorded = await recording.stop()
  await context.close()
  return recorded
}

export function fail(): never {
  throw new TypeError('the page has its reasons')
}

export function failLater(): void {
  queueMicrotask(fail)
}

export function complain(): void {
  console.error('the page complains')
}

export function forget(): void {
  new AudioContext()
  setTimeout(() => undefined, 60_000)
}
