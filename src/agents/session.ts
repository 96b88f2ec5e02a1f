import { textOf } from '../conversation/conversation.ts'
import { find } from '../conversation/order.ts'
import { isAudio } from '../protocol/audio.ts'
import type { Clock } from '../protocol/clock.ts'
import type { AudioDelta, ClientEvent, Response, ServerEvent } from '../protocol/events.ts'
import { type Door, door } from '../session/door.ts'
import { type Emitter, emitter } from '../session/emitter.ts'
import type { MakeSpeaker } from '../session/speaker.ts'
import { type Call, type Input, plain, type Reconnect, type State } from '../session/state.ts'
import type { ConnectOptions, Transport } from '../session/transport.ts'
import type { SessionUsage } from '../session/usage.ts'
import type { RealtimeAgent } from './agent.ts'
import { type Answer, answer, unknownTool } from './answer.ts'
import { configOf, type RealtimeSessionConfig } from './config.ts'
import type { RunContext } from './context.ts'
import type { RealtimeSessionEvents } from './events.ts'
import { historian, type RealtimeItem } from './history.ts'

export interface RealtimeSessionOptions<Context> {
  readonly apiKey?: ConnectOptions['apiKey']
  /** The way to the far end. Default: a WebSocket. */
  readonly transport?: 'websocket' | Transport
  readonly model?: string
  /** The app's own value: tools and instructions get it as it is. */
  readonly context?: Context
  readonly config?: RealtimeSessionConfig
  /** How a lost line is dialed again: `{ attempts: 7, timeoutMs: 15_000 }`. `false`: never. */
  readonly reconnect?: Partial<Reconnect> | false
  /** Plays the agent's audio. Default: nobody does, and the app plays the `audio` events at the pace of speech. */
  readonly speaker?: MakeSpeaker
  /** Time and chance, for tests. */
  readonly clock?: Clock
  readonly seed?: number
}

/** What the user says in writing: text, or parts of text and images. */
export type RealtimeUserInput =
  | string
  | { readonly type?: 'message'; readonly role?: 'user'; readonly content: readonly UserPart[] }
type UserPart =
  | { readonly type: 'input_text'; readonly text: string }
  | { readonly type: 'input_image'; readonly image: string }

/**
 * A conversation with an agent: it connects, speaks, runs the agent's tools, and keeps the history through a lost line.
 */
export class RealtimeSession<Context = unknown> {
  readonly #options: RealtimeSessionOptions<Context>
  readonly #transport: Transport
  readonly #door: Door
  readonly #events: Emitter<RealtimeSessionEvents<Context>> = emitter('The session')
  readonly #subscribers = new Set<() => void>()
  readonly #historian = historian()
  readonly #context: RunContext<Context>
  #agent: RealtimeAgent<Context>
  #life = new AbortController()

