/** Stands between a session and the components that read it: one for each provider. It makes the session when it is asked for. */
import type { RealtimeSession } from '../agents/session.ts'
import { UserError } from '../protocol/errors.ts'
import type { TurnMetrics } from '../session/metrics.ts'
import { type Cause, ConnectionError, type ConnectOptions } from '../session/transport.ts'
import { type Levels, levels } from './levels.ts'

/**
 * `idle`: nobody has connected yet. `connecting`: until `connect()` settles, with all its attempts. `reconnecting`: the
 * line was lost and is dialed again. `closed`: for good, until somebody connects again; `cause` says why.
 */
export type Status = 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'closed'

export interface Store {
  /** Made by the first who asks. */
  readonly session: RealtimeSession
  readonly status: Status
  /** Why there is no line. */
  readonly cause: Cause | null
  readonly metrics: readonly TurnMetrics[]
  readonly levels: Levels
  connect(options?: ConnectOptions): Promise<void>
  close(): void
  subscribe(listener: () => void): () => void
  /** The provider is there. Returns what is to be called when it is not any more. */
  mounted(): () => void
}

/** Turns whose metrics are kept. */
const mostMeasured = 200

/** `isOurs`: the session ends with its provider. */
export function storeOf(make: () => RealtimeSession, isOurs: boolean): Store {
  const listeners = new Set<() => void>()
  let made: RealtimeSession | null = null
  let mounts = 0
  let gone = false
  let begun = false
  let wasLive = false
  let connecting: Promise<void> | null = null
  let failure: Cause | null = null
  let metrics: readonly TurnMetrics[] = []

  const session = () => (made ??= make())

  function tell(): void {
    for (const listener of listeners) listener()
  }

  function changed(): void {
    const { at } = session().state.link
    wasLive = at === 'live' || (wasLive && at !== 'closed')
    tell()
  }

  function measured(turn: TurnMetrics): void {
    metrics = [...metrics.slice(1 - mostMeasured), turn]
    tell()
  }

  /** Two who connect at once, or one under StrictMode, make one connection. */
  function connect(options?: ConnectOptions): Promise<void> {
    if (gone) return shown(Promise.reject(new UserError('The RealtimeProvider of this session is not there any more.')))
    if (connecting) return connecting
    if (session().state.link.at !== 'closed') return Promise.resolve()
    const mine = shown(session().connect(options))
    const settled = (cause: Cause | null) => {
      if (connecting !== mine) return
      connecting = null
      failure = cause
      tell()
    }
    begun = true
    failure = null
    connecting = mine
    mine.then(
      () => settled(null),
      (error) => settled(causeOf(error)),
    )
    tell()
    return mine
  }

  function close(): void {
    if (connecting) failure = causeOf(new UserError('It was closed while it was connecting.'))
    connecting = null
    session().close()
    tell()
  }

  function mounted(): () => void {
    const mine = session()
    mounts++
    gone = false
    const unsubscribe = mine.subscribe(changed)
    mine.on('agent_handoff', tell).on('metrics', measured)
    changed()
    return () => {
      mounts--
      unsubscribe()
      mine.off('agent_handoff', tell).off('metrics', measured)
      if (isOurs) queueMicrotask(leave)
    }
  }

  /** StrictMode mounts again before this. */
  function leave(): void {
    if (mounts > 0) return
    gone = true
    close()
  }

  return {
    get session() {
      return session()
    },
    get status() {
      const link = made?.state.link
      if (!link) return 'idle'
      if (link.at === 'live') return 'connected'
      if (connecting) return 'connecting'
      if (link.at === 'closed') return begun || link.cause ? 'closed' : 'idle'
      return wasLive ? 'reconnecting' : 'connecting'
    },
    get cause() {
      const link = made?.state.link
      // What ended the call before is no news of the one that begins.
      if (!link || (connecting && link.at === 'closed')) return null
      return failure ?? ('cause' in link ? link.cause : null)
    },
    get metrics() {
      return metrics
    },
    levels: levels(() => made?.media?.levels()),
    connect,
    close,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    mounted,
  }
}

/** Its rejection is shown as the cause: who does not await it, misses nothing. */
function shown(connecting: Promise<void>): Promise<void> {
  connecting.catch(() => {})
  return connecting
}

function causeOf(error: unknown): Cause {
  if (error instanceof ConnectionError) return error.cause
  const reason = error instanceof Error ? error.message : String(error)
  return { reason, code: null, fatal: true, initiator: 'us' }
}
