import type { TurnMetrics } from 'parley-voice'
import { memo, type NamedExoticComponent, type ReactNode, useState } from 'react'
import { inMs, seconds } from './numbers.ts'
import { type Median, mediansOf, waterfallOf } from './turns.ts'

interface TurnsProps {
  readonly turns: readonly TurnMetrics[]
  /** How many there are: the list itself grows. */
  readonly count: number
  readonly begin: number
  /** They are of a call of this page. */
  readonly isOwn: boolean
  /** Goes to this moment of the time line. */
  readonly goTo: (at: number) => void
}

const kinds = { speech: 'spoken', text: 'written', app: 'asked for by the app' }
/** Older ones are shown when they are asked for. */
const most = 20

/** Where the time of each turn went, newest first, and what is usual. */
export const Turns: NamedExoticComponent<TurnsProps> = memo(
  ({ turns, count, begin, isOwn, goTo }: TurnsProps): ReactNode => {
    const [isAll, setIsAll] = useState(false)
    const shown = turns.map((turn, n) => ({ turn, n })).slice(isAll ? 0 : -most)
    const users = turns.filter(({ by }) => by !== 'app').length
    return (
      <section className="pane turns" aria-labelledby="turns">
        <h2 id="turns">Turns</h2>
        {count === 0 ? (
          <p className="quiet">How long each answer took stands here when it is over.</p>
        ) : (
          <>
            <p className="quiet">
              {users === 1 ? 'Median of the one turn' : `Medians of ${users} turns`} that the user began, from the end
              of what was said
            </p>
            <dl className="medians">
              {mediansOf(turns)
                .filter(isKnown)
                .map(({ name, ms }) => (
                  <div key={name}>
                    <dt>{name}</dt>
                    <dd>{inMs(ms)}</dd>
                  </div>
                ))}
            </dl>
            <ol className="waterfalls" reversed>
              {shown.toReversed().map(({ turn, n }) => (
                <Waterfall key={n} n={n} turn={turn} begin={begin} isOwn={isOwn} goTo={goTo} />
              ))}
            </ol>
            {shown.length < count && (
              <button type="button" onClick={() => setIsAll(true)}>
                Show all {count} turns
              </button>
            )}
          </>
        )}
      </section>
    )
  },
)

const isKnown = ({ ms }: Median) => ms !== null

interface WaterfallProps {
  readonly turn: TurnMetrics
  readonly n: number
  readonly begin: number
  readonly isOwn: boolean
  readonly goTo: (at: number) => void
}

const Waterfall = memo(({ turn, n, begin, isOwn, goTo }: WaterfallProps): ReactNode => {
  const fall = waterfallOf(turn, isOwn)
  const share = (ms: number) => `${(100 * ms) / fall.length}%`
  return (
    <li className="waterfall">
      <h3>
        <button type="button" onClick={() => goTo(fall.begin)} aria-label={`Turn ${n + 1}: show it on the time line`}>
          Turn {n + 1}
        </button>
        <span className="quiet">
          {kinds[turn.by]}, at {seconds(fall.begin - begin)} s
          {turn.linesLost > 0 && `, ${turn.linesLost === 1 ? 'a line' : `${turn.linesLost} lines`} lost`}
        </span>
      </h3>
      <table>
        <tbody>
          {fall.bars.map(({ name, kind, from, to, ms, note }, bar) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a turn that is over does not change
            <tr key={bar} data-kind={kind}>
              <th scope="row" title={name}>
                {name}
              </th>
              <td className="track" data-note={note !== ''}>
                {kind !== 'cut' && <i style={{ left: share(from), width: share(to - from) }} />}
                {note}
              </td>
              <td className="ms">{inMs(ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </li>
  )
})
