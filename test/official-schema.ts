/** The official shape of every server event: JSON Schemas derived from the types of the `openai` package. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { Ajv, type ValidateFunction } from 'ajv'
import { createGenerator, type Schema } from 'ts-json-schema-generator'

/** Fields that live captures of the wire and the official examples have as null, where the package's types do not. */
const nullOnTheWire: ReadonlySet<string> = new Set([
  ...['status_details', 'usage', 'conversation_id', 'transcript'],
  ...['transcription', 'noise_reduction', 'include'],
])

type Definition = { readonly properties?: { readonly type?: { readonly const?: string } } }

/** Says what is wrong with an event, or null. An event that the official types do not have is wrong too. */
export function officialSchema(): (event: { readonly type: string }) => string | null {
  const schema = derived()
  const ajv = new Ajv({ strict: false, allErrors: true, schemas: [{ ...(schema as object), $id: 'official' }] })
  const validators = new Map<string, ValidateFunction>()
  for (const [name, definition] of Object.entries(schema.definitions ?? {}) as [string, Definition][]) {
    const type = definition.properties?.type?.const
    const validator = type && ajv.getSchema(`official#/definitions/${encodeURIComponent(name)}`)
    if (type && validator && !validators.has(type)) validators.set(type, validator)
  }
  return (event) => {
    const { type } = event
    const validator = validators.get(type)
    if (!validator) return `${type}: not an official server event`
    if (validator(withoutNulls(event))) return null
    return `${type}: ${ajv.errorsText(validator.errors)}`
  }
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([key, inner]) => inner !== null || !nullOnTheWire.has(key))
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutNulls(inner)]))
}

/** Deriving takes seconds, so that it is kept beside the package's own version. */
function derived(): Schema {
  const { version } = JSON.parse(readFileSync('node_modules/openai/package.json', 'utf8'))
  const folder = 'node_modules/.cache/parley'
  const file = `${folder}/official-${version}.json`
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    const schema = createGenerator({
      path: 'node_modules/openai/resources/realtime/realtime.d.ts',
      type: 'RealtimeServerEvent',
      skipTypeCheck: true,
      additionalProperties: true,
    }).createSchema('RealtimeServerEvent')
    mkdirSync(folder, { recursive: true })
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(schema))
    renameSync(`${file}.${process.pid}`, file)
    return schema
  }
}
