/** One response, from `response.created` to `response.done`, in the order of the real service. */
import { encodeAlaw, encodeUlaw } from '../audio/g711.ts'
import { toBytes } from '../audio/pcm.ts'
import { resampler } from '../audio/resample.ts'
import { bytesOf, msOf, rateOf } from '../protocol/audio.ts'
import { toBase64 } from '../protocol/base64.ts'
import type { Clock } from '../protocol/clock.ts'
import { messageOf } from '../protocol/errors.ts'
import type {
  AudioFormat,
  FunctionCall,
  FunctionTool,
  Item,
  Message,
  Response,
  ResponseCreateParams,
  SessionConfig,
  StatusDetails,
  ToolChoice,
  Usage,
} from '../protocol/events.ts'
import type { Answer } from './rules/decide.ts'
import type { Brain, Utterance, Voice } from './senses.ts'

export interface Speaking {
  readonly clock: Clock
  readonly brain: Brain
  readonly voice: Voice
  /** How many times faster than it is heard audio is sent. */
  readonly pace: number
  readonly session: SessionConfig
  readonly params: ResponseCreateParams
  readonly conversationId: string
  readonly emit: (event: Answer) => void
  readonly newId: (prefix: string) => string
  /** The last item of the conversation. */
  readonly last: () => string | null
  /** What the model is to answer, in words; waits until the ears have them. */
  readonly context: () => Promise<readonly Item[]>
  /** Told of an item's audio, and how much was made of it by now, in ms. */
  readonly spoke: (item_id: string, audio: Uint8Array, ms: number) => void
  /** Tokens of what was said to the model. */
  readonly inputUsage: (items: readonly Item[]) => NonNullable<Usage['input_token_details']>
}

export interface Giving {
  readonly id: string
  /** Ends it now: what was streamed is closed out. */
  cancel(reason: 'client_cancelled' | 'turn_detected'): void
  /** Settles after `response.done`, with how much audio there was, in ms. */
  readonly over: Promise<number>
}

/** ms of audio in one delta. */
const deltaMs = 200
const msAToken = 50
const charsAToken = 4

class Stopped extends Error {
  readonly status: NonNullable<Response['status']>
  readonly details: StatusDetails

  constructor(status: 'cancelled' | 'incomplete', details: StatusDetails) {
    super(status)
    this.status = status
    this.details = details
  }
}

