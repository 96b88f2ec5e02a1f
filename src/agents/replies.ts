/** Replies that the app asks for: each finds its response by name, and tells the app what that response says. */
import { isAudio } from '../protocol/audio.ts'
import { UserError } from '../protocol/errors.ts'
import type {
  AudioDelta,
  AudioOutput,
  ItemToCreate,
  RealtimeError,
  Response,
  ResponseCreateParams,
  ServerEvent,
  Tool,
  ToolChoice,
} from '../protocol/events.ts'
import { nameKey } from '../session/asks.ts'
import type { Link } from '../session/state.ts'
import type { Cause } from '../session/transport.ts'
import { type Reply, type Told, told } from './reply.ts'

export type { Reply, ReplyEnd } from './reply.ts'

/** What one reply is to be like; all else is as the session is. */
export interface ReplyOptions {
  /** In place of the agent's instructions. */
  readonly instructions?: string
  /** In place of the agent's tools: made with `tool()`, or as the wire has them. */
  readonly tools?: readonly Tool[]
  readonly toolChoice?: ToolChoice
  /** At most 15 pairs; keys of at most 64 characters, values of at most 512. */
  readonly metadata?: Readonly<Record<string, string>>
  readonly outputModalities?: readonly ('audio' | 'text')[]
  /** `none`: beside the conversation, which learns nothing of it and goes on meanwhile. */
  readonly conversation?: 'auto' | 'none'
  /** What is answered, in place of the conversation. `item_reference` names an item of the conversation. */
  readonly input?: readonly (ItemToCreate | { readonly type: 'item_reference'; readonly id: string })[]
  readonly maxOutputTokens?: number | 'inf'
  readonly voice?: NonNullable<AudioOutput['voice']>
  /** Whoever speaks while it is heard does not silence it: a disclaimer. `interrupt()` does. */
  readonly uninterruptible?: boolean
  /** Aborting it is `cancel()`. */
  readonly signal?: AbortSignal
}

export interface RepliesOptions {
  readonly newId: (prefix: string) => string
  /** Asks for a response by this name. */
  readonly ask: (id: string, params: ResponseCreateParams, uninterruptible: boolean) => void
  /** What was asked for by this name is not wanted any more; `response_id`: it has begun, and is to be cut. */
  readonly cancel: (id: string, response_id: string | null) => void
  /** Whether sound of this response is held back until it was checked: `moved` says when it is not any more. */
  readonly isHeldBack?: (response_id: string) => boolean
}

export interface Replies {
  /** @throws UserError when the metadata is more than the protocol takes. */
  generate(options?: ReplyOptions, id?: string): Reply
  /** `name`: by which a response that is created was asked for. */
  received(event: ServerEvent | AudioDelta, name?: string): void
  /** This response ended in vain and is asked for again: its reply waits for the next. Told before its `response.done`. */
  retried(response_id: string): void
  /** Some of what was held back is held no more. */
  moved(): void
  /** Returns whether it was a reply that was refused. */
  refused(error: RealtimeError): boolean
  /** The session gave up what was asked for by this name. */
  dropped(id: string): void
  /** The line was lost: what was being given fails, unless it is wanted again. What has not begun waits. */
  lost(link: Link, isWanted: (id: string) => boolean): void
  /** Nothing more comes. What has not begun is not to be asked for on another line either. */
  closed(cause: Cause | null): void
}

