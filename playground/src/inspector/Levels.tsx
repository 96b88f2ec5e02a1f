import type { ReactNode } from 'react'
import type { Log } from './log.ts'
import { seconds } from './numbers.ts'
import { loudest, type Side, windowMs } from './strips.ts'

interface LevelsProps {
  readonly log: Log
  /** Of a call that goes on, the last half minute is shown. */
  readonly isLive: boolean
  /** The moment that is looked at, in ms of the session's clock. */
  readonly now: number | null
}

const parts = 180
const names: Readonly<Record<Side, string>> = { input: 'You', output: 'Agent' }

/** How loud both were, over time. */
export function Levels({ log, isLive, now }: LevelsProps): ReactNode {
  const { strips, begin, entries } = log
  const last = Math.max(strips.until, isLive ? 0 : (entries.at(-1)?.at ?? 0))
  const end = isLive ? Math.max(last, begin + windowMs) : last
  const from = isLive ? Math.max(begin, end - windowMs) : begin
  const isEmpty = strips.input.length + strips.output.length === 0
  return (
    <section className="pane levels" aria-labelledby="levels">
      <h2 id="levels">Levels</h2>
      {isEmpty ? (
        <p className="quiet">
          {isLive || entries.length === 0
            ? 'How loud you and the agent are stands here while you talk.'
            : 'This call has no audio among its events: over WebRTC it flows beside them.'}
        </p>
      ) : (
        <>
          {(['input', 'output'] as const).map((side) => (
            <div className="strip" key={side} data-side={side}>
              <span>{names[side]}</span>
              <svg
                viewBox={`0 0 ${parts} 20`}
                preserveAspectRatio="none"
                role="img"
                aria-label={`Level of ${names[side]}`}
              >
                <path d={pathOf(loudest(strips[side], from, end, parts))} />
                {now !== null && <line x1={at(now)} x2={at(now)} y1="0" y2="20" vectorEffect="non-scaling-stroke" />}
              </svg>
            </div>
          ))}
          <p className="scale quiet">
            <span>{seconds(from - begin)} s</span>
            <span>{seconds(end - begin)} s</span>
          </p>
        </>
      )}
    </section>
  )

  function at(ms: number): number {
    return (parts * (ms - from)) / Math.max(1, end - from)
  }
}

/** Bars around the middle. A voice is about a fifth as loud as could be: the root makes it legible. */
function pathOf(levels: readonly number[]): string {
  return levels
    .map((level, n) => {
      const half = Math.max(0.25, Math.sqrt(level) * 10)
      return `M${n} ${(10 - half).toFixed(2)}h0.7v${(2 * half).toFixed(2)}h-0.7z`
    })
    .join('')
}
