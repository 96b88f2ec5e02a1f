import type { Conversation } from './conversation.ts'

/** Nothing has been said. Apart, so that a page that has not connected yet need not load how it is folded. */
export const empty: Conversation = {
  items: [],
  open: [],
  calls: [],
  responses: [],
  wordless: new Set(),
  early: [],
  absent: new Map(),
}
