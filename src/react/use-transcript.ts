import type { RealtimeItem } from '../session/history.ts'
import { itemIn, type TranscriptMessage, transcriptOf } from './transcript.ts'
import { useSelected } from './use-selected.ts'

const empty: readonly RealtimeItem[] = []

/** What was said so far, oldest first; it renders again at each new word. See `useTranscriptItem` for long calls. */
export function useTranscript(): readonly TranscriptMessage[] {
  return useSelected(
    ({ session }) => transcriptOf(session.history),
    () => transcriptOf(empty),
  )
}

/** One message, null where there is none of this id: only who reads the message that grows renders again. */
export function useTranscriptItem(itemId: string): TranscriptMessage | null {
  return useSelected(
    ({ session }) => itemIn(session.history, itemId),
    () => null,
  )
}

/**
 * The conversation so far, calls of tools included, or what `select` makes of it. It renders again when that is another
 * value, or a list that lists others: `useHistory((items) => items.map(({ itemId }) => itemId))` does not at each word.
 */
export function useHistory(): readonly RealtimeItem[]
export function useHistory<Slice>(select: (history: readonly RealtimeItem[]) => Slice): Slice
export function useHistory(select: (history: readonly RealtimeItem[]) => unknown = whole): unknown {
  return useSelected(
    ({ session }) => select(session.history),
    () => select(empty),
  )
}

const whole = (history: readonly RealtimeItem[]) => history
