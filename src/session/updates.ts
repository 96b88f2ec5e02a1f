/** What the app has said of the config in events of its own: it holds for the sessions that are connected later, too. */
import type { RealtimeError, SessionConfig } from '../protocol/events.ts'
import { merge } from '../protocol/merge.ts'
import type { Input, State } from './state.ts'

type Config = Partial<SessionConfig>

export interface UpdatesSaid {
  /** Gives the input as it is to be fed: a change that has no name gets one, so that its refusal is known. */
  heard(input: Input, state: State): Input
  refused(error: RealtimeError): void
  /** A config, with all that was said since. */
  since(config: Config): Config
}

/** What is an agent's: where another takes over, what was said for the one before is over. */
const ofAgent = ['instructions', 'tools', 'prompt'] as const

export function updatesSaid(): UpdatesSaid {
  let said: readonly { readonly id: string; readonly config: Config }[] = []
  let count = 0

  return {
    heard(input, { config: before }) {
      if (input.type === 'sent' && input.event.type === 'session.update' && input.event.session?.type === 'realtime') {
        const { event_id = `update_${count++}`, session } = input.event
        const { type: _, ...config } = session
        said = [...said, { id: event_id, config }]
        return { ...input, event: { ...input.event, event_id } }
      }
      if (input.type !== 'configured') return input
      const over = ofAgent.filter((name) => name in input.config && input.config[name] !== before[name])
      if (over.length) said = said.map(({ id, config }) => ({ id, config: without(config, over) }))
      return input
    },
    refused({ event_id }) {
      if (event_id) said = said.filter(({ id }) => id !== event_id)
    },
    since: (config) => said.reduce<Config>((all, one) => merge(all, one.config), config),
  }
}

function without(config: Config, names: readonly string[]): Config {
  return Object.fromEntries(Object.entries(config).filter(([name]) => !names.includes(name)))
}
