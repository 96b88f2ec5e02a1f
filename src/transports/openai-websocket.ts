import { isAudio } from '../protocol/audio.ts'
import type { Clock } from '../protocol/clock.ts'
import { UserError } from '../protocol/errors.ts'
import type { AudioDelta, ClientEvent, Item, ServerEvent, SessionConfig } from '../protocol/events.ts'
import { merge } from '../protocol/merge.ts'
import { type Camel, toWire } from '../protocol/spelling.ts'
import { type Door, door } from '../session/door.ts'
import { type Emitter, emitter } from '../session/emitter.ts'
import { type Input, plain, type State } from '../session/state.ts'
import type { ConnectOptions, Dial, Transport } from '../session/transport.ts'
import type { SessionUsage } from '../session/usage.ts'
import { type SocketLike, type WebSocketOptions, webSocket } from './websocket.ts'

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

export type TransportStatus = 'connecting' | 'connected' | 'disconnected'

/** What the transport tells when it is used alone. */
export interface OpenAIRealtimeWebSocketEvents {
  /** Every event of the far end. Audio comes as bytes, in `audio`. */
  readonly '*': [event: ServerEvent | AudioDelta]
  readonly connection_change: [status: TransportStatus]
  readonly audio: [audio: { readonly type: 'audio'; data: Uint8Array; responseId: string; itemId: string }]
  readonly audio_done: []
  readonly audio_interrupted: []
  readonly audio_transcript_delta: [
    delta: { readonly type: 'transcript_delta'; itemId: string; delta: string; responseId: string },
  ]
  readonly function_call: [
    call: { readonly type: 'function_call'; id: string; callId: string; name: string; arguments: string },
  ]
  readonly item_update: [item: Item]
  readonly item_deleted: [item: { readonly itemId: string }]
  readonly turn_started: [turn: { readonly type: 'response_started'; readonly providerData: unknown }]
  readonly turn_done: [turn: { readonly type: 'response_done'; readonly response: unknown }]
  readonly usage_update: [usage: SessionUsage]
  readonly error: [error: { readonly type: 'error'; readonly error: unknown }]
}

/**
 * The Realtime API over a WebSocket, in Node, browsers and workers: alone, or as the `transport` of a `RealtimeSession`.
 *
 * Alone it is the same core without agents: one response at a time, history kept through a lost line, truncation at
 * what was heard. Calls to tools are told as `function_call`; answer them with `sendFunctionCallOutput`.
 */
export class OpenAIRealtimeWebSocket implements Transport {
  readonly #options: OpenAIRealtimeWebSocketOptions
  readonly #events: Emitter<OpenAIRealtimeWebSocketEvents> = emitter('The transport')
  #door: Door
  #socket: SocketLike | null = null

