/**
 * A stage that is loaded when the session is connected, so that a page that shows a button loads little. What is asked of
 * it before is done then, in order; nothing has been said until then, and nothing sounds.
 */
import { UserError } from '../protocol/errors.ts'
import { newId } from '../protocol/ids.ts'
import { newSeed } from '../session/clock.ts'
import type { TraceEntry } from '../session/observing.ts'
import { start } from '../session/start.ts'
import type { Transport } from '../session/transport.ts'
import { attempt, holding, late } from '../transports/late.ts'
import { type AnyAgent, agentOf } from './agent-shapes.ts'
import type { Early } from './backstage.ts'
import { lateReply } from './late-reply.ts'
import { noApproval, requireBytes } from './misuse.ts'
import type { RealtimeSessionOptions } from './options.ts'
import type { Reply, ReplyOptions } from './replies.ts'
import { ReplyError } from './reply-error.ts'
import type { Stage } from './stage.ts'

export function lateStage<Context>(
  first: AnyAgent<Context>,
  options: RealtimeSessionOptions<Context>,
  transport: Transport,
  given: Early<Context>,
): Stage<Context> {
  const agent = agentOf(first)
  const { conversation, cuts, history = [], approvals } = options.start ?? {}
  const { seed = newSeed(), reconnect, interruption } = options
  const before = start({
    ...(conversation && cuts ? { conversation, cuts } : {}),
    reconnect,
    seed,
    interruption,
  })
  const subscribed = registry<() => void>((stage, listener) => stage.subscribe(listener))
  const observed = registry<(entry: TraceEntry) => void>((stage, listener) => stage.door.observe(listener))
  const held = holding()
  const behind = late(
    () => import('./backstage.ts'),
    ({ backstage }) => {
      const made = backstage(agent, { ...options, seed }, transport, given)
      subscribed.moveTo(made)
      observed.moveTo(made)
      return made
    },
    given.events.report,
  )
  const { load, later, unlessClosed } = behind
  let isMuted = false

  function registry<Listener extends (...args: never[]) => void>(
    join: (stage: Stage<Context>, listener: Listener) => () => void,
  ) {
    const listeners = new Map<symbol, { readonly listener: Listener; leave: (() => void) | null }>()
    return {
      add(listener: Listener): () => void {
        const key = Symbol()
        const entry = { listener, leave: behind.here && join(behind.here, listener) }
        listeners.set(key, entry)
        return () => {
          entry.leave?.()
          listeners.delete(key)
        }
      },
      tell(...args: Parameters<Listener>): void {
        for (const { listener } of listeners.values()) attempt(() => listener(...args), given.events.report)
      },
      moveTo(stage: Stage<Context>): void {
        for (const entry of listeners.values()) entry.leave = join(stage, entry.listener)
      },
    }
  }

  // The stage listens for itself.
  transport.media?.subscribe(() => behind.here || subscribed.tell())

  /** One that was ended before it could be asked for is asked for no more. */
  function replyLater(wishes: ReplyOptions, id: string): Reply {
    let isEnded = false
    const asked = new Promise<Reply>((resolve, reject) =>
      later((stage) => {
        if (isEnded) return
        try {
          resolve(stage.reply(wishes, id))
        } catch (error) {
          reject(error)
          throw error
        }
      }),
    )
    const coming = unlessClosed(
      asked,
      (reply) => reply,
      () => {
        isEnded = true
        return new ReplyError('closed', 'The session ended before the reply did.', { cause: null })
      },
    )
    return lateReply(id, coming)
  }

  return {
    door: {
      get state() {
        return behind.here?.door.state ?? before
      },
      feed: (input) => later(({ door }) => door.feed(input)),
      observe: observed.add,
    },
    get agent() {
      return behind.here?.agent ?? agent
    },
    get history() {
      return behind.here?.history ?? history
    },
    approvals: {
      get waiting() {
        return behind.here?.approvals.waiting ?? []
      },
      decide(item, ...verdict) {
        if (!behind.here) throw noApproval(item.callId)
        behind.here.approvals.decide(item, ...verdict)
      },
    },
    get availableMcpTools() {
      return behind.here?.availableMcpTools ?? []
    },
    microphone: {
      use: (policy) => later(({ microphone }) => microphone.use(policy)),
      beginTurn: () => later(({ microphone }) => microphone.beginTurn()),
      endTurn() {
        if (behind.here) return behind.here.microphone.endTurn()
        later(({ microphone }) => microphone.endTurn())
        return !held.isEmpty
      },
      sendAudio(audio, commit) {
        if (behind.here) return behind.here.microphone.sendAudio(audio, commit)
        requireBytes(audio)
        const copy = held.copy(audio)
        if (copy) later(({ microphone }) => microphone.sendAudio(copy, commit))
        return copy !== null
      },
      get muted() {
        return behind.here?.microphone.muted ?? isMuted
      },
    },
    mute(muted) {
      if (!behind.here && transport.carriesAudio) transport.mute?.(muted)
      if (!behind.here) options.audio?.mute(muted)
      const isNew = isMuted !== muted
      isMuted = muted
      later((stage) => stage.mute(muted))
      if (!behind.here && isNew) subscribed.tell()
    },
    open: (...how) =>
      unlessClosed(
        load(),
        (stage) => stage.open(...how),
        () => new UserError('It was closed while it was connecting.'),
      ),
    close() {
      behind.close()
      if (behind.here || behind.isAwaited) later((stage) => stage.close())
    },
    interrupt: () => later((stage) => stage.interrupt()),
    say: (...said) => later((stage) => stage.say(...said)),
    reply(wishes, id = newId('reply_', Math.random)) {
      return behind.here ? behind.here.reply(wishes, id) : replyLater(wishes, id)
    },
    drained: async () => behind.here?.drained(),
    become: async (...next) => (await load()).become(...next),
    configure: async (change) => (await load()).configure(change),
    edit: (items) => later((stage) => stage.edit(items)),
    initialConfig: async (overrides) => (await load()).initialConfig(overrides),
    save: () => behind.here?.save() ?? { version: 1, history, ...(approvals === undefined ? {} : { approvals }) },
    subscribe: subscribed.add,
    measure: () => later((stage) => stage.measure()),
  }
}
