/** Behind `RealtimeSession`: its parts, and who is told what. The rules stand in the parts. */

import { textOf } from '../conversation/item.ts'
import { formatOf, isAudio } from '../protocol/audio.ts'
import type { AudioDelta, RealtimeError, ServerEvent } from '../protocol/events.ts'
import { merge } from '../protocol/merge.ts'
import { realClock } from '../session/clock.ts'
import { closedByUs } from '../session/closed.ts'
import { type Door, door } from '../session/door.ts'
import type { Emitter } from '../session/emitter.ts'
import { historian, type RealtimeItem, type RealtimeItemInput } from '../session/history.ts'
import { pacedSpeaker } from '../session/paced-speaker.ts'
import type { MakeSpeaker } from '../session/speaker.ts'
import { type Ask, type Input, type Notice, type Part, plain, type State } from '../session/state.ts'
import { talk, withTurns } from '../session/talk.ts'
import type { Cause, Dial, Transport } from '../session/transport.ts'
import { nameOf } from '../session/turn.ts'
import type { RealtimeAgent } from './agent.ts'
import { type AnyAgent, agentOf } from './agent-shapes.ts'
import { type ApprovalItem, type Approvals, approvals, type SavedApprovals } from './approvals.ts'
import { calls } from './calls.ts'
import { casting } from './casting.ts'
import type { RunContext } from './context.ts'
import { equipment } from './equipment.ts'
import type { RealtimeSessionEvents } from './events.ts'
import type { HandoffManners } from './handoff.ts'
import { changesBetween } from './history-changes.ts'
import { requireNoHoldback } from './holding-back.ts'
import type { AvailableMcpTool } from './hosted-mcp.ts'
import { inTime } from './in-time.ts'
import { late } from './late-speaker.ts'
import { mcpApprovals } from './mcp-approvals.ts'
import { mcpFollowing } from './mcp-following.ts'
import { type Microphone, microphone as microphoneOf } from './microphone.ts'

import { initialConfig, type RealtimeSessionOptions } from './options.ts'
import { ownAudio } from './own-audio.ts'
import { type Reply, type ReplyOptions, replies } from './replies.ts'
import { type RealtimeSessionConfig, type Role, roleOf, unresolved, voiceIn } from './role.ts'
import { type SavedSession, save } from './saved.ts'
import { approving, tellAgent } from './shapes.ts'
import { telling } from './telling.ts'
import type { FunctionTool } from './tool.ts'
import { transfers } from './transfers.ts'

/** What the history is to be, or what is made of what it is by then. */
export type HistoryChange =
  | readonly RealtimeItemInput[]
  | ((history: readonly RealtimeItem[]) => readonly RealtimeItemInput[])

export interface Stage<Context> {
  readonly door: Pick<Door, 'state' | 'feed' | 'observe'>
  readonly agent: RealtimeAgent<Context>
  readonly history: readonly RealtimeItem[]
  readonly approvals: Pick<Approvals, 'waiting' | 'decide'>
  readonly availableMcpTools: readonly AvailableMcpTool[]
  readonly microphone: Omit<Microphone, 'mute'>
  /** Whatever the audio goes through. */
  mute(muted: boolean): void
  open(dialer: () => Dial | Promise<Dial>, model: string | undefined, part: Part): Promise<void>
  /** The app silences the agent. */
  interrupt(): void
  say(content: readonly unknown[], fields: object, respond: boolean): void
  reply(options: ReplyOptions, id?: string): Reply
  /** Resolves when nothing is to be heard any more. */
  drained(): Promise<void>
  become(agent: AnyAgent<Context>, manners: HandoffManners): Promise<Role<Context>>
  /** Changes the config, also of the sessions that are connected later. */
  configure(change: object): Promise<void>
  close(): void
  edit(history: HistoryChange): void
  /** What the far end is told at the start. */
  initialConfig(overrides: RealtimeSessionConfig): Promise<Partial<State['config']>>
  save(): SavedSession
  subscribe(listener: () => void): () => void
  /** Somebody listens to the metrics: they are taken from now on. */
  measure(): void
}

/** What stands before it does: the session's events, what tools are run with, and who else watches. */
export interface Given<Context> {
  readonly events: Emitter<RealtimeSessionEvents<Context>>
  readonly context: RunContext<Context>
  readonly taken: Transport['taken'] | undefined
}

