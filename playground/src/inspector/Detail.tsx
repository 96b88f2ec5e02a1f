import type { ReplayStep } from 'parley-voice/trace'
import type { ReactNode } from 'react'
import { directions } from './EventList.tsx'
import { type Entry, isFields, jsonOf } from './events.ts'
import type { Log } from './log.ts'
import { seconds } from './numbers.ts'

interface DetailProps {
  readonly entry: Entry
  readonly log: Log
  /** What the session then wanted done, where that is known. */
  readonly effects: ReplayStep['effects'] | undefined
  readonly close: () => void
}

export function Detail({ entry, log, effects, close }: DetailProps): ReactNode {
  const { type, direction, at, n } = entry
  const orders = (effects ?? []).map(named)
  const leave = (event: { readonly key: string; stopPropagation(): void }) => {
    if (event.key !== 'Escape') return
    event.stopPropagation()
    close()
  }
  return (
    <section className="detail" aria-label="Event in full" onKeyDown={leave}>
      <header>
        <h3>{type}</h3>
        <p>
          {directions[direction]} at {seconds(at - log.begin)} s, event {n + 1}
        </p>
        <button type="button" onClick={close} aria-label="Close the event">
          ✕
        </button>
      </header>
      {orders.length > 0 && <p className="orders">Then: {orders.join(', ')}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keyboard */}
      <section className="json" tabIndex={0} aria-label="The event as JSON">
        <pre>{jsonOf(entry)}</pre>
      </section>
    </section>
  )
}

function named(effect: ReplayStep['effects'][number]): string {
  if (effect.type === 'transmit') return `send ${effect.event.type}`
  if (effect.type === 'call') return `call ${effect.call.name}`
  if (effect.type === 'tell' && isFields(effect.notice)) return `tell ${effect.notice.type}`
  return effect.type
}
