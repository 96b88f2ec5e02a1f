/** JSON Schema as far as a caller can fill it: references resolved, combinations told apart, values checked. */

export type Schema = Readonly<Record<string, unknown>>

/** What is to be filled: an object's properties, one of several things, or one value (a list counts as one). */
export type Shape =
  | { readonly is: 'object'; readonly properties: readonly Property[] }
  | { readonly is: 'either'; readonly shapes: readonly Shape[] }
  | Slot
export interface Property {
  readonly name: string
  readonly required: boolean
  readonly shape: Shape
}
export interface Slot {
  readonly is: 'value'
  readonly name: string
  readonly schema: Schema
  /** No arguments are whole without it: it and all that it is in are required. */
  readonly required: boolean
  /** Of an array: what it is a list of. */
  readonly item?: Shape
}

/** A schema may refer to itself: no caller speaks deeper than this. */
const deepest = 5
const mostChoices = 12
/** Nor of more than this. */
const mostShapes = 200

interface Scope {
  readonly root: Schema
  /** How many shapes there may still be. */
  left: number
}

export function shapeOf(parameters: unknown): Shape {
  const root = schemaOf(parameters)
  const scope = { root, left: mostShapes }
  const shapes = choicesOf(root, root).map((schema) => shaped(schema, scope, '', true, 0))
  const objects = shapes.filter(({ is }) => is === 'object')
  return objects.length === 1 ? objects[0]! : { is: 'either', shapes: objects }
}

export function slotsOf(shape: Shape): readonly Slot[] {
  if (shape.is === 'value') return shape.item && shape.item.is !== 'value' ? [shape, ...slotsOf(shape.item)] : [shape]
  if (shape.is === 'either') return shape.shapes.flatMap(slotsOf)
  return shape.properties.flatMap((property) => slotsOf(property.shape))
}

function shaped(schema: Schema, scope: Scope, name: string, required: boolean, depth: number): Shape {
  if (typeOf(schema) !== 'object' || 'enum' in schema || 'const' in schema || depth > deepest || --scope.left < 0) {
    const item = typeOf(schema) === 'array' ? { item: anyOf(schema['items'], scope, name, true, depth + 1) } : {}
    return { is: 'value', name, schema, required, ...item }
  }
  const known = schemaOf(schema['properties'])
  const needed = Array.isArray(schema['required']) ? schema['required'].map(String) : []
  const names = [...new Set([...Object.keys(known), ...needed])]
  const properties = names.map((name) => {
    const isNeeded = needed.includes(name)
    const own = Object.hasOwn(known, name) ? known[name] : {}
    return { name, required: isNeeded, shape: anyOf(own, scope, name, required && isNeeded, depth + 1) }
  })
  return { is: 'object', properties }
}

function anyOf(schema: unknown, scope: Scope, name: string, required: boolean, depth: number): Shape {
  const choices = asOneChoice(choicesOf(schemaOf(schema), scope.root))
  const shapes = choices.map((choice) => shaped(choice, scope, name, required, depth))
  return shapes.length === 1 ? shapes[0]! : { is: 'either', shapes }
}

/** The schemas of which a value may fit any: each without `$ref`, `anyOf`, `oneOf`, `allOf` and lists of types. */
function choicesOf(schema: Schema, root: Schema, depth = 0): readonly Schema[] {
  if (depth > deepest) return [schema]
  const { $ref, anyOf, oneOf, allOf, ...own } = schema
  const parts = Array.isArray(allOf) ? allOf.map(schemaOf) : []
  if (typeof $ref === 'string') parts.push(referred($ref, root))
  if (parts.length) {
    const others = { ...(anyOf ? { anyOf } : {}), ...(oneOf ? { oneOf } : {}) }
    return choicesOf([...parts, { ...own, ...others }].reduce(merged, {}), root, depth + 1)
  }
  const choices = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : null
  if (choices) {
    return choices.flatMap((choice) => choicesOf(merged(own, schemaOf(choice)), root, depth + 1)).slice(0, mostChoices)
  }
  const { type } = own
  return Array.isArray(type) ? type.slice(0, mostChoices).map((one) => ({ ...own, type: one })) : [own]
}

