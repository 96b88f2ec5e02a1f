/**
 * Follows the turns of a session by what happens to it: live, or as a trace of it is played again. An audio delta costs
 * one comparison.
 */
import { isAudio } from '../protocol/audio.ts'
import type { Response, ServerEvent } from '../protocol/events.ts'
import {
  metricsOf,
  type OpenResponse,
  type OpenTurn,
  type ResponseMetrics,
  type ToolSpan,
  type TurnMetrics,
} from './metrics.ts'
import type { Input, State } from './state.ts'

/** Takes in what has happened, and gives the turns that are over by it. */
export type FollowTurns = (before: State, after: State, input: Input, now: number) => readonly TurnMetrics[]

/** Turns that stay open, such as one whose tool never answers, and the parts of one, are kept up to so many. */
const mostTurns = 16
const mostParts = 64
const none: readonly TurnMetrics[] = []

/** Makes a follower. It is told of each input of one session, in order. */
export function followTurns(): FollowTurns {
  /** Those that are not over, oldest first. */
  let turns: OpenTurn[] = []
  /** The response whose audio came last: more of it is no news. */
  let flowing: string | null = null
  /** What it was whose end is still to be heard, while what follows waits in the speaker. */
  let fading: OpenTurn | undefined
  let tells = false
  let closing = false
  let askedAt: number | null = null
  let spokeAt: number | null = null
  let heldAt: number | null = null
  /** When what was asked for was cut, before it began. */
  let unwantedAt: number | null = null

  /** It began in the middle of a turn, which is not measured. */
  let isBlind = true

  return (before, after, input, now) => {
    isBlind &&= !isIdle(before)
    if (isBlind) return none
    if (input.type === 'received' && isAudio(input.event)) {
      if (input.event.response_id !== flowing) flowed(before, after, input.event.response_id, now)
      return none
    }
    if (after.interruption.held && !before.interruption.held) heldAt = now
    happened(before, after, input, now)
    if (before.turn !== after.turn) {
      if (after.turn.asked && !before.turn.asked) askedAt = now
      if (after.turn.asked?.cut && !before.turn.asked?.cut) unwantedAt = now
      if (after.turn.calls !== before.turn.calls) called(before, after, now)
      if (after.turn.cut !== before.turn.cut) cut(before, after, input, now)
    }
    if (before.playback.item && !after.playback.item) silenced(before, now)
    if (before.link.at !== after.link.at) linked(before, after, now)
    return turns.length ? finished(after) : none
  }

  function happened(before: State, after: State, input: Input, now: number): void {
    switch (input.type) {
      case 'received':
        return isAudio(input.event) ? undefined : received(before, after, input.event, now)
      case 'said':
        if (input.item.type === 'message' && input.item.role === 'user') begun('text', after).said ??= now
        return
      case 'sent':
        if (input.event.type === 'input_audio_buffer.commit') begun('speech', after).speechEnd ??= now
        return
      case 'sounded':
        tells ||= !after.playback.isFar
        return sounded(input.response_id, now)
      case 'deferred':
        return onCall(input.call_id, { approvalAsked: now })
      case 'answered':
        if (input.item.type !== 'function_call_output') return
        return onCall(input.item.call_id, { ended: now, failed: input.failed === true })
    }
  }

  function received(before: State, after: State, event: ServerEvent, now: number): void {
    switch (event.type) {
      case 'input_audio_buffer.speech_started':
        spokeAt = now
        return
      case 'input_audio_buffer.speech_stopped': {
        const { type, silenceMs } = after.interruption.detection
        const turn = begun('speech', after)
        turn.item_id = event.item_id
        turn.speechEnd ??= now
        turn.userSilent ??= type === 'server_vad' ? now - silenceMs : null
        return
      }
      case 'input_audio_buffer.committed': {
        const spoken = turns.find(({ item_id }) => item_id === event.item_id) ?? turns.findLast(isCommitting)
        const turn = spoken ?? begun('speech', after)
        turn.item_id = event.item_id
        turn.committed ??= now
        return
      }
      case 'response.created':
        return created(before, after, event.response, now)
      case 'response.output_audio_transcript.delta':
      case 'response.output_text.delta': {
        const response = responseOf(event.response_id)
        if (response) response.firstWord ??= now
        return
      }
      case 'output_audio_buffer.started': {
        const response = responseOf(event.response_id)
        if (response) response.playedAt ??= now
        return
      }
      case 'response.done': {
        const { id, status, usage } = event.response
        const response = responseOf(id)
        if (response) Object.assign(response, { done: now, status: status ?? 'completed', usage: usage ?? null })
      }
    }
  }

  /** Whoever goes on before there is an answer goes on with the turn; what a lost line has us say again is no other. */
  function begun(by: OpenTurn['by'], { link }: State): OpenTurn {
    const last = turns.at(-1)
    if (last && !last.responses.some(isStanding)) {
      if (last.linesLost && last.by !== 'app') return last
      if (!last.responses.length) turns.pop()
    }
    const turn = opened(by, link.at !== 'live')
    turns.push(turn)
    return turn
  }

  /** It answers the newest turn that is whole; where that has its own to come, the one whose tools asked for this. */
  function created({ turn: was }: State, { turn }: State, { id, conversation_id }: Response, now: number): void {
    if (conversation_id === null) return
    const last = turns.findLast((one) => !isUncommitted(one))
    const isWaiting = last && !last.responses.some(isStanding)
    const batch = turn.given?.ask.batch
    const own = (batch && !(isWaiting && !turn.owed.length) && turnOf(batch)) || last || opened('app', false)
    if (!turns.includes(own)) turns.unshift(own)
    const asked = was.asked && !turn.asked ? askedAt : null
    const marks = { firstByte: null, firstWord: null, firstAudible: null, playedAt: null, done: null }
    if (was.asked?.cut && unwantedAt !== null) own.interruption ??= { by: 'app', at: unwantedAt, silent: null }
    if (own.responses.length >= mostParts) own.responses.splice(1, 1)
    own.responses.push({ responseId: id, asked, created: now, ...marks, status: null, usage: null })
  }

  function called({ turn: { calls } }: State, { turn, conversation }: State, now: number): void {
    const known = new Set(calls.map(({ id }) => id))
    for (const { id, batch } of turn.calls) {
      if (known.has(id)) continue
      const call = conversation.calls.find((one) => one.id === id)
      if (!call) continue
      const { tools } = (batch && turnOf(batch)) || turns.at(-1) || {}
      if (!tools) continue
      if (tools.length >= mostParts) tools.shift()
      tools.push({ name: call.name, callId: call.call_id, began: now, approvalAsked: null, ended: null, failed: false })
    }
  }

  function onCall(call_id: string, change: Partial<ToolSpan>): void {
    const tool = turns.flatMap(({ tools }) => tools).find(({ callId, ended }) => callId === call_id && ended === null)
    if (tool) Object.assign(tool, change)
  }

  // ── what is heard ────────────────────────────────────────────────────────────────────────────────────────────────

  function flowed({ playback: was }: State, { playback: { item } }: State, response_id: string, now: number): void {
    flowing = response_id
    const response = responseOf(response_id)
    if (!response) return
    response.firstByte ??= now
    if (item?.response_id !== response_id) return
    response.playedAt ??= now
    const last = was.item ? turnOf(was.item.response_id) : undefined
    if (!last || last === turnOf(response_id)) return
    last.playbackEnd = now
    fading = last
  }

  function sounded(response_id: string, now: number): void {
    const response = responseOf(response_id)
    if (response) response.firstAudible ??= now
    if (!fading || fading === turnOf(response_id)) return
    fading.playbackEnd = now
    fading = undefined
  }

  function silenced({ playback }: State, now: number): void {
    const turn = turnOf(playback.item!.response_id)
    fading = undefined
    if (!turn) return
    if (turn.interruption) turn.interruption.silent ??= now
    turn.playbackEnd = turn.interruption?.silent ?? now
  }

  /** A response that is cut because it says nothing is no interruption. */
  function cut(before: State, after: State, input: Input, now: number): void {
    const isByApp = input.type === 'interrupted' || input.type === 'cut'
    const hasSpoken = input.type === 'received' && input.event.type === 'input_audio_buffer.speech_started'
    if (!isByApp && !hasSpoken && !before.interruption.held) return
    for (const id of after.turn.cut) {
      const turn = before.turn.cut.includes(id) ? undefined : turnOf(id)
      // Where the speaker waited for who speaks, it has been silent since.
      const isWaiting = before.interruption.held && before.playback.item?.response_id === id
      const [at, silent] = [isByApp ? now : (spokeAt ?? now), isWaiting ? heldAt : null]
      if (turn) turn.interruption ??= { by: isByApp ? 'app' : 'user', at, silent }
    }
  }

  // ── what is over ─────────────────────────────────────────────────────────────────────────────────────────────────

  function linked({ link: was }: State, { link }: State, now: number): void {
    closing = link.at === 'closed'
    if (link.at === 'live') for (const turn of turns) if (turn.isEarly) turn.connected ??= now
    if (was.at !== 'live') return
    for (const turn of turns) {
      turn.linesLost++
      for (const response of turn.responses) response.status ??= 'lost'
    }
  }

  function finished(state: State): readonly TurnMetrics[] {
    const excess = turns.length - mostTurns
    const isLast = (turn: OpenTurn) => turn === turns.at(-1)
    const over = turns.filter((turn, n) =>
      closing ? !state.playback.item : n < excess || (turn !== fading && isOver(turn, state, isLast(turn))),
    )
    if (!over.length) return none
    turns = turns.filter((turn) => !over.includes(turn))
    return over.map((turn) => metricsOf(turn, tells))
  }

  function turnOf(response_id: string): OpenTurn | undefined {
    return turns.findLast(({ responses }) => responses.some(({ responseId }) => responseId === response_id))
  }

  function responseOf(response_id: string): OpenResponse | undefined {
    return turnOf(response_id)?.responses.find(({ responseId }) => responseId === response_id)
  }
}

