/** What only some sessions need: guardrails, limits, sound that is kept, metrics. Loaded when it is needed. */
import { textOf } from '../conversation/item.ts'
import type { AudioDelta } from '../protocol/events.ts'
import type { Emitter } from '../session/emitter.ts'
import type { RealtimeItem } from '../session/history.ts'
import type { FollowTurns } from '../session/measuring.ts'
import type { MakeSpeaker } from '../session/speaker.ts'
import type { RealtimeSessionEvents } from './events.ts'
import type { Guarding, GuardingOptions } from './guarding.ts'
import type { Limiting, LimitingOptions } from './limiting.ts'
import type { Replies } from './replies.ts'
import type { SoundShelf } from './sounds.ts'

export interface Equipment {
  readonly guard: Guarding | null
  readonly limit: Limiting | null
  readonly shelf: SoundShelf | null
  readonly follow: FollowTurns | null
  /** Loads what the session's options ask for, before the first line. */
  load(model: string | undefined): Promise<void>
  /** Somebody listens to the metrics: they are taken from now on. */
  measure(): void
}

export interface EquipmentOptions<Context>
  extends Pick<GuardingOptions<Context>, 'clock' | 'door' | 'cast' | 'context' | 'options' | 'played'>,
    Pick<LimitingOptions, 'running' | 'speaking' | 'reply' | 'drained'> {
  readonly events: Emitter<RealtimeSessionEvents<Context>>
  readonly speaker: MakeSpeaker
  readonly history: () => readonly RealtimeItem[]
  readonly answers: Replies
}

export function equipment<Context>(parts: EquipmentOptions<Context>): Equipment {
  const { door, cast, context, options, events, answers } = parts
  const failed = (error: unknown) => events.report(error)
  let guard: Guarding | null = null
  let limit: Limiting | null = null
  let shelf: SoundShelf | null = null
  let follow: FollowTurns | null = null

  async function guarded(): Promise<void> {
    const { guarding } = await import('./guarding.ts')
    const more = {
      failed,
      tripped(error: Parameters<GuardingOptions<Context>['tripped']>[0]) {
        const { agent } = cast.of(error.responseId)
        events.emit('guardrail_tripped', context, agent, error, { itemId: error.itemId })
      },
      held: (ms: number, itemId: string) => events.emit('audio_held', { ms, itemId }),
      passedBeside: (audio: AudioDelta) => answers.received(audio),
      moved: () => answers.moved(),
    }
    guard = guarding<Context>({ ...parts, ...more }, parts.speaker)
    for (const { item } of door.state.pending) guard.said(item.id, textOf(item))
  }

  async function shelved(): Promise<void> {
    const { soundShelf } = await import('./sounds.ts')
    shelf = soundShelf(
      (event) => door.feed({ type: 'sent', event }),
      () => events.emit('history_updated', parts.history()),
    )
  }

  async function limited(limits: NonNullable<typeof options.limits>, model: string): Promise<void> {
    const { limiting } = await import('./limiting.ts')
    limit = limiting({ ...parts, limits, model, reached: (reached) => events.emit('limit_reached', reached) })
  }

  /** What happens while it is being loaded is measured too. */
  async function measured(): Promise<void> {
    const early: Parameters<FollowTurns>[] = []
    follow = (...change) => {
      early.push(change)
      return []
    }
    try {
      const { followTurns } = await import('../session/measuring.ts')
      follow = followTurns()
    } catch (error) {
      follow = null
      throw error
    }
    for (const change of early) for (const turn of follow(...change)) events.emit('metrics', turn)
  }

  return {
    get guard() {
      return guard
    },
    get limit() {
      return limit
    },
    get shelf() {
      return shelf
    },
    get follow() {
      return follow
    },
    async load(model = 'gpt-realtime-2.1') {
      if (events.has('metrics') && !follow) await measured()
      if (!guard && (options.outputGuardrails?.length || options.inputGuardrails?.length)) await guarded()
      if (!shelf && options.historyStoreAudio) await shelved()
      if (!limit && options.limits) await limited(options.limits, model)
    },
    measure() {
      if (!follow) measured().catch(failed)
    },
  }
}
