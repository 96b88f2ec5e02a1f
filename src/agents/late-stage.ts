/**
 * A stage that is loaded when the session is connected, so that a page that shows a button loads little. What is asked of
 * it before is done then, in order; nothing has been said until then, and nothing sounds.
 */
import { UserError } from '../protocol/errors.ts'
import { newId } from '../protocol/ids.ts'
import { newSeed } from '../session/clock.ts'
import type { TraceEntry } from '../session/observing.ts'
import { start } from '../session/state.ts'
import { ConnectionError, type Transport } from '../session/transport.ts'
import { type AnyAgent, agentOf } from './agent-shapes.ts'
import { lateReply } from './late-reply.ts'
import { noApproval, requireBytes } from './misuse.ts'
import type { RealtimeSessionOptions } from './options.ts'
import type { Reply, ReplyOptions } from './replies.ts'
import { ReplyError } from './reply-error.ts'
import type { Given, Stage } from './stage.ts'

/** Bytes of microphone audio that wait for a stage: fifteen seconds of PCM16 at 24 kHz, as they do for a line. */
const mostHeld = 720_000

export function lateStage<Context>(
  first: AnyAgent<Context>,
  options: RealtimeSessionOptions<Context>,
  transport: Transport,
  given: Given<Context>,
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
  const waiting: ((stage: Stage<Context>) => void)[] = []
  const subscribed = registry<() => void>((stage, listener) => stage.subscribe(listener))
  const observed = registry<(entry: TraceEntry) => void>((stage, listener) => stage.door.observe(listener))
  let here: Stage<Context> | null = null
  let loading: Promise<Stage<Context>> | null = null
  let isMuted = false
  let held = 0
  /** What `close()` ends: each `connect()` and each reply that waits. */
  const ends = new Set<() => void>()

  function load(): Promise<Stage<Context>> {
    loading ??= import('./stage.ts').then(({ stage }) => {
      const made = stage(agent, { ...options, seed }, transport, given)
      here = made
      subscribed.moveTo(made)
      observed.moveTo(made)
      for (const run of waiting.splice(0)) attempt(() => run(made))
      return made
    }, failedToLoad)
    return loading
  }

  function failedToLoad(error: unknown): never {
    loading = null
    const reason = `A part of Parley could not be loaded: ${error instanceof Error ? error.message : error}`
    throw new ConnectionError({ reason, code: null, fatal: false, initiator: 'network' })
  }

  /** Done at once where there is a stage, else when there is one. */
  function later(run: (stage: Stage<Context>) => void): void {
    if (here) run(here)
    else waiting.push(run)
  }

  /** What was asked for long ago can only be told of as an event. */
  function attempt(run: () => void): void {
    try {
      run()
    } catch (error) {
      given.events.report(error)
    }
  }

  function registry<Listener extends (...args: never[]) => void>(
    join: (stage: Stage<Context>, listener: Listener) => () => void,
  ) {
    const listeners = new Map<symbol, { readonly listener: Listener; leave: (() => void) | null }>()
    return {
      add(listener: Listener): () => void {
        const key = Symbol()
        const entry = { listener, leave: here && join(here, listener) }
        listeners.set(key, entry)
        return () => {
          entry.leave?.()
          listeners.delete(key)
        }
      },
      tell(...args: Parameters<Listener>): void {
        for (const { listener } of listeners.values()) attempt(() => listener(...args))
      },
      moveTo(stage: Stage<Context>): void {
        for (const entry of listeners.values()) entry.leave = join(stage, entry.listener)
      },
    }
  }

  /** Settles with the work, or rejects when the session is closed before. */
  function unlessClosed<T>(work: Promise<T>, error: () => Error): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const end = () => reject(error())
      ends.add(end)
      work.then(resolve, reject).finally(() => ends.delete(end))
    })
  }

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
    const coming = unlessClosed(asked, () => {
      isEnded = true
      return new ReplyError('closed', 'The session ended before the reply did.', { cause: null })
    })
    return lateReply(id, coming)
  }

  return {
    door: {
      get state() {
        return here?.door.state ?? before
      },
      feed: (input) => later(({ door }) => door.feed(input)),
      observe: observed.add,
    },
    get agent() {
      return here?.agent ?? agent
    },
    get history() {
      return here?.history ?? history
    },
    approvals: {
      get waiting() {
        return here?.approvals.waiting ?? []
      },
      decide(item, ...verdict) {
        if (!here) throw noApproval(item.callId)
        here.approvals.decide(item, ...verdict)
      },
    },
    get availableMcpTools() {
      return here?.availableMcpTools ?? []
    },
    microphone: {
      use: (policy) => later(({ microphone }) => microphone.use(policy)),
      beginTurn: () => later(({ microphone }) => microphone.beginTurn()),
      endTurn() {
        if (here) return here.microphone.endTurn()
        later(({ microphone }) => microphone.endTurn())
        return held > 0
      },
      sendAudio(audio, commit) {
        if (here) return here.microphone.sendAudio(audio, commit)
        requireBytes(audio)
        if (held > mostHeld) return false
        held += audio.byteLength
        const copy = (ArrayBuffer.isView(audio) ? audio.buffer : audio).slice(...rangeOf(audio))
        later(({ microphone }) => microphone.sendAudio(copy as ArrayBuffer, commit))
        return true
      },
      get muted() {
        return here?.microphone.muted ?? isMuted
      },
    },
    mute(muted) {
      if (!here && transport.carriesAudio) transport.mute?.(muted)
      if (!here) options.audio?.mute(muted)
      const isNew = isMuted !== muted
      isMuted = muted
      later((stage) => stage.mute(muted))
      if (!here && isNew) subscribed.tell()
    },
    async open(...how) {
      const stage = await unlessClosed(load(), () => new UserError('It was closed while it was connecting.'))
      return stage.open(...how)
    },
    close() {
      for (const end of ends) end()
      ends.clear()
      if (here || waiting.length) later((stage) => stage.close())
    },
    interrupt: () => later((stage) => stage.interrupt()),
    say: (...said) => later((stage) => stage.say(...said)),
    reply(wishes, id = newId('reply_', Math.random)) {
      return here ? here.reply(wishes, id) : replyLater(wishes, id)
    },
    drained: async () => here?.drained(),
    become: async (...next) => (await load()).become(...next),
    configure: async (change) => (await load()).configure(change),
    edit: (items) => later((stage) => stage.edit(items)),
    initialConfig: async (overrides) => (await load()).initialConfig(overrides),
    save: () => here?.save() ?? { version: 1, history, ...(approvals === undefined ? {} : { approvals }) },
    subscribe: subscribed.add,
    measure: () => later((stage) => stage.measure()),
  }
}

function rangeOf(audio: ArrayBuffer | ArrayBufferView): readonly [number, number] {
  const from = ArrayBuffer.isView(audio) ? audio.byteOffset : 0
  return [from, from + audio.byteLength]
}
