/** A tool's arguments, from what was said, by their JSON Schema: the surest first, until all is given or one is missing. */
import { isFree, type Said, take } from './said.ts'
import { fits, type Schema, type Shape, type Slot, slotsOf, typeOf } from './schema.ts'
import { type Sureness, valuesFor } from './values.ts'

/** What was given so far, by its place in the schema. */
export type Given = ReadonlyMap<Slot, unknown>
export type Arguments = Readonly<Record<string, unknown>>

/** Takes what was said for the slots of `shape`. What is said now counts more than what was given before. */
export function hear(shape: Shape, said: Said, before: Given = new Map(), asked?: Slot): Given {
  const given = new Map<Slot, unknown>()
  const slots = slotsOf(shape)
  const listen = (sure: Sureness, some: readonly Slot[]) => {
    for (const slot of some) {
      if (given.has(slot)) continue
      const found = valuesFor(slot, said, sure).find(({ span }) => isFree(said, span))
      if (!found) continue
      given.set(slot, found.value)
      take(said, found.span)
    }
  }
  listen('named', slots)
  listen('placed', slots)
  for (const [slot, value] of before) if (!given.has(slot)) given.set(slot, value)
  listen('left', leftFor(slots))
  if (asked) listen('replied', [asked])
  return given
}

/** What is left goes to what must be given; of numbers also to the only one that may be. */
function leftFor(slots: readonly Slot[]): readonly Slot[] {
  const counts = slots.filter(({ schema }) => /^(?:integer|number)$/.test(typeOf(schema)))
  return slots.filter((slot) => slot.required || (counts.length === 1 && counts[0] === slot))
}

export type Filled = { readonly arguments: Arguments } | { readonly missing: Slot }

/** The arguments as the tool takes them, or the first that is missing. */
export function fill(shape: Shape, given: Given): Filled {
  const built = build(shape, given, true)
  if (built && 'missing' in built) return built
  return { arguments: (built?.value ?? {}) as Arguments }
}

type Built = { readonly value: unknown } | { readonly missing: Slot } | undefined

function build(shape: Shape, given: Given, required: boolean): Built {
  if (shape.is === 'value') return buildValue(shape, given, required)
  if (shape.is === 'either') return buildEither(shape.shapes, given, required)
  if (!required && !slotsOf(shape).some((slot) => given.has(slot))) return
  const entries: [string, unknown][] = []
  for (const { name, required, shape: inner } of shape.properties) {
    const built = build(inner, given, required)
    if (built && 'missing' in built) {
      if (required) return built
    } else if (built) entries.push([name, built.value])
  }
  return { value: Object.fromEntries(entries) }
}

/** The first that something was said for; else the first that needs nothing. */
function buildEither(shapes: readonly Shape[], given: Given, required: boolean): Built {
  const touched = shapes.filter((shape) => slotsOf(shape).some((slot) => given.has(slot)))
  const built = [...touched, ...shapes].map((shape) => build(shape, given, required))
  return built.find((one) => one && 'value' in one) ?? built.find((one) => one)
}

function buildValue(slot: Slot, given: Given, required: boolean): Built {
  const { schema, item } = slot
  if (given.has(slot)) return { value: given.get(slot) }
  if (item && item.is !== 'value') {
    const one = build(item, given, false)
    if (one && 'value' in one && fits([one.value], schema)) return { value: [one.value] }
  }
  const unsaid = unsaidOf(schema, required)
  if (unsaid !== undefined) return { value: unsaid }
  return required ? { missing: slot } : undefined
}

/** What it is when nothing was said: what it must be, its default, or nothing where nothing is allowed. */
function unsaidOf(schema: Schema, required: boolean): unknown {
  if ('default' in schema && fits(schema['default'], schema)) return schema['default']
  if (!required) return
  if ('const' in schema && fits(schema['const'], schema)) return schema['const']
  const choices = schema['enum']
  if (Array.isArray(choices) && choices.length === 1 && fits(choices[0], schema)) return choices[0]
  return typeOf(schema) === 'null' && fits(null, schema) ? null : undefined
}
