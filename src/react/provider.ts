import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useInsertionEffect,
  useMemo,
  useRef,
} from 'react'
import type { AnyAgent } from '../agents/agent-shapes.ts'
import type { RealtimeSessionOptions } from '../agents/options.ts'
import { RealtimeSession } from '../agents/session.ts'
import { UserError } from '../protocol/errors.ts'
import { type Store, storeOf } from './store.ts'

export type RealtimeProviderProps<Context = unknown> = { readonly children?: ReactNode } & (
  | {
      /** Who speaks first. Another agent, known by another `name`, takes over; a new object of the same name changes nothing. */
      readonly agent: AnyAgent<Context>
      /** Read when the session is made; functions among them are always those of the last render. */
      readonly options?: RealtimeSessionOptions<Context>
      readonly session?: undefined
      readonly createSession?: undefined
    }
  | {
      /** Makes the session, once; it is closed with the provider. */
      readonly createSession: () => RealtimeSession<Context>
      readonly session?: undefined
      readonly agent?: undefined
      readonly options?: undefined
    }
  | {
      /** The app's own: it is used, and never closed. */
      readonly session: RealtimeSession<Context>
      readonly createSession?: undefined
      readonly agent?: undefined
      readonly options?: undefined
    }
)

const Held = createContext<Store | null>(null)

/**
 * Gives one session to all below it. It is made when it is first asked for, stays the same through every render, and is
 * closed when the provider goes; nothing connects before somebody calls `connect()`.
 */
export function RealtimeProvider<Context = unknown>(props: RealtimeProviderProps<Context>): ReactNode {
  const { agent, session, children } = props
  const latest = useRef(props)
  useInsertionEffect(() => {
    latest.current = props
  })
  const store = useMemo(
    () => storeOf(() => (session ?? made(latest)) as unknown as RealtimeSession, session === undefined),
    [session],
  )
  useEffect(() => store.mounted(), [store])
  useAgentOf(store, agent as AnyAgent<unknown> | undefined)
  return createElement(Held.Provider, { value: store }, children)
}

/** The store of the provider above. */
export function useStore(): Store {
  const store = useContext(Held)
  if (!store) throw new UserError('There is no session here: put this component into a <RealtimeProvider>.')
  return store
}

function made<Context>(latest: { readonly current: RealtimeProviderProps<Context> }): RealtimeSession<Context> {
  const { agent, options = {}, createSession } = latest.current
  if (createSession) return createSession()
  const latestOf = ([name, value]: [string, unknown]) => {
    if (typeof value !== 'function') return [name, value]
    const call = (...args: readonly unknown[]): unknown => {
      const { [name]: last = value } = (latest.current.options ?? {}) as Readonly<Record<string, unknown>>
      return (last as typeof call)(...args)
    }
    return [name, call]
  }
  return new RealtimeSession(agent!, Object.fromEntries(Object.entries(options).map(latestOf)) as never)
}

/** An agent is known by its name: one that is made anew at each render is the same. */
function useAgentOf(store: Store, agent: AnyAgent<unknown> | undefined): void {
  const name = agent?.name
  const applied = useRef(name)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another object of the same name is the same agent
  useEffect(() => {
    if (!agent || applied.current === name) return
    applied.current = name
    store.session.updateAgent(agent).catch((error) => console.error('The agent was not changed:', error))
  }, [name])
}
