/** What stands behind a session, and tells the transport's listeners of it. */
import type { Transport } from '../session/transport.ts'
import { type Watch, watch } from '../transports/watch.ts'
import type { AnyAgent } from './agent-shapes.ts'
import type { RealtimeSessionOptions } from './options.ts'
import { type Given, type Stage, stage } from './stage.ts'

/** What is there before anything is loaded: the one who watches is made by what is loaded then. */
export interface Early<Context> extends Omit<Given<Context>, 'taken'> {
  readonly taken: ((watch: Watch) => Transport['taken']) | undefined
}

export function backstage<Context>(
  first: AnyAgent<Context>,
  options: RealtimeSessionOptions<Context>,
  transport: Transport,
  { taken, ...given }: Early<Context>,
): Stage<Context> {
  return stage(first, options, transport, { ...given, taken: taken?.(watch) })
}