/** One of several things, each spelled as a schema of its own, is one choice among them: none of them is taken unsaid. */
function asOneChoice(schemas: readonly Schema[]): readonly Schema[] {
  const fixed = schemas.filter((schema) => choicesIn(schema) && typeOf(schema) !== 'null')
  if (fixed.length < 2) return schemas
  const all = fixed.flatMap((schema) => choicesIn(schema)!.filter((choice) => choice !== null))
  const { const: _, type, ...rest } = fixed[0]!
  const isOfOneType = fixed.every((schema) => schema['type'] === type)
  const one = { ...rest, ...(isOfOneType && type ? { type } : {}), enum: [...new Set(all)] }
  return [one, ...schemas.filter((schema) => !fixed.includes(schema))]
}

function merged(one: Schema, other: Schema): Schema {
  const properties = { ...schemaOf(one['properties']), ...schemaOf(other['properties']) }
  const required = [one['required'], other['required']].filter(Array.isArray).flat()
  return {
    ...one,
    ...other,
    ...(Object.keys(properties).length ? { properties } : {}),
    ...(required.length ? { required } : {}),
  }
}

/** `#/$defs/Address` */
function referred(ref: string, root: Schema): Schema {
  let found: unknown = root
  for (const part of ref.replace(/^#\/?/, '').split('/').filter(Boolean)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    found = typeof found === 'object' && found && Object.hasOwn(found, name) ? Reflect.get(found, name) : {}
  }
  return schemaOf(found)
}

export function schemaOf(value: unknown): Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : {}
}

export function typeOf(schema: Schema): string {
  if (typeof schema['type'] === 'string') return schema['type']
  if (schema['properties']) return 'object'
  return schema['items'] ? 'array' : 'any'
}

export function choicesIn(schema: Schema): readonly unknown[] | undefined {
  if (Array.isArray(schema['enum'])) return schema['enum']
  return 'const' in schema ? [schema['const']] : undefined
}

/** Whether `value` is what `schema` asks for, as far as one value can be judged alone. */
export function fits(value: unknown, schema: Schema): boolean {
  const limit = (name: string, otherwise: number) => (typeof schema[name] === 'number' ? schema[name] : otherwise)
  const within = (size: number, least: string, most: string) =>
    size >= limit(least, Number.NEGATIVE_INFINITY) && size <= limit(most, Number.POSITIVE_INFINITY)
  const choices = choicesIn(schema)
  if (choices && !choices.some((choice) => isSame(choice, value))) return false
  if ('const' in schema && !isSame(schema['const'], value)) return false
  if (!isOfType(value, typeOf(schema))) return false
  if (typeof value === 'number') {
    const step = limit('multipleOf', 0)
    return (
      within(value, 'minimum', 'maximum') &&
      value > limit('exclusiveMinimum', Number.NEGATIVE_INFINITY) &&
      value < limit('exclusiveMaximum', Number.POSITIVE_INFINITY) &&
      (step <= 0 || Number.isInteger(value / step))
    )
  }
  if (typeof value === 'string') return within([...value].length, 'minLength', 'maxLength') && isLike(value, schema)
  if (!Array.isArray(value)) return true
  const unlike = new Set(value.map((one) => JSON.stringify(one)))
  return within(value.length, 'minItems', 'maxItems') && (!schema['uniqueItems'] || unlike.size === value.length)
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || (typeof one === 'object' && JSON.stringify(one) === JSON.stringify(other))
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'any':
      return true
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    case 'integer':
      return Number.isInteger(value)
    case 'number':
      return Number.isFinite(value)
    default:
      return typeof value === type
  }
}

function isLike(value: string, { pattern }: Schema): boolean {
  if (typeof pattern !== 'string') return true
  try {
    return new RegExp(pattern, 'u').test(value)
  } catch {
    return true
  }
}