export function replies({ newId, ask, cancel, isHeldBack = () => false }: RepliesOptions): Replies {
  /** By name: all that have not ended. */
  const open = new Map<string, Told>()
  /** By response: those that have begun. */
  const begun = new Map<string, Told>()
  /** By response: those that have ended, and whose sound is held back. */
  const tails = new Map<string, Told>()
  /** Names that were cancelled after they were asked for, and before they began. */
  const unwanted = new Set<string>()

  function generate(options: ReplyOptions = {}, id = newId('reply_')): Reply {
    const params = paramsOf(options)
    const { signal } = options
    const one = told(id, {
      over() {
        signal?.removeEventListener('abort', one.reply.cancel)
        open.delete(id)
        begun.delete(one.responseId ?? '')
      },
      cancelled() {
        if (one.responseId === null) unwanted.add(id)
        cancel(id, one.responseId)
      },
    })
    if (signal?.aborted) one.dropped()
    else {
      open.set(id, one)
      signal?.addEventListener('abort', one.reply.cancel)
      ask(id, params, options.uninterruptible ?? false)
    }
    return one.reply
  }

  function began({ id }: Response, name: string): void {
    const one = open.get(name)
    if (unwanted.delete(name)) return cancel(name, id)
    if (!one || one.responseId !== null) return
    one.began(id)
    begun.set(id, one)
  }

  function received(event: ServerEvent | AudioDelta, name?: string): void {
    if (isAudio(event)) return (begun.get(event.response_id) ?? tails.get(event.response_id))?.heard(event.audio)
    if (!open.size && !unwanted.size) return
    switch (event.type) {
      case 'response.created':
        return began(event.response, name ?? event.response.metadata?.[nameKey] ?? '')
      case 'response.output_text.delta':
      case 'response.output_audio_transcript.delta':
        return begun.get(event.response_id)?.grew(event.item_id, event.content_index, event.delta)
      case 'response.output_text.done':
        return begun.get(event.response_id)?.said(event.item_id, event.content_index, event.text)
      case 'response.output_audio_transcript.done':
        return begun.get(event.response_id)?.said(event.item_id, event.content_index, event.transcript)
      case 'response.done':
        return ended(event.response)
    }
  }

  function ended(response: Response): void {
    const one = begun.get(response.id)
    const isLeft = one !== undefined && isHeldBack(response.id)
    if (isLeft) tails.set(response.id, one)
    one?.ended(response, isLeft)
  }

  function moved(): void {
    for (const [response_id, one] of tails) if (!isHeldBack(response_id)) silent(response_id, one)
  }

  function silent(response_id: string, one: Told): void {
    tails.delete(response_id)
    one.silent()
  }

  return {
    generate,
    received,
    moved,
    retried(response_id) {
      begun.get(response_id)?.again()
      begun.delete(response_id)
    },
    refused(error) {
      const id = error.event_id ?? ''
      if (unwanted.delete(id)) return true
      const one = open.get(id)
      if (!one || one.responseId !== null) return false
      one.fail('refused', `The far end refused the reply: ${error.message}`, { cause: error })
      return true
    },
    dropped: (id) => open.get(id)?.dropped(),
    lost(link, isWanted) {
      unwanted.clear()
      if (link.at === 'closed') return
      const cause = link.at === 'waiting' ? link.cause : null
      const because = cause ? ` ${cause.reason}` : ''
      for (const [response_id, one] of [...begun]) {
        if (!isWanted(one.reply.id)) {
          one.fail('lost', `The line was lost while the reply was being given.${because} Ask again.`, { cause })
        } else one.again()
        begun.delete(response_id)
      }
    },
    closed(cause) {
      const because = cause ? ` ${cause.reason}` : ''
      for (const [id, one] of [...open]) {
        const hasBegun = one.responseId !== null
        one.fail('closed', `The session ended before the reply did.${because}`, { cause })
        if (!hasBegun) cancel(id, null)
      }
      unwanted.clear()
      for (const [response_id, one] of tails) silent(response_id, one)
    },
  }
}

/** As the wire has them. */
function paramsOf(options: ReplyOptions): ResponseCreateParams {
  const { instructions, tools, toolChoice, metadata, outputModalities, conversation, input, maxOutputTokens, voice } =
    options
  if (metadata) requireMetadata(metadata)
  return known<ResponseCreateParams>({
    instructions,
    tools: tools?.map(asWireTool),
    tool_choice: toolChoice,
    metadata,
    output_modalities: outputModalities,
    conversation,
    input,
    max_output_tokens: maxOutputTokens,
    audio: voice === undefined ? voice : { output: { voice } },
  })
}

/** What a tool does is ours; the far end knows what it is called and takes. */
function asWireTool(tool: Tool): Tool {
  if (tool.type === 'mcp') return tool
  const { name, description, parameters } = tool
  return known<Tool>({ type: 'function', name, description, parameters })
}

function known<T extends object>(fields: { readonly [Key in keyof T]: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}

/** 16 pairs are the protocol's most; one of them is the reply's name. */
const mostPairs = 15

function requireMetadata(metadata: Readonly<Record<string, string>>): void {
  const pairs = Object.entries(metadata)
  if (pairs.length > mostPairs) {
    throw new UserError(
      `A reply's metadata has ${pairs.length} pairs. Use at most ${mostPairs}: the session adds one of its own.`,
    )
  }
  for (const [key, value] of pairs) {
    if (key === nameKey)
      throw new UserError(`'${nameKey}' in a reply's metadata is the session's own. Use another key.`)
    if (key.length > 64) throw new UserError(`The key '${key}' of a reply's metadata is longer than 64 characters.`)
    if (typeof value === 'string' && value.length <= 512) continue
    throw new UserError(`The value of '${key}' in a reply's metadata must be a string of at most 512 characters.`)
  }
}
