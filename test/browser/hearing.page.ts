/** In the page: what is heard, sample by sample, on its way back to the test. */
import { uncounted } from './leftovers.page.ts'

/** PCM16 as base64: what a page's function can return. `samplesOf` of `sounds.ts` makes samples of it in Node. */
export interface Recorded {
  readonly rate: number
  readonly pcm: string
  /** The first sample's time, in frames of the context that recorded. */
  readonly frame: number
}

export interface Recording {
  /** All samples so far, -1 to 1. */
  samples(): Float32Array
  readonly rate: number
  readonly context: AudioContext
  /** How long ago, in ms of the recording, the first sample came that is no silence; 0 while there is none. */
  sinceFirstMs(): number
  /** And the last one. */
  sinceLastMs(): number
  /** The context's clock, in frames. */
  now(): number
  stop(): Promise<Recorded>
}

const audible = 1e-4

/** Served with the page: a content security policy of the test is no matter. */
const recorderUrl = '/recorder.js'

/** Records a stream, remote or local, in a context of its own at `rate` Hz. Resolves when it hears. */
export async function record(stream: MediaStream, rate = 48_000): Promise<Recording> {
  // Chromium gives the sound of a remote stream to Web Audio only while an element plays it.
  const element = new Audio()
  element.muted = true
  element.srcObject = stream
  const context = new uncounted.AudioContext({ sampleRate: rate })
  await context.audioWorklet.addModule(recorderUrl)
  const recording = recordNode(context.createMediaStreamSource(stream))
  return {
    ...recording,
    async stop() {
      const recorded = await recording.stop()
      element.srcObject = null
      await context.close()
      return recorded
    },
  }
}

/** Records a node of a context into which `listenIn` or `record` has put the recorder. */
function recordNode(source: AudioNode): Recording {
  const { context } = source
  const blocks: (readonly [frame: number, samples: Float32Array])[] = []
  const node = new AudioWorkletNode(context, 'test-recorder', { channelCount: 1, channelCountMode: 'explicit' })
  let end = 0
  let first: number | null = null
  let last = 0
  node.port.onmessage = ({ data }: MessageEvent<[number, Float32Array]>) => {
    blocks.push(data)
    const [frame, block] = data
    end = frame + block.length
    const loud = block.findLastIndex((sample) => Math.abs(sample) > audible)
    if (loud < 0) return
    first ??= frame + block.findIndex((sample) => Math.abs(sample) > audible)
    last = frame + loud + 1
  }
  const msSince = (frame: number) => ((end - frame) / context.sampleRate) * 1_000
  source.connect(node)
  const begin = () => blocks[0]?.[0] ?? 0
  /** Each block at its frame: what the context left out is silence here, too. */
  const samples = () => {
    const last = blocks.at(-1)
    const all = new Float32Array(last ? last[0] + last[1].length - begin() : 0)
    for (const [frame, block] of blocks) all.set(block, frame - begin())
    return all
  }
  return {
    rate: context.sampleRate,
    context: context as AudioContext,
    now: () => Math.round(context.currentTime * context.sampleRate),
    samples,
    sinceFirstMs: () => (first === null ? 0 : msSince(first)),
    sinceLastMs: () => (first === null ? 0 : msSince(last)),
    async stop() {
      source.disconnect(node)
      node.port.onmessage = null
      return { rate: context.sampleRate, pcm: encode(samples()), frame: begin() }
    },
  }
}

/**
 * From now on, each AudioContext of the page is overheard: what it plays to its destination is recorded, from the first
 * sample on. Call it before the page makes one; `overheard()` gives the recordings in the order of the contexts.
 */
export function listenIn(): () => readonly Recording[] {
  const recordings: Recording[] = []
  const { addModule } = AudioWorklet.prototype
  AudioWorklet.prototype.addModule = async function (url, options) {
    await addModule.call(this, recorderUrl)
    return addModule.call(this, url, options)
  }
  const connect = AudioNode.prototype.connect as (this: AudioNode, to: AudioNode, ...rest: number[]) => AudioNode
  AudioNode.prototype.connect = function (this: AudioNode, to: AudioNode, ...rest: number[]) {
    if (to instanceof AudioDestinationNode) recordings.push(recordNode(this))
    return connect.call(this, to, ...rest)
  } as typeof AudioNode.prototype.connect
  return () => recordings
}

/** A microphone that says what it is told to: its stream stands in for a real one, also behind getUserMedia. */
export function mouth(): { readonly stream: MediaStream; say(wav: string): Promise<void> } {
  const context = new uncounted.AudioContext({ sampleRate: 48_000 })
  const destination = context.createMediaStreamDestination()
  navigator.mediaDevices.getUserMedia = async () => destination.stream.clone()
  return {
    stream: destination.stream,
    /** `wav`: a wav file as base64. Resolves when it has been said. */
    async say(wav) {
      const bytes = Uint8Array.from(atob(wav), (letter) => letter.charCodeAt(0))
      const source = context.createBufferSource()
      source.buffer = await context.decodeAudioData(bytes.buffer)
      source.connect(destination)
      await new Promise((ended) => {
        source.onended = ended
        source.start()
      })
    },
  }
}

function encode(samples: Float32Array): string {
  const pcm = Int16Array.from(samples, (x) => Math.max(-32_768, Math.min(32_767, Math.round(x * 32_768))))
  const bytes = new Uint8Array(pcm.buffer)
  let text = ''
  for (let at = 0; at < bytes.length; at += 0x2000) text += String.fromCharCode(...bytes.subarray(at, at + 0x2000))
  return btoa(text)
}

/** Resolves as soon as `isTrue`; rejects with `what` after `withinMs`. Looks again at each 5 ms. */
export async function until(what: string, isTrue: () => unknown, withinMs = 8_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!isTrue()) {
    if (performance.now() > end) throw new Error(`Waited ${withinMs} ms in vain: ${what}`)
    await new Promise((looked) => setTimeout(looked, 5))
  }
}
