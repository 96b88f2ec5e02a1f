/** One reply of the far end: what the app holds of it, and what it is told. */
import { textOf } from '../conversation/item.ts'
import type { Item, Response, Usage } from '../protocol/events.ts'
import { nameKey } from '../session/asks.ts'
import { ReplyError, type ReplyErrorDetails } from './reply-error.ts'
import { type Stream, stream } from './stream.ts'

export interface Reply {
  /** Ours: it stays the same. */
  readonly id: string
  /** The far end's, once the response has begun; else null. */
  readonly responseId: string | null
  /**
   * The words as they come, written or spoken; a message that follows another begins a new line. Every reader gets all
   * of them, also one that begins late. Throws what `done` rejects with.
   */
  readonly text: AsyncIterable<string>
  /**
   * The sound as it comes, in the session's output format. It is kept from the time when `audio` is first asked for,
   * until it is read: ask for it at once. A second reader gets what comes after it has begun.
   */
  readonly audio: AsyncIterable<Uint8Array>
  /**
   * Resolves when the reply has ended, or was cancelled. Rejects with a `ReplyError` when it failed, was refused, or was
   * lost with the line or the session; after `cancel()` it does not reject.
   */
  readonly done: Promise<ReplyEnd>
  /** It is not wanted any more. One that has not begun is not asked for; one that has is cut: no more sound comes. */
  cancel(): void
}

export interface ReplyEnd {
  readonly status: 'completed' | 'cancelled' | 'incomplete'
  readonly responseId: string | null
  /** All words: '' where it only called tools. */
  readonly text: string
  /** Null where the far end did not say. */
  readonly usage: Usage | null
  /** The response as the far end ended it; null where it was cancelled before that. */
  readonly response: Response | null
}

/** A reply, and what it is told. */
export interface Told {
  readonly reply: Reply
  readonly responseId: string | null
  /** Its response has begun. */
  began(response_id: string): void
  grew(item_id: string, content_index: number | undefined, delta: string): void
  /** All words of a part: those that have not come before come now. */
  said(item_id: string, content_index: number | undefined, words: string): void
  heard(audio: Uint8Array): void
  /** Its response ended in vain: another is to come. */
  again(): void
  /** `isHeldBack`: its sound is not over, and may come until `silent`. */
  ended(response: Response, isHeldBack?: boolean): void
  /** No more sound comes. */
  silent(): void
  /** It was cancelled before it began. */
  dropped(): void
  fail(why: ReplyError['why'], message: string, details: ReplyErrorDetails): void
}

/** `over`: it has ended, whichever way. `cancelled`: it was asked for, and is not wanted any more. */
export function told(id: string, tell: { over(): void; cancelled(): void }): Told {
  const text = stream<string>(true)
  let audio: Stream<Uint8Array> | null = null
  /** The words of each part of each item. */
  const parts = new Map<string, string[]>()
  let words = ''
  let last: string | null = null
  let responseId: string | null = null
  let isCancelled = false
  let isOver = false
  /** It is over, and its sound is not. */
  let isLeft = false
  let error: ReplyError | undefined
  let resolve!: (end: ReplyEnd) => void
  let reject!: (error: ReplyError) => void
  const done = new Promise<ReplyEnd>((yes, no) => {
    resolve = yes
    reject = no
  })
  done.catch(() => {})

  function over(): void {
    isOver = true
    text.end(error)
    if (!isLeft) audio?.end(error)
    tell.over()
  }

  function end(status: ReplyEnd['status'], response: Response | null): void {
    over()
    const usage = response?.usage ?? null
    resolve({ status, responseId, text: words, usage, response: response && withoutName(response) })
  }

  function fail(why: ReplyError['why'], message: string, details: ReplyErrorDetails): void {
    if (isCancelled) return end('cancelled', null)
    error = new ReplyError(why, message, { responseId, ...details })
    over()
    reject(error)
  }

  function grew(item_id: string, content_index = 0, delta: string): void {
    if (!delta) return
    const said = parts.get(item_id) ?? []
    parts.set(item_id, said)
    said[content_index] = (said[content_index] ?? '') + delta
    const isNext = last !== null && last !== item_id
    last = item_id
    words += isNext && words ? `\n${delta}` : delta
    text.push(isNext ? `\n${delta}` : delta)
  }

  const reply: Reply = {
    id,
    get responseId() {
      return responseId
    },
    text: text.pieces,
    get audio() {
      if (!audio) {
        audio = stream(false)
        if ((isOver && !isLeft) || isCancelled) audio.end(error)
      }
      return audio.pieces
    },
    done,
    cancel() {
      if (isOver || isCancelled) return
      isCancelled = true
      audio?.end()
      if (responseId === null) end('cancelled', null)
      tell.cancelled()
    },
  }

  return {
    reply,
    get responseId() {
      return responseId
    },
    began(response_id) {
      responseId = response_id
    },
    grew,
    said(item_id, content_index = 0, whole) {
      const before = parts.get(item_id)?.[content_index] ?? ''
      if (whole.startsWith(before)) grew(item_id, content_index, whole.slice(before.length))
    },
    // A copy: the app may change it, or give it away, while the speaker plays it.
    heard: (bytes) => audio?.push(bytes.slice()),
    again() {
      responseId = null
      words = ''
      if (!isCancelled) return
      end('cancelled', null)
      tell.cancelled()
    },
    ended(response, isHeldBack = false) {
      isLeft = isHeldBack
      const { output, status, status_details = null } = response
      for (const item of output ?? []) if (!parts.has(item.id)) grew(item.id, 0, wordsOf(item))
      if (status === 'cancelled' || status === 'incomplete') return end(status, response)
      if (status !== 'failed') return end('completed', response)
      const { error: cause = null, reason } = status_details ?? {}
      const because = cause?.message ?? cause?.code ?? reason ?? 'no reason was given'
      fail('failed', `The reply failed: ${because}.`, { cause, status_details })
    },
    silent() {
      isLeft = false
      audio?.end(error)
    },
    dropped: () => end('cancelled', null),
    fail,
  }
}

function wordsOf(item: Item): string {
  return item.type === 'message' ? textOf(item) : ''
}

/** The response as the app asked for it. */
function withoutName(response: Response): Response {
  if (!response.metadata) return response
  const { [nameKey]: _, ...metadata } = response.metadata
  return { ...response, metadata: Object.keys(metadata).length ? metadata : null }
}
