/** A session under the hand: facts in, orders out; and the facts in short. */
import type { Item, ServerEvent } from '../src/protocol/events.ts'
import { type Effect, type Input, type Notice, plain, type Start, type State, start } from '../src/session/state.ts'
import { step } from '../src/session/step.ts'
import type { Cause } from '../src/session/transport.ts'

export interface Hand {
  play(...inputs: readonly Input[]): Effect[]
  /** The time is this now. */
  at(time: number): void
  readonly state: State
}

export function session(options: Start = {}): Hand {
  let state: State = start({ config: { instructions: 'Be brief.' }, ...options })
  let now = 0
  const play = (...inputs: Input[]): Effect[] =>
    inputs.flatMap((input) => {
      const [after, effects] = step(state, input, now)
      state = after
      return effects
    })
  return {
    play,
    at: (time: number) => {
      now = time
    },
    get state() {
      return state
    },
  }
}

export const event = (type: string, rest: object = {}): Input => ({
  type: 'received',
  event: { type, event_id: 'e', ...rest } as unknown as ServerEvent,
})
export const message = (id: string, text: string): Item =>
  ({ id, type: 'message', role: 'user', content: [{ type: 'input_text', text }] }) as unknown as Item
export const said = (id: string): Input => ({ type: 'said', item: message(id, id) })
export const asked: Input = { type: 'asked', ask: plain }
export const added = (item: object): Input => event('conversation.item.added', { item, previous_item_id: null })
export const done = (item: object): Input => event('conversation.item.done', { item, previous_item_id: null })
export const created = (id: string, rest: object = {}): Input =>
  event('response.created', { response: { id, output: [], ...rest } })
export const words: object = {
  id: 'a',
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_audio', transcript: 'Yes.' }],
}
export const over = (id: string, output: object[] = [words]): Input =>
  event('response.done', { response: { id, status: 'completed', output } })
export const refused = (code: string, event_id: string | null = null): Input =>
  event('error', { error: { type: 'invalid_request_error', code, message: code, param: null, event_id } })
export const cause = (fatal = false): Cause => ({ reason: 'cut', code: 1006, fatal, initiator: 'network' })
export const dropped = (fatal = false): Input => ({ type: 'dropped', cause: cause(fatal) })
export const live: Input[] = [{ type: 'started' }, { type: 'opened' }, event('session.updated', { session: {} })]
export const call = (
  call_id: string,
): { readonly id: string; readonly status: string; readonly [field: string]: string } => ({
  id: `i_${call_id}`,
  type: 'function_call',
  call_id,
  name: 'f',
  arguments: '{}',
  status: 'completed',
})
export const made = (call_id: string): Input[] => [
  added({ ...call(call_id), status: 'in_progress' }),
  done(call(call_id)),
  event('response.output_item.done', { response_id: 'r', item: call(call_id) }),
]
export const answered = (call_id: string): Input => ({
  type: 'answered',
  item: { id: `o_${call_id}`, type: 'function_call_output', call_id, output: 'ok' } as Item,
  ask: { ...plain, when: 'batch' },
})

/** What was sent, in short: the event's type, and the item's id. */
export const sent = (effects: readonly Effect[]): readonly string[] =>
  effects.flatMap((effect) => {
    if (effect.type !== 'transmit') return []
    const { event } = effect
    return 'item' in event && event.item?.id ? `${event.type} ${event.item.id}` : event.type
  })
export const kinds = (effects: readonly Effect[]): readonly string[] => effects.map(({ type }) => type)

export const wish = (id: string, params: object = { instructions: id }): Input => ({
  type: 'asked',
  ask: { id, params },
})
export const named = (name: string): object => ({ metadata: { parley_reply: name } })
/** The names of the responses that were asked for. */
export const wished = (effects: readonly Effect[]): readonly string[] =>
  effects.flatMap((effect) =>
    effect.type === 'transmit' && effect.event.type === 'response.create'
      ? [effect.event.response?.metadata?.['parley_reply'] ?? 'any']
      : [],
  )
export const noticed = (effects: readonly Effect[]): readonly Notice[] =>
  effects.flatMap((effect) => (effect.type === 'tell' ? [effect.notice] : []))
