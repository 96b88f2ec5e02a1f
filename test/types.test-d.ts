/**
 * Our wire types and those of the `openai` package accept each other, event by event and field by field; where they do
 * not, the field stands here with its reason. Drift fails the build: of an event, of a field, or of this list, when a
 * difference is gone. And the types catch mistakes. Only types: `tsc` is the test.
 */
import type {
  RealtimeClientEvent,
  RealtimeResponse,
  RealtimeResponseCreateParams,
  RealtimeServerEvent,
} from 'openai/resources/realtime/realtime'
import {
  type AudioDelta,
  type ClientEvent,
  type FunctionTool,
  type KnownServerEvent,
  RealtimeAgent,
  type RealtimeItem,
  RealtimeSession,
  type ResponseCreateParams,
  type ServerEvent,
  type SessionConfig,
  tool,
  type UnknownServerEvent,
  type VoiceName,
} from 'parley-voice'
import * as v from 'valibot'
import { z } from 'zod'

// ── where the two differ, and why ───────────────────────────────────────────────────────────────────────────────

/** What the package says of an event that we receive, and we do not accept. */
type Received =
  // The package has one type for items that are made and items that are received: these have been named by now.
  | `${'message' | 'function_call' | 'function_call_output' | 'mcp_list_tools'}.id?`
  | 'function_call.call_id?'
  // Every response has an id on the wire: without it, none could be cancelled.
  | 'realtime.response.id?'
  // Parts are told apart by their type, and every one on the wire has it.
  | 'message.content.type?'

/** What our local server says, and the package does not accept. */
type Told =
  | ConfigOfTheWire
  // The session's own name and end are on the wire, and in the official description.
  | `${Sessions}.${'id' | 'object' | 'expires_at'}`
  // Null until the speech has been understood.
  | `${'input_audio' | 'output_audio'}.transcript`
  // Null while the response is being given, and out of band.
  | `realtime.response.${'conversation_id' | 'status_details' | 'usage'}`
  // The official description has them, or a later version of the package.
  | 'realtime.response.status_details.error.message'
  | 'conversation.item.input_audio_transcription.completed.languages'

/** What a client made with the package says, and we do not accept. */
type Accepted =
  // A part that does not say what it is cannot be taken for one.
  'message.content.type?'

/** What our client says, and the package does not accept. */
type Sent =
  | ConfigOfTheWire
  // The guide has it in `response.input`, and so has a later version of the package.
  | 'item_reference'

type ConfigOfTheWire =
  // Null switches them off.
  | `${Sessions}.audio.input.${'noise_reduction' | 'transcription'}`
  // Null while it is not set, in the official example of a session.
  | `${Sessions}.include`
  // Of 2026, and younger than this version of the package.
  | `${Sessions}.audio.input.${'noise_reduction.strength' | 'transcription.keywords' | 'transcription.languages'}`
type Sessions = 'realtime' | 'transcription'

nothing<Unlike<Gaps<RealtimeServerEvent, KnownServerEvent>, Received>>()
nothing<Unlike<Gaps<KnownServerEvent, RealtimeServerEvent>, Told>>()
nothing<Unlike<Gaps<RealtimeClientEvent, ClientEvent>, Accepted>>()
nothing<Unlike<Gaps<ClientEvent, RealtimeClientEvent>, Sent>>()

// No event is refused by the compiler itself without a field that explains it.
nothing<Unexplained<RealtimeServerEvent, KnownServerEvent>>()
nothing<Unexplained<KnownServerEvent, RealtimeServerEvent>>()
nothing<Unexplained<RealtimeClientEvent, ClientEvent>>()
nothing<Unexplained<ClientEvent, RealtimeClientEvent>>()

// Neither side has an event alone, or a word where any other is taken too.
nothing<Unlike<KnownServerEvent['type'], RealtimeServerEvent['type']>>()
nothing<Unlike<ClientEvent['type'], RealtimeClientEvent['type']>>()
nothing<Unlike<Spelt<VoiceName>, Spelt<RealtimeResponse.Audio.Output['voice']>>>()
nothing<Unlike<Spelt<ResponseCreateParams['conversation']>, Spelt<RealtimeResponseCreateParams['conversation']>>>()

// What the package does not have, as the wire has it.
const from = { event_id: 'event_1', item_id: 'item_1', content_index: 0 }
const known = { type: 'realtime', id: 'sess_1', object: 'realtime.session', expires_at: 1_800_000_000 } as const
const heard = { transcript: 'Hello.', languages: [{ code: 'en' }], usage: { type: 'duration', seconds: 2 } as const }
const error = { type: 'server_error', code: 'overloaded', message: 'Try again.' }
const failed = { id: 'resp_1', status: 'failed', status_details: { type: 'failed', error }, usage: null } as const
const input = [{ type: 'item_reference', id: 'item_1' }] as const
const words = { model: 'gpt-transcribe', keywords: ['Parley'], languages: ['en'] }
take<KnownServerEvent>({ ...from, type: 'session.created', session: known })
take<KnownServerEvent>({ ...from, ...heard, type: 'conversation.item.input_audio_transcription.completed' })
take<KnownServerEvent>({ ...from, type: 'response.done', response: failed })
take<ClientEvent>({ type: 'response.create', response: { conversation: 'none', input } })
take<SessionConfig>({
  type: 'realtime',
  audio: { input: { noise_reduction: { strength: 0.5 }, transcription: words } },
})

