/** The link: connecting, backing off, giving up. Nothing is queued while the line is down; it is said again on joining. */
import { activeResponse, type Conversation, contentOf, interrupt } from '../conversation/conversation.ts'
import { retell } from '../conversation/retell.ts'
import type { RealtimeError } from '../protocol/events.ts'
import { mulberry32 } from '../protocol/random.ts'
import { type Link, type State, type Step, transmit, withTurn } from './state.ts'
import type { Cause } from './transport.ts'

/** A line that held this long is forgiven its earlier failures; one that flaps is not. */
const steadyMs = 5_000
/** ms before each further attempt. A part of each is left to chance, so that a thousand clients do not come at once. */
const delays = [0, 250, 500, 1_000, 2_000, 4_000, 8_000] as const

export function dialed(state: State, tries: number, now: number): Step {
  const until = now + state.reconnect.timeoutMs
  return [{ ...state, link: { at: 'dialing', tries, until } }, [{ type: 'dial' }, { type: 'wake', at: until }]]
}

export function opened(state: State, now: number): Step {
  const until = now + state.reconnect.timeoutMs
  const update = `join_${state.ids}`
  const link: Link = { at: 'joining', tries: triesOf(state.link), until, update }
  const session = { type: 'realtime', ...state.config } as const
  return [
    { ...state, link, ids: state.ids + 1 },
    [transmit({ type: 'session.update', event_id: update, session }), { type: 'wake', at: until }],
  ]
}

/** What must survive a lost line is in the state, and is said again here. */
export function joined(state: State, now: number): Step {
  const told = retell(state.conversation, state.playback.cuts)
  const retold = new Set(told.map(({ item }) => item.id))
  const link: Link = {
    at: 'live',
    tries: triesOf(state.link),
    since: now,
    retold,
    behind: untold(state.conversation, retold),
  }
  return [
    { ...state, link, unsent: [] },
    [...told.map(transmit), ...state.pending.map(transmit), { type: 'flush' }, ...state.unsent.map(transmit)],
  ]
}

function untold(conversation: Conversation, retold: ReadonlySet<string>): ReadonlyMap<string, string> {
  const behind = new Map<string, string>()
  let told: string | null = null
  for (const { id } of conversation.items) {
    if (retold.has(id)) told = id
    else if (told) behind.set(told, id)
  }
  return behind
}

/** A far end that refuses the config that it is joined with will refuse it again. */
export function refusedJoin(state: State, error: RealtimeError, now: number): Step {
  if (state.link.at !== 'joining' || error.event_id !== state.link.update) return [state, []]
  const cause: Cause = {
    reason: `The far end refused the session config: ${error.message}`,
    code: error.code ?? null,
    fatal: true,
    initiator: 'far end',
    lastError: { code: error.code ?? null, message: error.message },
  }
  const [after, effects] = dropped(state, cause, now)
  return [after, [{ type: 'hangUp' }, ...effects]]
}

export function dropped(state: State, cause: Cause, now: number): Step {
  if (state.link.at === 'closed') return [state, []]
  const lost = lose(state)
  const steady = state.link.at === 'live' && now - state.link.since >= steadyMs
  const tries = steady ? 0 : triesOf(state.link)
  if (cause.fatal || tries >= state.reconnect.attempts) {
    return [{ ...lost, link: { at: 'closed', cause } }, [{ type: 'hush' }]]
  }
  const random = mulberry32(state.seed)
  const delay = delays[Math.min(tries, delays.length - 1)]! * (0.5 + random() / 2)
  const until = now + delay
  const link: Link = { at: 'waiting', tries: tries + 1, until, cause }
  return [{ ...lost, link, seed: state.seed + 1 }, [{ type: 'hush' }, { type: 'wake', at: until }]]
}

export function woke(state: State, now: number): Step {
  const { link } = state
  if (!('until' in link) || now < link.until) return [state, []]
  if (link.at === 'waiting') return dialed(state, link.tries, now)
  const [after, effects] = dropped(state, timedOut(link.at, state.reconnect.timeoutMs), now)
  return [after, [{ type: 'hangUp' }, ...effects]]
}

export function ended(state: State): Step {
  if (state.link.at === 'closed') return [state, []]
  const cause: Cause = { reason: 'The session was closed.', code: null, fatal: true, initiator: 'us' }
  return [{ ...lose(state), link: { at: 'closed', cause } }, [{ type: 'hush' }, { type: 'hangUp' }]]
}

/**
 * What a lost line leaves: the answer that was asked for, or being given, is still owed. A turn that the far end heard
 * and never put into words is taken out: its audio is said again, and asks for its answer by itself.
 */
function lose(state: State): State {
  const conversation = withoutUnheard(interrupt(state.conversation), state.config)
  const { asked, owed, cut } = state.turn
  const active = activeResponse(state.conversation)
  const heard = conversation.items.length === state.conversation.items.length
  const wasGiven = heard && active !== undefined && !cut.includes(active.id)
  return withTurn(
    { ...state, conversation },
    {
      asked: null,
      owed: owed ?? asked?.params ?? (wasGiven ? {} : null),
      covered: false,
      cut: [],
    },
  )
}

/** Turns at the end of the conversation that were spoken and have no words yet. */
function withoutUnheard(conversation: Conversation, config: State['config']): Conversation {
  const last = conversation.items.at(-1)
  if (!config.audio?.input?.transcription || last?.type !== 'message' || last.role !== 'user') return conversation
  const wordless =
    contentOf(last).length > 0 && contentOf(last).every((part) => part.type === 'input_audio' && !part.transcript)
  return wordless ? withoutUnheard({ ...conversation, items: conversation.items.slice(0, -1) }, config) : conversation
}

function timedOut(at: 'dialing' | 'joining', ms: number): Cause {
  const reason =
    at === 'dialing'
      ? `No connection within ${ms} ms. Is the address right, and can it be reached from here?`
      : `The far end did not accept the session config within ${ms} ms.`
  return { reason, code: 'timeout', fatal: false, initiator: 'network' }
}

function triesOf(link: Link): number {
  return 'tries' in link ? link.tries : 0
}
