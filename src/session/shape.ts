/**
 * One shape for what is read at every event. Engines find a field of a known shape by its address; copies that are made
 * by spreading one another are of ever new shapes, and each field is then looked for by its name.
 */
import type { Conversation } from '../conversation/conversation.ts'
import type { Link, State, Turn } from './state.ts'

/** The state as it is, what is new in it in one shape. */
export function shaped(before: State, after: State): State {
  const { config, updates, part, pending, removed, unsent, playback, interruption, usage, reconnect, seed, ids } = after
  return {
    config,
    updates,
    link: after.link === before.link ? after.link : linkOf(after.link),
    part,
    conversation: after.conversation === before.conversation ? after.conversation : conversationOf(after.conversation),
    pending,
    removed,
    unsent,
    turn: after.turn === before.turn ? after.turn : turnOf(after.turn),
    playback,
    interruption,
    usage,
    reconnect,
    seed,
    ids,
  }
}

function conversationOf({ items, open, calls, responses, wordless, early, absent }: Conversation): Conversation {
  return { items, open, calls, responses, wordless, early, absent }
}

function turnOf({ asked, owed, beside, given, hearing, covered, heard, calls, answered, cut }: Turn): Turn {
  return { asked, owed, beside, given, hearing, covered, heard, calls, answered, cut }
}

function linkOf(link: Link): Link {
  if (link.at !== 'live') return link
  const { at, tries, since, retold, behind, mirrors, until, armedAt } = link
  return { at, tries, since, retold, behind, mirrors, until, armedAt }
}
