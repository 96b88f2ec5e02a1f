import { type KeyboardEvent, type ReactNode, type RefObject, useDeferredValue, useRef, useState } from 'react'
import { Detail } from './Detail.tsx'
import { directions, EventList } from './EventList.tsx'
import type { Direction } from './events.ts'
import { everything, type Filter, type Sieve, sieve } from './filter.ts'
import type { Log } from './log.ts'
import type { Opened } from './opening.ts'

interface EventsProps {
  readonly log: Log
  readonly opened: Opened | null
  readonly selected: number | null
  readonly select: (n: number) => void
  readonly search: RefObject<HTMLInputElement | null>
}

/** The time line, what is shown of it, and one event in full. */
export function Events({ log, opened, selected, select, search }: EventsProps): ReactNode {
  const [filter, setFilter] = useState<Filter>(everything)
  const [isOpen, setIsOpen] = useState(false)
  const deferred = useDeferredValue(filter)
  const kept = useRef<Sieve>(null)
  kept.current ??= sieve()
  const rows = kept.current.rows(log, deferred)
  const entry = selected === null ? undefined : log.entries[selected - log.left]
  const pane = useRef<HTMLElement>(null)
  const close = () => {
    setIsOpen(false)
    return isOpen
  }
  /** The keyboard goes on from the event that was looked at. */
  const closeDetail = () => {
    close()
    pane.current?.querySelector<HTMLElement>('[role=listbox]')?.focus()
  }
  const leave = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || !(filter.text || isOpen)) return
    event.stopPropagation()
    if (filter.text) setFilter({ ...filter, text: '' })
    else close()
  }
  const isFiltered = filter !== everything && rows.length < log.entries.length
  return (
    <section ref={pane} className="pane events" aria-label="Time line" data-open={isOpen && entry !== undefined}>
      <search className="filter">
        <input
          ref={search}
          type="search"
          aria-label="Filter events"
          placeholder="Filter   /"
          value={filter.text}
          onChange={({ target }) => setFilter({ ...filter, text: target.value })}
          onKeyDown={leave}
        />
        <div className="chips">
          {(['in', 'out', 'local'] as const).map((direction) => (
            <Chip
              key={direction}
              label={directions[direction]}
              isOn={filter.directions[direction]}
              turn={(isOn) => setFilter(withDirection(filter, direction, isOn))}
            />
          ))}
          <Chip
            label="audio and deltas"
            isOn={!filter.isBrief}
            turn={(isOn) => setFilter({ ...filter, isBrief: !isOn })}
          />
          <span className="count" role={opened ? 'status' : undefined}>
            {isFiltered ? `${rows.length} of ${log.entries.length}` : `${log.entries.length} events`}
          </span>
        </div>
      </search>
      {log.left > 0 && <p className="aside">{log.left} older events are not shown any more. A saved call has them.</p>}
      <EventList
        rows={rows}
        filter={deferred}
        begin={log.begin}
        selected={selected}
        select={select}
        open={() => setIsOpen(true)}
        close={close}
        isLive={!opened}
        empty={log.entries.length ? 'No event passes the filter.' : 'Nothing has happened yet. Start talking, or type.'}
      />
      {isOpen && entry && (
        <Detail entry={entry} log={log} effects={opened?.steps[entry.n]?.effects} close={closeDetail} />
      )}
    </section>
  )
}

function withDirection(filter: Filter, direction: Direction, isOn: boolean): Filter {
  return { ...filter, directions: { ...filter.directions, [direction]: isOn } }
}

interface ChipProps {
  readonly label: string
  readonly isOn: boolean
  readonly turn: (isOn: boolean) => void
}

function Chip({ label, isOn, turn }: ChipProps): ReactNode {
  return (
    <label className="chip">
      <input type="checkbox" checked={isOn} onChange={({ target }) => turn(target.checked)} />
      {label}
    </label>
  )
}
