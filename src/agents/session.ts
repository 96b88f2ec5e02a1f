import { backstage } from '#backstage'
import { UserError } from '../protocol/errors.ts'
import type { ClientEvent } from '../protocol/events.ts'
import { merge } from '../protocol/merge.ts'
import { toWire } from '../protocol/spelling.ts'
import { realClock } from '../session/clock.ts'
import { type Emitter, emitter } from '../session/emitter.ts'
import type { RealtimeItem, RealtimeItemInput } from '../session/history.ts'
import type { Media } from '../session/media.ts'
import type { TraceEntry } from '../session/observing.ts'
import type { State } from '../session/state.ts'
import type { TurnPolicy } from '../session/talk.ts'
import { type ConnectOptions, partIn, type Transport } from '../session/transport.ts'
import type { SessionUsage } from '../session/usage.ts'
import { partOf, partsOf, type RealtimeUserInput } from '../session/user-input.ts'
import type { RealtimeAgent } from './agent.ts'
import type { AnyAgent } from './agent-shapes.ts'
import type { ApprovalItem } from './approvals.ts'
import { type RunContext, runContext } from './context.ts'
import type { RealtimeSessionEvents } from './events.ts'
import type { HandoffManners } from './handoff.ts'
import type { AvailableMcpTool } from './hosted-mcp.ts'
import { requireOptions } from './misuse.ts'
import type { RealtimeSessionOptions } from './options.ts'
import type { Reply, ReplyOptions } from './replies.ts'
import type { RealtimeSessionConfig } from './role.ts'
import type { SavedSession } from './saved.ts'
import { type SessionTransport, sessionTransport } from './session-transport.ts'
import type { Stage } from './stage.ts'
import { wayOf } from './ways.ts'

/** Whether an answer is asked for. */
interface Triggering {
  readonly triggerResponse?: boolean
}

/**
 * A conversation with an agent: it connects, speaks, runs the agent's tools, hands over to other agents, and keeps the
 * history through a lost line.
 */
export class RealtimeSession<Context = unknown> {
  /** As they were given. */
  readonly options: RealtimeSessionOptions<Context>
  /** Who speaks first. */
  readonly initialAgent: RealtimeAgent<Context>
  /** What tools and instructions are run with. */
  readonly context: RunContext<Context>
  readonly #lines: Transport
  readonly #transport: SessionTransport
  readonly #events: Emitter<RealtimeSessionEvents<Context>> = emitter('The session')
  readonly #stage: Stage<Context>

