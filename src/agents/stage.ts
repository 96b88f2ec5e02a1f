/** Behind `RealtimeSession`: its parts, and who is told what. The rules stand in the parts. */
import { textOf } from '../conversation/item.ts'
import { formatOf, isAudio } from '../protocol/audio.ts'
import type { AudioDelta, RealtimeError, ServerEvent } from '../protocol/events.ts'
import { merge } from '../protocol/merge.ts'
import { realClock } from '../session/clock.ts'
import { type Door, door } from '../session/door.ts'
import { type Emitter, emitter } from '../session/emitter.ts'
import { pacedSpeaker } from '../session/paced-speaker.ts'
import type { MakeSpeaker } from '../session/speaker.ts'
import { type Ask, type Input, type Notice, plain, type State } from '../session/state.ts'
import { talk, withTurns } from '../session/talk.ts'
import type { Dial, Transport } from '../session/transport.ts'
import type { RealtimeAgent } from './agent.ts'
import { type ApprovalItem, type Approvals, approvals, type SavedApprovals } from './approvals.ts'
import { calls } from './calls.ts'
import { casting } from './casting.ts'
import { frozen, type RunContext } from './context.ts'
import type { RealtimeSessionEvents } from './events.ts'
import type { Guarding } from './guarding.ts'
import type { HandoffManners } from './handoff.ts'
import { historian, type RealtimeItem, type RealtimeItemInput } from './history.ts'
import { changesBetween } from './history-changes.ts'
import type { AvailableMcpTool, McpFollower } from './hosted-mcp.ts'
import { late } from './late-speaker.ts'
import { mcpApprovals } from './mcp-approvals.ts'
import { type Microphone, microphone } from './microphone.ts'
import { initialConfig, type RealtimeSessionOptions } from './options.ts'
import { type Reply, type ReplyOptions, replies } from './replies.ts'
import { type Role, roleOf, unresolved, voiceIn } from './role.ts'
import { type SavedSession, save } from './saved.ts'
import { type AnyAgent, agentOf, approving, tellAgent, usageOf } from './shapes.ts'
import { telling } from './telling.ts'
import type { FunctionTool } from './tool.ts'
import { transfers } from './transfers.ts'

export interface Stage<Context> {
  readonly door: Door
  readonly events: Emitter<RealtimeSessionEvents<Context>>
  readonly context: RunContext<Context>
  readonly agent: RealtimeAgent<Context>
  readonly history: readonly RealtimeItem[]
  readonly approvals: Approvals
  readonly availableMcpTools: readonly AvailableMcpTool[]
  readonly microphone: Microphone
  open(dialer: () => Dial | Promise<Dial>, model: string | undefined): Promise<void>
  /** The app silences the agent. */
  interrupt(): void
  say(content: readonly unknown[], fields: object, respond: boolean): void
  reply(options: ReplyOptions): Reply
  /** Resolves when nothing is to be heard any more. */
  drained(): Promise<void>
  become(agent: AnyAgent<Context>, manners: HandoffManners): Promise<unknown>
  /** Changes the config, also of the sessions that are connected later. */
  configure(change: object): Promise<void>
  close(): void
  edit(history: readonly RealtimeItemInput[]): void
  save(): SavedSession
  subscribe(listener: () => void): () => void
}

