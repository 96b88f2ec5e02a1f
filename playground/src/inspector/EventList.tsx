import { type KeyboardEvent, type ReactNode, useEffect, useId, useLayoutEffect, useRef, useState } from 'react'
import type { Direction, Entry } from './events.ts'
import type { Filter, Rows } from './filter.ts'
import { seconds } from './numbers.ts'

interface EventListProps {
  readonly rows: Rows
  /** What the rows passed. */
  readonly filter: Filter
  /** When the call began. */
  readonly begin: number
  /** The place in the call of the event that is looked at. */
  readonly selected: number | null
  readonly select: (n: number) => void
  readonly open: () => void
  /** Returns whether there was something to close. */
  readonly close: () => boolean
  /** More may come. */
  readonly isLive: boolean
  /** Said where there are no rows. */
  readonly empty: string
}

export const rowHeight = 30
/** Rows that are there above and below those in view. */
const spare = 6

const arrows: Readonly<Record<Direction, string>> = { in: '←', out: '→', local: '·' }
export const directions: Readonly<Record<Direction, string>> = { in: 'received', out: 'sent', local: 'here' }

/** A list of any length: only the rows in view are in the page. The newest is kept in view, unless somebody reads above. */
export function EventList({
  rows,
  filter,
  begin,
  selected,
  select,
  open,
  close,
  isLive,
  empty,
}: EventListProps): ReactNode {
  const id = useId()
  const box = useRef<HTMLDivElement>(null)
  const isAtEnd = useRef(true)
  const [isAway, setIsAway] = useState(false)
  const [{ top, height }, setView] = useState({ top: 0, height: 0 })
  const first = Math.max(0, Math.min(top - spare, rows.length - 1))
  const shown = Array.from({ length: Math.ceil(height / rowHeight) + 2 * spare }, (_, n) => rows.at(first + n))
  const row = selected === null ? -1 : rows.rowOf(selected)

  const latest = useRef(row)
  latest.current = row

  const look = () => {
    const { scrollTop, clientHeight, scrollHeight } = box.current!
    if (clientHeight === 0) return
    isAtEnd.current = scrollHeight - scrollTop - clientHeight < rowHeight
    setIsAway(!isAtEnd.current)
    const next = { top: Math.floor(scrollTop / rowHeight), height: clientHeight }
    setView((view) => (view.top === next.top && view.height === next.height ? view : next))
  }
  const reveal = (row: number) => {
    const list = box.current!
    if (row < 0 || list.clientHeight === 0) return
    const [above, below] = [row * rowHeight, (row + 1) * rowHeight - list.clientHeight]
    const isFar = list.scrollTop > above + rowHeight || list.scrollTop < below - rowHeight
    if (isFar) list.scrollTop = (above + below) / 2
    else if (list.scrollTop > above) list.scrollTop = above
    else if (list.scrollTop < below) list.scrollTop = below
    look()
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: it looks at the box, which stays
  useEffect(() => {
    const list = box.current!
    const resized = new ResizeObserver(() => {
      if (latest.current >= 0) reveal(latest.current)
      else if (isLive && isAtEnd.current) list.scrollTop = list.scrollHeight
      look()
    })
    resized.observe(list)
    return () => resized.disconnect()
  }, [])
  useLayoutEffect(() => {
    if (isLive && isAtEnd.current) box.current!.scrollTop = box.current!.scrollHeight
  })
  // How many rows there is room for is known before the first of them is seen.
  useLayoutEffect(look, [])
  // biome-ignore lint/correctness/useExhaustiveDependencies: it scrolls when another event is selected, or others are shown
  useLayoutEffect(() => reveal(row), [selected, filter])

  const go = (to: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, to))
    const entry = rows.at(next)
    if (!entry) return
    select(entry.n)
    reveal(next)
  }
  const press = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const page = Math.max(1, Math.floor(height / rowHeight) - 1)
    const from = row < 0 ? Math.min(rows.length, top + Math.floor(height / rowHeight)) : row
    const to = destination(event.key, from, page, rows.length)
    const isUsed = to !== null || (isOpening(event.key) && row >= 0) || (event.key === 'Escape' && close())
    if (!isUsed) return
    if (to !== null) go(to)
    else if (isOpening(event.key)) open()
    event.preventDefault()
    event.stopPropagation()
  }

  return (
    <div className="events-list">
      <div
        ref={box}
        className="events-box"
        role="listbox"
        aria-label="Events"
        tabIndex={0}
        aria-activedescendant={shown.some((entry) => entry?.n === selected) ? `${id}-${selected}` : undefined}
        onScroll={look}
        onKeyDown={press}
      >
        {rows.length === 0 && <p className="events-empty">{empty}</p>}
        <div style={{ height: rows.length * rowHeight }} role="presentation">
          <div style={{ transform: `translateY(${first * rowHeight}px)` }} role="presentation">
            {shown.map(
              (entry, n) =>
                entry && (
                  <Row
                    key={entry.n}
                    id={`${id}-${entry.n}`}
                    entry={entry}
                    position={first + n + 1}
                    count={rows.length}
                    begin={begin}
                    isSelected={entry.n === selected}
                    choose={() => {
                      select(entry.n)
                      open()
                    }}
                  />
                ),
            )}
          </div>
        </div>
      </div>
      {isAway && isLive && (
        <button
          type="button"
          className="newest"
          onClick={() => {
            box.current!.scrollTop = box.current!.scrollHeight
          }}
        >
          Newest ↓
        </button>
      )}
    </div>
  )
}

function destination(key: string, from: number, page: number, count: number): number | null {
  if (key === 'ArrowUp') return from - 1
  if (key === 'ArrowDown') return from + 1
  if (key === 'PageUp') return from - page
  if (key === 'PageDown') return from + page
  if (key === 'Home') return 0
  return key === 'End' ? count - 1 : null
}

function isOpening(key: string): boolean {
  return key === 'Enter' || key === ' '
}

interface RowProps {
  readonly id: string
  readonly entry: Entry
  readonly position: number
  readonly count: number
  readonly begin: number
  readonly isSelected: boolean
  readonly choose: () => void
}

function Row({ id, entry, position, count, begin, isSelected, choose }: RowProps): ReactNode {
  const { at, direction, type, gist, isPiece } = entry
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list box takes the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the list box has the focus, and names the option that is active
    <div
      id={id}
      className="event"
      role="option"
      aria-selected={isSelected}
      aria-posinset={position}
      aria-setsize={count}
      data-direction={direction}
      data-piece={isPiece}
      onClick={choose}
    >
      <span className="event-at">{seconds(at - begin)}</span>
      <span className="event-arrow" role="img" aria-label={directions[direction]} title={directions[direction]}>
        {arrows[direction]}
      </span>
      <span className="event-type">{type}</span>
      <span className="event-gist">{gist.slice(0, 200)}</span>
    </div>
  )
}
