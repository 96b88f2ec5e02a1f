/** Objects are merged, all else is replaced; what says its own `type` is a thing whole; an explicit null stands. */
export function merge(base: unknown, over: unknown): object {
  const merged: Record<string, unknown> = { ...(base as object) }
  for (const [key, value] of Object.entries(over as object)) {
    if (value === undefined) continue
    merged[key] = isPlain(merged[key]) && isPlain(value) && !('type' in value) ? merge(merged[key], value) : value
  }
  return merged
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
