import { decodeAlaw, decodeUlaw } from '../audio/g711.ts'
import { toSamples } from '../audio/pcm.ts'
import { type Resampler, resampler } from '../audio/resample.ts'
import { msOf, rateOf } from '../protocol/audio.ts'
import type { AudioDelta, AudioFormat } from '../protocol/events.ts'
import type { MakeSpeaker, Speaker, SpeakerListener } from '../session/speaker.ts'
import { playout } from './playout.ts'
import { loadWorklets, type Order, type Report, speakerName } from './worklet.ts'

export interface SpeakerOptions {
  /** The format of the audio that comes. Default: PCM16 at 24 kHz. Asked for at each piece where it is a function. */
  readonly format?: AudioFormat | (() => AudioFormat) | undefined
}

/** A speaker that can be plugged into a context, and out of it; what comes before waits. */
export interface Outlet {
  readonly make: MakeSpeaker
  /** Sounds in this context, into which the worklets are loaded. */
  attach(context: AudioContext): void
  detach(): void
  level(): number
}

/**
 * A speaker in a context of the app's own, which is neither resumed nor closed: it plays the agent's audio without gaps at the
 * context's rate, and counts the samples that were really played. Resolves when it is ready; rejects with a `MediaError`.
 */
export async function browserSpeaker(
  context: AudioContext,
  options: SpeakerOptions & { readonly workletUrl?: string } = {},
): Promise<MakeSpeaker> {
  await loadWorklets(context, options.workletUrl)
  const one = outlet(options)
  one.attach(context)
  return one.make
}

export function outlet({ format = { type: 'audio/pcm', rate: 24_000 } }: SpeakerOptions): Outlet {
  let context: AudioContext | null = null
  let speaker: Plugged | null = null
  return {
    make(listener) {
      speaker?.detach()
      speaker = plugged(listener, typeof format === 'function' ? format : () => format)
      if (context) speaker.attach(context)
      return speaker
    },
    attach(next) {
      context = next
      speaker?.attach(next)
    },
    detach() {
      context = null
      speaker?.detach()
    },
    level: () => speaker?.level() ?? 0,
  }
}

interface Plugged extends Required<Speaker> {
  attach(context: AudioContext): void
  detach(): void
  level(): number
}

function plugged(listener: SpeakerListener, format: () => AudioFormat): Plugged {
  const ledger = playout()
  let waiting: AudioDelta[] = []
  let line: Line | null = null
  let isPaused = false
  let isDry = true
  /** What was heard never becomes less, although the device's latency is only known roughly. */
  let heardMs = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  function heard(): number {
    if (line) heardMs = Math.max(heardMs, line.heardMs())
    return heardMs
  }

  function look(): void {
    for (const item of ledger.begun(heard())) listener.sounded?.(item)
    clearTimeout(timer)
    const lateMs = line?.dryInMs() ?? null
    if (!isDry && lateMs !== null) timer = setTimeout(drain, lateMs)
  }

  function drain(): void {
    isDry = true
    heardMs = line?.sentMs() ?? heardMs
    for (const item of ledger.begun(heardMs)) listener.sounded?.(item)
    ledger.settled()
    listener.drained()
  }

  function forget(): void {
    clearTimeout(timer)
    ledger.clear()
    waiting = []
    heardMs = 0
    isDry = true
    isPaused = false
  }

  return {
    play(audio) {
      ledger.queued(audio, msOf(audio.audio.length, format()))
      isDry = false
      clearTimeout(timer)
      if (line) line.play(audio.audio, format())
      else waiting.push(audio)
    },
    hush() {
      const cut = ledger.heard(heard()).filter((item) => item.heardMs < item.receivedMs)
      line?.hush()
      forget()
      return cut
    },
    pause() {
      isPaused = true
      line?.pause()
    },
    resume() {
      isPaused = false
      line?.resume()
    },
    attach(context) {
      line?.close()
      line = lineTo(context, look)
      heardMs = 0
      for (const { audio } of waiting) line.play(audio, format())
      waiting = []
      if (isPaused) line.pause()
    },
    detach() {
      clearTimeout(timer)
      heard()
      line?.close()
      line = null
    },
    level: () => line?.level() ?? 0,
  }
}

