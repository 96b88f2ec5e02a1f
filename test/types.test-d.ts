/**
 * Our wire types and those of the `openai` package accept each other, event by event: drift fails the build.
 * Only types: `tsc` is the test.
 */
import type { RealtimeClientEvent, RealtimeServerEvent } from 'openai/resources/realtime/realtime'
import type * as ours from '../src/protocol/events.ts'

/** Theirs are mutable; what is read only is no difference on the wire. */
type Mutable<T> = T extends (...args: never) => unknown
  ? T
  : T extends object
    ? { -readonly [Key in keyof T]: Mutable<T[Key]> }
    : T

/** The types of events that the one does not take from the other; none, unless it stands below with its reason. */
type Refused<From extends { type: string }, To> = {
  [Type in From['type']]: [Extract<From, { type: Type }>] extends [Extract<To, { type: Type }>] ? never : Type
}[From['type']]

type Ours = Mutable<ours.KnownServerEvent>
type OurClient = Mutable<ours.ClientEvent>

type Is<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
function holds<_True extends true>(): void {}

holds<Is<Refused<Ours, RealtimeServerEvent>, never>>()
holds<Is<Refused<RealtimeServerEvent, Ours>, never>>()
holds<Is<Refused<OurClient, RealtimeClientEvent>, never>>()
holds<Is<Refused<RealtimeClientEvent, OurClient>, never>>()
