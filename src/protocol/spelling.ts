/** A config as apps write it (camelCase), and as the wire has it (snake_case). */

type CamelKey<Key> = Key extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<CamelKey<Tail>>}` : Key

/** The same, its keys in camelCase; the wire's spelling is accepted beside it. */
export type Camel<T> = T extends string
  ? T
  : T extends readonly (infer Element)[]
    ? readonly Camel<Element>[]
    : T extends object
      ? { readonly [Key in keyof T as CamelKey<Key>]?: Camel<T[Key]> } & { readonly [Key in keyof T]?: Camel<T[Key]> }
      : T

/** Keys under which the words are the app's own: they are left as they are. */
const verbatim = new Set(['metadata', 'headers', 'variables', 'parameters'])

/** Spells keys as the wire does: `turnDetection` becomes `turn_detection`. */
export function toWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toWire)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [snake(key), verbatim.has(key) ? inner : toWire(inner)]),
  )
}

function snake(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
