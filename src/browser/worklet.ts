/** What runs on the audio thread: it moves samples at the device's rate and counts them; all else is done outside. */
import { MediaError } from '../session/media.ts'

export const microphoneName = 'parley-microphone'
export const speakerName = 'parley-speaker'

/** What the microphone's worklet says for each 20 ms: PCM16 at the device's rate, and its root mean square. */
export type Block = readonly [samples: Int16Array, level: number]

/** What the speaker's worklet says every 8 quanta while it sounds, and at each change. */
export interface Report {
  /** Which queue: it counts what was hushed. */
  readonly epoch: number
  /** Samples of this queue that were played, when the context's clock showed `frame`. */
  readonly played: number
  readonly frame: number
  readonly moving: boolean
  readonly level: number
}

/** What the speaker's worklet is told. `tail` follows the last samples, and is dropped as far as more samples come in time. */
export type Order =
  | readonly ['play', samples: Int16Array, tail: Int16Array]
  | readonly ['hush', epoch: number]
  | readonly ['pause']
  | readonly ['resume']
  | readonly ['end']

/**
 * The worklets' module, as text: written to a file that the page serves, its address can be given as `workletUrl`, where the
 * page's content security policy allows no `blob:` scripts. A text, and no function's source: what makes an app's bundle
 * smaller or older must not reach into it.
 *
 * A speaker begins when 60 ms are queued, or have been waited for, and its thread has run for 30 ms without a leap: Chromium
 * leaves quanta out when a context gets its first worklet.
 */
export const workletSource: string = `
registerProcessor('${microphoneName}', class extends AudioWorkletProcessor {
  constructor() {
    super()
    this.port.onmessage = () => { this.over = true }
    this.clear()
  }
  clear() {
    this.block = new Int16Array(Math.round(sampleRate / 50))
    this.at = this.sum = 0
  }
  process([[input]]) {
    if (this.over) return false
    for (let n = 0; n < (input ? input.length : 128); n++) {
      const x = input ? input[n] : 0
      this.sum += x * x
      this.block[this.at++] = Math.max(-32768, Math.min(32767, Math.round(x * 32768)))
      if (this.at < this.block.length) continue
      this.port.postMessage([this.block, Math.sqrt(this.sum / this.at)], [this.block.buffer])
      this.clear()
    }
    return true
  }
})
registerProcessor('${speakerName}', class extends AudioWorkletProcessor {
  constructor() {
    super()
    this.ramp = Math.round(sampleRate / 200)
    this.enough = Math.round(sampleRate * 0.06)
    this.fade = new Float32Array(this.ramp)
    this.faded = this.risen = this.ramp
    this.paused = false
    this.sum = this.summed = this.level = this.steady = this.next = 0
    this.hush(0)
    this.port.onmessage = ({ data: [order, ...rest] }) => { this[order](...rest) }
  }
  play(samples, tail) {
    const passed = Math.min(this.tailAt, samples.length)
    if (passed < samples.length) this.blocks.push(samples.subarray(passed))
    this.left += samples.length - passed
    this.tail = tail
    this.tailAt -= passed
  }
  hush(epoch) {
    if (this.moving && !this.paused) this.fadeOut()
    this.epoch = epoch
    this.blocks = []
    this.tail = []
    this.at = this.left = this.tailAt = this.played = this.waited = 0
    this.moving = this.paused = false
    this.report()
  }
  pause() {
    if (this.moving && !this.paused) this.fadeOut()
    this.paused = true
    this.report()
  }
  resume() {
    if (this.paused) this.risen = 0
    this.paused = false
    this.report()
  }
  end() {
    this.over = true
  }
  fadeOut() {
    this.fade.fill(0)
    this.take(this.fade, true)
    for (let n = 0; n < this.ramp; n++) this.fade[n] *= 1 - n / this.ramp
    this.faded = 0
  }
  take(out, looking) {
    let done = 0, nth = 0, at = this.at, tailAt = this.tailAt
    while (done < out.length && nth < this.blocks.length) {
      const block = this.blocks[nth]
      while (done < out.length && at < block.length) out[done++] = block[at++] / 32768
      if (at === block.length) { nth++; at = 0 }
    }
    const queued = done
    while (done < out.length && tailAt < this.tail.length) out[done++] = this.tail[tailAt++] / 32768
    if (looking) return done
    this.blocks.splice(0, nth)
    this.left -= queued
    this.at = at
    this.tailAt = tailAt
    return done
  }
  process(_, [[out]]) {
    if (this.over) return false
    let now = currentFrame + out.length
    this.steady = currentFrame === this.next ? this.steady + out.length : 0
    this.next = now
    let news = false
    if (!this.paused && !this.moving && this.left + this.tail.length > this.tailAt) {
      this.waited += out.length
      news = this.moving = this.steady >= this.enough / 2 && Math.max(this.left, this.waited) >= this.enough
    }
    if (!this.paused && this.moving) {
      const done = this.take(out, false)
      this.played += done
      if (done < out.length) {
        this.moving = false
        this.waited = 0
        now -= out.length - done
        news = true
      }
    }
    for (let n = 0; n < out.length && this.risen < this.ramp && this.moving; n++) out[n] *= this.risen++ / this.ramp
    for (let n = 0; n < out.length && this.faded < this.ramp; n++) out[n] += this.fade[this.faded++]
    for (let n = 0; n < out.length; n++) this.sum += out[n] * out[n]
    this.summed += out.length
    if (this.summed >= 1024) {
      const before = this.level
      this.level = Math.sqrt(this.sum / this.summed)
      this.sum = this.summed = 0
      news ||= this.moving || before > 0
    }
    if (news) this.report(now)
    return true
  }
  report(frame = currentFrame) {
    const { epoch, played, level } = this
    this.port.postMessage({ epoch, played, frame, level, moving: this.moving && !this.paused })
  }
})
`

const loaded = new WeakMap<BaseAudioContext, Promise<void>>()

/** Puts the worklets into a context, once. Rejects with a `MediaError`. */
export function loadWorklets(context: BaseAudioContext, workletUrl?: string): Promise<void> {
  const known = loaded.get(context)
  if (known) return known
  const loading = add(context, workletUrl)
  loaded.set(context, loading)
  loading.catch(() => loaded.delete(context))
  return loading
}

async function add(context: BaseAudioContext, workletUrl: string | undefined): Promise<void> {
  if (!context.audioWorklet) {
    throw new MediaError(
      'This page may not use audio worklets: it must come over https (or from localhost).',
      'insecure',
    )
  }
  const url = workletUrl ?? URL.createObjectURL(new Blob([workletSource], { type: 'text/javascript' }))
  try {
    await context.audioWorklet.addModule(url)
  } catch (error) {
    const why = (error as Error).message
    throw new MediaError(
      workletUrl
        ? `The audio worklets cannot be loaded from ${workletUrl}: ${why}`
        : `The audio worklets cannot be loaded: ${why} Where the content security policy allows no blob: scripts, serve \`workletSource\` as a file and give its address as \`workletUrl\`.`,
      'off',
    )
  } finally {
    if (!workletUrl) URL.revokeObjectURL(url)
  }
}
