/** What is noted of a session while it goes on, for the spans that are made when a turn is over. */
import { isAudio } from '../protocol/audio.ts'
import type { Item, Response, ServerEvent } from '../protocol/events.ts'
import type { Input } from '../session/state.ts'

export interface Notes {
  /** What the far end says that the model is. */
  readonly model: string | undefined
  readonly speeches: readonly Stretch[]
  /** When lines were lost, or left. */
  readonly leaves: readonly Leave[]
  readonly responses: ReadonlyMap<string, ResponseNote>
  readonly tools: ReadonlyMap<string, ToolNote>
  readonly handoffs: readonly Handoff[]
  happened(input: Input, at: number): void
  /** The response that was begun last is this agent's. */
  spoken(agent: string): void
  called(callId: string, note: ToolNote): void
  handedOver(handoff: Handoff): void
}

/** ms of the session's clock. */
export interface Stretch {
  readonly began: number
  readonly ended: number
}

export interface Leave {
  readonly at: number
  readonly isOurs: boolean
}

export interface ResponseNote {
  readonly agent?: string
  readonly status?: Pick<Response, 'status' | 'status_details' | 'output_modalities'>
  /** Where what was said is to be told. */
  readonly output?: readonly Item[]
}

export interface ToolNote {
  readonly agent: string
  readonly arguments?: string
  readonly result?: string
}

export interface Handoff {
  readonly at: number
  readonly from: string
  readonly to: string
}

/** Of each kind the last so many: turns that are never told leave nothing behind. */
const most = 256

export function notes(content: boolean): Notes {
  const speeches: Stretch[] = []
  const leaves: Leave[] = []
  const handoffs: Handoff[] = []
  const responses = new Map<string, ResponseNote>()
  const tools = new Map<string, ToolNote>()
  let model: string | undefined
  let spokeAt: number | null = null
  let begun: string | null = null

  function received(event: ServerEvent, at: number): void {
    switch (event.type) {
      case 'session.created':
      case 'session.updated': {
        const { model: named } = event.session as { readonly model?: unknown }
        if (typeof named === 'string') model = named
        return
      }
      case 'input_audio_buffer.speech_started':
        spokeAt = at
        return
      case 'input_audio_buffer.speech_stopped':
        if (spokeAt !== null) add(speeches, { began: spokeAt, ended: at })
        spokeAt = null
        return
      case 'response.created':
        begun = event.response.id
        return
      case 'response.done': {
        const { id, status, status_details, output_modalities, output = [] } = event.response as Response
        const told = { status, status_details, output_modalities } as NonNullable<ResponseNote['status']>
        note(responses, id, { status: told, ...(content ? { output } : {}) })
      }
    }
  }

  return {
    get model() {
      return model
    },
    speeches,
    leaves,
    responses,
    tools,
    handoffs,
    happened(input, at) {
      if (input.type === 'received') return isAudio(input.event) ? undefined : received(input.event, at)
      if (input.type === 'dropped') add(leaves, { at, isOurs: false })
      else if (input.type === 'ended' || input.type === 'renewed') add(leaves, { at, isOurs: true })
    },
    spoken(agent) {
      if (begun !== null) note(responses, begun, { agent })
      begun = null
    },
    called: (callId, told) => note(tools, callId, told),
    handedOver: (handoff) => add(handoffs, handoff),
  }
}

function add<Value>(values: Value[], value: Value): void {
  if (values.push(value) > most) values.shift()
}

function note<Value extends object>(values: Map<string, Value>, id: string, more: Value): void {
  values.set(id, { ...values.get(id), ...more })
  if (values.size <= most) return
  const [oldest = ''] = values.keys()
  values.delete(oldest)
}
