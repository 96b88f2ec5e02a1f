/** The numbers of the waterfall, from what the session measured. */
import type { TurnMetrics } from 'parley-voice'

/**
 * One bar. `from` and `to`: ms from the beginning of the chart; `ms`: what is written beside it. What cut the answer off
 * (`cut`) has no bar: it may come long after.
 */
export interface Bar {
  readonly name: string
  readonly kind: 'wait' | 'tool' | 'cut'
  readonly from: number
  readonly to: number
  readonly ms: number | null
  readonly note: string
}

export interface Waterfall {
  readonly bars: readonly Bar[]
  /** How long the chart is, in ms. */
  readonly length: number
  /** When it begins, in ms of the session's clock. */
  readonly begin: number
}

/**
 * Each moment's bar begins at the moment before it, and its number counts from the end of what the user said. `isOwn`: a
 * call of this page, where nothing interrupts but who speaks, and who presses a key or a button.
 */
export function waterfallOf(turn: TurnMetrics, isOwn: boolean): Waterfall {
  const { latency } = turn
  const start = { speech: turn.speechEnd ?? turn.committed, text: turn.said, app: turn.asked ?? turn.created }[turn.by]
  const zero = start ?? turn.created ?? turn.tools[0]?.began ?? 0
  const begin = Math.min(zero, turn.userSilent ?? zero)
  const bars: Bar[] = []
  let last = zero
  const add = (name: string, to: number | null, ms: number | null) => {
    if (to === null || ms === null) return
    bars.push({ name, kind: 'wait', from: Math.min(last, to) - begin, to: to - begin, ms, note: '' })
    last = Math.max(last, to)
  }
  if (turn.userSilent !== null && latency.endpointing !== null)
    bars.push({ name: 'end of speech', kind: 'wait', from: 0, to: zero - begin, ms: latency.endpointing, note: '' })
  add('connected', turn.connected, latency.connected)
  add('committed', turn.committed, latency.committed)
  add('response created', turn.created, latency.created)
  add(turn.firstByte === null ? 'first word' : 'first byte', turn.firstByte ?? turn.firstWord, firstOf(turn))
  add('first sound', turn.firstAudible, latency.firstAudible)
  const end = Math.max(last, ...turn.tools.map(({ began, ended }) => ended ?? began))
  for (const { name, began, ended, approvalAsked, failed } of turn.tools) {
    const note = [approvalAsked === null ? '' : 'approval', failed ? 'failed' : '', ended === null ? 'not ended' : '']
    bars.push({
      name,
      kind: 'tool',
      from: began - begin,
      to: (ended ?? end) - begin,
      ms: ended === null ? null : ended - began,
      note: note.filter(Boolean).join(', '),
    })
  }
  const { interruption } = turn
  if (interruption)
    bars.push({
      name: 'interrupted',
      kind: 'cut',
      from: 0,
      to: 0,
      ms: latency.interruption,
      note: `${isOwn && interruption.by === 'app' ? 'by hand' : `by the ${interruption.by}`} at ${((interruption.at - zero) / 1000).toFixed(1)} s, silent after`,
    })
  return { bars, begin, length: Math.max(1, end - begin) }
}

function firstOf({ firstByte, latency }: TurnMetrics): number | null {
  return firstByte === null ? latency.firstWord : latency.firstByte
}

export interface Median {
  readonly name: string
  readonly ms: number | null
}

/** Of the turns that the user began. */
export function mediansOf(turns: readonly TurnMetrics[]): readonly Median[] {
  const asked = turns.filter(({ by }) => by !== 'app')
  const median = (name: string, read: (latency: TurnMetrics['latency']) => number | null) => ({
    name,
    ms: middle(asked.map(({ latency }) => read(latency)).filter((ms) => ms !== null)),
  })
  return [
    median('end of speech', ({ endpointing }) => endpointing),
    median('committed', ({ committed }) => committed),
    median('response created', ({ created }) => created),
    median('first byte', ({ firstByte }) => firstByte),
    median('first sound', ({ firstAudible }) => firstAudible),
    median('interruption', ({ interruption }) => interruption),
  ]
}

export function middle(numbers: readonly number[]): number | null {
  const sorted = [...numbers].sort((a, b) => a - b)
  const half = sorted.length >> 1
  if (sorted.length === 0) return null
  return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}
