/** The link: connecting, backing off, giving up. Nothing is queued while the line is down; it is said again on joining. */

import { activeResponse, type Conversation, contentOf, interrupt, textOf } from '../conversation/conversation.ts'
import { retell } from '../conversation/retell.ts'
import type { Item, RealtimeError, Response } from '../protocol/events.ts'
import { mulberry32 } from '../protocol/random.ts'
import { create, isPlain, owing } from './asks.ts'
import { closedByUs } from './closed.ts'
import { configSaid, joining } from './interruption.ts'
import { lastErrorOf } from './last-error.ts'
import {
  type Ask,
  type Effect,
  inTurn,
  type Link,
  type Part,
  plain,
  probe,
  type State,
  type Step,
  transmit,
  type Update,
  withTurn,
} from './state.ts'
import { tooLate } from './too-late.ts'
import type { Cause, Stage } from './transport.ts'
import { pay } from './turn.ts'

/** A line that held this long is forgiven its earlier failures; one that flaps is not. */
const steadyMs = 5_000
/** ms before each further attempt. A part of each is left to chance, so that a thousand clients do not come at once. */
const delays = [0, 250, 500, 1_000, 2_000, 4_000, 8_000] as const

/** ms that a user may take who is asked for the microphone. */
const promptMs = 300_000

/** ms in which a sign of life that was asked for must come. */
const signMs = 4_000

export function started(state: State, { attached = false, observing = false }: Partial<Part>, now: number): Step {
  return dialed({ ...state, part: { attached, observing } }, 0, now)
}

export function dialed(state: State, tries: number, now: number): Step {
  const until = now + state.reconnect.timeoutMs
  return [{ ...state, link: { at: 'dialing', tries, until } }, [{ type: 'dial' }]]
}

/** A user who is being asked is given time; a far end that is dialed is not. */
export function prompted(state: State, isOpen: boolean, now: number): Step {
  if (state.link.at !== 'dialing') return [state, []]
  const until = now + (isOpen ? promptMs : state.reconnect.timeoutMs)
  return reached({ ...state, link: { ...state.link, until } }, isOpen ? 'microphone' : 'answer')
}

/** What an attempt waits for is what it is given up for. */
export function reached(state: State, stage: Stage): Step {
  return state.link.at === 'dialing' ? [{ ...state, link: { ...state.link, stage } }, []] : [state, []]
}

export function opened(before: State, now: number, carriesAudio: boolean): Step {
  const { item, cuts, rate } = before.playback
  const isFar = carriesAudio || before.part.attached
  const playback = { item, cuts, ...(rate ? { rate } : {}), ...(isFar ? { isFar: true as const } : {}) }
  const state = { ...before, playback }
  const until = now + state.reconnect.timeoutMs
  const update = `join_${state.ids}`
  const link: Link = { at: 'joining', tries: triesOf(state.link), until, update, says: state.updates.length }
  const next = joining({ ...state, link, ids: state.ids + 1 })
  if (state.part.observing) return inTurn(joined(next, now), pay)
  return [next, [saying(next, { event_id: update, config: state.config })]]
}

function saying(state: State, { event_id, config }: Pick<Update, 'event_id' | 'config'>): Effect {
  return transmit({ type: 'session.update', event_id, session: { type: 'realtime', ...configSaid(state, config) } })
}

/** The app changed the config: it is said at once, or with the join. */
export function configured(state: State, config: State['config'], id?: string): Step {
  const event_id = id ?? `config_${state.ids}`
  const update: Update = { event_id, config, before: state.config }
  const next = { ...state, config, ids: state.ids + 1, updates: [...state.updates, update] }
  return [next, state.link.at === 'live' ? [saying(next, update)] : []]
}

/** The far end accepts updates in the order in which they were said. */
export function accepted(state: State, count = 1): Step {
  const ids = state.updates.slice(0, count).map(({ event_id }) => event_id)
  if (ids.length === 0) return [state, []]
  return [{ ...state, updates: state.updates.slice(count) }, [{ type: 'tell', notice: { type: 'accepted', ids } }]]
}

/** A refused update is not said again on the next line. */
export function undone(state: State, { event_id }: RealtimeError): State {
  const at = state.updates.findIndex((update) => update.event_id === event_id)
  const refused = state.updates[at]
  if (!refused) return state
  const updates = state.updates.toSpliced(at, 1)
  const later = updates[at]
  if (!later) return { ...state, updates, config: refused.before }
  return { ...state, updates: updates.with(at, { ...later, before: refused.before }) }
}

