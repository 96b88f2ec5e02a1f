/** Who speaks for the far end: the agent of each response, and how another takes over: whole, or not at all. */
import { contentOf } from '../conversation/conversation.ts'
import { UserError } from '../protocol/errors.ts'
import type { RealtimeError } from '../protocol/events.ts'
import type { Door } from '../session/door.ts'
import type { State } from '../session/state.ts'
import type { Cause } from '../session/transport.ts'
import type { RealtimeAgent } from './agent.ts'
import type { HandoffManners } from './handoff.ts'
import { type Role, recast } from './role.ts'

export interface Casting<Context> {
  readonly role: Role<Context>
  /** The session begins, or begins again, in this role. */
  begin(role: Role<Context>): void
  /** Another agent takes over, once the far end has accepted its config; `now` is called at that moment. Else nothing changes. */
  become(
    agent: RealtimeAgent<Context>,
    manners: Pick<HandoffManners, 'voiceChange'>,
    now: (before: Role<Context>, role: Role<Context>) => void,
  ): Promise<Role<Context>>
  /** Changes the config. Resolves when the far end has accepted it; rejects, and nothing has changed, when it has not. */
  configure(config: State['config']): Promise<void>
  /** A response began: it is the current agent's. */
  began(response_id: string): void
  /** It says something, in sound or in writing. */
  spoke(response_id: string): void
  hasSpoken(response_id: string | null): boolean
  /** Whose a response is; the current agent's where that is not known any more. */
  of(response_id: string | null): Role<Context>
  accepted(ids: readonly string[]): void
  /** Whether it refuses a change that was asked for here. */
  refused(error: RealtimeError): boolean
  closed(cause: Cause | null): void
}

interface Change {
  readonly accept: () => void
  readonly refuse: (error: Error) => void
}

/** Responses whose agents are remembered. */
const mostRemembered = 16

export function casting<Context>(options: {
  readonly first: Role<Context>
  /** Asks the agent's own functions. Settles within a bound, and with `signal`. */
  readonly resolve: (agent: RealtimeAgent<Context>, signal: AbortSignal) => Promise<Role<Context>>
  /** The voice is the session's, not the agent's. */
  readonly keepsVoice: () => boolean
  readonly door: Door
  readonly newId: () => string
}): Casting<Context> {
  const { door, newId } = options
  let role = options.first
  /** Those who want to take over do so one after the other. */
  let last: Promise<unknown> = Promise.resolve()
  /** Who wants to take over when the session ends, does not. */
  let ending = new AbortController()
  const changes = new Map<string, Change>()
  const responses = new Map<string, { readonly role: Role<Context>; readonly hasSpoken: boolean }>()

  function become(...wanted: Parameters<Casting<Context>['become']>): Promise<Role<Context>> {
    const { signal } = ending
    const mine = last.then(() => change(signal, ...wanted))
    last = mine.catch(() => {})
    return mine
  }

  async function change(
    signal: AbortSignal,
    ...[agent, { voiceChange }, now]: Parameters<Casting<Context>['become']>
  ): Promise<Role<Context>> {
    signal.throwIfAborted()
    const next = await options.resolve(agent, signal)
    signal.throwIfAborted()
    const isSpeaking = isNewVoice(next)
    if (isSpeaking && !voiceChange) throw voiceError(role, next)
    const settled = () => {
      const before = role
      role = next
      now(before, next)
    }
    if (door.state.link.at === 'closed') {
      settled()
      return next
    }
    const { config } = door.state
    const wanted = recast(config, next, voiceOf(next))
    const keeps = isSpeaking && voiceChange === 'keep' && config.audio
    const accepted = said(keeps ? { ...wanted, audio: config.audio! } : wanted, settled)
    if (isSpeaking && voiceChange === 'new-session') door.feed({ type: 'renewed' })
    await accepted
    return next
  }

  function said(config: State['config'], settled: () => void = () => {}): Promise<void> {
    return new Promise((resolve, refuse) => {
      const id = newId()
      const accept = () => {
        settled()
        resolve()
      }
      changes.set(id, { accept, refuse })
      door.feed({ type: 'configured', id, config })
      if (door.state.link.at === 'closed') accept()
    })
  }

  /** Where the app gives the session a voice, all agents speak with it. */
  function voiceOf({ agent }: Role<Context>): string | undefined {
    return options.keepsVoice() ? undefined : agent.voice
  }

  /** A voice cannot change once it was heard. */
  function isNewVoice(next: Role<Context>): boolean {
    const voice = voiceOf(next)
    const { config, conversation } = door.state
    if (voice === undefined || voice === config.audio?.output?.voice || door.state.link.at === 'closed') return false
    return conversation.items.some(
      (item) => item.type === 'message' && contentOf(item).some(({ type }) => type === 'output_audio'),
    )
  }

  return {
    get role() {
      return role
    },
    begin(first) {
      role = first
    },
    become,
    configure: said,
    began(response_id) {
      responses.set(response_id, { role, hasSpoken: false })
      if (responses.size > mostRemembered) responses.delete(responses.keys().next().value!)
    },
    spoke(response_id) {
      const response = responses.get(response_id)
      if (response) responses.set(response_id, { ...response, hasSpoken: true })
    },
    hasSpoken: (response_id) => responses.get(response_id ?? '')?.hasSpoken ?? false,
    of: (response_id) => responses.get(response_id ?? '')?.role ?? role,
    accepted(ids) {
      for (const id of ids) {
        changes.get(id)?.accept()
        changes.delete(id)
      }
    },
    refused({ event_id, message }) {
      const change = changes.get(event_id ?? '')
      changes.delete(event_id ?? '')
      change?.refuse(new Error(`The far end did not accept the change: ${message}`))
      return change !== undefined
    },
    closed(cause) {
      const why = new Error(`The session ended: ${cause?.reason ?? 'it was closed.'}`)
      for (const { refuse } of changes.values()) refuse(why)
      changes.clear()
      ending.abort(why)
      ending = new AbortController()
      last = Promise.resolve()
    },
  }
}

function voiceError<Context>(before: Role<Context>, { agent }: Role<Context>): UserError {
  return new UserError(
    `'${agent.name}' has the voice '${agent.voice}', but '${before.agent.name}' was heard already, and a voice cannot ` +
      "change in a session. Pass voiceChange: 'keep' to go on with the voice of before, or 'new-session' for another session.",
  )
}