// ── what is said ────────────────────────────────────────────────────────────────────────────────────────────────

take<ClientEvent>({ type: 'response.create', response: { conversation: 'none', audio: { output: { voice: 'mine' } } } })
// @ts-expect-error: a misspelt type
take<ClientEvent>({ type: 'session.updated', session: { type: 'realtime' } })
// @ts-expect-error: a misspelt field
take<ClientEvent>({ type: 'response.cancel', responseId: 'resp_1' })
// @ts-expect-error: a field of the wrong type
take<ClientEvent>({ type: 'conversation.item.truncate', item_id: 'item_1', content_index: 0, audio_end_ms: '1500' })
// @ts-expect-error: a required field is missing
take<ClientEvent>({ type: 'conversation.item.truncate', item_id: 'item_1', content_index: 0 })
// @ts-expect-error: the output of no call
take<ClientEvent>({ type: 'conversation.item.create', item: { type: 'function_call_output', output: '' } })

take<SessionConfig>({ type: 'realtime', audio: { input: { turn_detection: null, transcription: null } } })
// @ts-expect-error: a misspelt key
take<SessionConfig>({ type: 'realtime', audio: { input: { turn_detection: { type: 'server_vad', silence_ms: 200 } } } })
// @ts-expect-error: every session config says its type
take<SessionConfig>({ instructions: 'Be brief.' })
// @ts-expect-error: MCP tools are filtered by name or by `read_only`
take<SessionConfig>({ type: 'realtime', tools: [{ type: 'mcp', server_label: 'shop', allowed_tools: 'search' }] })

// ── what is heard ───────────────────────────────────────────────────────────────────────────────────────────────

declare const event: ServerEvent
switch (event.type) {
  case 'response.done':
    exactly<string>()(event.response.id)
    // @ts-expect-error: that is a field of another event
    take(event.delta)
    break
  case 'response.function_call_arguments.done':
    exactly<string>()(event.call_id)
    break
  // @ts-expect-error: no event has this type
  case 'response.cancelled':
    break
  default:
    // What is not known comes here, beside what has no case of its own.
    exactly<Exclude<ServerEvent, { type: 'response.done' | 'response.function_call_arguments.done' }>>()(event)
    if (!isKnown(event)) exactly<UnknownServerEvent>()(event)
}

declare function isKnown(event: ServerEvent): event is KnownServerEvent

// ── the public face ─────────────────────────────────────────────────────────────────────────────────────────────

interface Shop {
  readonly orders: Readonly<Record<string, string>>
}
const described = { name: 'look_up_order', description: 'Where an order is.' }
const jsonSchema = { type: 'object', properties: { order: { type: 'string' } } } as const

const lookUp: FunctionTool<Shop> = tool({
  ...described,
  parameters: z.object({ order: z.string().transform(Number), days: z.number().default(1) }),
  execute: (args, { context }, { signal }) => {
    exactly<{ order: number; days: number }>()(args)
    exactly<Shop>()(context)
    exactly<AbortSignal>()(signal)
  },
})
tool({
  ...described,
  parameters: v.object({ order: v.string(), days: v.optional(v.number()) }),
  jsonSchema,
  execute: (args) => exactly<{ order: string; days?: number | undefined }>()(args),
})
tool({ ...described, parameters: jsonSchema, execute: (args) => exactly<Readonly<Record<string, unknown>>>()(args) })
tool({ ...described, execute: (args) => exactly<Readonly<Record<string, unknown>>>()(args) })
// @ts-expect-error: there is no such argument
tool({ ...described, parameters: z.object({ order: z.string() }), execute: ({ number }) => number })

const agent = new RealtimeAgent<Shop>({
  name: 'Clerk',
  instructions: ({ context }) => exactly<Shop>()(context) ?? '',
  tools: [lookUp, tool({ ...described, name: 'other', execute: (_, { context }) => exactly<Shop>()(context) })],
})
declare const lookUpElsewhere: FunctionTool<{ readonly rooms: number }>
// @ts-expect-error: a tool of another context
new RealtimeAgent<Shop>({ name: 'Clerk', tools: [lookUpElsewhere] })

const context: Shop = { orders: {} }
const session = new RealtimeSession(agent, { context, config: { voice: 'marin' } })
exactly<Shop>()(session.context.context)
// @ts-expect-error: not the context of the agent
new RealtimeSession(agent, { context: { rooms: 1 } })
// @ts-expect-error: the context that the agent was promised is missing
new RealtimeSession(agent)
// @ts-expect-error: a misspelt key
new RealtimeSession(agent, { context, config: { audio: { input: { turnDetecton: null } } } })
new RealtimeSession(agent, { context, config: { audio: { input: { turnDetection: { type: 'semantic_vad' } } } } })

