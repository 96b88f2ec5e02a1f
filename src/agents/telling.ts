/** What the app is told of what happens: each change of state and each event of the far end, as the session's events. */
import { textOf } from '../conversation/conversation.ts'
import { find } from '../conversation/order.ts'
import { isAudio } from '../protocol/audio.ts'
import type { AudioDelta, Response, ServerEvent } from '../protocol/events.ts'
import type { Emitter } from '../session/emitter.ts'
import type { RealtimeItem } from '../session/history.ts'
import type { Input, Notice, State } from '../session/state.ts'
import type { RunContext } from './context.ts'
import type { RealtimeSessionEvents } from './events.ts'
import type { Role } from './role.ts'
import { tellAgent } from './shapes.ts'

export interface Telling {
  heard(audio: AudioDelta): void
  /** What was held back begins to sound. */
  sounds(audio: AudioDelta): void
  changed(before: State, after: State, input: Input): void
  unfinished(notice: Extract<Notice, { readonly type: 'unfinished' }>): void
  /** What subscribers may read beside the state is another. */
  renewed(): void
  subscribe(listener: () => void): () => void
}

export function telling<Context>(options: {
  readonly events: Emitter<RealtimeSessionEvents<Context>>
  readonly context: RunContext<Context>
  readonly roleOf: (response_id: string | null) => Role<Context>
  readonly history: () => readonly RealtimeItem[]
  /** What comes is not heard before it was checked: `sounds` says when it is. */
  readonly isHeldBack: () => boolean
}): Telling {
  const { events, context, roleOf } = options
  let isSounding = false
  const subscribers = new Set<() => void>()

  function changed(before: State, after: State, input: Input): void {
    if (input.type === 'received') received(input.event, after)
    if (before === after) return
    if (before.link.at !== after.link.at) events.emit('connection_change', after.link)
    const [was, is] = [before.playback.item, after.playback.item]
    if (!was && is && !options.isHeldBack()) sounds(is)
    if (was && !is && isSounding) {
      isSounding = false
      events.emit('audio_stopped', context, roleOf(was.response_id).agent)
    }
    if (before.conversation.items !== after.conversation.items || before.pending !== after.pending) added(before, after)
    const isRetold =
      before.conversation !== after.conversation ||
      before.pending !== after.pending ||
      before.playback.cuts !== after.playback.cuts
    if (isRetold && events.has('history_updated')) events.emit('history_updated', options.history())
    renewed()
  }

  function sounds({ response_id }: { readonly response_id: string }): void {
    if (isSounding) return
    isSounding = true
    events.emit('audio_start', context, roleOf(response_id).agent)
  }

  function renewed(): void {
    for (const listener of subscribers) listener()
  }

  function received(event: ServerEvent | AudioDelta, state: State): void {
    events.emit('transport_event', event)
    if (isAudio(event)) return
    if (event.type !== 'response.created' && event.type !== 'response.done') return
    const { response } = event
    if (response.conversation_id === null) return
    const { agent } = roleOf(response.id)
    if (event.type === 'response.done') return ended(response as Response, state)
    events.emit('agent_start', context, agent)
    tellAgent(agent, events.report, 'agent_start', context, agent)
  }

  function ended({ id, output }: Response, { conversation }: State): void {
    const { agent } = roleOf(id)
    const words = (output ?? []).map((item) => textOf(conversation.items[find(conversation.items, item.id)] ?? item))
    const text = words.filter((said) => said).join('\n')
    events.emit('agent_end', context, agent, text)
    tellAgent(agent, events.report, 'agent_end', context, text)
  }

  /** What is new stands near the end: it is looked for from there, and no further than there is something. */
  function added(before: State, after: State): void {
    if (!events.has('history_added')) return
    const { items } = after.conversation
    let left = items.length + after.pending.length - before.conversation.items.length - before.pending.length
    const fresh = new Set<string>()
    const look = (id: string) => {
      if (find(before.conversation.items, id) >= 0 || before.pending.some(({ item }) => item.id === id)) return
      fresh.add(id)
      left--
    }
    for (const { item } of after.pending) look(item.id)
    for (let n = items.length - 1; n >= 0 && left > 0; n--) look(items[n]!.id)
    if (fresh.size === 0) return
    const history = options.history()
    const first = history.length - 1
    const shown: RealtimeItem[] = []
    for (let n = first; n >= 0 && shown.length < fresh.size && first - n < fresh.size + 64; n--) {
      if (fresh.has(history[n]!.itemId)) shown.unshift(history[n]!)
    }
    const all = shown.length < fresh.size ? history.filter(({ itemId }) => fresh.has(itemId)) : shown
    for (const item of all) events.emit('history_added', item)
  }

  return {
    heard({ audio, response_id: responseId, item_id: itemId }) {
      if (!events.has('audio')) return
      const whole = audio.byteLength === audio.buffer.byteLength ? audio : audio.slice()
      events.emit('audio', { type: 'audio', data: whole.buffer as ArrayBuffer, responseId, itemId })
    },
    sounds,
    changed,
    renewed,
    unfinished({ response, why, isRetried }) {
      const details = { responseId: response.id, why, isRetried, response }
      events.emit('response_unfinished', context, roleOf(response.id).agent, details)
      if (isRetried || why === 'cancelled') return
      const { error, reason } = response.status_details ?? {}
      const because = error?.message ?? error?.code ?? reason ?? 'no reason was given'
      const message = `The response ${response.id} is ${why}: ${because.replace(/\.$/, '')}.`
      events.report(new Error(message, { cause: response }))
    },
    subscribe(listener) {
      const safe = () => {
        try {
          listener()
        } catch (cause) {
          events.report(new Error('A subscriber of the session failed.', { cause }))
        }
      }
      subscribers.add(safe)
      return () => subscribers.delete(safe)
    },
  }
}
