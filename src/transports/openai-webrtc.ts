import { webRTC } from '#core'
import type { ClientEvent, SessionConfig } from '../protocol/events.ts'
import type { Camel } from '../protocol/spelling.ts'
import type { Door } from '../session/door.ts'
import type { Media } from '../session/media.ts'
import type { ConnectOptions, Dial, Transport } from '../session/transport.ts'
import type { RealtimeUserInput } from '../session/user-input.ts'
import { type AloneOptions, type Face, face } from './face.ts'
import type { Lines } from './late-lines.ts'
import type { TransportEvents, TransportStatus } from './watching.ts'
import type { WebRTCOptions } from './webrtc.ts'

export interface OpenAIRealtimeWebRTCOptions extends Omit<WebRTCOptions, 'url' | 'callId' | 'observe'> {
  /** Where calls are offered. Default: `https://api.openai.com/v1/realtime/calls`. */
  readonly baseUrl?: string | undefined
  readonly seed?: number
}

/** What the transport tells when it is used alone; the audio flows beside it. */
export interface OpenAIRealtimeWebRTCEvents extends TransportEvents {}

/**
 * The Realtime API over WebRTC: in browsers, and wherever a peer connection is passed. Alone, or as the `transport` of a
 * `RealtimeSession`. The microphone and the speaker are its own: see `media`.
 *
 * Alone it is the same core without agents: one response at a time, history kept through a lost line. Calls to tools are
 * told as `function_call`; answer them with `sendFunctionCallOutput`.
 */
export class OpenAIRealtimeWebRTC implements Transport {
  readonly carriesAudio = true
  readonly #lines: Lines
  readonly #face: Face

  constructor({ baseUrl, seed, ...options }: OpenAIRealtimeWebRTCOptions = {}) {
    const { clock } = options
    this.#lines = webRTC({ ...options, url: baseUrl })
    this.#face = face({ ...(clock ? { clock } : {}), ...(seed === undefined ? {} : { seed }) }, this.#lines.close)
  }

  /** Under a session it speaks for the session: the same events, the same state; the session answers calls and errors. */
  taken(door: Door): ReturnType<NonNullable<Transport['taken']>> {
    return this.#face.taken(door)
  }

  /** A session's way to the far end; not for apps. */
  dialer(options: ConnectOptions): Dial | Promise<Dial> {
    return this.#lines.dialer(options)
  }

  /**
   * Connects, and resolves when the far end has accepted the session config.
   * Rejects with a `ConnectionError` whose `cause` says why, when there is no use in trying on: `microphone_denied`,
   * `ice_failed`, an HTTP status with the provider's words.
   */
  connect(options: AloneOptions = {}): Promise<void> {
    return this.#face.connect(options, (where) => this.dialer(where))
  }

  /** Ends the call: tracks and connections that we opened are let go; a stream that was given is not stopped. */
  close(): void {
    this.#face.door.feed({ type: 'ended' })
  }

  sendEvent(event: ClientEvent): void {
    this.#face.door.feed({ type: 'sent', event })
  }

  /** Says something in writing, and asks for an answer: text, or parts of text and images. */
  sendMessage(
    message: RealtimeUserInput,
    otherEventData: Readonly<Record<string, unknown>> = {},
    { triggerResponse = true }: { readonly triggerResponse?: boolean } = {},
  ): void {
    this.#face.sendMessage(message, otherEventData, triggerResponse)
  }

  /** @throws UserError always: the microphone's track carries the audio. */
  sendAudio(audio: ArrayBuffer | ArrayBufferView, { commit = false }: { readonly commit?: boolean } = {}): boolean {
    return this.#face.door.sendAudio(audio, commit)
  }

  /** Answers a `function_call`; each call id is answered once. */
  sendFunctionCallOutput(call: { readonly callId: string }, output: string, startResponse = true): void {
    this.#face.sendFunctionCallOutput(call.callId, output, startResponse)
  }

  /** Changes the session's config: what is given is changed, all else stays. */
  updateSessionConfig(config: Camel<SessionConfig>): void {
    this.#face.updateSessionConfig(config)
  }

  /** Cancels the response, if one is active, and has the far end clear what is still to be heard. */
  interrupt(cancelOngoingResponse = true): void {
    this.#face.door.feed({ type: 'interrupted', cancel: cancelOngoingResponse })
  }

  get status(): TransportStatus {
    return this.#face.status
  }

  get connectionState(): {
    readonly status: TransportStatus
    readonly peerConnection: RTCPeerConnection | undefined
    readonly dataChannel: RTCDataChannel | undefined
  } {
    const { peerConnection, dataChannel } = this.#lines.parts
    return { status: this.status, peerConnection, dataChannel }
  }

  /** By which a server can attach to this call (`?call_id=`); undefined until the far end has said it. */
  get callId(): string | undefined {
    return this.#lines.parts.callId
  }

  /** The microphone and the speaker of this line. */
  get media(): Media {
    return this.#lines.media
  }

  /** Whether the microphone's track is silent: on this line and on those that follow it. */
  get muted(): boolean {
    return this.#lines.media.state.muted
  }

  mute(muted: boolean): void {
    this.#lines.mute(muted)
  }

  on<Name extends keyof OpenAIRealtimeWebRTCEvents>(
    name: Name,
    listener: (...args: OpenAIRealtimeWebRTCEvents[Name]) => unknown,
  ): this {
    this.#face.events.on(name, listener as never)
    return this
  }

  /** Listens for the next one only. */
  once<Name extends keyof OpenAIRealtimeWebRTCEvents>(
    name: Name,
    listener: (...args: OpenAIRealtimeWebRTCEvents[Name]) => unknown,
  ): this {
    this.#face.events.once(name, listener as never)
    return this
  }

  off<Name extends keyof OpenAIRealtimeWebRTCEvents>(
    name: Name,
    listener: (...args: OpenAIRealtimeWebRTCEvents[Name]) => unknown,
  ): this {
    this.#face.events.off(name, listener as never)
    return this
  }
}