/** What must survive a lost line is in the state, and is said again here. */
export function joined(before: State, now: number): Step {
  const [state, tells] = accepted(before, before.link.at === 'joining' ? before.link.says : 0)
  const removed = new Set(state.removed)
  const conversation = without(state.conversation, removed)
  const told = state.part.attached ? [] : retell(removed.size ? conversation : state.conversation, state.playback.cuts)
  const retold = new Set(told.map(({ item }) => item.id))
  const link: Link = {
    at: 'live',
    tries: triesOf(state.link),
    since: now,
    retold,
    behind: untold(state.conversation, retold),
    mirrors: null,
    until: null,
    armedAt: now,
  }
  const pending = placed(state.pending, retold)
  return [
    {
      ...state,
      link,
      pending,
      unsent: [],
      removed: [],
      ...(removed.size ? { conversation } : {}),
    },
    [
      ...tells,
      ...state.updates.map((update) => saying(state, update)),
      ...told.map(transmit),
      ...pending.map(transmit),
      { type: 'flush' },
      ...state.unsent.map(transmit),
      ...state.turn.beside.map((ask) => create(ask, ask.id!)),
    ],
  ]
}

function without(conversation: Conversation, removed: ReadonlySet<string>): Conversation {
  const stays = ({ id }: { readonly id: string }) => !removed.has(id)
  const { items, open, calls } = conversation
  return { ...conversation, items: items.filter(stays), open: open.filter(stays), calls: calls.filter(stays) }
}

/** Where an item was to stand behind one that this far end was not told, it stands at the end. */
function placed(pending: State['pending'], told: ReadonlySet<string>): State['pending'] {
  const known = new Set(told)
  return pending.map((event) => {
    known.add(event.item.id)
    const { previous_item_id: previous, ...rest } = event
    return previous === undefined || previous === 'root' || known.has(previous) ? event : rest
  })
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
    lastError: lastErrorOf(error),
  }
  const [after, effects] = dropped(state, cause, now)
  return [after, [{ type: 'hangUp' }, ...effects]]
}

export function dropped(state: State, cause: Cause, now: number): Step {
  if (state.link.at === 'closed') return [state, []]
  const lost = lose(state)
  // What came whole is heard to its end; what was being given will be given again.
  const hush = hushing(state)
  const steady = state.link.at === 'live' && cause.code !== 'timeout' && now - state.link.since >= steadyMs
  const tries = steady ? 0 : triesOf(state.link)
  if (cause.fatal || tries >= state.reconnect.attempts) return [{ ...lost, link: { at: 'closed', cause } }, hush]
  const random = mulberry32(state.seed)
  const delay = delays[Math.min(tries, delays.length - 1)]! * (0.5 + random() / 2)
  const until = now + delay
  const link: Link = { at: 'waiting', tries: tries + 1, until, cause }
  return [{ ...lost, link, seed: state.seed + 1 }, hush]
}

/** What is heard of a call that stands without us is heard on. */
function hushing({ conversation, playback, part }: State): Effect[] {
  return !part.attached && (activeResponse(conversation) || playback.isFar) ? [{ type: 'hush' }] : []
}

export function woke(state: State, heardAt: number, now: number): Step {
  const { link } = state
  const { given } = state.turn
  if (given?.until && given.until <= now) return stalled(state, given)
  if (!('until' in link) || link.until === null || now < link.until) return [state, []]
  if (link.at === 'waiting') return dialed(state, link.tries, now)
  const { timeoutMs } = state.reconnect
  if (link.at === 'live' && heardAt > link.armedAt) {
    return isOwed(state) ? armed(state, heardAt, timeoutMs) : [{ ...state, link: { ...link, until: null } }, []]
  }
  const [after, effects] = dropped(state, timedOut(link, timeoutMs), now)
  return [after, [{ type: 'hangUp' }, ...effects]]
}

/** A response that was begun and says nothing is given up: another is asked for, where it may still be wanted. */
function stalled(state: State, given: NonNullable<State['turn']['given']>): Step {
  const { response_id, ask } = given
  const cut = [...state.turn.cut, response_id]
  const next = withTurn(state, { given: { ...given, until: null }, cut })
  const response = state.conversation.responses.find(({ id }) => id === response_id) ?? { id: response_id }
  const isRetried = !ask.tries
  const notice = { type: 'unfinished', response: response as Response, why: 'silent', isRetried } as const
  return [
    isRetried ? owing(next, { ...ask, tries: 1 }, true) : next,
    [transmit({ type: 'response.cancel', response_id }), { type: 'tell', notice }],
  ]
}

/** A line that carries nothing any more may look alive: while the far end owes something, it has to be heard of. */
export function watched(before: State, [after, effects]: Step, now: number): Step {
  const { link } = after
  if (link.at !== 'live' || (before.link.at === 'live' && !owesOther(before, after))) return [after, effects]
  if (!isOwed(after)) return [{ ...after, link: { ...link, until: null } }, effects]
  return inTurn([after, effects], (state) => armed(state, now, state.reconnect.timeoutMs))
}

/**
 * Asks for a sign of life, where the microphone speaks and nothing else is owed: an item that nobody has. Whatever is
 * answered will do.
 */
