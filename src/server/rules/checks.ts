/** What a client says is held against shapes. Each check names the place of what is wrong. Pure. */
import { type Refusal, refusals } from './refusals.ts'

export type Fields = Readonly<Record<string, unknown>>

/** Says what is wrong with a value, or null. `param` is its place, as `session.audio.input`. */
export type Check = (value: unknown, param: string) => Refusal | null

export const anything: Check = () => null
export const text: Check = (value, param) =>
  typeof value === 'string' ? null : refusals.invalidType(param, 'a string')
export const flag: Check = (value, param) =>
  typeof value === 'boolean' ? null : refusals.invalidType(param, 'a boolean')
export const number: Check = (value, param) =>
  typeof value === 'number' ? null : refusals.invalidType(param, 'a number')
export const object: Check = (value, param) => (isObject(value) ? null : refusals.invalidType(param, 'an object'))

export const oneOf =
  (...values: readonly string[]): Check =>
  (value, param) =>
    values.includes(value as string) ? null : refusals.invalidValue(param, value, values)

const mostAudio = 15 * 1024 * 1024
export const audio: Check = (value, param) => {
  if (typeof value !== 'string') return refusals.invalidType(param, 'a string')
  if (value.length > (mostAudio * 4) / 3) return refusals.audioTooLarge(param)
  return /^[A-Za-z0-9+/]*={0,2}$/.test(value) ? null : refusals.badAudio(param)
}

/** No event of the protocol nests deeper; what does would end whatever walks it. */
const deepest = 100
export function isTooDeep(value: unknown, left: number = deepest): boolean {
  if (typeof value !== 'object' || value === null) return false
  return left === 0 || Object.values(value).some((part) => isTooDeep(part, left - 1))
}

/** One of these, where something else than a text would be of a wrong type. */
export const word =
  (...values: readonly string[]): Check =>
  (value, param) =>
    text(value, param) ?? oneOf(...values)(value, param)

export const between =
  (low: number, high: number): Check =>
  (value, param) =>
    typeof value === 'number' && value >= low && value <= high
      ? null
      : refusals.outOfRange(param, value, `a number between ${low} and ${high}`)

export const whole =
  (low: number, high: number): Check =>
  (value, param) =>
    Number.isInteger(value) && (value as number) >= low && (value as number) <= high
      ? null
      : refusals.outOfRange(param, value, `an integer between ${low} and ${high}`)

export const orNull =
  (check: Check): Check =>
  (value, param) =>
    value === null ? null : check(value, param)

export const listOf =
  (check: Check): Check =>
  (value, param) => {
    if (!Array.isArray(value)) return refusals.invalidType(param, 'an array')
    return first(value.map((each, n) => () => check(each, `${param}[${n}]`)))
  }

/** An object with these fields, and no others. */
export const shape =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value, param) => {
    if (!isObject(value)) return refusals.invalidType(param, 'an object')
    return first(
      Object.entries(value).map(([key, inner]) => () => {
        if (!Object.hasOwn(fields, key)) return refusals.unknownParameter(`${param}.${key}`)
        return inner === undefined ? null : fields[key]!(inner, `${param}.${key}`)
      }),
    )
  }

/** One of two shapes: the second where the value is an object. */
export const either =
  (plain: Check, whenObject: Check): Check =>
  (value, param) =>
    (isObject(value) ? whenObject : plain)(value, param)

/** The first thing that is wrong. */
export function first(checks: readonly (() => Refusal | null)[]): Refusal | null {
  for (const check of checks) {
    const refused = check()
    if (refused) return refused
  }
  return null
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
