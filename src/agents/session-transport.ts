/** What `session.transport` is where the app brought none: the session's own line, with the face that transports have. */
import type { ClientEvent, SessionConfig } from '../protocol/events.ts'
import type { Camel } from '../protocol/spelling.ts'
import { emitter } from '../session/emitter.ts'
import type { State } from '../session/state.ts'
import type { Transport } from '../session/transport.ts'
import type { RealtimeUserInput } from '../session/user-input.ts'
import type { Watcher } from '../transports/watch.ts'
import { type AudioEvents, statusOf, type TransportStatus } from '../transports/watching.ts'
import type { Early } from './backstage.ts'

/** The way that a session speaks to the far end by itself. It is there before the session is connected, and after. */
export interface SessionTransport extends Transport {
  readonly status: TransportStatus
  /** Null where there is no microphone at the line. */
  readonly muted: boolean | null
  /** Sends an event as it is; while there is no line, it waits for one. */
  sendEvent(event: ClientEvent): void
  sendMessage(
    message: RealtimeUserInput,
    otherEventData?: Readonly<Record<string, unknown>>,
    options?: { readonly triggerResponse?: boolean },
  ): void
  /** Changes the session's config: what is given is changed, all else stays. */
  updateSessionConfig(config: Camel<SessionConfig>): void
  interrupt(): void
  mute(muted: boolean): void
  /** Ends the session. */
  close(): void
  on<Name extends keyof AudioEvents>(name: Name, listener: (...args: AudioEvents[Name]) => unknown): this
  /** Listens for the next one only. */
  once<Name extends keyof AudioEvents>(name: Name, listener: (...args: AudioEvents[Name]) => unknown): this
  off<Name extends keyof AudioEvents>(name: Name, listener: (...args: AudioEvents[Name]) => unknown): this
}

/** What of it the session does. */
interface Doing extends Pick<SessionTransport, 'sendEvent' | 'sendMessage' | 'interrupt' | 'mute' | 'muted' | 'close'> {
  readonly state: State
  updateConfig(config: Camel<SessionConfig>): Promise<void>
}

/** Transports that are used alone have a face of their own. */
export function sessionTransport(
  lines: Transport,
  session: Doing,
): { readonly transport: SessionTransport; readonly taken: Early<never>['taken'] } {
  if ('sendEvent' in lines) return { transport: lines as SessionTransport, taken: undefined }
  const events = emitter<AudioEvents>('The transport')
  const transport: SessionTransport = {
    dialer: (options) => lines.dialer(options),
    get media() {
      return lines.media ?? null
    },
    get status() {
      return statusOf(session.state)
    },
    get muted() {
      return session.muted
    },
    sendEvent: (event) => session.sendEvent(event),
    sendMessage: (...message) => session.sendMessage(...message),
    updateSessionConfig: (config) => void session.updateConfig(config).catch(events.report),
    interrupt: () => session.interrupt(),
    mute: (muted) => session.mute(muted),
    close: () => session.close(),
    on(name, listener) {
      events.on(name, listener)
      return transport
    },
    once(name, listener) {
      events.once(name, listener)
      return transport
    },
    off(name, listener) {
      events.off(name, listener)
      return transport
    },
  }
  const failed = (error: unknown) => events.has('error') && events.report(error)
  return { transport, taken: (watch) => (door) => both(watch(events, failed, door.shown), lines.taken?.(door)) }
}

function both(one: Watcher, other: Watcher | undefined): Watcher {
  if (!other) return one
  return {
    heard(audio) {
      one.heard(audio)
      other.heard(audio)
    },
    tell(notice) {
      one.tell(notice)
      other.tell(notice)
    },
    changed(...change) {
      one.changed(...change)
      other.changed(...change)
    },
  }
}
