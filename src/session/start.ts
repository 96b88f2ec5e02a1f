import { empty } from '../conversation/empty.ts'
import { interruptionOf } from './interruption-options.ts'
import type { Start, State } from './state.ts'
import { noUsage } from './usage.ts'

/** The state of a session that was never connected. */
export function start({
  config = {},
  conversation = empty,
  cuts = {},
  reconnect,
  interruption,
  seed = 1,
}: Start = {}): State {
  const { attempts = 7, timeoutMs = 15_000 } = reconnect === false ? { attempts: 0 } : (reconnect ?? {})
  return {
    config,
    updates: [],
    link: { at: 'closed', cause: null },
    part: { attached: false, observing: false },
    conversation,
    pending: [],
    removed: [],
    unsent: [],
    turn: {
      asked: null,
      owed: [],
      beside: [],
      given: null,
      hearing: false,
      covered: false,
      heard: false,
      calls: [],
      answered: [],
      cut: [],
    },
    playback: { item: null, cuts },
    interruption: interruptionOf(interruption),
    usage: noUsage,
    reconnect: { attempts, timeoutMs },
    seed,
    ids: 0,
  }
}
