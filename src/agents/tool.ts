import { messageOf, UserError } from '../protocol/errors.ts'
import type { Call } from '../session/state.ts'
import type { RunContext } from './context.ts'
import { type ArgumentsOf, type JsonSchema, jsonSchemaOf, type StandardSchema, validate } from './schema.ts'

/** An agent as a tool knows it. */
export interface NamedAgent {
  readonly name: string
}

/** A call as the model made it. */
export type ToolCall = Call & {
  /** The same as `call_id`. */
  readonly callId: string
}

export interface ToolDetails {
  /** Aborted when the session is closed, when the tool's time is up, and as `onInterruption` says. */
  readonly signal: AbortSignal
  readonly toolCall: ToolCall
}

/** What a guardrail of a tool says: go on, tell the model this instead, or fail the call. */
export interface ToolGuardrailResult {
  readonly behavior:
    | { readonly type: 'allow' }
    | { readonly type: 'rejectContent'; readonly message: string }
    | { readonly type: 'throwException' }
  readonly outputInfo?: unknown
}
export interface ToolGuardrailData<Context> {
  readonly context: RunContext<Context>
  readonly agent: NamedAgent
  readonly toolCall: ToolCall
}
/** Looks at a call before its tool runs. */
export interface ToolInputGuardrail<Context = unknown> {
  readonly name: string
  run(data: ToolGuardrailData<Context>): ToolGuardrailResult | Promise<ToolGuardrailResult>
}
/** Looks at what a tool answered before the model is told. */
export interface ToolOutputGuardrail<Context = unknown> {
  readonly name: string
  run(
    data: ToolGuardrailData<Context> & { readonly output: unknown },
  ): ToolGuardrailResult | Promise<ToolGuardrailResult>
}

/** How a tool behaves in a conversation. */
export interface ToolManners<Context> {
  readonly strict?: boolean
  /** ms after which the model is told that the tool took too long, and `signal` is aborted. Default: no limit. */
  readonly timeoutMs?: number
  /**
   * What happens to a running call when the user interrupts the agent: `continue` (default) lets it end, `cancel` aborts
   * its signal and tells the model that it was cancelled.
   */
  readonly onInterruption?: 'continue' | 'cancel'
  /**
   * What follows when the call is answered. `auto` (default): one response for all calls of a batch; none where the
   * response that made the call has spoken already and the tool has nothing to tell (it gave undefined, null or '').
   * `when-idle`: the same, once nobody speaks. `silent`: none.
   */
  readonly respond?: 'auto' | 'silent' | 'when-idle'
  readonly inputGuardrails?: readonly ToolInputGuardrail<Context>[]
  readonly outputGuardrails?: readonly ToolOutputGuardrail<Context>[]
}

/**
 * A tool as an agent holds it. Tools of other SDKs that have this shape work as they are: `invoke` takes the model's
 * arguments as JSON text and gives what the model is told.
 */
export interface FunctionTool<Context = unknown> extends ToolManners<Context> {
  readonly type: 'function'
  readonly name: string
  readonly description: string
  readonly parameters: Record<string, unknown>
  invoke(context: RunContext<Context>, input: string, details: ToolDetails): unknown
  /** Rejects with what the model is told where the arguments are wrong. Asked before anybody approves of them. */
  validate?(input: string): unknown
  /** Whether the app has to approve this call. */
  needsApproval?(context: RunContext<Context>, args: unknown, callId: string): boolean | Promise<boolean>
  /** Asked when the model is told of the agent's tools, and again at each call. */
  isEnabled?(context: RunContext<Context>, agent: NamedAgent): boolean | Promise<boolean>
}

export interface ToolOptions<Parameters, Context> extends ToolManners<Context> {
  readonly name: string
  /** Tells the model when to use the tool. */
  readonly description: string
  /** A schema of any Standard Schema library (zod, valibot, arktype, …), or a JSON Schema. Default: no parameters. */
  readonly parameters?: Parameters
  /** The JSON Schema for the model, where the schema library cannot make one. */
  readonly jsonSchema?: JsonSchema
  /** Whether the app has to approve a call before it runs. Default: no. */
  readonly needsApproval?: boolean | FunctionTool<Context>['needsApproval']
  /** Whether the model is told of the tool, and may call it. Default: yes. */
  readonly isEnabled?: boolean | FunctionTool<Context>['isEnabled']
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
  const { execute, errorFunction, needsApproval, isEnabled, jsonSchema, parameters, ...rest } = options
  requireName(rest.name)
  if (typeof execute !== 'function')
    throw new UserError(`Tool '${rest.name}' has no execute: the function that does its work.`)
  const schema: StandardSchema | JsonSchema = parameters ?? noParameters
  const checked = async (input: string) => validate(schema, parseArguments(input))
  return {
    ...rest,
    type: 'function',
    parameters: jsonSchema ?? jsonSchemaOf(schema, rest.name),
    ...(needsApproval === undefined ? {} : { needsApproval: asFunction(needsApproval) }),
    ...(isEnabled === undefined ? {} : { isEnabled: asFunction(isEnabled) }),
    ...(needsApproval ? { validate: checked } : {}),
    async invoke(context, input, details) {
      try {
        const args = await checked(input)
        return await execute(args as ArgumentsOf<Parameters>, context, details)
      } catch (error) {
        if (!errorFunction) throw error
        return await errorFunction(context, error)
      }
    },
  }
}

/** One that is run here. */
export function isFunctionTool<Context>(tool: { readonly type: string }): tool is FunctionTool<Context> {
  return tool.type === 'function'
}

export function requireName(name: string): void {
  if (/^[a-zA-Z0-9_-]{1,64}$/.test(name)) return
  throw new UserError(`'${name}' cannot be a tool's name: use 1 to 64 letters, digits, '_' or '-'.`)
}

function asFunction<Ask extends (...args: never[]) => unknown>(value: boolean | Ask): Ask | (() => boolean) {
  return typeof value === 'boolean' ? () => value : value
}

export function parseArguments(input: string): unknown {
  try {
    return JSON.parse(input || '{}')
  } catch (error) {
    throw new Error(`The arguments are not JSON (${messageOf(error)}). Correct them and call again.`)
  }
}

const background: unique symbol = Symbol('background result')
export interface BackgroundResult {
  readonly [background]: true
  readonly content: unknown
}

/** What a tool gives that the model should know and not speak about: its output asks for no response. */
export function backgroundResult(content: unknown): BackgroundResult {
  return { [background]: true, content }
}

export function isBackground(result: unknown): result is BackgroundResult {
  return typeof result === 'object' && result !== null && background in result
}
