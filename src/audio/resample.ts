/** Changes the sample rate of one stream of mono PCM16. The same samples come out however the stream is cut into chunks. */
export interface Resampler {
  /** Takes the next samples and gives those that are ready: all but about 16 samples of the slower rate. */
  push(samples: Int16Array): Int16Array
  /** Ends the stream and gives what is left. The next `push` begins a new stream. */
  flush(): Int16Array
  /** What `flush` would give now; the stream goes on. */
  rest(): Int16Array
}

/** Zero crossings of the sinc on each side of its middle: 32 taps at the slower of the two rates. */
const crossings = 16
/** Kaiser's beta: clean to -85 dB up to 0.8 of the slower rate's Nyquist frequency, and from 1.25 of it on. */
const beta = 9
/** Samples that are taken at once: nothing but the output is allocated for a block of any length. */
const room = 1_024

/**
 * A streaming resampler from `from` Hz to `to` Hz: polyphase, Kaiser-windowed sinc. `n` samples in give `ceil(n * to / from)`
 * samples out once flushed, and sample 0 out is at the time of sample 0 in: there is no delay to make up for.
 * The same rate passes samples through untouched, as the very array that was given.
 *
 * Throws a `RangeError` when a rate is not a positive integer.
 */
export function resampler(from: number, to: number): Resampler {
  for (const rate of [from, to]) {
    if (!Number.isInteger(rate) || rate <= 0)
      throw new RangeError(`A sample rate is a positive integer in Hz, not ${rate}.`)
  }
  if (from === to) {
    const nothing = new Int16Array(0)
    return { push: (samples) => samples, flush: () => nothing, rest: () => nothing }
  }

  const divisor = gcd(from, to)
  const phases = to / divisor
  const stride = from / divisor
  const half = Math.ceil(crossings * Math.max(1, from / to))
  const taps = 2 * half
  const silence = new Int16Array(taps)
  const kernel = kernelOf(phases, half, Math.min(1, to / from))

  /** Samples that are still under the kernel; the first stands `half - 1` samples before the next output's whole position. */
  const line = new Float64Array(taps + room)
  let filled = half - 1
  /** Where the next output is, in input samples after `line[half - 1]`: `whole` and `phase / phases`. */
  let whole = 0
  let phase = 0
  let owed = 0

  function push(samples: Int16Array): Int16Array {
    owed += samples.length * phases
    const positions = (filled + samples.length - taps - whole + 1) * phases - phase
    return slide(samples, Math.max(0, Math.ceil(positions / stride)))
  }

  function flush(): Int16Array {
    const out = slide(silence, Math.ceil(owed / stride))
    line.fill(0)
    filled = half - 1
    whole = phase = owed = 0
    return out
  }

  function rest(): Int16Array {
    const before = { line: line.slice(), filled, whole, phase, owed }
    const out = flush()
    line.set(before.line)
    ;({ filled, whole, phase, owed } = before)
    return out
  }

  /** Takes all samples in as many pieces as the line has room for, and gives `count` samples, which must come of them. */
  function slide(samples: Int16Array, count: number): Int16Array {
    const out = new Int16Array(count)
    let made = 0
    for (let taken = 0; taken < samples.length; ) {
      const piece = samples.subarray(taken, taken + line.length - filled)
      line.set(piece, filled)
      taken += piece.length
      filled += piece.length
      const at = whole * phases + phase
      const ready = Math.ceil(((filled - taps + 1) * phases - at) / stride)
      const last = Math.min(count, made + Math.max(0, ready))
      convolve(line, at, stride, phases, kernel, taps, out, made, last)
      const next = at + (last - made) * stride
      made = last
      whole = (next / phases) | 0
      phase = next % phases
      const passed = Math.min(whole, filled)
      line.copyWithin(0, passed, filled)
      filled -= passed
      whole -= passed
    }
    owed -= count * stride
    return out
  }

  return { push, flush, rest }
}

/** Resamples one whole recording. */
export function resample(samples: Int16Array, from: number, to: number): Int16Array {
  const { push, flush } = resampler(from, to)
  const body = push(samples)
  const tail = flush()
  if (tail.length === 0) return body
  const all = new Int16Array(body.length + tail.length)
  all.set(body)
  all.set(tail, body.length)
  return all
}

/**
 * Fills `out` from `made` to `last` with samples of the line, the first of them `at` phases after its beginning and each
 * `stride` phases further. This is most of what a resampler does, so samples of one phase are made four at a time: each
 * weight is read once for them, and no addition waits for the one before it.
 */
function convolve(
  line: Float64Array,
  at: number,
  stride: number,
  phases: number,
  kernel: Float64Array,
  taps: number,
  out: Int16Array,
  made: number,
  last: number,
): void {
  for (let nth = made; nth < Math.min(last, made + phases); nth++) {
    const place = at + (nth - made) * stride
    let from = (place / phases) | 0
    const row = (place - from * phases) * taps
    const end = row + taps
    let to = nth
    for (; to + 3 * phases < last; to += 4 * phases, from += 4 * stride) {
      let a = 0
      let b = 0
      let c = 0
      let d = 0
      for (let weight = row, n = from; weight < end; weight++, n++) {
        const share = kernel[weight]!
        a += share * line[n]!
        b += share * line[n + stride]!
        c += share * line[n + 2 * stride]!
        d += share * line[n + 3 * stride]!
      }
      out[to] = sample(a)
      out[to + phases] = sample(b)
      out[to + 2 * phases] = sample(c)
      out[to + 3 * phases] = sample(d)
    }
    for (; to < last; to += phases, from += stride) {
      let sum = 0
      for (let weight = row, n = from; weight < end; weight++, n++) sum += kernel[weight]! * line[n]!
      out[to] = sample(sum)
    }
  }
}

/** Rounded as `Math.round` does, in a third of the time. */
function sample(sum: number): number {
  return Math.max(-32_768, Math.min(32_767, ((sum + 32_768.5) | 0) - 32_768))
}

/** One row of `2 * half` weights a phase, each row summing to 1, so that a constant stays what it is. */
function kernelOf(phases: number, half: number, cutoff: number): Float64Array {
  const taps = 2 * half
  const kernel = new Float64Array(phases * taps)
  for (let phase = 0; phase < phases; phase++) {
    const row = kernel.subarray(phase * taps, (phase + 1) * taps)
    for (let tap = 0; tap < taps; tap++) {
      const distance = tap - (half - 1) - phase / phases
      row[tap] = sinc(distance * cutoff) * kaiser(distance / half)
    }
    const sum = row.reduce((total, weight) => total + weight, 0)
    for (let tap = 0; tap < taps; tap++) row[tap] = row[tap]! / sum
  }
  return kernel
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : bessel(beta * Math.sqrt(1 - x * x)) / bessel(beta)
}

/** The modified Bessel function of the first kind, order zero. */
function bessel(x: number): number {
  let sum = 1
  for (let k = 1, term = 1; term > 1e-18 * sum; k++) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}