function isIdle({ turn, playback, conversation: { responses, calls } }: State): boolean {
  const isWanted = turn.asked !== null || turn.owed.length > 0 || turn.heard || turn.hearing
  return !isWanted && !playback.item && !responses.length && !calls.length
}

function opened(by: OpenTurn['by'], isEarly: boolean): OpenTurn {
  const marks = { userSilent: null, speechEnd: null, said: null, connected: null, committed: null, linesLost: 0 }
  return { by, isEarly, ...marks, item_id: null, playbackEnd: null, interruption: null, responses: [], tools: [] }
}

/** The far end has heard its end, and has not taken it as a turn yet. */
function isUncommitted({ by, committed }: OpenTurn): boolean {
  return by === 'speech' && committed === null
}

/** The app has committed it. */
function isCommitting(turn: OpenTurn): boolean {
  return isUncommitted(turn) && turn.item_id === null
}

function isStanding({ status }: Pick<ResponseMetrics, 'status'>): boolean {
  return status !== 'lost'
}

/** It was answered, or its answer was lost and the next turn has it; nothing of it is being given, heard or worked at, and nothing more of it is to come. */
function isOver({ responses, tools }: OpenTurn, { playback, turn: { owed, asked } }: State, isLast: boolean): boolean {
  if ((isLast && !responses.some(isStanding)) || responses.some(({ status }) => status === null)) return false
  if (tools.some(({ ended }) => ended === null)) return false
  const isOwn = (id: string | null | undefined) => responses.some(({ responseId }) => responseId === id)
  if (isOwn(playback.item?.response_id)) return false
  return !(asked ? [...owed, asked.ask] : owed).some(({ batch }) => isLast || isOwn(batch))
}
