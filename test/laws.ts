/** What must hold after every call, whatever happened in whatever order. */
import { expect, test } from 'vitest'
import { type Conversation, itemsOf, textOf } from '../src/conversation/conversation.ts'
import { retell } from '../src/conversation/retell.ts'
import type { Item } from '../src/protocol/events.ts'
import type { State } from '../src/session/state.ts'
import { type Interleaving, interleave } from './interleaving.ts'

const callsATest = 100

/** Plays many calls. A failure names the seed, and `interleave(seed, { holds, log })` plays that call again. */
export function interleavings(
  where: string,
  { calls, ...fate }: { readonly holds: boolean; readonly mirrors?: boolean | 'nothing'; readonly calls: number },
): void {
  const firsts = Array.from({ length: calls / callsATest }, (_, n) => n * callsATest)
  test.each(firsts)(`the laws hold ${where}, from seed %i on`, async (first) => {
    const rejections: unknown[] = []
    const rejected = (reason: unknown) => rejections.push(reason)
    process.on('unhandledRejection', rejected)
    const seeds = Array.from({ length: callsATest }, (_, n) => first + n)
    const broken = await Promise.all(
      seeds.map(async (seed) =>
        brokenLaws(await interleave(seed, fate), fate.mirrors).map((law) => `seed ${seed}: ${law}`),
      ),
    )
    process.off('unhandledRejection', rejected)
    expect(broken.flat()).toEqual([])
    expect(rejections, `unhandled, from seed ${first} on`).toEqual([])
  })
}

/** Failures of the tools themselves are told to the app; nothing else may be. */
const ofTools = [
  /^Tool 'throws' failed: It is broken\.$/,
  /^Tool 'late' failed: The tool took longer than 800 ms\.$/,
  /^Tool 'transfer_to_\w' failed: The conversation was handed over/,
  /^Tool 'transfer_to_\w' failed: There is no tool called 'transfer_to_/,
]
const isOfTool = (error: string) => ofTools.some((one) => one.test(error))

export function brokenLaws(
  { session, lines, ran, errors, settled, running, cancelled, stale }: Interleaving,
  mirrors: boolean | 'nothing' = true,
): readonly string[] {
  const { conversation, link, pending, removed, unsent, updates, turn, playback, interruption } = session.state
  const items = itemsOf(conversation)
  const laws: Readonly<Record<string, boolean>> = {
    'the link is live': link.at === 'live',
    'every call has one output': sameAs(callsIn(items), outputsIn(items)),
    'every output stands behind its call': items.every(
      (item, n) => item.type !== 'function_call_output' || isCall(items.slice(0, n), item.call_id),
    ),
    'each tool ran once at most': [...ran.values()].every((times) => times === 1),
    'the app hears of no error but those of its tools': errors.every(isOfTool),
    'the last turn is answered': isAnswered(items),
    'nothing is pending': [pending, removed, unsent, updates].every(({ length }) => length === 0),
    'nothing is owed': [turn.owed, turn.beside].every(({ length }) => length === 0) && turn.asked === null,
    'nothing is being given or heard': turn.given === null && playback.item === null && !conversation.responses.length,
    'nothing is being told': conversation.open.length === 0 && conversation.calls.length === 0,
    'nobody is interrupting': !turn.hearing && interruption.candidates.length === 0,
    'nobody waits for an approval': session.pendingApprovals.length === 0,
    'every tool that began has ended': running.size === 0,
    'what the user interrupted was cancelled': items.every(
      (item) => item.type !== 'function_call_output' || !cancelled.has(item.call_id) || isCancelled(item),
    ),
    'no tool is waited for longer than its time': items.every(
      (item) => item.type !== 'function_call_output' || item.output !== 'too late',
    ),
    'nothing is heard of what the app interrupted': stale() === 0,
    'every reply is settled': settled.asked === settled.done,
    'both ends hold the same': holdTheSame(session.state, lines.at(-1)!.conversation, mirrors === 'nothing'),
  }
  return Object.keys(laws).filter((law) => !laws[law])
}

function sameAs(some: readonly string[], others: readonly string[]): boolean {
  return JSON.stringify(some) === JSON.stringify(others)
}

function callsIn(items: readonly Item[]): readonly string[] {
  return items
    .flatMap((item) => (item.type === 'function_call' && item.status === 'completed' ? [item.call_id] : []))
    .toSorted()
}

function outputsIn(items: readonly Item[]): readonly string[] {
  return items.flatMap((item) => (item.type === 'function_call_output' ? [item.call_id] : [])).toSorted()
}

function isCall(items: readonly Item[], call_id: string): boolean {
  return items.some((item) => item.type === 'function_call' && item.call_id === call_id)
}

/** In one order, but where nobody says which, and nobody tells of what was heard; what the far end does not have cannot be told: nothing was heard of it, or it was not made to its end. */
function holdTheSame({ conversation, playback }: State, theirs: Conversation, isUntold: boolean): boolean {
  const told = new Set(retell(conversation, playback.cuts).map(({ item }) => item.id))
  const theirIds = theirs.items.filter((item) => !isUntold || !isSpeech(item)).map(({ id }) => id)
  const ours = conversation.items.map(({ id }) => id).filter((id) => told.has(id) || theirIds.includes(id))
  return isUntold ? sameAs(ours.toSorted(), theirIds.toSorted()) : sameAs(ours, theirIds)
}

function isSpeech(item: Item): boolean {
  return item.type === 'message' && item.role === 'user' && item.content.some(({ type }) => type === 'input_audio')
}

/** Somebody spoke after the user did; or a tool answered that wants no words. */
function isAnswered(items: readonly Item[]): boolean {
  const after = items.slice(items.findLastIndex((item) => item.type === 'message' && item.role === 'user') + 1)
  const isWhole = (item: Item) =>
    item.type === 'message' && item.role === 'assistant' && item.status === 'completed' && textOf(item) !== ''
  return after.some(isWhole) || after.some(isQuiet)
}

function isQuiet(item: Item): boolean {
  return (item.type === 'function_call_output' && item.output === 'nothing to say') || isCancelled(item)
}

function isCancelled(item: Item): boolean {
  return item.type === 'function_call_output' && item.output.includes('It was cancelled')
}