export function probed(state: State, now: number): Step {
  if (state.link.at !== 'live' || state.link.until !== null) return [state, []]
  const event_id = `${probe}${state.ids}`
  const ask = transmit({ type: 'conversation.item.retrieve', event_id, item_id: event_id })
  return inTurn([{ ...state, ids: state.ids + 1 }, [ask]], (next) => armed(next, now, signMs))
}

function armed(state: State, since: number, ms: number): Step {
  const until = since + ms
  return [{ ...state, link: { ...state.link, until, armedAt: since } as Link }, []]
}

/** The far end has something to acknowledge, or to say to its end. */
function isOwed({ pending, turn, conversation }: State): boolean {
  return pending.length > 0 || turn.asked !== null || conversation.responses.length > 0
}

function owesOther({ pending, turn, conversation }: State, after: State): boolean {
  return (
    pending !== after.pending ||
    turn.asked !== after.turn.asked ||
    conversation.responses !== after.conversation.responses
  )
}

/** What a session cannot change of itself, another can be: the line is left for a new one. */
export function renewed(state: State, now: number): Step {
  if (state.link.at !== 'live') return [state, []]
  const hush = hushing(state)
  return inTurn([lose(state), [...hush, { type: 'hangUp' }]], (lost) => dialed(lost, 0, now))
}

export function ended(state: State): Step {
  if (state.link.at === 'closed') return [state, []]
  return [{ ...lose(state), link: { at: 'closed', cause: closedByUs } }, [{ type: 'hush' }, { type: 'hangUp' }]]
}

/**
 * What a lost line leaves: the answer that was asked for, or being given, is still owed. A turn that the far end heard
 * and never put into words is taken out: its audio is said again, and asks for its answer by itself, where the far end
 * hears turns.
 */
function lose(state: State): State {
  if (state.part.attached) return away(state)
  const conversation = withoutUnheard(state)
  const { asked, given, cut } = state.turn
  const active = activeResponse(state.conversation)
  const detection = state.config.audio?.input?.turn_detection
  const asksItself = detection !== null && detection?.create_response !== false
  const heard = conversation.items.length === state.conversation.items.length || !asksItself
  const isNamed = given !== null && given.ask.id !== null
  const wasGiven = (heard || isNamed) && active !== undefined && !cut.includes(active.id)
  const stands = ({ turn }: Ask) => turn === undefined || conversation.items.some(({ id }) => id === turn)
  const again = asked && !asked.cut && stands(asked.ask) ? asked.ask : wasGiven ? (given?.ask ?? plain) : null
  const owed = state.turn.owed.filter(stands)
  const next = withTurn(
    { ...state, conversation },
    { asked: null, given: null, owed, hearing: false, covered: false, heard: false, cut: [] },
  )
  return again && !(isPlain(again) && next.turn.owed.some(isPlain)) ? owing(next, again, true) : next
}

/** A call that stands without us goes on meanwhile, and gives its answer: what we asked for and it may not know is owed. */
function away(state: State): State {
  const { asked } = state.turn
  const conversation = interrupt(state.conversation)
  const playback = { ...state.playback, item: null }
  const change = { asked: null, given: null, hearing: false, covered: false, heard: false, cut: [] }
  const next = withTurn({ ...state, conversation, playback }, change)
  return asked && !asked.cut && !(isPlain(asked.ask) && next.turn.owed.some(isPlain))
    ? owing(next, asked.ask, true)
    : next
}

/**
 * The conversation without what stands at its end and was not put into words: turns of which not all was transcribed, and
 * the answer that had not said a word to them.
 */
function withoutUnheard({ conversation, config, playback }: State): Conversation {
  const cut = interrupt(conversation)
  // What a line carried itself is not kept here, and cannot be said again.
  if (playback.isFar || !config.audio?.input?.transcription) return cut
  const isUnheard = (item: Item) => {
    if (item.type !== 'message' || contentOf(item).length === 0) return item.type === 'message'
    if (item.role === 'assistant') return textOf(item) === ''
    const isSpoken = contentOf(item).every(({ type }) => type === 'input_audio')
    return isSpoken && (textOf(item) === '' || conversation.open.some(({ id }) => id === item.id))
  }
  const { items } = cut
  const last = items.findLastIndex((item) => !isUnheard(item))
  const first = items.findIndex((item, n) => n > last && item.type === 'message' && item.role === 'user')
  return first < 0 ? cut : { ...cut, items: items.slice(0, first) }
}

function timedOut(link: Exclude<Link, { at: 'closed' | 'waiting' }>, ms: number): Cause {
  if (link.at === 'dialing') return tooLate(link.stage ?? 'answer', link.stage === 'microphone' ? promptMs : ms)
  const reason = {
    joining: `The far end did not accept the session config within ${ms} ms.`,
    live: `The far end owed an answer and said nothing for ${ms} ms.`,
  }[link.at]
  return { reason, code: 'timeout', fatal: false, initiator: 'network' }
}

function triesOf(link: Link): number {
  return 'tries' in link ? link.tries : 0
}
