/** What the caller is to hear: sound waits here, and goes out as it is heard, a frame every 20 ms. */
import type { Clock } from '../../protocol/clock.ts'
import type { Outgoing, OutgoingEvents } from '../talk/answering.ts'
import { beatMs } from './metronome.ts'
import { type Encoder, frame, rate, ticksASample } from './opus.ts'

export interface OutgoingLine extends Outgoing {
  /** The peer can hear from now on. */
  open(): void
  /** Sends one frame, if one is due. True when the next is due too. */
  send(now: number): boolean
  /** The call is over: nothing more is sent, nor encoded. */
  close(): void
}

export interface OutgoingOptions extends OutgoingEvents {
  readonly clock: Clock
  readonly encoder: Encoder
  /** Sound was made, and that took time: other calls may have to send before it is taken. */
  readonly hurry?: () => void
  /** Sends a frame; `timestamp` counts at 48 kHz, `first` marks the first one after a silence. */
  readonly write: (opus: Uint8Array, timestamp: number, first: boolean) => void
}

/** The sound of one response, in the order of its items. */
interface Spoken {
  readonly response_id: string
  readonly pieces: { readonly item_id: string; readonly samples: Int16Array; sent: number }[]
  /** Samples that were sent of each item. */
  readonly sent: Map<string, number>
  isStarted: boolean
  /** No more sound will come. */
  isWhole: boolean
}

/**
 * Frames that a late beat sends at once: so much, a client's buffer covers. After a longer stall of this process no sound
 * is dropped and none is hurried: the rest is heard later, by as long as the stall was, and what was heard remains what
 * was sent. RTP time goes on through the stall as through a pause: else the client would take it for a slow network, and
 * make its buffer, and so the delay of the call, as long.
 */
const mostAtOnce = 5
const samplesAMs = rate / 1_000
/**
 * Frames of silence behind what is cut off: a client that is sent nothing more takes that for loss, and makes up a fifth of
 * a second of sound (Chromium: 217 ms, and 50 with them).
 */
const hushFrames = 3
const silence = new Int16Array(frame)
/** The frame that is being sent: an encoder copies what it is given. */
const taken = new Int16Array(frame)

export function outgoing({ clock, encoder, hurry, write, started, stopped }: OutgoingOptions): OutgoingLine {
  /** The first is being heard; the others follow when it has ended. */
  let queue: Spoken[] = []
  let isOpen = false
  /** When the next frame is due; null: in silence. */
  let due: number | null = null
  let timestamp = 0
  let lastSentAt: number | null = null
  let hushing = 0

  function play(response_id: string, item_id: string, samples: Int16Array): void {
    let spoken = queue.find((one) => one.response_id === response_id)
    if (!spoken) {
      spoken = { response_id, pieces: [], sent: new Map(), isStarted: false, isWhole: false }
      queue.push(spoken)
    }
    spoken.pieces.push({ item_id, samples, sent: 0 })
    // Once it is here: a frame that is due must not find the line empty, and be taken for a pause.
    hurry?.()
    if (due === null) sendAll(clock.now())
  }

  function send(now: number): boolean {
    if (!isOpen) return false
    if (due !== null && now - due >= mostAtOnce * beatMs) due = null
    if (due !== null && due > now) return false
    if (!sendNext(now)) due = null
    return due !== null && due <= now
  }

  function sendAll(now: number): void {
    while (send(now)) {}
  }

  /** Sends the next frame; false when there is none. */
  function sendNext(now: number): boolean {
    const first = queue[0]
    if (!first) return sendHush(now)
    hushing = 0
    const samples = take(first)
    if (!samples) return first.isWhole && end(first, now)
    advance(now)
    write(encoder.encode(samples), timestamp, due === null)
    due = (due ?? now) + beatMs
    if (!first.isStarted) {
      first.isStarted = true
      started(first.response_id)
    }
    return true
  }

  function sendHush(now: number): boolean {
    if (hushing === 0) return false
    hushing -= 1
    advance(now)
    write(encoder.encode(silence), timestamp, due === null)
    due = (due ?? now) + beatMs
    return true
  }

  /** RTP time goes on while nothing is said. */
  function advance(now: number): void {
    const isFirst = due === null || lastSentAt === null
    const samples = isFirst && lastSentAt !== null ? Math.round((now - lastSentAt) * samplesAMs) : frame
    timestamp = (timestamp + Math.max(frame, samples) * ticksASample) >>> 0
    lastSentAt = isFirst ? now : lastSentAt! + beatMs
  }

  /** The next frame; null while it is not full and more is to come, and at the end. */
  function take({ pieces, sent, isWhole }: Spoken): Int16Array | null {
    let ready = 0
    for (const piece of pieces) {
      ready += piece.samples.length - piece.sent
      if (ready >= frame) break
    }
    if (!ready || (ready < frame && !isWhole)) return null
    let filled = 0
    while (filled < frame && pieces[0]) {
      const [piece] = pieces
      const part = piece.samples.subarray(piece.sent, piece.sent + frame - filled)
      taken.set(part, filled)
      filled += part.length
      piece.sent += part.length
      sent.set(piece.item_id, (sent.get(piece.item_id) ?? 0) + part.length)
      if (piece.sent === piece.samples.length) pieces.shift()
    }
    return taken.fill(0, filled)
  }

  function end(ended: Spoken, now: number): boolean {
    queue.shift()
    if (ended.isStarted) stopped(ended.response_id)
    // The call may have ended with it.
    return isOpen && sendNext(now)
  }

  return {
    get isPlaying() {
      return queue.length > 0
    },
    play,
    finish(response_id) {
      const spoken = queue.find((one) => one.response_id === response_id)
      if (spoken) spoken.isWhole = true
      if (due === null) sendAll(clock.now())
    },
    clear() {
      const response_id = queue.find(({ isStarted }) => isStarted)?.response_id ?? null
      const cut = queue.flatMap(unheard)
      queue = []
      if (response_id !== null) hushing = hushFrames
      else due = null
      return { response_id, cut }
    },
    open() {
      isOpen = true
      sendAll(clock.now())
    },
    send,
    close() {
      isOpen = false
    },
  }
}

/** The items that were not sent to their end, and how much of each was, in ms. */
function unheard({ pieces, sent, isWhole }: Spoken) {
  const items = new Set(pieces.map(({ item_id }) => item_id))
  const growing = [...sent.keys()].at(-1)
  if (!isWhole && growing !== undefined) items.add(growing)
  return [...items].map((item_id) => ({ item_id, sentMs: Math.floor((sent.get(item_id) ?? 0) / samplesAMs) }))
}