interface Line extends Required<Pick<Speaker, 'pause' | 'resume'>> {
  play(audio: Uint8Array, format: AudioFormat): void
  hush(): void
  /** How much of the queue has been heard by now: what was played, less what is still on its way through the device. */
  heardMs(): number
  sentMs(): number
  /** In how many ms all of the queue will have been heard; null while more of it is to be played. */
  dryInMs(): number | null
  level(): number
  close(): void
}

/** One worklet of one context. Between its reports, the context's clock tells how far it has come. */
function lineTo(context: AudioContext, reported: () => void): Line {
  const node = new AudioWorkletNode(context, speakerName, { numberOfInputs: 0, outputChannelCount: [1] })
  const rate = context.sampleRate
  let report: Report = { epoch: 0, played: 0, frame: 0, moving: false, level: 0 }
  let epoch = 0
  let sent = 0
  let input: { readonly rate: number; readonly stream: Resampler } | null = null
  let tail = 0
  let half: Uint8Array = new Uint8Array(0)
  let isPaused = false

  node.port.onmessage = ({ data }: MessageEvent<Report>) => {
    if (data.epoch !== epoch) return
    report = data
    reported()
  }
  node.connect(context.destination)

  function tell(order: Order, ...moved: Int16Array[]): void {
    node.port.postMessage(
      order,
      moved.map(({ buffer }) => buffer),
    )
  }

  function streamOf(format: AudioFormat): Resampler {
    const wanted = rateOf(format)
    if (input?.rate === wanted) return input.stream
    const rest = input?.stream.flush()
    sent -= tail
    tail = 0
    if (rest?.length) send(rest, new Int16Array(0))
    input = { rate: wanted, stream: resampler(wanted, rate) }
    return input.stream
  }

  function send(samples: Int16Array, rest: Int16Array): void {
    sent += samples.length - tail + rest.length
    tail = rest.length
    tell(['play', samples, rest], samples, rest)
  }

  function samplesOf(audio: Uint8Array, format: AudioFormat): Int16Array {
    if (format.type === 'audio/pcmu') return decodeUlaw(audio)
    if (format.type === 'audio/pcma') return decodeAlaw(audio)
    const bytes = new Uint8Array(half.length + audio.length)
    bytes.set(half)
    bytes.set(audio, half.length)
    half = bytes.slice(bytes.length & ~1)
    return toSamples(bytes)
  }

  const now = () => context.currentTime * rate
  const latency = () => (context.outputLatency || 0) * rate
  /** Samples that left the worklet by now, and for how long it has stood still. */
  function position(): { readonly played: number; readonly stood: number } {
    const since = Math.max(0, now() - report.frame)
    if (!report.moving) return { played: report.played, stood: since }
    return { played: Math.min(sent, report.played + (isPaused ? 0 : since)), stood: 0 }
  }

  return {
    play(audio, format) {
      const stream = streamOf(format)
      const samples = stream.push(samplesOf(audio, format))
      send(samples, stream.rest().slice())
    },
    hush() {
      epoch += 1
      sent = tail = 0
      half = new Uint8Array(0)
      input = null
      isPaused = false
      report = { ...report, epoch, played: 0, moving: false }
      tell(['hush', epoch])
    },
    pause() {
      const { played, stood } = position()
      isPaused = true
      report = { ...report, played, frame: now() - stood }
      tell(['pause'])
    },
    resume() {
      isPaused = false
      tell(['resume'])
    },
    heardMs() {
      const { played, stood } = position()
      return (Math.max(0, played - Math.max(0, latency() - stood)) / rate) * 1000
    },
    sentMs: () => (sent / rate) * 1000,
    dryInMs() {
      const { played, stood } = position()
      if (report.moving || isPaused || played < sent) return null
      return (Math.max(0, latency() - stood) / rate) * 1000
    },
    level: () => report.level,
    close() {
      node.port.onmessage = null
      tell(['end'])
      node.disconnect()
    },
  }
}
