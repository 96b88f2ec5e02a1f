import type { Conversation } from '../conversation/conversation.ts'
import type { Rate } from '../conversation/rate.ts'
import type { CreateItem, Cuts } from '../conversation/retell.ts'
import type {
  AudioDelta,
  ClientEvent,
  Item,
  RealtimeError,
  Response,
  ResponseCreateParams,
  ServerEvent,
  SessionConfig,
} from '../protocol/events.ts'
import type { Growing } from './heard-so-far.ts'
import type { Interruption, InterruptionOptions } from './interruption-options.ts'
import type { Heard } from './speaker.ts'
import type { Cause, Stage } from './transport.ts'
import type { SessionUsage } from './usage.ts'

export { start } from './start.ts'

export type Call = Extract<Item, { type: 'function_call' }>

/** Everything a session knows. An immutable value: what did not change keeps its identity. */
export interface State {
  /** What the far end is asked to be. Said on every join. */
  readonly config: Partial<SessionConfig>
  /** Changes of it that the far end has not accepted yet, oldest first. */
  readonly updates: readonly Update[]
  readonly link: Link
  readonly part: Part
  readonly conversation: Conversation
  /** Said by us, and not yet acknowledged by the far end: nothing is lost when the line is. */
  readonly pending: readonly CreateItem[]
  /** Items that are to be deleted, and that the far end still has. */
  readonly removed: readonly string[]
  /** Events of the app that wait for a line. */
  readonly unsent: readonly ClientEvent[]
  readonly turn: Turn
  readonly playback: Playback
  readonly interruption: Interruption
  readonly usage: SessionUsage
  readonly reconnect: Reconnect
  /** The chance in this session: the state of its random numbers. */
  readonly seed: number
  /** How many event ids have been given out. */
  readonly ids: number
}

/** Our part in the call at the far end. */
export interface Part {
  /** The call stands without us, and holds its conversation: its audio flows elsewhere, and nothing is retold to it. */
  readonly attached: boolean
  /** Somebody else says its config and runs its tools. */
  readonly observing: boolean
}

/** A change of the config: what it is to be, and what it was. */
export interface Update {
  readonly event_id: string
  readonly config: Partial<SessionConfig>
  readonly before: Partial<SessionConfig>
}

export type Link =
  | { readonly at: 'closed'; readonly cause: Cause | null }
  /** `stage`: how far the attempt has come, where its line tells. */
  | { readonly at: 'dialing'; readonly tries: number; readonly until: number; readonly stage?: Stage }
  | {
      readonly at: 'joining'
      readonly tries: number
      readonly until: number
      readonly update: string
      /** How many of the updates it says. */
      readonly says: number
    }
  | {
      readonly at: 'live'
      readonly tries: number
      readonly since: number
      /** What was told at the join: the far end's echo of it is no news. */
      readonly retold: ReadonlySet<string>
      /** Items that the far end was not told stand behind one that it was: what it places behind that, comes after them. */
      readonly behind: ReadonlyMap<string, string>
      /** Whether the far end tells again of the items that it is told; null until that is known. */
      readonly mirrors: boolean | null
      /** By then the far end must have said something: it owes an acknowledgement, or an answer. Null when it owes none. */
      readonly until: number | null
      /** Since when it owes it. */
      readonly armedAt: number
    }
  | { readonly at: 'waiting'; readonly tries: number; readonly until: number; readonly cause: Cause }

export interface Reconnect {
  /** How many times in a row a lost line is dialed again before the session gives up. 0: never. */
  readonly attempts: number
  /** ms that an attempt to connect, or the far end's acceptance of the config, may take. */
  readonly timeoutMs: number
}

/** A response that is wanted. */
export interface Ask {
  /** Names the event that asks for it, and finds the response; null where any response will do. */
  readonly id: string | null
  readonly params: ResponseCreateParams
  /** `batch`: once no call is open. `idle`: moreover, once nobody speaks. Default: as soon as one can be asked for. */
  readonly when?: 'batch' | 'idle'
  /** Whose calls it waits for. Not given: it is not known, and any open call is waited for. */
  readonly batch?: string | null
  /** It was wanted before the calls of its batch were made: it goes before them once one of these waits for the app. */
  readonly held?: boolean
  /** How many times it has been given in vain. */
  readonly tries?: number
  /** Who speaks while it is given or heard does not silence it; the app's `interrupt()` does. */
  readonly uninterruptible?: boolean
  /** The spoken turn that it answers: where that is taken out with a lost line, it is said again and asks again. */
  readonly turn?: string
}

