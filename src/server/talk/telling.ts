/** The items of a response as they are told: opened, grown piece by piece, and closed, in the order of the real service. */
import { toBase64 } from '../../protocol/base64.ts'
import type { FunctionCall, Item, Message } from '../../protocol/events.ts'
import type { Answer } from '../rules/decide.ts'

export interface TellingOptions {
  readonly response_id: string
  /** What messages are made of. */
  readonly kind: 'audio' | 'text'
  /** The items are of the conversation too. */
  readonly inBand: boolean
  readonly emit: (event: Answer) => void
  readonly newId: (prefix: string) => string
  /** The last item of the conversation. */
  readonly last: () => string | null
  /** Whether an item is in the conversation: it may have been deleted while it was being told. */
  readonly stands: (item_id: string) => boolean
}

/** One item is open at a time. */
export interface Telling {
  /** The items that were told to their end. */
  readonly output: readonly Item[]
  /** The message that is open; else opens one. */
  message(): { readonly id: string; readonly words: string }
  /** Opens a call. */
  call(name: string): void
  /** The next piece of a message's words, or of a call's arguments. */
  grow(delta: string): void
  /** The next piece of a message's sound. */
  sound(audio: Uint8Array): void
  /** Closes what is open, with what was told of it. */
  close(status: 'completed' | 'incomplete'): void
}

interface Growing {
  readonly item: AssistantMessage | FunctionCall
  readonly previous: string | null
  words: string
}

export function telling(options: TellingOptions): Telling {
  const { response_id, kind, inBand, emit, newId, last, stands } = options
  const output: Item[] = []
  let open: Growing | null = null

  const at = ({ id }: Item) => ({ response_id, item_id: id, output_index: output.length })

  function begin(item: Growing['item']): Growing {
    const previous = last()
    emit({ type: 'response.output_item.added', response_id, output_index: output.length, item })
    if (inBand) emit({ type: 'conversation.item.added', previous_item_id: previous, item })
    open = { item, previous, words: '' }
    return open
  }

  function message(): { readonly id: string; readonly words: string } {
    if (open?.item.type === 'message') return { id: open.item.id, words: open.words }
    close('completed')
    const { item } = begin({
      id: newId('item_'),
      object: 'realtime.item',
      type: 'message',
      role: 'assistant',
      status: 'in_progress',
      content: [],
    })
    const part = kind === 'audio' ? ({ type: 'audio', transcript: '' } as const) : ({ type: 'text', text: '' } as const)
    emit({ type: 'response.content_part.added', ...at(item), content_index: 0, part })
    return { id: item.id, words: '' }
  }

  function call(name: string): void {
    close('completed')
    const named = { id: newId('item_'), object: 'realtime.item', type: 'function_call', name } as const
    begin({ ...named, call_id: newId('call_'), status: 'in_progress', arguments: '' })
  }

  function grow(delta: string): void {
    if (!open) return
    open.words += delta
    const { item } = open
    if (item.type === 'function_call') {
      emit({ type: 'response.function_call_arguments.delta', ...at(item), call_id: item.call_id, delta })
    } else if (kind === 'text') emit({ type: 'response.output_text.delta', ...at(item), content_index: 0, delta })
    else emit({ type: 'response.output_audio_transcript.delta', ...at(item), content_index: 0, delta })
  }

  function sound(audio: Uint8Array): void {
    if (open) emit({ type: 'response.output_audio.delta', ...at(open.item), content_index: 0, delta: toBase64(audio) })
  }

  function close(status: 'completed' | 'incomplete'): void {
    if (!open) return
    const { item, words, previous } = open
    open = null
    const told = item.type === 'message' ? endMessage(item, words, status) : endCall(item, words, status)
    if (inBand && stands(told.id)) emit({ type: 'conversation.item.done', previous_item_id: previous, item: told })
    emit({ type: 'response.output_item.done', response_id, output_index: output.length, item: told })
    output.push(told)
  }

  function endMessage(item: AssistantMessage, words: string, status: 'completed' | 'incomplete'): Item {
    const place = { ...at(item), content_index: 0 }
    if (kind === 'text') {
      emit({ type: 'response.output_text.done', ...place, text: words })
      emit({ type: 'response.content_part.done', ...place, part: { type: 'text', text: words } })
      return { ...item, status, content: [{ type: 'output_text', text: words }] }
    }
    emit({ type: 'response.output_audio.done', ...place })
    emit({ type: 'response.output_audio_transcript.done', ...place, transcript: words })
    emit({ type: 'response.content_part.done', ...place, part: { type: 'audio', transcript: words } })
    return { ...item, status, content: [{ type: 'output_audio', transcript: words }] }
  }

  function endCall(item: FunctionCall, words: string, status: 'completed' | 'incomplete'): Item {
    const { call_id, name } = item
    emit({ type: 'response.function_call_arguments.done', ...at(item), call_id, name, arguments: words })
    return { ...item, status, arguments: words }
  }

  return { output, message, call, grow, sound, close }
}

type AssistantMessage = Extract<Message, { role: 'assistant' }>