/** Begins a response; `response.created` has been sent when this returns. */
export function give(speaking: Speaking): Giving {
  const { emit, newId, params, session } = speaking
  const id = newId('resp_')
  const inBand = params.conversation !== 'none'
  const modalities = params.output_modalities ?? session.output_modalities ?? ['audio']
  const format = params.audio?.output?.format ?? session.audio?.output?.format ?? { type: 'audio/pcm', rate: 24_000 }
  const voiceName = nameOf(params.audio?.output?.voice ?? session.audio?.output?.voice)
  const limit = params.max_output_tokens ?? session.max_output_tokens ?? 'inf'
  const output: Item[] = []
  const stop = new AbortController()
  const tokens = { text: 0, audio: 0 }
  let message: Growing | null = null
  let audioMs = 0
  let input: readonly Item[] = []

  const response = (
    status: Response['status'],
    status_details: StatusDetails | null,
    usage: Usage | null,
  ): Response => ({
    object: 'realtime.response',
    id,
    status: status!,
    status_details,
    output: [...output],
    conversation_id: inBand ? speaking.conversationId : null,
    output_modalities: modalities,
    max_output_tokens: limit,
    ...(modalities[0] === 'audio' ? { audio: { output: { format, voice: voiceName } } } : {}),
    metadata: params.metadata ?? null,
    usage,
  })
  const place = (item_id: string) => ({ response_id: id, item_id, output_index: output.length })

  function begin(item: Item): void {
    emit({ type: 'response.output_item.added', response_id: id, output_index: output.length, item })
    if (inBand) emit({ type: 'conversation.item.added', previous_item_id: speaking.last(), item })
  }

  function finish(item: Item, previous_item_id: string | null): void {
    if (inBand) emit({ type: 'conversation.item.done', previous_item_id, item })
    emit({ type: 'response.output_item.done', response_id: id, output_index: output.length, item })
    output.push(item)
  }

  function openMessage(): Growing {
    const previous = speaking.last()
    const kind = modalities[0] === 'audio' ? 'audio' : 'text'
    const made: Growing = { id: newId('item_'), previous, kind, words: '', ms: 0 }
    begin(messageOfWords(made, 'in_progress', []))
    const part = kind === 'audio' ? ({ type: 'audio', transcript: '' } as const) : ({ type: 'text', text: '' } as const)
    emit({ type: 'response.content_part.added', ...place(made.id), content_index: 0, part })
    return made
  }

  function closeMessage(status: 'completed' | 'incomplete'): void {
    if (!message) return
    const { id: item_id, words, kind, previous } = message
    const at = { ...place(item_id), content_index: 0 }
    if (kind === 'audio') {
      emit({ type: 'response.output_audio.done', ...at })
      emit({ type: 'response.output_audio_transcript.done', ...at, transcript: words })
      emit({ type: 'response.content_part.done', ...at, part: { type: 'audio', transcript: words } })
    } else {
      emit({ type: 'response.output_text.done', ...at, text: words })
      emit({ type: 'response.content_part.done', ...at, part: { type: 'text', text: words } })
    }
    const told = messageOfWords(message, status, [
      kind === 'audio' ? { type: 'output_audio', transcript: words } : { type: 'output_text', text: words },
    ])
    message = null
    finish(told, previous)
  }

  function count(kind: 'text' | 'audio', more: number): void {
    tokens[kind] += more
    if (limit !== 'inf' && tokens.text + tokens.audio > limit) {
      throw new Stopped('incomplete', { type: 'incomplete', reason: 'max_output_tokens' })
    }
  }

  async function say(sentence: string): Promise<void> {
    message ??= openMessage()
    const spoken = message
    const words = spoken.words ? ` ${sentence}` : sentence
    const at = { ...place(spoken.id), content_index: 0 }
    for (const delta of words.match(/\s*\S+/g) ?? []) {
      count('text', Math.ceil(delta.length / charsAToken))
      spoken.words += delta
      if (spoken.kind === 'text') emit({ type: 'response.output_text.delta', ...at, delta })
      else emit({ type: 'response.output_audio_transcript.delta', ...at, delta })
    }
    if (spoken.kind === 'text') return
    const how = { name: voiceName, speed: session.audio?.output?.speed ?? 1, signal: stop.signal }
    const toRate = resampler(speaking.voice.rate, rateOf(format))
    const send = async (samples: Int16Array) => {
      const bytes = encode(samples, format)
      const size = bytesOf(deltaMs, format)
      for (let from = 0; from < bytes.length; from += size) {
        const piece = bytes.subarray(from, from + size)
        const ms = msOf(piece.length, format)
        count('audio', ms / msAToken)
        spoken.ms += ms
        audioMs += ms
        speaking.spoke(spoken.id, piece, spoken.ms)
        emit({ type: 'response.output_audio.delta', ...at, delta: toBase64(piece) })
        await rest(ms / speaking.pace)
      }
    }
    for await (const samples of speaking.voice.speak(sentence, how)) {
      check()
      await send(toRate.push(samples))
    }
    check()
    await send(toRate.flush())
  }

  function call({ name, arguments: args }: Extract<Utterance, { type: 'call' }>): void {
    closeMessage('completed')
    const previous = speaking.last()
    const text = JSON.stringify(args)
    const item = {
      id: newId('item_'),
      object: 'realtime.item',
      type: 'function_call',
      name,
      call_id: newId('call_'),
    } as const
    const begun: FunctionCall = { ...item, status: 'in_progress', arguments: '' }
    begin(begun)
    const at = { ...place(item.id), call_id: item.call_id }
    for (const delta of text.match(/.{1,16}/gs) ?? []) {
      count('text', Math.ceil(delta.length / charsAToken))
      emit({ type: 'response.function_call_arguments.delta', ...at, delta })
    }
    emit({ type: 'response.function_call_arguments.done', ...at, name, arguments: text })
    finish({ ...begun, status: 'completed', arguments: text }, previous)
  }

  function rest(ms: number): Promise<void> {
    if (!(ms > 0)) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const stopped = () => {
        cancel()
        reject(stop.signal.reason)
      }
      const cancel = speaking.clock.at(speaking.clock.now() + ms, () => {
        stop.signal.removeEventListener('abort', stopped)
        resolve()
      })
      stop.signal.addEventListener('abort', stopped)
    })
  }

  function check(): void {
    stop.signal.throwIfAborted()
  }

  async function think(): Promise<void> {
    input = await speaking.context()
    check()
    const thought = {
      instructions: params.instructions ?? session.instructions ?? '',
      tools: ((params.tools ?? session.tools ?? []) as readonly FunctionTool[]).filter(
        ({ type }) => type === 'function',
      ),
      toolChoice: (params.tool_choice ?? session.tool_choice ?? 'auto') as ToolChoice,
      items: input,
      signal: stop.signal,
    }
    for await (const utterance of speaking.brain.think(thought)) {
      check()
      if (utterance.type === 'call') call(utterance)
      else await say(utterance.text)
      check()
    }
  }

  let ended = false
  function done(status: Response['status'], details: StatusDetails | null): void {
    if (ended) return
    ended = true
    closeMessage(status === 'completed' ? 'completed' : 'incomplete')
    const input_token_details = speaking.inputUsage(input)
    const input_tokens = (input_token_details.text_tokens ?? 0) + (input_token_details.audio_tokens ?? 0)
    const output_token_details = { text_tokens: tokens.text, audio_tokens: Math.ceil(tokens.audio) }
    const output_tokens = output_token_details.text_tokens + output_token_details.audio_tokens
    const total_tokens = input_tokens + output_tokens
    const usage = { total_tokens, input_tokens, output_tokens, input_token_details, output_token_details }
    emit({ type: 'response.done', response: response(status, details, usage) })
  }

  emit({ type: 'response.created', response: response('in_progress', null, null) })
  const over = think().then(
    () => done('completed', null),
    (error: unknown) => {
      if (error instanceof Stopped) done(error.status, error.details)
      else
        done('failed', {
          type: 'failed',
          error: { type: 'server_error', code: 'server_error', message: messageOf(error) },
        })
    },
  )
  return {
    id,
    cancel(reason) {
      if (ended) return
      stop.abort(new Stopped('cancelled', { type: 'cancelled', reason }))
      done('cancelled', { type: 'cancelled', reason })
    },
    over: over.then(() => audioMs),
  }
}

interface Growing {
  readonly id: string
  readonly previous: string | null
  readonly kind: 'audio' | 'text'
  words: string
  ms: number
}

type AssistantMessage = Extract<Message, { role: 'assistant' }>

function messageOfWords(
  { id }: Growing,
  status: 'in_progress' | 'completed' | 'incomplete',
  content: AssistantMessage['content'],
): Item {
  return { id, object: 'realtime.item', type: 'message', role: 'assistant', status, content }
}

function nameOf(voice: string | { readonly id: string } | undefined): string {
  return typeof voice === 'object' ? voice.id : (voice ?? 'marin')
}

function encode(samples: Int16Array, { type }: AudioFormat): Uint8Array {
  if (type === 'audio/pcmu') return encodeUlaw(samples)
  return type === 'audio/pcma' ? encodeAlaw(samples) : toBytes(samples)
}