/** Who speaks: one response at a time. */
export interface Turn {
  /** The `response.create` that is under way. */
  readonly asked: {
    readonly event_id: string
    readonly ask: Ask
    /** It was cut before it began. */
    readonly cut?: boolean
    /** An item that was said before it, and not acknowledged by then. */
    readonly behind?: string
  } | null
  /** Responses to ask for, one after the other; at most one of them is plain. */
  readonly owed: readonly Ask[]
  /** Responses beside the conversation that were asked for and have not begun. */
  readonly beside: readonly Ask[]
  /** What the response being given was asked for with; by when it must have begun to say something, null when it has. */
  readonly given: { readonly response_id: string; readonly ask: Ask; readonly until: number | null } | null
  /** The user is speaking. */
  readonly hearing: boolean
  /** The response being given began when the far end knew all that had been said: it answers that too. */
  readonly covered: boolean
  /** The far end heard a turn, and has begun no response since: it may begin one by itself. */
  readonly heard: boolean
  /** Calls that were handed to a tool: each runs once. `batch`: the response that made it; `waits`: for the app. */
  readonly calls: readonly { readonly id: string; readonly batch: string | null; readonly waits?: true }[]
  /** Calls that an output was said for, by item: each is answered once. */
  readonly answered: readonly string[]
  /** Responses that were cut: audio of theirs that still comes is never heard. */
  readonly cut: readonly string[]
}

/** What is heard. The speaker knows how much; here stands only what is being played. */
export interface Playback {
  /** Where the far end plays: `since` when it sounds, and `until` when it counts as heard, if the far end says no more of it. */
  readonly item: {
    readonly item_id: string
    readonly response_id: string
    readonly since?: number
    readonly until?: number
  } | null
  readonly cuts: Cuts
  /** The last items that began to be heard; where the far end plays, the last responses. */
  readonly begun?: readonly string[]
  /** Items that were cut before they were heard, and that the far end still has. */
  readonly unheard?: readonly string[]
  /** The line carries the audio: the far end plays, says what sounds, and truncates what was cut. */
  readonly isFar?: true
  /** How fast the agent speaks, where the far end plays. */
  readonly rate?: Rate
}

/** Facts, in the past tense. */
export type Input =
  | ({ readonly type: 'started' } & Partial<Part>)
  | { readonly type: 'opened'; readonly carriesAudio?: boolean }
  | { readonly type: 'received'; readonly event: ServerEvent | AudioDelta }
  | { readonly type: 'dropped'; readonly cause: Cause }
  /** `heardAt`: when this line said something last. */
  | { readonly type: 'woke'; readonly heardAt?: number }
  /** `fields` are for the event that carries the item. */
  | { readonly type: 'said'; readonly item: Item; readonly fields?: object }
  | { readonly type: 'asked'; readonly ask: Ask }
  /** A response that was asked for by this name is not wanted any more. */
  | { readonly type: 'unasked'; readonly id: string }
  | { readonly type: 'sent'; readonly event: ClientEvent }
  /** `id`: names the update in the notice that it was accepted. */
  | { readonly type: 'configured'; readonly config: Partial<SessionConfig>; readonly id?: string }
  /** History was edited: items to delete, then items to say in their places. */
  | { readonly type: 'edited'; readonly removed: readonly string[]; readonly created: readonly CreateItem[] }
  | { readonly type: 'interrupted'; readonly cancel: boolean }
  /** This one response is heard no further. `heard`: what will have been heard of it, where some was held back. */
  | { readonly type: 'cut'; readonly response_id: string; readonly heard?: readonly Heard[] }
  /** `growing`: the sound that has come of what is being given. `charsPerMs`: how fast the agent speaks. */
  | {
      readonly type: 'silenced'
      readonly heard: readonly Heard[]
      readonly growing?: readonly Growing[]
      readonly charsPerMs?: number
    }
  | { readonly type: 'drained' }
  /** The speaker threw at a piece of this response. */
  | { readonly type: 'unplayable'; readonly response_id: string; readonly error: unknown }
  /**
   * The speaker has begun to play an item: its first sample sounds. Speakers that do not know say nothing. A line that carries
   * the audio tells it of a response.
   */
  | { readonly type: 'sounded'; readonly item_id?: string; readonly response_id: string }
  /** So many words of an item were made out; `isFinal`: there will be no more. */
  | {
      readonly type: 'heardWords'
      readonly item_id: string
      readonly count: number
      readonly isIgnored: boolean
      readonly isFinal: boolean
    }
  /** The microphone spoke on, and the far end has said nothing for as long as it may. */
  | { readonly type: 'unheard' }
  /** While the line is dialed: the user is being asked for the microphone, or has decided. */
  | { readonly type: 'prompted'; readonly isOpen: boolean }
  /** While the line is dialed: how far it has come. */
  | { readonly type: 'reached'; readonly stage: Stage }
  | { readonly type: 'answered'; readonly item: Item; readonly ask: Ask | null; readonly failed?: true }
  /** The app is asked about a call: that may take long, and the conversation goes on meanwhile. */
  | { readonly type: 'deferred'; readonly call_id: string }
  /** The app wants another session at the far end: the same conversation, told anew. */
  | { readonly type: 'renewed' }
  | { readonly type: 'ended' }

