/** Never silent: what becomes of a response that did not complete, or that completed and cannot be heard. */
import { contentOf } from '../conversation/conversation.ts'
import type { Item, Response } from '../protocol/events.ts'
import { owing } from './asks.ts'
import { type Ask, deletion, inTurn, plain, type State, type Step, type Unfinished } from './state.ts'

/** How many times in a row one is asked for again. */
const most: Readonly<Record<Unfinished, number>> = { failed: 1, silent: 1, 'text only': 3, incomplete: 0, cancelled: 0 }

/** A failure that may pass is tried again, where nothing was said yet; words that were to be sound are asked for again. */
export function judged(state: State, response: Response, given: State['turn']['given']): Step {
  const ask = given?.ask ?? plain
  const why = unfinished(state, response, ask, given?.until === null)
  if (!why) return [state, []]
  const tries = ask.tries ?? 0
  const isRetried = !state.part.observing && tries < most[why] && mayPass(why, response)
  const told: Step = [state, [{ type: 'tell', notice: { type: 'unfinished', response, why, isRetried } }]]
  if (!isRetried) return told
  const again = (next: State): Step => [owing(next, { ...ask, tries: tries + 1 }, true), []]
  return why === 'text only' ? inTurn(told, (next) => forgotten(next, response), again) : inTurn(told, again)
}

function unfinished({ config, turn }: State, response: Response, { params }: Ask, spoke: boolean): Unfinished | null {
  const { status, output } = response
  if (turn.cut.includes(response.id)) return null
  if (status === 'failed' || status === 'incomplete' || status === 'cancelled') return status
  if (!output?.length) return spoke ? null : 'silent'
  const modalities = params.output_modalities ?? config.output_modalities
  const isHeard = !modalities?.includes('audio') || output.some((item) => item.type !== 'message' || !isWritten(item))
  return isHeard ? null : 'text only'
}

function isWritten(item: Extract<Item, { type: 'message' }>): boolean {
  const content = contentOf(item)
  return content.length > 0 && content.every(({ type }) => type === 'output_text')
}

/** What began to speak or to call cannot be asked for again: it would be heard, or done, twice. */
function mayPass(why: Unfinished, { status_details, output }: Response): boolean {
  if (why !== 'failed') return true
  const { type, code } = status_details?.error ?? {}
  const isTransient = type === 'server_error' || code === 'server_error' || code === 'rate_limit_exceeded'
  return isTransient && (output ?? []).length === 0
}

/** An answer in writing would be the model's example for the next. */
function forgotten(state: State, { output }: Response): Step {
  const ids = (output ?? []).map(({ id }) => id)
  return [{ ...state, removed: [...state.removed, ...ids] }, ids.map(deletion)]
}