export function stage<Context>(
  first: AnyAgent<Context>,
  options: RealtimeSessionOptions<Context>,
  transport: Transport,
  { events, context, taken = transport.taken?.bind(transport) }: Given<Context>,
): Stage<Context> {
  const { clock = realClock, seed, reconnect, start } = options
  const newId = (prefix: string) => line.newId(prefix)
  const failed = (error: unknown) => events.report(error)
  const show = historian()
  const origins = start?.origins ?? new Map()
  const listening = new Set<() => void>()

  const makeSpeaker: MakeSpeaker =
    options.speaker ??
    options.audio?.speaker ??
    pacedSpeaker({ clock, format: () => formatOf(line.state.config, 'output') })
  const line = door({
    clock,
    seed,
    reconnect,
    ...(start ? { conversation: start.conversation, cuts: start.cuts } : {}),
    interruption: options.interruption,
    speaker: late(() => equipped.guard?.speaker ?? makeSpeaker),
    heard,
    history,
    call: (call, response_id) => running.run(call, response_id),
    tell,
    changed,
  })
  const cast = casting<Context>({
    first: unresolved(agentOf(first)),
    resolve: (agent, signal) => inTime(resolve(agent), agent.name, line.state.reconnect.timeoutMs, clock, signal),
    keepsVoice: () => line.state.part.attached || voiceIn(options.config) !== undefined,
    door: line,
    newId: () => newId('cast_'),
  })
  const teller = telling({ events, context, roleOf: (id) => cast.of(id), history, isHeldBack })
  const watcher = taken?.(line)
  transport.media?.subscribe(teller.renewed)
  const talking = talk(line, options.turns, clock)
  const microphone = microphoneOf(line, talking, teller.renewed, () => equipped.limit?.active())
  const own = options.audio && ownAudio(options.audio, (audio) => microphone.sendAudio(audio, false), failed)
  const asked = approvals({
    clock,
    timeoutMs: options.approvalTimeoutMs ?? 300_000,
    requested: (item) => requested(item, null),
    // When the session ends, all are taken back, and then its end is told.
    changed: () => line.state.link.at !== 'closed' && teller.renewed(),
    saved: start?.approvals as SavedApprovals | undefined,
  })
  Object.assign(context, approving(asked))
  const approveMcp = mcpApprovals<Context>({
    door: line,
    approvals: asked,
    context,
    agent: () => cast.role.agent,
    requested: (item) => requested(item, null),
    failed,
  })
  const mcp = mcpFollowing({
    changed: (offered) => events.emit('mcp_tools_changed', offered),
    completed(item) {
      events.emit('mcp_tool_call_completed', context, cast.role.agent, item)
      if (line.state.part.observing) return
      if (options.automaticallyTriggerResponseForMcpToolCalls !== false) line.feed({ type: 'asked', ask: batch })
    },
    failed,
  })
  const running = calls<Context>({
    clock,
    context,
    roleOf: (id) => cast.of(id),
    hasSpoken: (id) => cast.hasSpoken(id),
    approve: (item, tool, signal) =>
      asked.ask(
        item,
        () => {
          requested(item, tool)
          line.feed({ type: 'deferred', call_id: item.callId })
        },
        signal,
      ),
    transfer: transfers({ cast, context, history, become, edit }),
    answer: ({ call_id }, output, ask, failed) => line.answer(call_id, output, ask, failed),
    started(tool, toolCall, { agent }) {
      events.emit('agent_tool_start', context, agent, tool, { toolCall })
      tellAgent(agent, failed, 'agent_tool_start', context, tool, { toolCall })
    },
    ended(tool, output, toolCall, { agent }) {
      events.emit('agent_tool_end', context, agent, tool, output, { toolCall })
      tellAgent(agent, failed, 'agent_tool_end', context, tool, output, { toolCall })
    },
    failed,
    errorFormatter: options.toolErrorFormatter,
  })
  const answers = replies({
    newId,
    isHeldBack: (response_id) => equipped.guard?.isHolding(response_id) ?? false,
    ask: (id, params, uninterruptible) =>
      line.feed({ type: 'asked', ask: { id, params, ...(uninterruptible ? { uninterruptible } : {}) } }),
    cancel(id, response_id) {
      line.feed({ type: 'unasked', id })
      if (response_id) line.feed({ type: 'cut', response_id })
    },
  })

  const equipped = equipment<Context>({
    clock,
    door: line,
    cast,
    context,
    options,
    events,
    speaker: makeSpeaker,
    history,
    played,
    answers,
    running: () => running.running,
    speaking: () => talking.speaking,
    reply: (instructions) => reply({ instructions }),
    drained,
  })

  function history(): readonly RealtimeItem[] {
    const { conversation, pending, playback, config } = line.state
    const isTranscribed = config.audio?.input?.transcription !== null
    return show({ conversation, pending, cuts: playback.cuts, origins, isTranscribed, sounds: equipped.shelf?.all })
  }

  // ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** In `holdback`, what comes is not heard before it was checked. */
  function heard(audio: AudioDelta): void {
    if (!isHeldBack()) played(audio)
  }

  /** A reply is given what was checked: as it is played, or, beside the conversation, as it passes. */
  function sounded(audio: AudioDelta): void {
    if (!isHeldBack()) return answers.received(audio)
    const { responses } = line.state.conversation
    const isBeside = responses.some(({ id, conversation_id }) => id === audio.response_id && conversation_id === null)
    if (isBeside) equipped.guard?.holdBeside(audio)
  }

  function isHeldBack(): boolean {
    return Boolean(equipped.guard?.speaker)
  }

  function played(audio: AudioDelta): void {
    if (isHeldBack()) {
      teller.sounds(audio)
      answers.received(audio)
    }
    teller.heard(audio)
    watcher?.heard(audio)
  }

  function tell(notice: Notice): void {
    switch (notice.type) {
      case 'refused':
        refused(notice.error)
        break
      case 'failed':
        failed(notice.error)
        break
      case 'audio_interrupted':
        running.interrupted()
        if (!isHeldBack() || equipped.guard?.wasSounding) events.emit('audio_interrupted', context, cast.role.agent)
        break
      case 'audio_paused':
      case 'audio_resumed':
        events.emit(notice.type, context, cast.role.agent)
        break
      case 'accepted':
        cast.accepted(notice.ids)
        break
      case 'dropped':
        for (const id of notice.ids) answers.dropped(id)
        break
      case 'unfinished':
        if (notice.isRetried) answers.retried(notice.response.id)
        teller.unfinished(notice)
        break
    }
    watcher?.tell(notice)
  }

  function refused(error: RealtimeError): void {
    const isOfReply = answers.refused(error)
    if (!cast.refused(error) && !isOfReply) failed(error)
  }

  function changed(before: State, after: State, input: Input, now: number): void {
    if (input.type === 'received') received(input.event, before)
    if (before.link.at === 'live' && after.link.at !== 'live') {
      equipped.shelf?.lost()
      answers.lost(after.link, (wanted) => after.turn.owed.some(({ id }) => id === wanted))
    }
    if (before.link.at !== 'closed' && after.link.at === 'closed') {
      const { cause } = after.link
      running.closed(inMidst(whyEnded(cause)))
      asked.closed(whyEnded(cause))
      cast.closed(after.link.cause)
      answers.closed(after.link.cause)
    }
    teller.changed(before, after, input)
    equipped.limit?.changed(before, after, input)
    own?.changed(before, after)
    if (!after.playback.item && listening.size) for (const resolve of listening) resolve()
    watcher?.changed(before, after, input, now)
    for (const turn of equipped.follow?.(before, after, input, now) ?? []) events.emit('metrics', turn)
  }

  function received(event: ServerEvent | AudioDelta, before: State): void {
    equipped.shelf?.received(event)
    if (isAudio(event)) return sounded(event)
    switch (event.type) {
      case 'response.created':
        if (event.response.conversation_id !== null) cast.began(event.response.id)
        break
      case 'response.output_item.added':
        if (event.item.type === 'message') cast.spoke(event.response_id)
        break
      case 'response.output_item.done':
      case 'conversation.item.done':
        if (event.item.type === 'mcp_approval_request' && !line.state.part.observing) void approveMcp(event.item)
        break
    }
    answers.received(event, event.type === 'response.created' ? nameOf(before, event.response) : undefined)
    equipped.guard?.received(event)
    mcp.received(event)
  }

  // ── what follows ─────────────────────────────────────────────────────────────────────────────────────────────────

  function requested(item: ApprovalItem, tool: FunctionTool<Context> | null): void {
    const { agent } = cast.role
    events.emit('tool_approval_requested', context, agent, { type: item.type, tool, approvalItem: item })
  }

  async function become(
    agent: AnyAgent<Context>,
    { voiceChange = options.voiceChange }: HandoffManners,
  ): Promise<Role<Context>> {
    return cast.become(agentOf(agent), voiceChange ? { voiceChange } : {}, (before, after) => {
      if (before.agent !== after.agent) running.handedOver(before.agent)
      events.emit('agent_handoff', context, before.agent, after.agent)
      tellAgent(before.agent, failed, 'agent_handoff', context, after.agent)
    })
  }

  function edit(change: HistoryChange): void {
    const now = history()
    const wanted = typeof change === 'function' ? change(now) : change
    const { conversation, pending } = line.state
    const items = [...conversation.items, ...pending.map(({ item }) => item)]
    line.feed({ type: 'edited', ...changesBetween(now, wanted, { items, newId }) })
  }

  function drained(): Promise<void> {
    return new Promise((resolve) => {
      if (!line.state.playback.item) return resolve()
      const done = () => {
        listening.delete(done)
        resolve()
      }
      listening.add(done)
    })
  }

  // ── beginning ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What the app has changed of the config since. */
  let overrides: object = {}
  let isGreeted = [...origins.values()].includes('restored')
  async function open(dialer: () => Dial | Promise<Dial>, model: string | undefined, part: Part): Promise<void> {
    let isBegun = false
    const configured = async () => {
      await equipped.load(model)
      const role = await inTime(resolved(), cast.role.agent.name, line.state.reconnect.timeoutMs)
      cast.begin(role)
      if (part.observing) return {}
      const config = merge(initialConfig(role, options, {}, part), overrides)
      const wanted = talking.policy ? withTurns(config, talking.policy) : config
      if (!transport.carriesAudio && !part.attached) {
        isBegun = true
        await own?.start(wanted)
      }
      return wanted
    }
    if (transport.carriesAudio) requireNoHoldback(options)
    await line.connect(dialer, configured, part).catch((error: unknown) => {
      if (isBegun) own?.stop()
      throw error
    })
    if (part.observing) return
    if (options.greeting === undefined || isGreeted) return
    isGreeted = true
    reply(typeof options.greeting === 'string' ? { instructions: options.greeting } : options.greeting)
  }

  /** Another agent may have taken over meanwhile. */
  async function resolved(): Promise<Role<Context>> {
    const { agent } = cast.role
    const role = await resolve(agent)
    return cast.role.agent === agent ? role : resolved()
  }

  async function resolve(agent: RealtimeAgent<Context>): Promise<Role<Context>> {
    const role = await roleOf(agent, context, failed)
    if (role.exposed.some(({ type }) => type === 'mcp')) await mcp.begin()
    return role
  }

  function reply(wishes: ReplyOptions, id?: string): Reply {
    return answers.generate(wishes, id)
  }

  return {
    door: line,
    get agent() {
      return cast.role.agent
    },
    get history() {
      return history()
    },
    approvals: asked,
    get availableMcpTools() {
      return mcp.availableMcpTools
    },
    microphone,
    mute(muted) {
      if (transport.carriesAudio) transport.mute?.(muted)
      options.audio?.mute(muted)
      microphone.mute(muted)
    },
    async open(dialer, model, part) {
      try {
        await open(dialer, model, part)
      } catch (error) {
        if (line.state.link.at === 'closed') answers.closed(line.state.link.cause)
        throw error
      }
    },
    close() {
      line.feed({ type: 'ended' })
      talking.closed()
      const cause = line.state.link.at === 'closed' ? line.state.link.cause : null
      cast.closed(cause)
      answers.closed(cause)
    },
    interrupt() {
      running.interrupted()
      line.feed({ type: 'interrupted', cancel: true })
    },
    say(content, fields, respond) {
      const item = line.say(content, fields, respond)
      equipped.guard?.said(item.id, textOf(item))
    },
    reply,
    drained,
    become,
    async configure(change) {
      await cast.configure(merge(line.state.config, change))
      overrides = merge(overrides, change)
    },
    edit,
    initialConfig: async (overrides) =>
      initialConfig(await roleOf(cast.role.agent, context, failed), options, overrides),
    save: () => save({ history: history(), approvals: asked.save() }),
    subscribe: teller.subscribe,
    measure: equipped.measure,
  }
}

/** For the model, should it be told on another line. */
function whyEnded(cause: Cause | null): string {
  if (!cause || cause.code === closedByUs.code) return closedByUs.reason
  return `${cause.initiator === 'far end' ? 'The far end ended it' : 'The line was lost'}. ${cause.reason}`
}

/** As it stands behind a colon. */
function inMidst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1)
}

const batch: Ask = { ...plain, when: 'batch' }
