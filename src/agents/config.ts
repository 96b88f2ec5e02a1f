import type { SessionConfig } from '../protocol/events.ts'
import { merge } from '../protocol/merge.ts'
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