  constructor(options: OpenAIRealtimeWebSocketOptions = {}) {
    const { clock, seed } = options
    this.#options = options
    this.#door = door({
      clock,
      seed,
      call: ({ id, call_id: callId, name, arguments: args }) =>
        this.#events.emit('function_call', { type: 'function_call', id, callId, name, arguments: args }),
      ...this.#watch((error) => this.#events.report(error)),
    })
  }

  /** Under a session it speaks for the session: the same events, the same state; the session answers calls and errors. */
  taken(door: Door): ReturnType<NonNullable<Transport['taken']>> {
    this.#door = door
    return this.#watch((error) => this.#events.has('error') && this.#events.report(error))
  }

  #watch(failed: (error: unknown) => void): ReturnType<NonNullable<Transport['taken']>> {
    return {
      heard: ({ audio: data, response_id: responseId, item_id: itemId }) =>
        this.#events.emit('audio', { type: 'audio', data, responseId, itemId }),
      tell: (notice) => ('error' in notice ? failed(notice.error) : this.#events.emit('audio_interrupted')),
      changed: (before, after, input) => this.#changed(before, after, input),
    }
  }

  /** A session's way to the far end; not for apps. */
  dialer({ apiKey, model, url, callId }: ConnectOptions): Dial {
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
  connect({
    initialSessionConfig = {},
    ...options
  }: ConnectOptions & { readonly initialSessionConfig?: Camel<SessionConfig> } = {}): Promise<void> {
    return this.#door.connect(
      () => this.dialer(options),
      async () => toWire(initialSessionConfig) as Partial<SessionConfig>,
    )
  }

  close(): void {
    this.#door.feed({ type: 'ended' })
  }

  sendEvent(event: ClientEvent): void {
    this.#door.feed({ type: 'sent', event })
  }

  sendMessage(
    text: string,
    otherEventData: Readonly<Record<string, unknown>> = {},
    { triggerResponse = true }: { readonly triggerResponse?: boolean } = {},
  ): void {
    this.#door.say([{ type: 'input_text', text }], otherEventData, triggerResponse)
  }

  /** Microphone audio, in the session's input format. `commit` ends the turn. Returns false when it had to be let go. */
  sendAudio(audio: ArrayBuffer | ArrayBufferView, { commit = false }: { readonly commit?: boolean } = {}): boolean {
    return this.#door.sendAudio(audio, commit)
  }

  /** Answers a `function_call`; each call id is answered once. */
  sendFunctionCallOutput(call: { readonly callId: string }, output: string, startResponse = true): void {
    this.#door.answer(call.callId, output, startResponse ? { ...plain, when: 'batch' } : null)
  }

  /** Changes the session's config: what is given is changed, all else stays. */
  updateSessionConfig(config: Camel<SessionConfig>): void {
    this.#door.feed({ type: 'configured', config: merge(this.#door.state.config, toWire(config)) })
  }

  /** Cancels the response, if one is active, silences the speaker, and truncates what is played at what was heard. */
  interrupt(cancelOngoingResponse = true): void {
    this.#door.feed({ type: 'interrupted', cancel: cancelOngoingResponse })
  }

  get status(): TransportStatus {
    return statusOf(this.#door.state)
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
    this.#events.on(name, listener)
    return this
  }

  off<Name extends keyof OpenAIRealtimeWebSocketEvents>(
    name: Name,
    listener: (...args: OpenAIRealtimeWebSocketEvents[Name]) => unknown,
  ): this {
    this.#events.off(name, listener)
    return this
  }

  #changed(before: State, after: State, input: Input): void {
    if (input.type === 'received') this.#received(input.event, after)
    if (statusOf(before) !== statusOf(after)) this.#events.emit('connection_change', statusOf(after))
    if (before.usage !== after.usage) this.#events.emit('usage_update', after.usage)
  }

  #received(event: ServerEvent | AudioDelta, { conversation }: State): void {
    this.#events.emit('*', event)
    if (isAudio(event)) return
    switch (event.type) {
      case 'response.output_audio.done':
        return this.#events.emit('audio_done')
      case 'response.output_audio_transcript.delta': {
        const { item_id: itemId, response_id: responseId, delta } = event
        return this.#events.emit('audio_transcript_delta', { type: 'transcript_delta', itemId, delta, responseId })
      }
      case 'conversation.item.added':
      case 'conversation.item.done':
        return this.#updated(event.item.id, conversation)
      case 'conversation.item.input_audio_transcription.completed':
        return this.#updated(event.item_id, conversation)
      case 'conversation.item.deleted':
        return this.#events.emit('item_deleted', { itemId: event.item_id })
      case 'response.created':
        return this.#events.emit('turn_started', { type: 'response_started', providerData: event.response })
      case 'response.done':
        return this.#events.emit('turn_done', { type: 'response_done', response: event.response })
    }
  }

  #updated(id: string, { items }: State['conversation']): void {
    const item = items.findLast((item) => item.id === id)
    if (item) this.#events.emit('item_update', item)
  }
}

function statusOf({ link }: State): TransportStatus {
  if (link.at === 'live') return 'connected'
  return link.at === 'closed' ? 'disconnected' : 'connecting'
}