session.on('history_added', (...args) => exactly<[item: RealtimeItem]>()(args))
session.on('transport_event', (told) => exactly<ServerEvent | AudioDelta>()(told))
session.on('agent_tool_end', ({ context }, by, used, result) => {
  exactly<Shop>()(context)
  exactly<RealtimeAgent<Shop>>()(by)
  exactly<FunctionTool<Shop>>()(used)
  exactly<string>()(result)
})
// @ts-expect-error: no such event
session.on('history_add', () => {})
// @ts-expect-error: the listener wants what it does not get
session.on('history_added', (item: string) => item)
// @ts-expect-error: an agent tells nothing of the line
agent.on('connection_change', () => {})

// ── how they are compared ───────────────────────────────────────────────────────────────────────────────────────

declare function nothing<None extends never>(): None
declare function take<T>(value: T): void
declare function exactly<T>(): <Given>(value: Given, ...wrong: Is<Given, T> extends true ? [] : [T]) => undefined
type Is<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

type Unlike<Found extends string, Listed extends string> =
  | `${Exclude<Found, Listed>}: found, and not listed`
  | `${Exclude<Listed, Found>}: listed, and not found`

type Plain = string | number | boolean | null | undefined
type AnyEvent = { readonly type: unknown }
type Named<Events, Type> = Extract<Events, { readonly type: Type }>

/** Every field in which an event that is given is not what is wanted, as `owner.field`: `?` if it may be missing. */
type Gaps<Given extends { type: string }, Wanted extends AnyEvent> = {
  [Type in Given['type']]: Gap<Named<Given, Type>, Named<Wanted, Type>, Type>
}[Given['type']]

/** The events that the compiler refuses although they have no gap. */
type Unexplained<Given extends { type: string }, Wanted extends AnyEvent> = {
  [Type in Given['type']]: [Level<Named<Given, Type>>] extends [Level<Named<Wanted, Type>>]
    ? never
    : [Gap<Named<Given, Type>, Named<Wanted, Type>, Type>] extends [never]
      ? Type
      : never
}[Given['type']]

type Gap<Given, Wanted, At extends string> = unknown extends Wanted
  ? never
  : Given extends Plain
    ? Given extends Wanted
      ? never
      : At
    : Given extends readonly (infer Element)[]
      ? Gap<Element, Extract<Wanted, readonly unknown[]>[number], At>
      : Given extends object
        ? GapOfObject<Given, Counterpart<Given, Wanted>, Owner<Given, At>>
        : At

type GapOfObject<Given, Wanted, At extends string> = [Wanted] extends [never]
  ? At
  : Field<At, Exclude<keyof Given, KeyOf<Wanted>>> | GapOfFields<Given, Wanted, Wanted, At>

type GapOfFields<Given, Wanted, AllWanted, At extends string> = Wanted extends unknown
  ? {
      [Key in keyof Wanted]-?: Key extends keyof Given
        ?
            | Gap<Of<Given, Key>, Of<Key extends 'type' ? AllWanted : Wanted, Key>, Field<At, Key>>
            | (IsOptional<Given, Key> extends true ? Needed<Wanted, Key, At, '?'> : never)
        : Needed<Wanted, Key, At>
    }[keyof Wanted]
  : never
type Needed<Wanted, Key extends keyof Wanted, At extends string, Mark extends string = ''> =
  IsOptional<Wanted, Key> extends true ? never : `${Field<At, Key>}${Mark}`

/** The objects that can be meant among all that is wanted: by `type`, and by `role`. */
type Counterpart<Given, Wanted> = Wanted extends Plain | readonly unknown[]
  ? never
  : [Of<Given, 'type'> & Of<Wanted, 'type'>] extends [never]
    ? never
    : [Of<Given, 'role'> & Of<Wanted, 'role'>] extends [never]
      ? never
      : Wanted

/** A gap is named after the nearest object that says what it is, so that it is listed once for all events. */
type Owner<Given, At extends string> = Given extends { readonly type: infer Type }
  ? OneOr<Type, At>
  : Given extends { readonly object?: infer Name }
    ? OneOr<Exclude<Name, undefined>, At>
    : At
type OneOr<Name, At> = [Name] extends [Spelt<Name>] ? (IsOne<Name> extends true ? Name : At) : At
type IsOne<Name, All = Name> = Name extends unknown ? ([All] extends [Name] ? true : false) : never

type Of<T, Key> = T extends unknown ? (Key extends keyof T ? Exclude<T[Key], undefined> : unknown) : never
type KeyOf<T> = T extends unknown ? keyof T : never
type Field<At extends string, Key> = Key extends string ? `${At}.${Key}` : never
type IsOptional<T, Key extends keyof T> = object extends Pick<T, Key> ? true : false
/** The strings that are spelt out: not `string`, and not `string & {}`. */
type Spelt<T> = T extends string ? (string extends T ? never : T) : never

/** Writable, and an optional field may be `undefined`: on the wire, neither is a difference. */
type Level<T> = T extends Plain
  ? T
  : T extends readonly (infer Element)[]
    ? Level<Element>[]
    : T extends object
      ? { -readonly [Key in keyof T]: IsOptional<T, Key> extends true ? Level<T[Key]> | undefined : Level<T[Key]> }
      : T
