import type { RealtimeItem } from '../session/history.ts'
import type { SessionUsage } from '../session/usage.ts'

/** What tools and instructions are run with. */
export interface RunContext<Context = unknown> {
  /** The app's own value, kept by identity. */
  readonly context: Context
  /** The conversation so far: a snapshot that cannot be changed. */
  readonly history: readonly RealtimeItem[]
  readonly usage: SessionUsage
}

/** What is shown in it is asked for when somebody looks. */
export function runContext<Context>(
  context: Context,
  now: () => { readonly history: readonly RealtimeItem[]; readonly usage: SessionUsage },
): RunContext<Context> {
  return {
    context,
    get history() {
      return frozen(now().history)
    },
    get usage() {
      return usageOf(now().usage)
    },
  }
}

/** What apps are handed of the history cannot be changed by them. */
export function frozen(history: readonly RealtimeItem[]): readonly RealtimeItem[] {
  if (Object.isFrozen(history)) return history
  for (const item of history) {
    if (Object.isFrozen(item)) continue
    if ('content' in item) Object.freeze(item.content.map((part) => Object.freeze(part)) && item.content)
    Object.freeze(item)
  }
  return Object.freeze(history)
}

/** What was used, by the names of `@openai/agents` for it besides ours. */
function usageOf(usage: SessionUsage): SessionUsage {
  const {
    responses: requests,
    inputTextTokens,
    inputAudioTokens,
    cachedTokens,
    outputTextTokens,
    outputAudioTokens,
  } = usage
  const inputTokensDetails = [
    { text_tokens: inputTextTokens, audio_tokens: inputAudioTokens, cached_tokens: cachedTokens },
  ]
  const outputTokensDetails = [{ text_tokens: outputTextTokens, audio_tokens: outputAudioTokens }]
  return { ...usage, ...{ requests, inputTokensDetails, outputTokensDetails } }
}
