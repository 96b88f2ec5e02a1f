/** A turn of the user, once it was said: it becomes an item, and its words come by and by. */
import { contentOf, textOf } from '../../conversation/conversation.ts'
import { fromBase64 } from '../../protocol/base64.ts'
import { messageOf } from '../../protocol/errors.ts'
import type { Item, ItemToCreate, Message } from '../../protocol/events.ts'
import type { Answer } from '../rules/decide.ts'
import type { AnySession } from '../rules/session-config.ts'
import type { HeardTurn, Hearing } from '../turns/hearing.ts'
import type { Known } from './known.ts'

export interface TakingOptions {
  readonly known: Known
  readonly microphone: Pick<Hearing, 'hearWhole'>
  readonly session: () => AnySession
  readonly emit: (event: Answer) => void
}

export interface Taking {
  /** Makes a turn an item of the conversation. */
  commit(turn: HeardTurn): void
  /** A message was created. It may bring audio of its own; the item that was answered with has none. */
  created(asked: ItemToCreate, answers: readonly Answer[]): void
  /** Settles when all that was said until now is understood, as far as it can be. */
  understood(): Promise<unknown>
}

export function taking({ known, microphone, session, emit }: TakingOptions): Taking {
  let understanding: Promise<unknown> = Promise.resolve()

  function commit(turn: HeardTurn): void {
    const { item_id } = turn
    const previous_item_id = known.last()
    const item: Item = {
      id: item_id,
      object: 'realtime.item',
      type: 'message',
      role: 'user',
      status: 'completed',
      content: [{ type: 'input_audio', transcript: null }],
    }
    emit({ type: 'input_audio_buffer.committed', previous_item_id, item_id })
    emit({ type: 'conversation.item.added', previous_item_id, item })
    emit({ type: 'conversation.item.done', previous_item_id, item })
    known.heard(item_id, { ...turn, words: '' })
    understanding = Promise.all([understanding, transcribe(turn)])
  }

  function created(asked: ItemToCreate, [answer]: readonly Answer[]): void {
    if (answer?.type !== 'conversation.item.added' || asked.type !== 'message') return
    const { id: item_id } = answer.item
    const parts = contentOf(asked as Message)
    const sound = parts.filter((part) => part.type === 'input_audio' && part.audio)
    if (!sound.length) return
    const pieces = sound.map((part) => fromBase64(('audio' in part && part.audio) || ''))
    const turn = microphone.hearWhole(item_id, pieces)
    known.heard(item_id, { ...turn, words: textOf(answer.item) })
    understanding = Promise.all([understanding, transcribe(turn, parts.indexOf(sound[0]!))])
  }

  /** Words come by and by after the turn was taken, beside all else. */
  async function transcribe({ item_id, ms, words, follow }: HeardTurn, content_index = 0): Promise<void> {
    const { transcription } = session().audio?.input ?? {}
    const at = { item_id, content_index }
    let told = ''
    const tell = (delta: string) => {
      told += delta
      if (delta) emit({ type: 'conversation.item.input_audio_transcription.delta', ...at, delta })
    }
    if (transcription) follow(tell)
    const transcript = await words.catch((error: unknown) => {
      const failure = { type: 'server_error', code: 'transcription_failed', message: messageOf(error) }
      if (transcription) emit({ type: 'conversation.item.input_audio_transcription.failed', ...at, error: failure })
    })
    if (transcript === undefined) return
    known.understood(item_id, transcript, ms)
    if (!transcription) return
    if (transcript.startsWith(told)) tell(transcript.slice(told.length))
    const usage = transcription.model?.startsWith('gpt-4o')
      ? tokensOf(transcript, ms)
      : ({ type: 'duration', seconds: ms / 1000 } as const)
    emit({ type: 'conversation.item.input_audio_transcription.completed', ...at, transcript, usage })
  }

  return { commit, created, understood: () => understanding }
}

function tokensOf(transcript: string, ms: number) {
  const input_tokens = Math.ceil(ms / 100)
  const output_tokens = Math.ceil(transcript.length / 4)
  const input_token_details = { audio_tokens: input_tokens, text_tokens: 0 }
  return {
    type: 'tokens',
    input_tokens,
    output_tokens,
    total_tokens: input_tokens + output_tokens,
    input_token_details,
  } as const
}