export function stage<Context>(
  first: AnyAgent<Context>,
  options: RealtimeSessionOptions<Context>,
  transport: Transport,
): Stage<Context> {
  const { clock = realClock, seed, reconnect, start } = options
  const newId = (prefix: string) => line.newId(prefix)
  const events = emitter<RealtimeSessionEvents<Context>>('The session')
  const failed = (error: unknown) => events.report(error)
  const show = historian()
  const origins = start?.origins ?? new Map()
  const listening = new Set<() => void>()
  let guard: Guarding | null = null
  let mcp: McpFollower | null = null
  let limit: { changed(before: State, after: State): void; active(): void } | null = null

  const makeSpeaker: MakeSpeaker =
    options.speaker ?? pacedSpeaker({ clock, format: () => formatOf(line.state.config, 'output') })
  const line = door({
    clock,
    seed,
    reconnect,
    ...(start ? { conversation: start.conversation, cuts: start.cuts } : {}),
    interruption: options.interruption,
    speaker: late(() => guard?.speaker ?? makeSpeaker),
    heard,
    call: (call, response_id) => running.run(call, response_id),
    tell,
    changed,
  })
  const context: RunContext<Context> = {
    context: options.context as Context,
    get history() {
      return frozen(history())
    },
    get usage() {
      return usageOf(line.state.usage)
    },
  }
  const cast = casting<Context>({
    first: unresolved(agentOf(first)),
    resolve,
    keepsVoice: voiceIn(options.config) !== undefined,
    door: line,
    newId: () => newId('cast_'),
  })
  const teller = telling({ events, context, roleOf: (id) => cast.of(id), history })
  const watcher = transport.taken?.(line)
  const talking = talk(line, options.turns)
  const asked = approvals({
    clock,
    timeoutMs: options.approvalTimeoutMs ?? 300_000,
    requested: (item) => requested(item, null),
    saved: start?.approvals as SavedApprovals | undefined,
  })
  Object.assign(context, approving(asked))
  const approveMcp = mcpApprovals(line, asked)
  const running = calls<Context>({
    clock,
    context,
    roleOf: (id) => cast.of(id),
    hasSpoken: (id) => cast.hasSpoken(id),
    approve: (item, tool, signal) => asked.ask(item, () => requested(item, tool), signal),
    transfer: transfers({ cast, context, history, become, edit }),
    answer: ({ call_id }, output, ask) => line.answer(call_id, output, ask),
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
    ask: (id, params, uninterruptible) =>
      line.feed({ type: 'asked', ask: { id, params, ...(uninterruptible ? { uninterruptible } : {}) } }),
    cancel(id, response_id) {
      line.feed({ type: 'unasked', id })
      if (response_id) line.feed({ type: 'cut', response_id })
    },
  })

  function history(): readonly RealtimeItem[] {
    const { conversation, pending, playback, config } = line.state
    const isTranscribed = config.audio?.input?.transcription !== null
    return show({ conversation, pending, cuts: playback.cuts, origins, isTranscribed })
  }

  // ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** In `holdback`, what comes is not heard before it was checked. */
  function heard(audio: AudioDelta): void {
    if (!guard?.speaker) played(audio)
  }

  function played(audio: AudioDelta): void {
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
        events.emit('audio_interrupted', context, cast.role.agent)
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

  function changed(before: State, after: State, input: Input): void {
    if (input.type === 'received') received(input.event)
    if (before.link.at === 'live' && after.link.at !== 'live') {
      answers.lost(after.link, (wanted) => after.turn.owed.some(({ id }) => id === wanted))
    }
    if (before.link.at !== 'closed' && after.link.at === 'closed') {
      running.closed()
      asked.closed()
      cast.closed(after.link.cause)
      answers.closed(after.link.cause)
    }
    teller.changed(before, after, input)
    limit?.changed(before, after)
    if (!after.playback.item && listening.size) for (const resolve of listening) resolve()
    watcher?.changed(before, after, input)
  }

  function received(event: ServerEvent | AudioDelta): void {
    if (isAudio(event)) return answers.received(event)
    switch (event.type) {
      case 'response.created':
        if (event.response.conversation_id !== null) cast.began(event.response.id)
        break
      case 'response.output_item.added':
        if (event.item.type === 'message') cast.spoke(event.response_id)
        break
      case 'response.output_item.done':
      case 'conversation.item.done':
        if (event.item.type === 'mcp_approval_request') void approveMcp(event.item)
        break
    }
    answers.received(event)
    guard?.received(event)
    mcp?.received(event)
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

  function edit(wanted: readonly RealtimeItemInput[]): void {
    const { conversation, pending } = line.state
    const items = [...conversation.items, ...pending.map(({ item }) => item)]
    line.feed({ type: 'edited', ...changesBetween(history(), wanted, { items, newId }) })
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
  async function open(dialer: () => Dial | Promise<Dial>, model?: string): Promise<void> {
    await line.connect(dialer, async () => {
      await prepare(model)
      const role = await resolved()
      cast.begin(role)
      const config = merge(initialConfig(role, options), overrides)
      return talking.policy ? withTurns(config, talking.policy) : config
    })
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
    if (!mcp && role.exposed.some(({ type }) => type === 'mcp')) {
      const { mcpFollower } = await import('./hosted-mcp.ts')
      mcp = mcpFollower({
        changed: (offered) => events.emit('mcp_tools_changed', offered),
        completed(item) {
          events.emit('mcp_tool_call_completed', context, cast.role.agent, item)
          if (options.automaticallyTriggerResponseForMcpToolCalls !== false) line.feed({ type: 'asked', ask: batch })
        },
      })
    }
    return role
  }

  /** What only some sessions need is loaded when it is needed. */
  async function prepare(model = 'gpt-realtime-2.1'): Promise<void> {
    if (!guard && (options.outputGuardrails?.length || options.inputGuardrails?.length)) {
      const { guarding } = await import('./guarding.ts')
      const parts = {
        clock,
        door: line,
        cast,
        context,
        options,
        failed,
        tripped(error: Parameters<Parameters<typeof guarding>[0]['tripped']>[0]) {
          const { agent } = cast.of(error.responseId)
          events.emit('guardrail_tripped', context, agent, error, { itemId: error.itemId })
        },
        held: (ms: number, itemId: string) => events.emit('audio_held', { ms, itemId }),
        played,
      }
      guard = guarding<Context>(parts, makeSpeaker)
      for (const { item } of line.state.pending) guard.said(item.id, textOf(item))
    }
    if (!limit && options.limits) {
      const { limiting } = await import('./limiting.ts')
      limit = limiting({
        clock,
        door: line,
        limits: options.limits,
        model,
        running: () => running.running,
        reply: (instructions) => reply({ instructions }),
        drained,
        reached: (reached) => events.emit('limit_reached', reached),
      })
    }
  }

  function reply(wishes: ReplyOptions): Reply {
    return answers.generate(wishes)
  }

  return {
    door: line,
    events,
    context,
    get agent() {
      return cast.role.agent
    },
    get history() {
      return history()
    },
    approvals: asked,
    get availableMcpTools() {
      return mcp?.availableMcpTools ?? []
    },
    microphone: microphone(line, talking),
    async open(dialer, model) {
      try {
        await open(dialer, model)
      } catch (error) {
        if (line.state.link.at === 'closed') answers.closed(line.state.link.cause)
        throw error
      }
    },
    close() {
      line.feed({ type: 'ended' })
      talking.closed()
      answers.closed(line.state.link.at === 'closed' ? line.state.link.cause : null)
    },
    interrupt() {
      running.interrupted()
      line.feed({ type: 'interrupted', cancel: true })
    },
    say(content, fields, respond) {
      const item = line.say(content, fields, respond)
      guard?.said(item.id, textOf(item))
    },
    reply,
    drained,
    become,
    async configure(change) {
      await cast.configure(merge(line.state.config, change))
      overrides = merge(overrides, change)
    },
    edit,
    save: () => save({ history: history(), approvals: asked.save() }),
    subscribe: teller.subscribe,
  }
}

const batch: Ask = { ...plain, when: 'batch' }
