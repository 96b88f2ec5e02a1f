/** History told to a far end that was not there: what it can be told of each item, and what it cannot. */
import { type Conversation, empty } from '../conversation/conversation.ts'
import { asTold, type Cut, type Cuts } from '../conversation/retell.ts'
import { UserError } from '../protocol/errors.ts'
import type { Content, FunctionCallOutput, Item, Message } from '../protocol/events.ts'
import type { Origin, RealtimeContent, RealtimeItemInput } from '../session/history.ts'
import { wrongIn } from './saved.ts'

export type NewId = (prefix: string) => string
type MessageInput = Extract<RealtimeItemInput, { readonly type: 'message' }>

const unfinished = 'This call was not finished: nothing is known of what it would have answered.'

/**
 * What a far end can be told of an item: speech as text, of an answer that was cut off what was heard. A call comes with
 * its output, or with one that says that it was not finished. What cannot be told gives nothing: see `whyUntold`.
 */
export function toWire(item: RealtimeItemInput, newId: NewId): readonly Item[] {
  if (whyUntold(item) !== null) return []
  const cut = item.type === 'message' ? cutOf(item) : undefined
  const items = asItems(item, newId)
  const told = items.map((one) => asTold(one, cut)).filter((one) => one !== null)
  const [call] = told
  return call?.type === 'function_call' && told.length === 1 ? [call, outputOf(call.call_id, unfinished, newId)] : told
}

/** Why a far end cannot be told of an item; null where it can. */
export function whyUntold(item: RealtimeItemInput): string | null {
  switch (item.type) {
    case 'message': {
      const { role, content } = item
      if (role !== 'user' && content.some(({ type }) => type === 'input_image')) return 'only a user can show images'
      if (content.some((part) => part.type === 'input_image' && !part.image)) return 'its image is empty'
      if (contentToTell(item).length === 0) return 'there are no words in it'
      return cutOf(item) && item.heardText === '' ? 'nothing of it was heard' : null
    }
    case 'function_call':
      return (item.status ?? 'completed') === 'completed' ? null : 'the call was cut off before it was whole'
    case 'mcp_call':
    case 'mcp_approval_request':
      return "calls of a far end's own MCP tools are made by the far end only"
  }
}

/** What is wrong with a history that is to be told to a far end; null where all of it can be. */
export function checkSeed(items: readonly RealtimeItemInput[]): UserError | null {
  const known = new Set<string | undefined>()
  return firstWrong(items, (item) => {
    const wrong = wrongIn(item, false)
    if (wrong) return wrong
    if (known.has(item.itemId)) return 'another has its id'
    if (item.itemId !== undefined) known.add(item.itemId)
    return whyUntold(item)
  })
}

/** Names the first item that cannot be told, and why. */
export function firstWrong(
  items: readonly RealtimeItemInput[],
  wrong: (item: RealtimeItemInput, n: number) => string | null,
): UserError | null {
  for (const [n, item] of items.entries()) {
    const why = wrong(item, n)
    const name = item?.itemId ? `Item ${n} ('${item.itemId}')` : `Item ${n}`
    if (why) return new UserError(`${name} cannot be told to a far end: ${why}.`)
  }
  return null
}

export interface Revived {
  readonly conversation: Conversation
  readonly cuts: Cuts
  readonly origins: ReadonlyMap<string, Origin>
}

/**
 * The conversation that a history is of: its history is the same again. Calls without an output are open in it. What was
 * still being told is told no further.
 */
export function revive(history: readonly RealtimeItemInput[], newId: NewId, origin: Origin = 'restored'): Revived {
  const cuts: Record<string, Cut> = {}
  const wordless = new Set<string>()
  const items = history.flatMap((item) => {
    const [first, ...answers] = asItems(item, newId)
    const { id } = first!
    if (item.type !== 'message') return [first!, ...answers]
    const cut = cutOf(item)
    if (cut) cuts[id] = cut
    if (item.transcriptStatus === 'pending' || item.transcriptStatus === 'failed') wordless.add(id)
    return [first!]
  })
  const answered = new Set(items.map((item) => (item.type === 'function_call_output' ? item.call_id : null)))
  const calls = items.filter(
    (item) => item.type === 'function_call' && item.status === 'completed' && !answered.has(item.call_id),
  )
  const origins = new Map(items.map(({ id }) => [id, origin]))
  return { conversation: { ...empty, items, calls: calls as Conversation['calls'], wordless }, cuts, origins }
}

/** An item as it stood on the wire, with what answered it. */
function asItems(item: RealtimeItemInput, newId: NewId): readonly Item[] {
  const { itemId: id = newId('item_') } = item
  switch (item.type) {
    case 'message': {
      const content = item.content.map((part) => asPart(part, item.role))
      return [{ id, type: 'message', role: item.role, status: ended(item.status), content } as Message]
    }
    case 'function_call': {
      const { callId = newId('call_'), name, output = null } = item
      const status = ended(item.status)
      const call = { id, type: 'function_call', status, call_id: callId, name, arguments: item.arguments } as const
      return output === null ? [call] : [call, outputOf(call.call_id, output, newId)]
    }
    case 'mcp_call': {
      const { serverLabel, name, output = null, error = null } = item
      return [{ id, type: 'mcp_call', server_label: serverLabel, name, arguments: item.arguments, output, error }]
    }
    case 'mcp_approval_request': {
      const { serverLabel, name, approved: approve = null } = item
      const type = 'mcp_approval_request'
      const request = { id, type, server_label: serverLabel, name, arguments: item.arguments } as const
      if (approve === null) return [request]
      return [request, { id: newId('item_'), type: 'mcp_approval_response', approval_request_id: id, approve }]
    }
  }
}

export function outputOf(call_id: string, output: string, newId: NewId): FunctionCallOutput {
  return { id: newId('item_'), type: 'function_call_output', status: 'completed', call_id, output }
}

function ended(status: 'in_progress' | 'completed' | 'incomplete' = 'completed'): 'completed' | 'incomplete' {
  return status === 'completed' ? status : 'incomplete'
}

/** Who says something decides how it is told: a far end takes `output_` from the assistant only, and `input_` from others. */
function asPart(part: RealtimeContent, role: Message['role']): Content {
  if (part.type === 'input_image') return { type: part.type, image_url: part.image }
  const by = role === 'assistant' ? 'output' : 'input'
  if ('text' in part) return { type: `${by}_text`, text: part.text }
  if (role === 'system') return { type: 'input_text', text: part.transcript ?? '' }
  return { type: `${by}_audio`, transcript: part.transcript }
}

function contentToTell({ content }: MessageInput): readonly RealtimeContent[] {
  return content.filter((part) => part.type === 'input_image' || wordsOf(part) !== '')
}

/** The words of a part, '' where it has none. */
export function wordsOf(part: RealtimeContent): string {
  if (part.type === 'input_image') return ''
  return ('text' in part ? part.text : part.transcript) ?? ''
}

/** Where an answer was cut off: such that the words heard of it are the same again. An answer that was rewritten is whole. */
function cutOf({ content, heardMs, heardText }: MessageInput): Cut | undefined {
  if (heardMs === undefined || heardText === undefined) return undefined
  const words = content.map(wordsOf).join('')
  const heard = heardText.endsWith('…') ? heardText.slice(0, -1) : heardText
  if (!words.startsWith(heard)) return undefined
  // The share of the sound that reaches just past the last word heard.
  const receivedMs = heard ? (words.length * heardMs) / (heard.length + 1.5) : (words.length + 1) * heardMs + 1
  return { heardMs, receivedMs }
}
