import { webSocket } from '#core'
import type { Clock } from '../protocol/clock.ts'
import { UserError } from '../protocol/errors.ts'
import type { ClientEvent, SessionConfig } from '../protocol/events.ts'
import type { Camel } from '../protocol/spelling.ts'
import type { Door } from '../session/door.ts'
import type { ConnectOptions, Dial, Transport } from '../session/transport.ts'
import type { RealtimeUserInput } from '../session/user-input.ts'
import { type AloneOptions, type Face, face } from './face.ts'
import type { AudioEvents, TransportStatus } from './watching.ts'
import type { SocketLike, WebSocketOptions } from './websocket.ts'

export type { TransportStatus } from './watching.ts'

export interface OpenAIRealtimeWebSocketOptions
  extends Pick<
    WebSocketOptions,
    | 'apiKey'
    | 'model'
    | 'url'
    | 'organization'
    | 'project'
    | 'createWebSocket'
    | 'useInsecureApiKey'
    | 'headers'
    | 'bufferLimit'
  > {
  readonly clock?: Clock
  readonly seed?: number
}

/** What the transport tells when it is used alone. Audio comes as bytes, in `audio`. */
export interface OpenAIRealtimeWebSocketEvents extends AudioEvents {}

/**
 * The Realtime API over a WebSocket, in Node, browsers and workers: alone, or as the `transport` of a `RealtimeSession`.
 *
 * Alone it is the same core without agents: one response at a time, history kept through a lost line, truncation at
 * what was heard. Calls to tools are told as `function_call`; answer them with `sendFunctionCallOutput`.
 */
export class OpenAIRealtimeWebSocket implements Transport {
  readonly #options: OpenAIRealtimeWebSocketOptions
  readonly #face: Face
  #socket: SocketLike | null = null

  constructor(options: OpenAIRealtimeWebSocketOptions = {}) {
    const { clock, seed } = options
    this.#options = options
    this.#face = face({ ...(clock ? { clock } : {}), ...(seed === undefined ? {} : { seed }) })
  }

  /** Under a session it speaks for the session: the same events, the same state; the session answers calls and errors. */
  taken(door: Door): ReturnType<NonNullable<Transport['taken']>> {
    return this.#face.taken(door)
  }

  /** A session's way to the far end; not for apps. */
  dialer({ apiKey, model, url, callId }: ConnectOptions): Dial | Promise<Dial> {
    return webSocket({
      ...this.#options,
      apiKey: apiKey ?? this.#options.apiKey,
      model: model ?? this.#options.model,
      url: url ?? this.#options.url,
      callId,
      opened: (socket) => {
        this.#socket = socket
      },
    })
  }

  /**
   * Connects, and resolves when the far end has accepted the session config.
   * Rejects with a `ConnectionError` whose `cause` says why, when there is no use in trying on.
   */
  connect(options: AloneOptions = {}): Promise<void> {
    return this.#face.connect(options, (where) => this.dialer(where))
  }

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

  /** Microphone audio, in the session's input format. `commit` ends the turn. Returns false when it had to be let go. */
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

  /** Cancels the response, if one is active, silences the speaker, and truncates what is played at what was heard. */
  interrupt(cancelOngoingResponse = true): void {
    this.#face.door.feed({ type: 'interrupted', cancel: cancelOngoingResponse })
  }

  get status(): TransportStatus {
    return this.#face.status
  }

  get connectionState(): { readonly status: TransportStatus; readonly websocket: SocketLike | undefined } {
    return { status: this.status, websocket: this.#socket ?? undefined }
  }

  /** A WebSocket has no microphone to mute: null, always. */
  get muted(): null {
    return null
  }

  /** @throws UserError always: send no audio instead. */
  mute(_muted: boolean): never {
    throw new UserError('A WebSocket has no microphone to mute: stop calling sendAudio() instead.')
  }

  on<Name extends keyof OpenAIRealtimeWebSocketEvents>(
    name: Name,
    listener: (...args: OpenAIRealtimeWebSocketEvents[Name]) => unknown,
  ): this {
    this.#face.events.on(name, listener)
    return this
  }

  /** Listens for the next one only. */
  once<Name extends keyof OpenAIRealtimeWebSocketEvents>(
    name: Name,
    listener: (...args: OpenAIRealtimeWebSocketEvents[Name]) => unknown,
  ): this {
    this.#face.events.once(name, listener)
    return this
  }

  off<Name extends keyof OpenAIRealtimeWebSocketEvents>(
    name: Name,
    listener: (...args: OpenAIRealtimeWebSocketEvents[Name]) => unknown,
  ): this {
    this.#face.events.off(name, listener)
    return this
  }
}
