/** What the transports have in common as public classes: alone they are the core without agents, under a session its voice. */
import { door } from '#core'
import type { Clock } from '../protocol/clock.ts'
import type { SessionConfig } from '../protocol/events.ts'
import { type Camel, toWire } from '../protocol/spelling.ts'
import type { Door } from '../session/door.ts'
import { type Emitter, emitter } from '../session/emitter.ts'
import { plain } from '../session/state.ts'
import { type ConnectOptions, type Dial, partIn } from '../session/transport.ts'
import { partsOf, type RealtimeUserInput } from '../session/user-input.ts'
import type { Line } from './late-door.ts'
import { type Watcher, watch } from './watch.ts'
import { type AudioEvents, statusOf, type TransportStatus } from './watching.ts'

export interface Face {
  readonly events: Emitter<AudioEvents>
  readonly door: Pick<Line, 'feed' | 'sendAudio'>
  readonly status: TransportStatus
  taken(door: Door): Watcher
  connect(options: AloneOptions, dialer: (options: ConnectOptions) => Dial | Promise<Dial>): Promise<void>
  sendMessage(message: RealtimeUserInput, otherEventData: object, triggerResponse: boolean): void
  sendFunctionCallOutput(callId: string, output: string, startResponse: boolean): void
  updateSessionConfig(config: Camel<SessionConfig>): void
}

export type AloneOptions = ConnectOptions & { readonly initialSessionConfig?: Camel<SessionConfig> }

/** `closed`: the call is over, whoever ended it. */
export function face(options: { readonly clock?: Clock; readonly seed?: number }, closed: () => void = () => {}): Face {
  const events = emitter<AudioEvents>('The transport')
  let line: Line = door({
    ...options,
    call: ({ id, call_id: callId, name, arguments: args }) =>
      events.emit('function_call', { type: 'function_call', id, callId, name, arguments: args }),
    ...watch(events, events.report, (id) => line.shown(id), closed),
  })

  return {
    events,
    get door() {
      return line
    },
    get status() {
      return statusOf(line.state)
    },
    taken(door) {
      line.leftTo?.(door)
      line = door
      return watch(events, (error) => events.has('error') && events.report(error), door.shown, closed)
    },
    connect: ({ initialSessionConfig = {}, ...where }, dialer) =>
      line.connect(
        () => dialer(where),
        async () => toWire(initialSessionConfig) as Partial<SessionConfig>,
        partIn(where),
      ),
    sendMessage: (message, fields, triggerResponse) => {
      line.say(partsOf(message), fields, triggerResponse)
    },
    sendFunctionCallOutput: (callId, output, startResponse) =>
      line.answer(callId, output, startResponse ? { ...plain, when: 'batch' } : null),
    updateSessionConfig(config) {
      const session = { type: 'realtime', ...(toWire(config) as Partial<SessionConfig>) } as const
      line.feed({ type: 'sent', event: { type: 'session.update', session } })
    },
  }
}
