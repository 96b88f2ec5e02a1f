import { useEffect, useInsertionEffect, useRef } from 'react'
import type { RealtimeAgent } from '../agents/agent.ts'
import type { RealtimeSessionEvents } from '../agents/events.ts'
import type { RealtimeSession } from '../agents/session.ts'
import type { TurnMetrics } from '../session/metrics.ts'
import type { Cause, ConnectOptions } from '../session/transport.ts'
import { type AgentState, agentStateOf } from './agent-state.ts'
import { useStore } from './provider.ts'
import type { Status } from './store.ts'
import { useSelected } from './use-selected.ts'

export interface Realtime {
  readonly session: RealtimeSession
  readonly status: Status
  /** Why there is no line: what was wrong with it, or with `connect()`. */
  readonly cause: Cause | null
  /**
   * Connects. While it connects, and while it is connected, another call joins in. A rejection is shown as `cause` too, so
   * that a click may leave it alone. It rejects when the provider goes meanwhile.
   */
  connect(options?: ConnectOptions): Promise<void>
  /** Ends the call; `connect()` goes on from there. */
  close(): void
  readonly sendMessage: RealtimeSession['sendMessage']
  /** Silences the agent. */
  interrupt(): void
}

/** The session of the provider above, its line, and what can be done with it. */
export function useRealtime(): Realtime {
  const store = useStore()
  const status = useSelected(
    (store) => store.status,
    () => 'idle' as const,
  )
  const cause = useSelected((store) => store.cause, nothing)
  return {
    get session() {
      return store.session
    },
    status,
    cause,
    connect: store.connect,
    close: store.close,
    sendMessage: (...said) => store.session.sendMessage(...said),
    interrupt: () => store.session.interrupt(),
  }
}

/** Listens to an event of the session. `listener` may be another at each render: the last one is called. */
export function useRealtimeEvent<Name extends keyof RealtimeSessionEvents<unknown>>(
  name: Name,
  listener: (...args: RealtimeSessionEvents<unknown>[Name]) => unknown,
): void {
  const store = useStore()
  const latest = useRef(listener)
  useInsertionEffect(() => {
    latest.current = listener
  })
  useEffect(() => {
    const { session } = store
    const listen = (...args: RealtimeSessionEvents<unknown>[Name]) => latest.current(...args)
    session.on(name, listen)
    return () => void session.off(name, listen)
  }, [store, name])
}

/** What the agent does. */
export function useAgentState(): AgentState {
  return useSelected(agentStateOf, () => 'idle' as const)
}

/** Who speaks: another after a handoff. Null on a server. */
export function useCurrentAgent(): RealtimeAgent | null {
  return useSelected<RealtimeAgent | null>(({ session }) => session.currentAgent, nothing)
}

/** How long each turn took, oldest first: the last 200 since the provider is there. */
export function useMetrics(): readonly TurnMetrics[] {
  return useSelected(({ metrics }) => metrics, none)
}

const noTurns: readonly TurnMetrics[] = []
const none = () => noTurns
const nothing = () => null
