import type { AudioDelta, ClientEvent, ServerEvent, SessionConfig } from '../protocol/events.ts'
import type { Door, DoorOptions } from './door.ts'
import type { Media } from './media.ts'
import type { Part } from './state.ts'

/**
 * Makes one connection. A reconnect is another call, with another listener, so nothing stale can speak.
 * A dial never throws: whatever goes wrong is told to the listener as one `dropped`. `config` is what the far end is about
 * to be asked to be, for a line that can say so with its offer; it is said again when the line has opened.
 */
export type Dial = (listener: Listener, config?: Partial<SessionConfig>) => Connection

/**
 * What an attempt waits for, in this order: the app's key; the user; the app's peer connection and its offer, or the app's
 * socket; the far end's answer; a way there through the network; the data channel. A line that tells of none waits for the
 * answer.
 */
export type Stage = 'key' | 'microphone' | 'offer' | 'socket' | 'answer' | 'way' | 'channel'

/** What one connection tells, in this order: `opened` once, `received` any number of times, `dropped` once and last. */
export interface Listener {
  /** `carriesAudio`: microphone and speaker are at the line itself (WebRTC), and the far end knows what was heard. */
  opened(carriesAudio?: boolean): void
  /** Before that: the user is being asked for the microphone, or has decided. How long that takes is theirs. */
  prompted?(isOpen: boolean): void
  /** Before that: what is waited for now. Should it not come in time, the cause says so. */
  reached?(stage: Stage): void
  /** An event, parsed once. Audio comes as an `AudioDelta`: bytes, never base64. */
  received(event: ServerEvent | AudioDelta): void
  /** Of a line that carries the audio: a response that the far end says is played out here now. Lines that cannot know say nothing. */
  sounded?(response_id: string): void
  dropped(cause: Cause): void
}

export interface Connection {
  /** Sends an event. Sending on a connection that has ended does nothing. */
  send(event: ClientEvent): void
  /**
   * Appends microphone audio to the far end's input buffer, in the session's input format.
   * Returns false when the line is so slow that the audio was dropped instead (see `bufferLimit`). Audio that was held
   * while there was no line is bounded already, and always sent.
   */
  append(audio: Uint8Array, wasHeld?: boolean): boolean
  close(): void
}

/** Why a connection ended, who ended it, and whether dialing again could do better. */
export interface Cause {
  /** One sentence: what happened, and what to do where something can be done. */
  readonly reason: string
  /** The WebSocket close code, the HTTP status, the code of the provider's last error, or what befell the media. */
  readonly code: number | string | null
  /** Dialing again cannot help: a wrong key, an unknown model, an exhausted quota, our own `close()`. */
  readonly fatal: boolean
  readonly initiator: 'us' | 'far end' | 'network'
  /** The last `error` that the far end sent on this connection, or answered it with. `type` and `param` where it says them. */
  readonly lastError?: {
    readonly code: string | null
    readonly message: string
    readonly type?: string
    readonly param?: string
  }
  /** What the far end answered in HTTP, as it came but for the key: at most 2 000 characters. */
  readonly body?: string
  /** What the app's own key function threw. */
  readonly error?: unknown
}

/** What `connect()` was given: where to, as whom. */
export interface ConnectOptions {
  /** The key, or a function that is asked for it at each connection. Never logged. */
  readonly apiKey?: string | (() => string | Promise<string>) | undefined
  readonly model?: string | undefined
  readonly url?: string | undefined
  /** Attaches to a call that stands already, instead of beginning one. */
  readonly callId?: string | undefined
  /** Somebody else is the one who says the call's config and runs its tools: here it is watched. Default: false. */
  readonly observe?: boolean | undefined
}

/** Our part in the call that is connected to. */
export function partIn({ callId, url, observe }: ConnectOptions): Part {
  return { attached: callId !== undefined || /[?&]call_id=/.test(url ?? ''), observing: observe === true }
}

/** A way to the far end, as a session holds it. */
export interface Transport {
  dialer(options: ConnectOptions): Dial | Promise<Dial>
  /** Its lines carry the audio themselves; `maybe`: some do. */
  readonly carriesAudio?: boolean | 'maybe'
  /** Microphone and speaker, where the lines carry the audio; null where one that carries none took their place. */
  readonly media?: Media | null
  /** Muted, such a line carries silence; it holds for all lines, also those to come. */
  mute?(muted: boolean): void
  /** A session took this transport: what it is asked for goes to that session's door, and it is told what happens there. */
  taken?(door: Door): Pick<DoorOptions, 'changed' | 'heard' | 'tell'>
}

/** Rejects `connect()`: the line could not be made, and why. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  override readonly cause: Cause

  constructor(cause: Cause) {
    super(cause.reason)
    this.cause = cause
  }
}
