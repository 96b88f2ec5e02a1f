/** Guardrails in a session: what trips is cut, and the model is told. Loaded when a session has guardrails. */
import { activeResponse } from '../conversation/conversation.ts'
import { formatOf } from '../protocol/audio.ts'
import type { Clock } from '../protocol/clock.ts'
import type { AudioDelta, ServerEvent } from '../protocol/events.ts'
import type { Door } from '../session/door.ts'
import type { MakeSpeaker, Speaker } from '../session/speaker.ts'
import type { Casting } from './casting.ts'
import type { RunContext } from './context.ts'
import type { GuardrailTripped } from './guardrail.ts'
import { type Guards, guards } from './guards.ts'
import { type HeldSpeaker, heldSpeaker } from './holdback.ts'
import type { RealtimeSessionOptions } from './options.ts'
import { guardrailOf } from './shapes.ts'

export interface GuardingOptions<Context> {
  readonly clock: Clock
  readonly door: Door
  readonly cast: Casting<Context>
  readonly context: RunContext<Context>
  readonly options: RealtimeSessionOptions<Context>
  readonly tripped: (error: GuardrailTripped) => void
  readonly held: (ms: number, itemId: string) => void
  /** In `holdback`: what was checked, as it goes on to the speaker. */
  readonly played: (audio: AudioDelta) => void
  /** In `holdback`: what was checked of a response beside the conversation, which no speaker plays. */
  readonly passedBeside: (audio: AudioDelta) => void
  /** In `holdback`: some of what was held is held no more. */
  readonly moved: () => void
  readonly failed: (error: unknown) => void
}

export interface Guarding {
  received(event: ServerEvent): void
  said(item_id: string, text: string): void
  /** The speaker through which the agent is heard. */
  readonly speaker: MakeSpeaker | null
  /** In `holdback`: sound beside the conversation is held too. */
  holdBeside(audio: AudioDelta): void
  /** Something of this response is held back. */
  isHolding(response_id: string): boolean
  /** Something sounded when the speaker fell silent last. */
  readonly wasSounding: boolean
}

/** So many answers in a row may be stopped: a model that does not keep to the policy is asked no further. */
const mostStopped = 3
/** Passes that are remembered for a speaker that is still to be made. */
const mostEarly = 64

export function guarding<Context>(parts: GuardingOptions<Context>, make: MakeSpeaker): Guarding {
  const { clock, door, cast, context, failed } = parts
  const { outputGuardrails = [], inputGuardrails = [], outputGuardrailSettings = {} } = parts.options
  const holdsBack = outputGuardrails.length > 0 && outputGuardrailSettings.mode === 'holdback'
  let held: HeldSpeaker | null = null
  let beside: HeldSpeaker | null = null
  /** Passed before there was a speaker. */
  let early: readonly Parameters<HeldSpeaker['passed']>[] = []
  let isSounding = false
  let wasSounding = false
  /** Since the user said something. */
  let stopped = 0

  const watch: Guards = guards<Context>({
    output: outputGuardrails.map(guardrailOf),
    input: inputGuardrails.map(guardrailOf),
    settings: outputGuardrailSettings,
    agentOf: (id) => cast.of(id).agent,
    context,
    tripped,
    failed,
    ...(holdsBack ? { passed } : {}),
  })

  function passed(...what: Parameters<HeldSpeaker['passed']>): void {
    if (!held || !beside) early = [...early.slice(1 - mostEarly), what]
    held?.passed(...what)
    beside?.passed(...what)
  }

  /** It is made for the first sound, and words may have passed before that. */
  function caughtUp(speaker: HeldSpeaker): HeldSpeaker {
    for (const what of early) speaker.passed(...what)
    return speaker
  }

  /** What was said is heard no further; a newer answer goes on. The model is told why for its next answer alone. */
  function tripped(error: GuardrailTripped): void {
    const { responseId } = error
    parts.tripped(error)
    if (responseId !== null) {
      const { conversation, playback } = door.state
      const newer = [activeResponse(conversation)?.id, playback.item?.response_id].some((id) => id && id !== responseId)
      const isBeside = conversation.responses.some((one) => one.id === responseId && one.conversation_id === null)
      const heard = held?.refused(responseId) ?? []
      beside?.refused(responseId)
      door.feed({ type: 'cut', response_id: responseId, ...(heard.length ? { heard } : {}) })
      if (newer || isBeside) return
      if (++stopped === mostStopped)
        return failed(new Error(`Guardrails stopped ${mostStopped} answers in a row: no other is asked for.`))
    }
    const instructions = `${cast.of(responseId).instructions}\n\n${error.feedback}`
    door.feed({ type: 'asked', ask: { id: null, params: { instructions } } })
  }

  const speaker: MakeSpeaker = (listener) => {
    const inner = make({
      drained() {
        isSounding = false
        held?.drained()
      },
      sounded: (item) => listener.sounded?.(item),
    })
    const told: Speaker = {
      play(audio) {
        inner.play(audio)
        isSounding = true
        parts.played(audio)
      },
      hush() {
        wasSounding = isSounding
        isSounding = false
        return inner.hush()
      },
      pause: () => inner.pause?.(),
      resume: () => inner.resume?.(),
    }
    const made = heldSpeaker(told, {
      clock,
      format: () => formatOf(door.state.config, 'output'),
      lengthOf: watch.lengthOf,
      drained: () => listener.drained(),
      held: parts.held,
      moved: parts.moved,
      unplayable: (response_id, error) => door.feed({ type: 'unplayable', response_id, error }),
    })
    held = caughtUp(made)
    return held
  }

  /** Nobody hears it here: what has passed is gone at once. */
  function heldBeside(): HeldSpeaker {
    const made: HeldSpeaker = heldSpeaker(
      {
        play(audio) {
          parts.passedBeside(audio)
          made.drained()
        },
        hush: () => [],
      },
      {
        clock,
        format: () => formatOf(door.state.config, 'output'),
        lengthOf: watch.lengthOf,
        drained() {},
        moved: parts.moved,
      },
    )
    return made
  }

  return {
    received(event) {
      if (event.type === 'input_audio_buffer.committed') stopped = 0
      watch.received(event)
    },
    said(item_id, text) {
      stopped = 0
      watch.said(item_id, text)
    },
    speaker: holdsBack ? speaker : null,
    holdBeside(audio) {
      beside ??= caughtUp(heldBeside())
      beside.play(audio)
    },
    isHolding: (response_id) => Boolean(held?.isHolding(response_id) || beside?.isHolding(response_id)),
    get wasSounding() {
      return wasSounding
    },
  }
}