  /** `context` is asked for where the agent's tools and instructions are promised one. */
  constructor(
    agent: AnyAgent<Context>,
    ...[options = {}]: undefined extends Context
      ? [options?: RealtimeSessionOptions<Context>]
      : [options: RealtimeSessionOptions<Context> & { readonly context: Context }]
  ) {
    requireOptions(options)
    if (typeof agent?.name !== 'string')
      throw new UserError('A session is begun with an agent: new RealtimeAgent({ name }).')
    this.options = options
    this.#lines =
      typeof options.transport === 'object'
        ? options.transport
        : wayOf(options.transport, options.clock ?? realClock, options.audio)
    const { transport, taken } = sessionTransport(this.#lines, this)
    this.#transport = transport
    this.context = runContext(options.context as Context, () => this)
    this.#stage = backstage(agent, options, this.#lines, { events: this.#events, context: this.context, taken })
    this.initialAgent = this.#stage.agent
  }

  /**
   * What the far end is told at the start: for a client secret, or to accept a phone call. `overrides` are of the session
   * config, and come before the options'.
   *
   * Rejects with what the agent's own functions throw, and with a `UserError` when two of its tools have one name.
   */
  static async computeInitialSessionConfig<Context = unknown>(
    agent: AnyAgent<Context>,
    { transport: _, ...options }: RealtimeSessionOptions<Context> = {},
    overrides: RealtimeSessionConfig = {},
  ): Promise<{ readonly type: 'realtime' } & Partial<State['config']>> {
    return new RealtimeSession<Context>(agent, options as never).getInitialSessionConfig(overrides)
  }

  /** What this session tells the far end at the start. */
  async getInitialSessionConfig(
    overrides: RealtimeSessionConfig = {},
  ): Promise<{ readonly type: 'realtime' } & Partial<State['config']>> {
    const { model = 'gpt-realtime-2.1' } = this.options
    return { ...(await this.#stage.initialConfig(overrides)), type: 'realtime', model }
  }

  /**
   * Connects, and resolves when the far end has accepted the session config. A line that fails is dialed again, as
   * `reconnect` says.
   *
   * With `callId` it attaches to a call that stands already (WebRTC, SIP): the config is said without what would disturb
   * the call, the tools are run here, nothing is retold, and the audio flows elsewhere. With `observe` it watches: no
   * config is said, and no tool is run.
   *
   * Rejects with a `ConnectionError` whose `cause` says why, when there is no use in trying on.
   * @throws UserError when the session is connected, or connecting.
   */
  async connect(options: ConnectOptions = {}): Promise<void> {
    const { apiKey = this.options.apiKey, model = this.options.model } = options
    await this.#stage.open(() => this.#lines.dialer({ ...options, apiKey, model }), model, partIn(options))
  }

  /** Ends the call. What was said stays in `history`; `connect()` goes on from there. */
  close(): void {
    this.#stage.close()
  }

  /** Leaves the far end's session for a new one, which is told the conversation. */
  renew(): void {
    this.#stage.door.feed({ type: 'renewed' })
  }

  /** Says something in writing, and asks for an answer. `otherEventData` is for the event that carries it. */
  sendMessage(
    message: RealtimeUserInput,
    otherEventData: Readonly<Record<string, unknown>> = {},
    { triggerResponse = true }: Triggering = {},
  ): void {
    this.#stage.say(partsOf(message), otherEventData, triggerResponse)
  }

  /** Shows the agent an image, as a data URL. It stays in the history. */
  addImage(image: string, { triggerResponse = true }: Triggering = {}): void {
    if (!String(image).startsWith('data:'))
      throw new UserError("Pass the image as a data URL: 'data:image/png;base64,…'.")
    this.#stage.say([partOf({ type: 'input_image', image })], {}, triggerResponse)
  }

  /**
   * Sends microphone audio in the session's input format (PCM16 little-endian mono at 24 kHz, unless configured
   * otherwise). `commit` ends the turn, where the far end does not hear that by itself.
   *
   * Returns false when audio had to be let go: no line for fifteen seconds, or one too slow to carry it.
   */
  sendAudio(audio: ArrayBuffer | ArrayBufferView, { commit = false }: { readonly commit?: boolean } = {}): boolean {
    return this.#stage.microphone.sendAudio(audio, commit)
  }

  /**
   * Changes how turns are taken, live: the far end hears them (`serverVad`, `semanticVad`), the user holds a key
   * (`pushToTalk`), or the app commits (`manual`). A turn that was begun is dropped.
   */
  takeTurns(policy: TurnPolicy): void {
    this.#stage.microphone.use(policy)
  }

  /**
   * With `pushToTalk`: the agent falls silent, and the microphone is heard until `endTurn()`.
   *
   * @throws UserError where turns are not taken by push-to-talk.
   */
  beginTurn(): void {
    this.#stage.microphone.beginTurn()
  }

  /**
   * Ends the turn and asks for an answer. Returns false, and nothing is asked for, when less than 100 ms was said, or
   * nobody heard it: over WebRTC, nothing is kept while the line is down.
   */
  endTurn(): boolean {
    return this.#stage.microphone.endTurn()
  }

  /** Muted, the far end hears silence whatever is sent; a turn that was begun ends. It holds until it is taken back. */
  mute(muted: boolean): void {
    this.#stage.mute(muted)
  }

  get muted(): boolean {
    return this.#transport.media?.state.muted ?? this.#stage.microphone.muted
  }

  /**
   * Has the agent say something, with wishes of its own: instructions, tools, modalities, a response beside the
   * conversation (`conversation: 'none'`). Gives a handle to what is said.
   *
   * @throws UserError when `metadata` is more than the protocol takes.
   */
  generateReply(options: ReplyOptions | string = {}): Reply {
    return this.#stage.reply(typeof options === 'string' ? { instructions: options } : options)
  }

  /** Sends an event as it is; while there is no line, it waits for one. */
  sendEvent(event: ClientEvent): void {
    this.#stage.door.feed({ type: 'sent', event })
  }

  /** Silences the agent now, whether it is still being generated or only heard. */
  interrupt(): void {
    this.#stage.interrupt()
  }

  /** Resolves when everything that the agent has said so far was heard, or was cut off. */
  playbackDrained(): Promise<void> {
    return this.#stage.drained()
  }

  /**
   * Lets another agent speak. Resolves with it when the far end has accepted it; until then, and where it rejects, nothing has
   * changed.
   *
   * Rejects with a `UserError` when its voice cannot be had any more (see `voiceChange`).
   */
  async updateAgent(
    agent: AnyAgent<Context>,
    manners: Pick<HandoffManners, 'voiceChange'> = {},
  ): Promise<RealtimeAgent<Context>> {
    return (await this.#stage.become(agent, manners)).agent
  }

  /** Changes the session's config: what is given is changed, all else stays. Resolves when the far end has accepted it. */
  updateConfig(config: RealtimeSessionConfig): Promise<void> {
    const { voice, ...rest } = config
    const change = merge(toWire(rest), voice === undefined ? {} : { audio: { output: { voice } } })
    return this.#stage.configure(change)
  }

  /**
   * Changes the history to what is given, with as few deletions and creations as can be. It shows when the far end has
   * done it.
   *
   * @throws UserError when an item cannot be told to a far end; nothing has changed then.
   */
  updateHistory(
    history: readonly RealtimeItemInput[] | ((history: readonly RealtimeItem[]) => readonly RealtimeItemInput[]),
  ): void {
    this.#stage.edit(history)
  }

  /** Lets a call run that waits for it; `alwaysApprove`: and all further calls of that tool by that agent. */
  approve(
    item: Pick<ApprovalItem, 'callId'> & Partial<ApprovalItem>,
    { alwaysApprove = false }: { readonly alwaysApprove?: boolean } = {},
  ): void {
    this.#stage.approvals.decide(item, { approved: true }, alwaysApprove)
  }

  /** Tells the model that a call that waits may not run; `message` is what it is told. */
  reject(
    item: Pick<ApprovalItem, 'callId'> & Partial<ApprovalItem>,
    { alwaysReject = false, message }: { readonly alwaysReject?: boolean; readonly message?: string } = {},
  ): void {
    const verdict = { approved: false, ...(message === undefined ? {} : { message }) }
    this.#stage.approvals.decide(item, verdict, alwaysReject)
  }

  /** Calls that wait for `approve()` or `reject()`, oldest first. */
  get pendingApprovals(): readonly ApprovalItem[] {
    return this.#stage.approvals.waiting
  }

  /** Everything that another session needs to go on from here, as JSON: pass it as `restore`. */
  save(): SavedSession {
    return this.#stage.save()
  }

  /** An immutable snapshot of everything that the session knows. */
  get state(): State {
    return this.#stage.door.state
  }

  /** Calls `listener` after each change of `state`, `pendingApprovals` or `muted`. Returns a function that ends it. */
  subscribe(listener: () => void): () => void {
    return this.#stage.subscribe(listener)
  }

  /**
   * Calls `listener` with everything that comes over the line, happens here or is sent, in order and before anything
   * follows from it: for an inspector, or a trace (`record` of `parley-voice/trace`). Returns a function that ends it.
   */
  observe(listener: (entry: TraceEntry) => void): () => void {
    return this.#stage.door.observe(listener)
  }

  /** The conversation so far; what did not change is the same object as before. */
  get history(): readonly RealtimeItem[] {
    return this.#stage.history
  }

  get usage(): SessionUsage {
    return this.state.usage
  }

  /** The way to the far end: the one that was given, else the session's own, before it is connected too. */
  get transport(): SessionTransport {
    return this.#transport
  }

  /** The microphone and the speaker: the line's own (WebRTC), or those of `audio`. Null where there are none. */
  get media(): Media | null {
    return this.#lines.media ?? this.options.audio ?? null
  }

  get currentAgent(): RealtimeAgent<Context> {
    return this.#stage.agent
  }

  /** The tools that the far end's MCP servers offer to the current agent. */
  get availableMcpTools(): readonly AvailableMcpTool[] {
    return this.#stage.availableMcpTools
  }

  on<Name extends keyof RealtimeSessionEvents<Context>>(
    name: Name,
    listener: (...args: RealtimeSessionEvents<Context>[Name]) => unknown,
  ): this {
    if (name === 'metrics') this.#stage.measure()
    this.#events.on(name, listener)
    return this
  }

  /** Listens for the next one only. */
  once<Name extends keyof RealtimeSessionEvents<Context>>(
    name: Name,
    listener: (...args: RealtimeSessionEvents<Context>[Name]) => unknown,
  ): this {
    if (name === 'metrics') this.#stage.measure()
    this.#events.once(name, listener)
    return this
  }

  off<Name extends keyof RealtimeSessionEvents<Context>>(
    name: Name,
    listener: (...args: RealtimeSessionEvents<Context>[Name]) => unknown,
  ): this {
    this.#events.off(name, listener)
    return this
  }
}
