/** A session in the world's time, and a far end that says what the test says: for what no well-behaved far end would. */

import { type RealtimeAgent, RealtimeSession, type RealtimeSessionOptions } from '../src/index.ts'
import type { ClientEvent, Item, ServerEvent } from '../src/protocol/events.ts'
import type { ConnectOptions } from '../src/session/transport.ts'
import { type World, world } from '../src/testing/index.ts'
import { type FarWire, memory } from '../src/transports/memory.ts'
import { meanwhile } from './talk.ts'

export interface Puppet<Context> {
  readonly world: World
  readonly session: RealtimeSession<Context>
  /** What the far end was told, on all lines, without microphone audio. */
  readonly told: readonly ClientEvent[]
  /** What the app heard of errors. */
  readonly errors: readonly unknown[]
  /** How many lines there have been. */
  lines(): number
  /** Says events, one after the other, and lets the world run for 50 ms. */
  say(...events: readonly Loose[]): Promise<void>
  /** Ends the line. */
  hangUp(code?: number, reason?: string): Promise<void>
  run(ms?: number): Promise<void>
  toldOf<Type extends ClientEvent['type']>(type: Type): readonly Extract<ClientEvent, { readonly type: Type }>[]
}

/** An event as a test writes it. */
export type Loose = { readonly type: string } & Readonly<Record<string, unknown>>

export interface PuppetOptions<Context> extends Partial<RealtimeSessionOptions<Context>> {
  /** What is answered to an event. Default: a config is accepted, an item is acknowledged, all else is passed over. */
  readonly answer?: (event: ClientEvent) => readonly Loose[] | undefined
  /** What is said as soon as a line is open. */
  readonly greet?: () => readonly Loose[]
  readonly connect?: ConnectOptions
}

export async function puppet<Context = unknown>(
  agent: RealtimeAgent<Context>,
  { answer, greet, connect, ...options }: PuppetOptions<Context> = {},
): Promise<Puppet<Context>> {
  const w = world(1)
  const told: ClientEvent[] = []
  const errors: unknown[] = []
  let lines = 0
  let wire: FarWire | null = null
  const dial = memory({
    clock: w.clock,
    latency: () => 10,
    accept(mine) {
      lines++
      wire = mine
      for (const said of greet?.() ?? []) mine.send(whole(said))
      return {
        received(event) {
          if (event.type === 'input_audio_buffer.append') return
          told.push(event)
          for (const said of answer?.(event) ?? usual(event)) mine.send(whole(said))
        },
        closed() {},
      }
    },
  })
  const session = new RealtimeSession<Context>(agent, {
    clock: w.clock,
    seed: 7,
    transport: { dialer: () => dial },
    ...options,
  } as never)
  session.on('error', ({ error }) => errors.push(error))
  await meanwhile(w, session.connect(connect))
  const run = (ms = 50) => w.settle(w.now() + ms)
  return {
    world: w,
    session,
    told,
    errors,
    lines: () => lines,
    run,
    say(...events) {
      for (const event of events) wire?.send(whole(event))
      return run()
    },
    hangUp(code = 1006, reason = '') {
      wire?.close(code, reason)
      return run()
    },
    toldOf: (type) => told.filter((event) => event.type === type) as never,
  }
}

/** What a well-behaved far end answers, at the least. */
export function usual(event: ClientEvent): readonly Loose[] {
  if (event.type === 'session.update') return [{ type: 'session.updated', session: event.session }]
  if (event.type === 'conversation.item.delete') {
    return [{ type: 'conversation.item.deleted', item_id: event.item_id }]
  }
  if (event.type !== 'conversation.item.create') return []
  const { item, previous_item_id = null } = event
  return [
    { type: 'conversation.item.added', item, previous_item_id },
    { type: 'conversation.item.done', item, previous_item_id },
  ]
}

function whole(event: Loose): ServerEvent {
  return { event_id: 'event_1', ...event } as ServerEvent
}

// ── what a far end says ─────────────────────────────────────────────────────────────────────────────────────────────

export const began = (id: string, fields: object = {}): Loose => ({
  type: 'response.created',
  response: {
    id,
    object: 'realtime.response',
    status: 'in_progress',
    conversation_id: 'conv_1',
    output: [],
    ...fields,
  },
})

export const ended = (id: string, fields: object = {}): Loose => ({
  type: 'response.done',
  response: { id, object: 'realtime.response', status: 'completed', conversation_id: 'conv_1', output: [], ...fields },
})

/** A call of a tool, from its item to the end of its response. */
export function calling(response_id: string, name: string, args = '{}', call_id = `call_${response_id}`): Loose[] {
  const item = { id: `item_${call_id}`, type: 'function_call', call_id, name, arguments: args, status: 'completed' }
  const before = { ...item, arguments: '', status: 'in_progress' }
  return [
    began(response_id),
    { type: 'response.output_item.added', response_id, output_index: 0, item: before },
    { type: 'conversation.item.added', previous_item_id: null, item: before },
    { type: 'conversation.item.done', previous_item_id: null, item },
    { type: 'response.output_item.done', response_id, output_index: 0, item },
    ended(response_id, { output: [item] }),
  ]
}

export const assistant = (id: string, fields: object = {}): Item =>
  ({ id, type: 'message', role: 'assistant', status: 'in_progress', content: [], ...fields }) as Item

/** An item of an answer begins. */
export function itemBegan(response_id: string, id: string, previous_item_id: string | null = null): Loose[] {
  const item = assistant(id)
  return [
    { type: 'response.output_item.added', response_id, output_index: 0, item },
    { type: 'conversation.item.added', previous_item_id, item },
  ]
}

/** So many ms of PCM16 at 24 kHz. */
export function sound(response_id: string, item_id: string, ms: number): Loose {
  const delta = Buffer.alloc(ms * 48).toString('base64')
  return { type: 'response.output_audio.delta', response_id, item_id, output_index: 0, content_index: 0, delta }
}
