import { messageOf } from '../protocol/errors.ts'
import type { AudioOutput, Prompt, SessionConfig, Tool } from '../protocol/events.ts'
import { merge } from '../protocol/merge.ts'
import { type Camel, toWire } from '../protocol/spelling.ts'
import type { RealtimeAgent } from './agent.ts'
import type { RunContext } from './context.ts'
import { type Handoff, handoffOf, requireDistinct } from './handoff.ts'
import { toWireTool } from './hosted-tool.ts'
import { mcpToolsOf, promptOf } from './shapes.ts'
import { type FunctionTool, isFunctionTool } from './tool.ts'

/** An agent as it stands in a session: what its functions said when it took over. */
export interface Role<Context> {
  readonly agent: RealtimeAgent<Context>
  readonly instructions: string
  readonly prompt?: Prompt | undefined
  /** The tools that are run here, those of MCP servers with them. */
  readonly tools: readonly FunctionTool<Context>[]
  readonly handoffs: readonly Handoff<Context>[]
  /** All that the model is told that it can call. */
  readonly exposed: readonly Tool[]
}

/** An agent that has not taken over yet: nothing was asked of its functions. */
export function unresolved<Context>(agent: RealtimeAgent<Context>): Role<Context> {
  return { agent, instructions: '', tools: [], handoffs: [], exposed: [] }
}

/**
 * An MCP server that cannot be reached is told to `failed`: the agent does without its tools.
 *
 * @throws UserError when two tools or handoffs have one name; whatever the agent's own functions throw.
 */
export async function roleOf<Context>(
  agent: RealtimeAgent<Context>,
  context: RunContext<Context>,
  failed: (error: unknown) => void = () => {},
): Promise<Role<Context>> {
  const { instructions } = agent
  const served = await servedBy(agent, context, failed)
  const tools = [...agent.tools.filter((tool) => isFunctionTool<Context>(tool)), ...served]
  const handoffs = agent.handoffs.map((target) => handoffOf(target))
  requireDistinct(agent.name, tools, handoffs)
  const shown = await enabled(tools, (tool) => tool.isEnabled?.(context, agent))
  const offered = await enabled(handoffs, (one) => one.isEnabled?.({ runContext: context, agent }))
  const hosted = agent.tools.filter((tool) => !isFunctionTool(tool))
  return {
    agent,
    instructions: typeof instructions === 'string' ? instructions : await instructions(context, agent),
    prompt: await promptOf(agent, context),
    tools,
    handoffs,
    exposed: [
      ...shown.map(
        ({ name, description, parameters }) => ({ type: 'function', name, description, parameters }) as const,
      ),
      ...hosted.map(toWireTool),
      ...offered.map((one) => one.getHandoffAsFunctionTool()).map(withoutStrict),
    ],
  }
}

/** Loaded where there are MCP servers. */
async function servedBy<Context>(
  agent: RealtimeAgent<Context>,
  context: RunContext<Context>,
  failed: (error: unknown) => void,
): Promise<readonly FunctionTool<Context>[]> {
  const { mcpServers } = agent
  if (!mcpServers.length) return []
  const { mcpTools } = await import('./mcp.ts')
  const theirs = mcpToolsOf(agent, context)
  const listed = (theirs ? [theirs] : mcpServers.map((server) => mcpTools<Context>(server))).map((tools) =>
    tools.catch((cause: unknown) => {
      failed(new Error(`The tools of an MCP server could not be had: ${messageOf(cause)}`, { cause }))
      return []
    }),
  )
  return (await Promise.all(listed)).flat()
}

async function enabled<T>(
  all: readonly T[],
  ask: (one: T) => boolean | undefined | Promise<boolean>,
): Promise<readonly T[]> {
  const answers = await Promise.all(all.map((one) => ask(one) ?? true))
  return all.filter((_, n) => answers[n])
}

function withoutStrict({ strict: _, ...tool }: ReturnType<Handoff['getHandoffAsFunctionTool']>): Tool {
  return tool
}

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

/** What the far end must be told to be for a session that begins in this role. */
export function configOf<Context>(role: Role<Context>, config: RealtimeSessionConfig = {}): Partial<SessionConfig> {
  const { voice: _, ...rest } = config
  const voice = voiceIn(config) ?? role.agent.voice
  const spoken = voice === undefined ? {} : { audio: { output: { voice } } }
  const { prompt } = role
  return {
    ...merge(merge(defaults, toWire(rest)), spoken),
    ...(prompt ? { prompt } : {}),
    instructions: role.instructions,
    tools: role.exposed,
  }
}

/** What a call that stands already is told: who speaks; nothing that would disturb it and was not asked for. */
export function configWithin<Context>(
  { prompt, instructions, exposed }: Role<Context>,
  { voice, ...rest }: RealtimeSessionConfig = {},
): Partial<SessionConfig> {
  const spoken = voice === undefined ? {} : { audio: { output: { voice } } }
  return { ...merge(toWire(rest), spoken), ...(prompt ? { prompt } : {}), instructions, tools: exposed }
}

/** The voice that the app gives the session, whoever speaks. */
export function voiceIn(config: RealtimeSessionConfig = {}): NonNullable<AudioOutput['voice']> | undefined {
  const { audio } = toWire(config) as Partial<SessionConfig>
  return audio?.output?.voice ?? config.voice
}

/** The same session in another role: what the agent does not say stays as it is, formats and turn detection with it. */
export function recast<Context>(
  config: Partial<SessionConfig>,
  role: Role<Context>,
  voice: string | undefined,
): Partial<SessionConfig> {
  const { prompt } = role
  const { prompt: before, ...rest } = config
  return {
    ...(voice === undefined ? rest : merge(rest, { audio: { output: { voice } } })),
    ...(prompt || before ? { prompt: prompt ?? null } : {}),
    instructions: role.instructions,
    tools: role.exposed,
  }
}