  /** `context` is asked for where the agent's tools and instructions are promised one. */
  constructor(
    agent: RealtimeAgent<Context>,
    ...[options = {}]: undefined extends Context
      ? [options?: RealtimeSessionOptions<Context>]
      : [options: RealtimeSessionOptions<Context> & { readonly context: Context }]
  ) {
    const { transport, clock, seed, reconnect, speaker } = options
    this.#agent = agent
    this.#options = options
    this.#transport = typeof transport === 'object' ? transport : webSocket
    const session = this
    this.#context = {
      context: options.context as Context,
      get history() {
        return session.history
      },
      get usage() {
        return session.usage
      },
    }
    this.#door = door({
      clock,
      seed,
      reconnect,
      speaker,
      heard: (audio) => {
        if (this.#events.has('audio')) this.#events.emit('audio', asEvent(audio))
        watcher?.heard(audio)
      },
      call: (call) => void this.#answer(call),
      tell: (notice) => {
        if ('error' in notice) this.#events.report(notice.error)
        else this.#events.emit('audio_interrupted', this.#context, this.#agent)
        watcher?.tell(notice)
      },
      changed: (before, after, input) => {
        this.#changed(before, after, input)
        watcher?.changed(before, after, input)
      },
    })
    const watcher = this.#transport.taken?.(this.#door)
  }

  /**
   * Connects, and resolves when the far end has accepted the session config. A line that fails is dialed again, as
   * `reconnect` says.
   *
   * Rejects with a `ConnectionError` whose `cause` says why, when there is no use in trying on.
   * @throws UserError when the session is connected, or connecting.
   */
  async connect(options: ConnectOptions = {}): Promise<void> {
    const { apiKey = this.#options.apiKey, model = this.#options.model } = options
    await this.#door.connect(
      () => {
        this.#life = new AbortController()
        return this.#transport.dialer({ ...options, apiKey, model })
      },
      () => configOf(this.#agent, this.#context, this.#options.config),
    )
  }

  /** Ends the call. What was said stays in `history`; `connect()` goes on from there. */
  close(): void {
    this.#door.feed({ type: 'ended' })
  }

  /** Says something in writing, and asks for an answer. `otherEventData` is for the event that carries it. */
  sendMessage(
    message: RealtimeUserInput,
    otherEventData: Readonly<Record<string, unknown>> = {},
    { triggerResponse = true }: { readonly triggerResponse?: boolean } = {},
  ): void {
    const content = typeof message === 'string' ? [{ type: 'input_text', text: message }] : message.content.map(partOf)
    this.#door.say(content, otherEventData, triggerResponse)
  }

  /**
   * Sends microphone audio in the session's input format (PCM16 little-endian mono at 24 kHz, unless configured
   * otherwise). `commit` ends the turn, where the far end does not hear that by itself.
   *
   * Returns false when audio had to be let go: no line for fifteen seconds, or one too slow to carry it.
   */
  sendAudio(audio: ArrayBuffer | ArrayBufferView, { commit = false }: { readonly commit?: boolean } = {}): boolean {
    return this.#door.sendAudio(audio, commit)
  }

  /** Sends an event as it is; while there is no line, it waits for one. */
  sendEvent(event: ClientEvent): void {
    this.#door.feed({ type: 'sent', event })
  }

  /** Silences the agent now, whether it is still being generated or only heard. */
  interrupt(): void {
    this.#door.feed({ type: 'interrupted', cancel: true })
  }

  /** An immutable snapshot of everything that the session knows. */
  get state(): State {
    return this.#door.state
  }

  /** Calls `listener` after each change of `state`. Returns a function that ends it. */
  subscribe(listener: () => void): () => void {
    const safe = () => {
      try {
        listener()
      } catch (cause) {
        this.#events.report(new Error('A subscriber of the session failed.', { cause }))
      }
    }
    this.#subscribers.add(safe)
    return () => this.#subscribers.delete(safe)
  }

  /** The conversation so far; what did not change is the same object as before. */
  get history(): readonly RealtimeItem[] {
    return this.#historian(this.state.conversation, this.state.pending)
  }

  get usage(): SessionUsage {
    return this.state.usage
  }

  get transport(): Transport {
    return this.#transport
  }

  get currentAgent(): RealtimeAgent<Context> {
    return this.#agent
  }

  get context(): RunContext<Context> {
    return this.#context
  }

  on<Name extends keyof RealtimeSessionEvents<Context>>(
    name: Name,
    listener: (...args: RealtimeSessionEvents<Context>[Name]) => unknown,
  ): this {
    this.#events.on(name, listener)
    return this
  }

  off<Name extends keyof RealtimeSessionEvents<Context>>(
    name: Name,
    listener: (...args: RealtimeSessionEvents<Context>[Name]) => unknown,
  ): this {
    this.#events.off(name, listener)
    return this
  }

  /** Runs the tool that the model called, and says what it answered. */
  async #answer(call: Call): Promise<void> {
    const agent = this.#agent
    const tool = agent.tools.find(({ name }) => name === call.name)
    const details = { toolCall: call }
    if (tool) {
      this.#events.emit('agent_tool_start', this.#context, agent, tool, details)
      agent.emit('agent_tool_start', this.#context, tool, details)
    }
    const said: Answer = tool
      ? await answer(tool, call, this.#context, { ...details, signal: this.#life.signal })
      : unknownTool(call, agent.tools)
    if (said.error) this.#events.report(said.error)
    this.#door.answer(call.call_id, said.output, { ...plain, when: 'batch' })
    if (tool) {
      this.#events.emit('agent_tool_end', this.#context, agent, tool, said.output, details)
      agent.emit('agent_tool_end', this.#context, tool, said.output, details)
    }
  }

  /** Tells the app what one input has changed. */
  #changed(before: State, after: State, input: Input): void {
    if (input.type === 'received') this.#received(input.event, after)
    if (before.link.at !== after.link.at) this.#events.emit('connection_change', after.link)
    if (after.link.at === 'closed') this.#life.abort()
    if (!before.playback.item && after.playback.item) this.#events.emit('audio_start', this.#context, this.#agent)
    if (before.playback.item && !after.playback.item) this.#events.emit('audio_stopped', this.#context, this.#agent)
    if (before.conversation.items !== after.conversation.items || before.pending !== after.pending) {
      this.#added(before, after)
    }
    const retold = before.conversation !== after.conversation || before.pending !== after.pending
    if (retold && this.#events.has('history_updated')) this.#events.emit('history_updated', this.history)
    if (before !== after) for (const listener of this.#subscribers) listener()
  }

  #received(event: ServerEvent | AudioDelta, state: State): void {
    this.#events.emit('transport_event', event)
    if (isAudio(event)) return
    if (event.type !== 'response.created' && event.type !== 'response.done') return
    const { response } = event
    const isBeside = response.conversation_id === null
    if (event.type === 'response.done') this.#ended(response as Response, state, isBeside)
    else if (!isBeside) {
      this.#events.emit('agent_start', this.#context, this.#agent)
      this.#agent.emit('agent_start', this.#context, this.#agent)
    }
  }

  #ended(response: Response, { conversation }: State, isBeside: boolean): void {
    const output = response.output ?? []
    const words = output.map((item) => textOf(conversation.items.findLast(({ id }) => id === item.id) ?? item))
    const text = words.filter((said) => said).join('\n')
    if (!isBeside) {
      this.#events.emit('agent_end', this.#context, this.#agent, text)
      this.#agent.emit('agent_end', this.#context, text)
    }
    if (response.status !== 'failed' && response.status !== 'incomplete') return
    const { error, reason } = response.status_details ?? {}
    const why = error?.message ?? error?.code ?? reason ?? 'no reason was given'
    this.#events.report(new Error(`The response ${response.id} is ${response.status}: ${why}.`, { cause: response }))
  }

  /** What is new stands near the end: it is looked for from there. */
  #added(before: State, after: State): void {
    if (!this.#events.has('history_added')) return
    const itemsOf = ({ conversation, pending }: State) => [...conversation.items, ...pending.map(({ item }) => item)]
    const [known, now] = [itemsOf(before), itemsOf(after)]
    const fresh = new Set<string>()
    for (let n = now.length - 1; n >= 0 && fresh.size < now.length - known.length; n--) {
      const { id } = now[n]!
      if (find(before.conversation.items, id) < 0 && !before.pending.some(({ item }) => item.id === id)) fresh.add(id)
    }
    for (const item of fresh.size ? this.history.filter(({ itemId }) => fresh.has(itemId)) : []) {
      this.#events.emit('history_added', item)
    }
  }
}

/** Loaded when it is first used: a page that calls over WebRTC never loads it. */
const webSocket: Transport = {
  dialer: async (options) => (await import('../transports/websocket.ts')).webSocket(options),
}

function partOf(part: UserPart): unknown {
  return part.type === 'input_image' ? { type: part.type, image_url: part.image } : part
}

function asEvent({ audio, response_id, item_id }: AudioDelta): RealtimeSessionEvents<unknown>['audio'][0] {
  const whole = audio.byteLength === audio.buffer.byteLength ? audio : audio.slice()
  return { type: 'audio', data: whole.buffer as ArrayBuffer, responseId: response_id, itemId: item_id }
}
