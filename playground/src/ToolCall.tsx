import type { RealtimeToolCallItem } from 'parley-voice'
import { type ReactNode, useEffect, useId, useRef } from 'react'

interface ToolCallProps {
  readonly item: RealtimeToolCallItem
  /** Decides on the call, which waits; null where it does not. */
  readonly decide: ((isApproved: boolean) => void) | null
}

/** A call of a tool and what it answered; a handoff; or a call that waits for the user. */
export function ToolCall({ item, decide }: ToolCallProps): ReactNode {
  const id = useId()
  const summary = useRef<HTMLElement>(null)
  const isDecidedHere = useRef(false)
  const waits = decide !== null
  /** The buttons go with the decision: the keyboard goes on from the call that was decided on. */
  useEffect(() => {
    if (!waits && isDecidedHere.current) summary.current?.focus()
  }, [waits])
  const decided = (isApproved: boolean) => {
    isDecidedHere.current = true
    decide?.(isApproved)
  }
  const agent = /^transfer_to_(.+)$/.exec(item.name)?.[1]?.replaceAll('_', ' ')
  if (agent)
    return (
      <li className="handoff">
        {item.output === null ? 'Handing over to' : 'Handed over to'} {agent}
      </li>
    )
  if (waits)
    return (
      <li className="approval">
        <section aria-labelledby={id}>
          <h3 id={id}>Allow {sentence(item.name)}?</h3>
          <Fields json={item.arguments} />
          <div className="decision">
            <button type="button" className="primary" onClick={() => decided(true)}>
              Approve
            </button>
            <button type="button" onClick={() => decided(false)}>
              Reject
            </button>
          </div>
        </section>
      </li>
    )
  return (
    <li className="tool">
      <details>
        <summary ref={summary}>
          <span className="name">{sentence(item.name)}</span>
          <span className="brief">{briefly(item.arguments)}</span>
          <span className="quiet">{item.output === null ? 'running…' : 'done'}</span>
        </summary>
        <h4>Asked with</h4>
        <Fields json={item.arguments} />
        <h4>Answered</h4>
        {item.output === null ? <p className="quiet">not yet</p> : <Fields json={item.output} />}
      </details>
    </li>
  )
}

/** The agent that a call hands over to, where it is a handoff that did not fail. */
export function handedTo({ name, output }: RealtimeToolCallItem): string | null {
  const agent = /^transfer_to_(.+)$/.exec(name)?.[1]?.replaceAll('_', ' ')
  const isRefused = output !== null && !isFields(parsed(output))
  return agent === undefined || isRefused ? null : agent
}

function sentence(name: string): string {
  return name.replaceAll('_', ' ')
}

function briefly(json: string): string {
  const value = parsed(json)
  return isFields(value) ? Object.values(value).map(plain).join(', ') : ''
}

function Fields({ json }: { readonly json: string }): ReactNode {
  const value = parsed(json)
  if (!isFields(value) || Array.isArray(value)) return <pre>{typeof value === 'string' ? value : indented(value)}</pre>
  if (!Object.keys(value).length) return <p className="quiet">nothing</p>
  return (
    <dl>
      {Object.entries(value).map(([name, one]) => (
        <div key={name}>
          <dt>{sentence(name)}</dt>
          <dd>{plain(one)}</dd>
        </div>
      ))}
    </dl>
  )
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : indented(value)
}

function indented(value: unknown): string {
  return JSON.stringify(value, null, 2)
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return json
  }
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
