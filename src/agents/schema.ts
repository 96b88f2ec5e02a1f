import { UserError } from '../protocol/errors.ts'

/** A JSON Schema that describes an object. */
export type JsonSchema = { readonly type?: 'object'; readonly [key: string]: unknown }

/**
 * The part of Standard Schema (standardschema.dev) that a tool needs: zod, valibot, arktype and others are all one.
 * The JSON Schema for the model comes from `jsonSchema` where the library has it.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => Result<Output> | Promise<Result<Output>>
    readonly jsonSchema?: { readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown> }
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}
type Result<Output> = { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly Issue[] }
interface Issue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What the model's arguments are once they have been validated. */
export type ArgumentsOf<Parameters> =
  Parameters extends StandardSchema<infer _Input, infer Output> ? Output : Readonly<Record<string, unknown>>

export function isStandardSchema(value: object): value is StandardSchema {
  return '~standard' in value
}

/** The JSON Schema that the model is shown. Throws a `UserError` when the library of the schema cannot make one. */
export function jsonSchemaOf(parameters: StandardSchema | JsonSchema, tool: string): Record<string, unknown> {
  if (!isStandardSchema(parameters)) return parameters
  const { jsonSchema, vendor } = parameters['~standard']
  if (!jsonSchema) {
    throw new UserError(
      `Tool '${tool}': this version of ${vendor} cannot make a JSON Schema of its own. Pass one as 'jsonSchema'.`,
    )
  }
  const { $schema: _, ...schema } = jsonSchema.input({ target: 'draft-2020-12' })
  return schema
}

/** Validates what the model sent. Throws an error that tells the model what was wrong. */
export async function validate(parameters: StandardSchema | JsonSchema, value: unknown): Promise<unknown> {
  if (!isStandardSchema(parameters)) return requireAll(parameters, value)
  const result = await parameters['~standard'].validate(value)
  if (!result.issues) return result.value
  throw new Error(`The arguments are wrong: ${result.issues.map(inWords).join('; ')}. Correct them and call again.`)
}

/** A plain JSON Schema is held to what every model gets wrong first: an object, with all that is required in it. */
function requireAll({ required }: JsonSchema, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('The arguments are wrong: they must be a JSON object. Correct them and call again.')
  }
  const missing = Array.isArray(required) ? required.filter((name) => !(String(name) in value)) : []
  if (missing.length === 0) return value
  throw new Error(`The arguments are wrong: ${missing.join(', ')} missing. Correct them and call again.`)
}

function inWords({ message, path }: Issue): string {
  const where = path?.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
  return where ? `${where}: ${message}` : message
}