/** Orders, in the imperative. */
export type Effect =
  | { readonly type: 'dial' }
  | { readonly type: 'hangUp' }
  | { readonly type: 'transmit'; readonly event: ClientEvent }
  /** Sends the microphone audio that was held while there was no line. */
  | { readonly type: 'flush' }
  /** Notes that the audio held so far is a turn: its commit is sent with it. */
  | { readonly type: 'mark' }
  /** Forgets the audio held that no turn has taken. */
  | { readonly type: 'takeBack' }
  | { readonly type: 'call'; readonly call: Call; readonly response_id: string | null }
  | { readonly type: 'play'; readonly audio: AudioDelta }
  /** Silences the speaker, which answers with `silenced`. */
  | { readonly type: 'hush' }
  /** The speaker holds its breath, and goes on from the same sample. */
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'tell'; readonly notice: Notice }

/** What the app's listeners are told beside the events and the state. */
export type Notice =
  | { readonly type: 'refused'; readonly error: RealtimeError }
  /** A part of the app, such as the speaker, threw. */
  | { readonly type: 'failed'; readonly error: unknown }
  | { readonly type: 'audio_interrupted' }
  /** Somebody may have interrupted: the speaker waits, until it is cut, or goes on. */
  | { readonly type: 'audio_paused' }
  | { readonly type: 'audio_resumed' }
  /** The far end has accepted these updates of the config. */
  | { readonly type: 'accepted'; readonly ids: readonly string[] }
  /** Responses that were asked for by these names will not be given. */
  | { readonly type: 'dropped'; readonly ids: readonly string[] }
  /** A response that did not complete, or that completed and said nothing; it may be asked for again. */
  | { readonly type: 'unfinished'; readonly response: Response; readonly why: Unfinished; readonly isRetried: boolean }

export type Unfinished = 'failed' | 'incomplete' | 'cancelled' | 'silent' | 'text only'

export type Step = readonly [State, readonly Effect[]]

export interface Start {
  readonly config?: Partial<SessionConfig>
  readonly conversation?: Conversation
  readonly cuts?: Cuts
  /** `false`: a lost line is not dialed again. */
  readonly reconnect?: Partial<Reconnect> | false | undefined
  readonly interruption?: InterruptionOptions | undefined
  readonly seed?: number
}

/** How the ids of events begin that ask for a sign of life: an error in answer is no error. */
export const probe = 'probe_'

/** Asked for without wishes of its own: any response will do. */
export const plain: Ask = { id: null, params: {} }

/** When the session has to be woken, if nothing happens before. */
export function alarm({ link, turn, interruption, playback }: State): number | null {
  const times = [('until' in link && link.until) || null, turn.given?.until ?? null, playback.item?.until ?? null]
  for (const { until } of interruption.candidates) times.push(until)
  return times.reduce((first, at) => (first === null || (at !== null && at < first) ? at : first), null)
}

/** The state with this new in its turn. */
export function withTurn(state: State, change: Partial<Turn>): State {
  return { ...state, turn: { ...state.turn, ...change } }
}

export function transmit(event: ClientEvent): Effect {
  return { type: 'transmit', event }
}

/** The event that deletes an item. Its `event_id` names the item, so that a refusal finds its way back. */
export function deletion(item_id: string): Effect {
  return transmit({ type: 'conversation.item.delete', event_id: `drop_${item_id}`, item_id })
}

/** Does one thing after another, and wants all that each of them wants. */
export function inTurn([state, effects]: Step, ...next: readonly ((state: State) => Step)[]): Step {
  return next.reduce<Step>(
    ([before, wanted], go) => {
      const [after, more] = go(before)
      return [after, more.length ? [...wanted, ...more] : wanted]
    },
    [state, effects],
  )
}
