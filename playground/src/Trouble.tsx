import type { Cause } from 'parley-voice'
import { type Status, useMicrophone, useRealtime, useRealtimeEvent } from 'parley-voice/react'
import { type ReactNode, useEffect, useState } from 'react'
import type { Call } from './call.ts'
import type { Renew } from './Room.tsx'

interface TroubleProps {
  /** Who was called. */
  readonly server: string
  readonly call: Call
  readonly retry: () => void
  readonly renew: Renew
}

/** What went wrong in a call that goes on. */
interface Refusal {
  readonly of: object
  readonly reason: string
}

/** Why there is no line, or no microphone, and what can be done. */
export function Trouble({ server, call, retry, renew }: TroubleProps): ReactNode {
  const { session, status, cause } = useRealtime()
  const { state, problem } = useMicrophone()
  const [refusal, setRefusal] = useState<Refusal | null>(null)
  const isAsked = useLasting(status === 'connecting' && state === 'asking')
  useRealtimeEvent('error', ({ error }) => setRefusal({ of: session, reason: reasonOf(error) }))
  const saved = () => (session.history.length ? { saved: session.save() } : {})

  if (isAsked)
    return (
      <div className="trouble asked" role="status">
        <p>Your browser asks whether this page may use the microphone. Allow it there, or type a message instead.</p>
      </div>
    )
  if (cause && (status === 'reconnecting' || status === 'connecting'))
    return (
      <div className="trouble" role="status">
        <p>{cause.reason}</p>
        <p>{status === 'connecting' ? 'Trying again…' : 'The conversation goes on when the line is back.'}</p>
      </div>
    )
  if (cause && isFailed(status, cause))
    return (
      <div className="trouble" role="alert">
        <h3>{titleOf(cause)}</h3>
        <p>{withoutTitle(cause.reason)}</p>
        {isOfMicrophone(cause) && <p>You can type a message meanwhile.</p>}
        {cause.initiator === 'network' && cause.code !== 'ice_failed' && (
          <p>Is {server} running, and can it be reached from here?</p>
        )}
        <div className="decision">
          <button type="button" className="primary" onClick={retry}>
            Try again
          </button>
          {call.mode === 'talk' && call.settings.transport !== 'websocket' && !isOfMicrophone(cause) && (
            <button type="button" onClick={() => renew({ mode: 'talk', ...saved() }, { transport: 'websocket' })}>
              Use WebSocket
            </button>
          )}
        </div>
      </div>
    )
  if (status === 'connected' && problem && state !== 'on')
    return (
      <div className="trouble" role="alert">
        <p>{problem}</p>
      </div>
    )
  if (refusal?.of === session)
    return (
      <div className="trouble" role="alert">
        <p>{refusal.reason}</p>
        <div className="decision">
          <button type="button" onClick={() => setRefusal(null)}>
            Dismiss
          </button>
        </div>
      </div>
    )
  return null
}

/** What is so for longer than it takes to see it. */
function useLasting(isSo: boolean): boolean {
  const [isLasting, setIsLasting] = useState(false)
  useEffect(() => {
    if (!isSo) return
    const timer = setTimeout(() => setIsLasting(true), 400)
    return () => {
      clearTimeout(timer)
      setIsLasting(false)
    }
  }, [isSo])
  return isSo && isLasting
}

/** The line ended, and nobody here wanted that. */
export function isFailed(status: Status, cause: Cause | null): boolean {
  return status === 'closed' && cause !== null && cause.code !== 'closed_by_us'
}

function isOfMicrophone({ code }: Cause): boolean {
  return typeof code === 'string' && code.startsWith('microphone')
}

const microphoneTitles: Readonly<Record<string, string>> = {
  microphone_denied: 'The microphone is not allowed',
  microphone_busy: 'The microphone is in use elsewhere',
  microphone_insecure: 'This page may not use a microphone',
  microphone_timeout: 'The microphone was not allowed',
}

function titleOf(cause: Cause): string {
  if (!isOfMicrophone(cause)) return 'There is no connection'
  return microphoneTitles[String(cause.code)] ?? 'There is no microphone'
}

/** The title says so already. */
function withoutTitle(reason: string): string {
  const rest = reason.replace(/^There is no connection: /, '')
  return rest.charAt(0).toUpperCase() + rest.slice(1)
}

/** The far end's word for what it refused; else what was thrown. */
function reasonOf(error: unknown): string {
  const { message } = (error ?? {}) as { readonly message?: unknown }
  return typeof message === 'string' ? message : String(error)
}
