/** What every public face of a session has in common: connecting, saying, sending, hearing. */

import { formatOf } from '../protocol/audio.ts'
import type { Clock } from '../protocol/clock.ts'
import { UserError } from '../protocol/errors.ts'
import type { AudioDelta, Item, ServerEvent, SessionConfig } from '../protocol/events.ts'
import { newId } from '../protocol/ids.ts'
import { mulberry32 } from '../protocol/random.ts'
import { newSeed, realClock } from './clock.ts'
import { historian, type RealtimeItem, shownOf } from './history.ts'
import { type Observing, observing } from './observing.ts'
import { pacedSpeaker } from './paced-speaker.ts'
import { type Running, run, type World } from './run.ts'
import type { MakeSpeaker } from './speaker.ts'
import { type Ask, type Part, plain, type Reconnect, type Start, type State, start } from './state.ts'
import { ConnectionError, type Dial } from './transport.ts'
import { updatesSaid } from './updates.ts'
import { wordsHeard } from './words-heard.ts'

export interface DoorOptions
  extends Pick<World, 'call' | 'tell' | 'changed'>,
    Pick<Start, 'conversation' | 'cuts' | 'interruption'> {
  readonly clock?: Clock | undefined
  readonly seed?: number | undefined
  readonly reconnect?: Partial<Reconnect> | false | undefined
  /** Default: the paced speaker, which makes no sound and knows what would have been heard. */
  readonly speaker?: MakeSpeaker | undefined
  /** Told of the agent's audio as it comes. */
  readonly heard: (audio: AudioDelta) => void
  /** Default: one that knows of no app's own items. */
  readonly history?: (() => readonly RealtimeItem[]) | undefined
}

export interface Door extends Running {
  /** An id that nothing else here has. */
  newId(prefix: string): string
  /** Dials, and settles with the link. Rejects with a `ConnectionError`, or a `UserError` when it is open already. */
  connect(
    dialer: () => Dial | Promise<Dial>,
    config: () => Promise<Partial<SessionConfig>>,
    part?: Partial<Part>,
  ): Promise<void>
  /** Says something in writing, and gives the item; `fields` are for the event that carries it. */
  say(content: readonly unknown[], fields: object, respond: boolean): Item
  /** Says what a tool answered; `ask` is what is asked for once the batch is answered, if anything is. */
  answer(call_id: string, output: string, ask: Ask | null, failed?: boolean): void
  sendAudio(audio: ArrayBuffer | ArrayBufferView, commit: boolean): boolean
  /** An item of the wire as the history has it; null where it is not shown. */
  shown(id: string): RealtimeItem | null
  /** Calls `listener` with all that happens and all that is sent, in order. Returns a function that ends it. */
  observe: Observing['observe']
}

export function door(options: DoorOptions): Door {
  const { clock = realClock, seed = newSeed(), reconnect } = options
  const random = mulberry32(seed)
  let dial: Dial
  /** The `connect()` that is under way or stands. */
  let current: symbol | null = null
  /** The one that the link is of. */
  let standing: symbol | null = null
  let playing: AudioDelta | null = null
  let settle: (() => void) | null = null
  /** Gives up the `connect()` that waits for the app. */
  let abandon = () => {}
  const watching = observing(clock, (error) => options.tell({ type: 'failed', error }))
  const format = () => formatOf(running.state.config, 'output')
  const makeSpeaker = options.speaker ?? pacedSpeaker({ clock, format })

  const { conversation, cuts } = options
  const before = { ...(conversation ? { conversation } : {}), ...(cuts ? { cuts } : {}) }
  const running = run(start({ reconnect, seed, interruption: options.interruption, ...before }), {
    clock,
    dial: (listener, config) => watching.overheard(dial)(listener, config),
    happened: watching.happened,
    speaker: (listener) => {
      const speaker = makeSpeaker(listener)
      return {
        play(audio) {
          playing = audio
          speaker.play(audio)
        },
        hush: () => speaker.hush(),
        pause: () => speaker.pause?.(),
        resume: () => speaker.resume?.(),
      }
    },
    call: options.call,
    tell(notice) {
      if (notice.type === 'refused') said.refused(notice.error)
      options.tell(notice)
    },
    changed(before, after, input, now) {
      if (before.link.at !== 'closed' && after.link.at === 'closed' && current === standing) current = null
      const heard = playing
      playing = null
      options.changed(before, after, input, now)
      if (input.type === 'received') understood(after, input.event)
      if (heard) options.heard(heard)
      settle?.()
    },
  })
  const { feed } = running
  const history = options.history ?? ownHistory(() => running.state)
  const said = updatesSaid()

  /** What the app ignores is asked here: it may throw, and then it ignores nothing. */
  function understood(state: State, event: ServerEvent | AudioDelta): void {
    const input = wordsHeard(state, event, (text) => {
      try {
        return options.interruption?.ignore?.(text) ?? false
      } catch (error) {
        options.tell({ type: 'failed', error })
        return false
      }
    })
    if (input) feed(input)
  }

  async function connect(
    dialer: () => Dial | Promise<Dial>,
    config: () => Promise<Partial<SessionConfig>>,
    part: Partial<Part> = {},
  ): Promise<void> {
    if (current) throw new UserError('This is connected already. Close it first, or make another.')
    const mine = Symbol()
    current = mine
    try {
      const closed = new Promise<never>((_, reject) => {
        abandon = () => reject(new UserError('It was closed while it was connecting.'))
      })
      // A dialer that throws leaves nobody who waits for it.
      closed.catch(() => {})
      const [made, wanted] = await Promise.race([Promise.all([dialer(), config()]), closed])
      dial = made
      standing = mine
      feed({ type: 'configured', config: said.since(wanted) })
      await new Promise<void>((resolve, reject) => {
        settle = () => {
          const { link } = running.state
          if (link.at === 'live') resolve()
          else if (link.at === 'closed' && link.cause) reject(new ConnectionError(link.cause))
          else return
          settle = null
        }
        feed({ type: 'started', ...part })
      })
    } catch (error) {
      if (current === mine) current = null
      throw error
    }
  }

  return {
    get state() {
      return running.state
    },
    shown: (id) => shownOf(id, history(), running.state.conversation),
    feed(input) {
      if (input.type === 'ended') {
        current = null
        abandon()
      }
      feed(said.heard(input, running.state))
    },
    append: running.append,
    newId: (prefix) => newId(prefix, random),
    connect,
    observe: watching.observe,
    say(content, fields, respond) {
      const id = newId('item_', random)
      const item = { id, type: 'message', role: 'user', content } as Item
      feed({ type: 'said', item, fields })
      if (respond) feed({ type: 'asked', ask: plain })
      return item
    },
    answer(call_id, output, ask, failed = false) {
      const id = newId('item_', random)
      const item = { id, type: 'function_call_output', call_id, output, status: 'completed' } as const
      feed({ type: 'answered', item, ask, ...(failed ? { failed } : {}) })
    },
    sendAudio(audio, commit) {
      const sent = running.append(
        ArrayBuffer.isView(audio)
          ? new Uint8Array(audio.buffer, audio.byteOffset, audio.byteLength)
          : new Uint8Array(audio),
      )
      if (commit) feed({ type: 'sent', event: { type: 'input_audio_buffer.commit' } })
      return sent
    },
  }
}

function ownHistory(state: () => State): () => readonly RealtimeItem[] {
  const show = historian()
  const origins = new Map()
  return () => {
    const { conversation, pending, playback, config } = state()
    const isTranscribed = config.audio?.input?.transcription !== null
    return show({ conversation, pending, cuts: playback.cuts, origins, isTranscribed })
  }
}
