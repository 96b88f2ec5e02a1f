import type { SessionConfig } from '../protocol/events.ts'
import { type Camel, toWire } from '../protocol/spelling.ts'
import type { RealtimeAgent } from './agent.ts'
import type { RunContext } from './context.ts'

export type RealtimeSessionConfig = Camel<Omit<SessionConfig, 'type' | 'tools' | 'instructions' | 'model'>> & {
  /** Short for `audio.output.voice`. */
  readonly voice?: string
}

const defaults = {
  output_modalities: ['audio'],
  audio: {
    input: { format: { type: 'audio/pcm', rate: 24_000 }, transcription: { model: 'gpt-transcribe' } },
    output: { format: { type: 'audio/pcm', rate: 24_000 } },
  },
} as const

/** What the far end must be told to be for this agent to speak. */
export async function configOf<Context>(
  agent: RealtimeAgent<Context>,
  context: RunContext<Context>,
  config: RealtimeSessionConfig = {},
): Promise<Partial<SessionConfig>> {
  const { instructions, tools } = agent
  const { voice = agent.voice, ...rest } = config
  const spoken = voice === undefined ? {} : { audio: { output: { voice } } }
  return {
    ...merge(merge(defaults, toWire(rest)), spoken),
    instructions: typeof instructions === 'string' ? instructions : await instructions(context, agent),
    tools: tools.map(({ name, description, parameters }) => ({ type: 'function', name, description, parameters })),
  } as Partial<SessionConfig>
}

/** Objects are merged, all else is replaced; an explicit null stands. */
function merge(base: unknown, over: unknown): object {
  const merged: Record<string, unknown> = { ...(base as object) }
  for (const [key, value] of Object.entries(over as object)) {
    if (value === undefined) continue
    merged[key] = isPlain(merged[key]) && isPlain(value) && !('type' in value) ? merge(merged[key], value) : value
  }
  return merged
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
