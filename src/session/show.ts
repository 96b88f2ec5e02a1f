/** One item of the wire as apps know it. */
import type { Conversation } from '../conversation/conversation.ts'
import { awaitsWords, contentOf, isSpoken, textOf } from '../conversation/item.ts'
import { heardPart } from '../conversation/retell.ts'
import type { Content, Item, McpCall, Message } from '../protocol/events.ts'
import type {
  Origin,
  RealtimeContent,
  RealtimeItem,
  RealtimeMessageItem,
  Sources,
  TranscriptStatus,
} from './history.ts'

/** What is known of an item beside what was told of it. */
export interface Around
  extends Pick<Sources, 'cuts' | 'origins' | 'isTranscribed' | 'sounds'>,
    Pick<Conversation, 'wordless'> {
  /** Of spoken items: whether nobody was asked to put them into words, when they were first seen. */
  readonly off: Map<string, boolean>
}

export function isShown({ type }: Item): boolean {
  return type === 'message' || type === 'function_call' || type === 'mcp_call' || type === 'mcp_approval_request'
}

export function show(item: Item, previousItemId: string | null, around: Around, isOpen = false): RealtimeItem | null {
  const origin = around.origins.get(item.id) ?? 'live'
  if (item.type === 'message') return showMessage(item, previousItemId, origin, around, isOpen)
  const placed = { itemId: item.id, previousItemId, origin } as const
  switch (item.type) {
    case 'function_call': {
      const { type, call_id: callId, name, status = 'completed' } = item
      return { ...placed, type, status, callId, name, arguments: item.arguments, output: null }
    }
    case 'mcp_call': {
      const { type, server_label: serverLabel, name, output = null, error = null } = item
      const status = statusOf(item, isOpen)
      return { ...placed, type, status, serverLabel, name, arguments: item.arguments, output, error }
    }
    case 'mcp_approval_request': {
      const { type, server_label: serverLabel, name } = item
      return { ...placed, type, status: 'in_progress', serverLabel, name, arguments: item.arguments, approved: null }
    }
    default:
      return null
  }
}

/** The shown item that this one answers, with its answer; null where it answers none, or nothing new. */
export function answered(
  history: readonly RealtimeItem[],
  item: Item,
): { readonly at: number; readonly item: RealtimeItem } | null {
  if (item.type === 'function_call_output') {
    const at = history.findLastIndex((shown) => shown.type === 'function_call' && shown.callId === item.call_id)
    const call = history[at]
    if (call?.type !== 'function_call' || call.output === item.output) return null
    return { at, item: { ...call, output: item.output } }
  }
  if (item.type !== 'mcp_approval_response') return null
  const at = history.findLastIndex(({ itemId }) => itemId === item.approval_request_id)
  const request = history[at]
  if (request?.type !== 'mcp_approval_request' || request.approved === item.approve) return null
  return { at, item: { ...request, status: 'completed', approved: item.approve } }
}

function asContent(part: Content, sound: string | null | undefined): RealtimeContent {
  switch (part.type) {
    case 'input_audio':
    case 'output_audio': {
      const words = { type: part.type, transcript: part.transcript ?? null }
      return sound === undefined ? words : { ...words, audio: sound }
    }
    case 'input_image':
      return { type: 'input_image', image: part.image_url ?? '' }
    default:
      return { type: part.type, text: part.text ?? '' }
  }
}

type Mutable<Shape> = { -readonly [Key in keyof Shape]: Shape[Key] }

/** Made anew with each word that is said: one object, and nothing spread into it. */
function showMessage(
  message: Message,
  previousItemId: string | null,
  origin: Origin,
  around: Around,
  isOpen: boolean,
): RealtimeMessageItem {
  const { id: itemId, role, status = 'completed' } = message
  const { sounds } = around
  const heard = sounds?.get(itemId)
  const content = contentOf(message).map((part, n) => asContent(part, sounds ? (heard?.[n] ?? null) : undefined))
  const shown: Mutable<RealtimeMessageItem> = { itemId, previousItemId, origin, type: 'message', role, status, content }
  const transcriptStatus = transcriptOf(message, around, isOpen)
  if (transcriptStatus) shown.transcriptStatus = transcriptStatus
  const cut = Object.hasOwn(around.cuts, itemId) ? around.cuts[itemId] : undefined
  if (!cut) return shown
  shown.interrupted = true
  shown.heardMs = Math.round(cut.heardMs)
  shown.heardText = heardPart(textOf(message), cut)
  return shown
}

function transcriptOf(message: Message, around: Around, isOpen: boolean): TranscriptStatus | null {
  if (!contentOf(message).some(({ type }) => type === 'input_audio' || type === 'output_audio')) return null
  if (isOpen) return 'pending'
  if (!isSpoken(message)) return textOf(message) ? 'final' : 'failed'
  const { id } = message
  const isFailed = around.wordless.has(id)
  if (!awaitsWords(message)) return isFailed ? 'failed' : 'final'
  return isOff(id, around) ? 'off' : isFailed ? 'failed' : 'pending'
}

/** What is not from this conversation was never asked for here. */
function isOff(id: string, { off, isTranscribed, origins, wordless }: Around): boolean {
  const known = off.get(id)
  if (known !== undefined) return known
  const isLive = (origins.get(id) ?? 'live') === 'live'
  const is = isLive ? !isTranscribed : !wordless.has(id)
  off.set(id, is)
  return is
}

function statusOf({ output, error }: McpCall, isOpen: boolean): 'in_progress' | 'completed' | 'incomplete' | 'failed' {
  if (error) return 'failed'
  if (typeof output === 'string') return 'completed'
  return isOpen ? 'in_progress' : 'incomplete'
}
