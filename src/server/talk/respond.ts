/** One response, from `response.created` to `response.done`, in the order of the real service. */
import { encodeAlaw, encodeUlaw } from '../../audio/g711.ts'
import { toBytes } from '../../audio/pcm.ts'
import { resampler } from '../../audio/resample.ts'
import { bytesOf, formatOf, msOf, rateOf } from '../../protocol/audio.ts'
import type { Clock } from '../../protocol/clock.ts'
import { messageOf } from '../../protocol/errors.ts'
import type {
  AudioFormat,
  FunctionTool,
  Item,
  Response,
  ResponseCreateParams,
  SessionConfig,
  StatusDetails,
  ToolChoice,
  Usage,
} from '../../protocol/events.ts'
import type { Answer } from '../rules/decide.ts'
import type { Brain, Utterance, Voice } from '../senses.ts'
import type { Piece } from '../turns/sound.ts'
import { sentences } from '../voice/sentences.ts'
import { telling } from './telling.ts'

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
  /** Whether an item is in the conversation. */
  readonly stands: (item_id: string) => boolean
  /** What the model is to answer, in words; waits until the ears have them. */
  readonly context: () => Promise<readonly Item[]>
  /** Told of each piece of an item's audio. */
  readonly spoke: (response_id: string, item_id: string, piece: Piece) => void
  /** The line carries the sound itself: no event does. */
  readonly carriesSound: boolean
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
  const format = params.audio?.output?.format ?? formatOf(session, 'output')
  const voiceName = nameOf(params.audio?.output?.voice ?? session.audio?.output?.voice)
  const limit = params.max_output_tokens ?? session.max_output_tokens ?? 'inf'
  const parallel = params.parallel_tool_calls ?? session.parallel_tool_calls ?? true
  const kind = modalities[0] === 'audio' ? 'audio' : 'text'
  const { last, stands } = speaking
  const told = telling({ response_id: id, kind, inBand, emit, newId, last, stands })
  const stop = new AbortController()
  const tokens = { text: 0, audio: 0 }
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
    output: [...told.output],
    conversation_id: inBand ? speaking.conversationId : null,
    output_modalities: modalities,
    max_output_tokens: limit,
    ...(kind === 'audio' ? { audio: { output: { format, voice: voiceName } } } : {}),
    metadata: params.metadata ?? null,
    usage,
  })
  /** Spends so many tokens, or as many as there are left. */
  function spend(kind: 'text' | 'audio', wanted: number): number {
    const left = limit === 'inf' ? wanted : limit - tokens.text - tokens.audio
    const spent = Math.min(wanted, kind === 'text' ? Math.floor(left) : left)
    tokens[kind] += spent
    return spent
  }

  function full(): Stopped {
    return new Stopped('incomplete', { type: 'incomplete', reason: 'max_output_tokens' })
  }

  /** Tells what the tokens that are left have room for. */
  function grow(delta: string): void {
    const wanted = Math.ceil(delta.length / charsAToken)
    const spent = spend('text', wanted)
    if (spent > 0) told.grow(delta.slice(0, spent * charsAToken))
    if (spent < wanted) throw full()
  }

  /** A text is spoken sentence by sentence: the first is heard while the rest waits, and other calls have their turns. */
  async function say(text: string): Promise<void> {
    const { id: item_id, words } = told.message()
    const cut = sentences()
    for (const sentence of [...cut.push(words && text ? ` ${text}` : text), ...cut.flush()]) {
      for (const delta of sentence.match(/\s*\S+|\s+$/g) ?? []) grow(delta)
      if (kind === 'audio' && sentence.trim()) await speak(sentence.trim(), item_id)
    }
  }

  async function speak(sentence: string, item_id: string): Promise<void> {
    const how = { name: voiceName, speed: session.audio?.output?.speed ?? 1, signal: stop.signal }
    const toRate = resampler(speaking.voice.rate, rateOf(format))
    const atOnce = Math.floor((speaking.voice.rate * deltaMs) / 1_000)
    const send = async (samples: Int16Array) => {
      const bytes = encode(samples, format)
      const size = bytesOf(deltaMs, format)
      for (let from = 0; from < bytes.length; from += size) {
        const whole = bytes.subarray(from, from + size)
        const wanted = msOf(whole.length, format) / msAToken
        const spent = spend('audio', wanted)
        const piece = spent < wanted ? whole.subarray(0, bytesOf(spent * msAToken, format)) : whole
        if (!piece.length) throw full()
        const ms = msOf(piece.length, format)
        audioMs += ms
        speaking.spoke(id, item_id, { bytes: piece, format, ms })
        if (!speaking.carriesSound) told.sound(piece)
        await rest(ms / speaking.pace)
        check()
        if (spent < wanted) throw full()
      }
    }
    for await (const samples of speaking.voice.speak(sentence, how)) {
      check()
      // Piece by piece: a long sentence would hold up the sound of other calls.
      for (let from = 0; from < samples.length; from += atOnce)
        await send(toRate.push(samples.subarray(from, from + atOnce)))
    }
    check()
    await send(toRate.flush())
  }

  function call({ name, arguments: args }: Extract<Utterance, { type: 'call' }>): void {
    told.call(name)
    for (const delta of JSON.stringify(args).match(/.{1,16}/gs) ?? []) grow(delta)
    told.close('completed')
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
      if (utterance.type === 'call' && !parallel) return
    }
  }

  let ended = false
  function done(status: Response['status'], details: StatusDetails | null): void {
    if (ended) return
    ended = true
    told.close(status === 'completed' ? 'completed' : 'incomplete')
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

function nameOf(voice: string | { readonly id: string } | undefined): string {
  return typeof voice === 'object' ? voice.id : (voice ?? 'marin')
}

function encode(samples: Int16Array, { type }: AudioFormat): Uint8Array {
  if (type === 'audio/pcmu') return encodeUlaw(samples)
  return type === 'audio/pcma' ? encodeAlaw(samples) : toBytes(samples)
}
