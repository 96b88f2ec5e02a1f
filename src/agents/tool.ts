import { messageOf, UserError } from '../protocol/errors.ts'
import type { Call } from '../session/state.ts'
import type { RunContext } from './context.ts'
import { type ArgumentsOf, type JsonSchema, jsonSchemaOf, type StandardSchema, validate } from './schema.ts'

export interface ToolDetails {
  /** Aborted when the session is closed, and when the tool's time is up. */
  readonly signal: AbortSignal
  /** The call as the model made it. */
  readonly toolCall: Call
}

/**
 * A tool as an agent holds it. Tools of other SDKs that have this shape work as they are: `invoke` takes the model's
 * arguments as JSON text and gives what the model is told.
 */
export interface FunctionTool<Context = unknown> {
  readonly type: 'function'
  readonly name: string
  readonly description: string
  readonly parameters: Record<string, unknown>
  readonly strict?: boolean
  invoke(context: RunContext<Context>, input: string, details: ToolDetails): unknown
}

export interface ToolOptions<Parameters, Context> {
  readonly name: string
  /** Tells the model when to use the tool. */
  readonly description: string
  /** A schema of any Standard Schema library (zod, valibot, arktype, …), or a JSON Schema. Default: no parameters. */
  readonly parameters?: Parameters
  /** The JSON Schema for the model, where the schema library cannot make one. */
  readonly jsonSchema?: JsonSchema
  readonly strict?: boolean
  /** ms after which the model is told that the tool took too long, and `signal` is aborted. Default: no limit. */
  readonly timeoutMs?: number
  /** What the model is told when the tool fails. Default: the error's message. */
  readonly errorFunction?: (context: RunContext<Context>, error: unknown) => string | Promise<string>
  /** Does the work. A string is told to the model as it is, anything else as JSON. */
  readonly execute: (args: ArgumentsOf<Parameters>, context: RunContext<Context>, details: ToolDetails) => unknown
}

const noParameters = { type: 'object', properties: {}, additionalProperties: false } as const

/**
 * Makes a tool that the model can call. Whatever goes wrong in it is told to the model as its output.
 *
 * @throws UserError when the name is not one that the protocol takes (letters, digits, `_`, `-`, at most 64), or when
 * no JSON Schema can be made of `parameters`.
 */
export function tool<Context = unknown, const Parameters extends StandardSchema | JsonSchema = JsonSchema>(
  options: ToolOptions<Parameters, Context>,
): FunctionTool<Context> {
  const { name, description, execute } = options
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    throw new UserError(`'${name}' cannot be a tool's name: use 1 to 64 letters, digits, '_' or '-'.`)
  }
  const schema: StandardSchema | JsonSchema = options.parameters ?? noParameters
  return {
    type: 'function',
    name,
    description,
    parameters: options.jsonSchema ?? jsonSchemaOf(schema, name),
    ...(options.strict === undefined ? {} : { strict: options.strict }),
    async invoke(context, input, details) {
      try {
        const args = await validate(schema, parseArguments(input))
        return await inTime(options.timeoutMs, details, (timed) =>
          execute(args as ArgumentsOf<Parameters>, context, timed),
        )
      } catch (error) {
        if (!options.errorFunction) throw error
        return await options.errorFunction(context, error)
      }
    },
  }
}

function parseArguments(input: string): unknown {
  try {
    return JSON.parse(input || '{}')
  } catch (error) {
    throw new Error(`The arguments are not JSON (${messageOf(error)}). Correct them and call again.`)
  }
}

async function inTime(
  ms: number | undefined,
  details: ToolDetails,
  work: (details: ToolDetails) => unknown,
): Promise<unknown> {
  if (ms === undefined) return work(details)
  const limit = AbortSignal.timeout(ms)
  const late = new Promise<never>((_, reject) => {
    limit.addEventListener('abort', () => reject(new Error(`The tool took longer than ${ms} ms.`)))
  })
  return Promise.race([work({ ...details, signal: AbortSignal.any([details.signal, limit]) }), late])
}
