/** Says what a tool told: text as it is, an object field by field. */
export function tell(output: string): readonly string[] {
  let value: unknown
  try {
    value = JSON.parse(output)
  } catch {
    return [output]
  }
  return sentences(value)
}

function sentences(value: unknown): readonly string[] {
  if (value === null) return ['There is nothing.']
  if (Array.isArray(value)) return value.length ? value.flatMap(sentences) : ['There is nothing.']
  if (typeof value !== 'object') return [`It is ${String(value)}.`]
  const { error, ...fields } = value as Record<string, unknown>
  if (error) return [`I'm sorry. ${String(error)}`]
  return Object.entries(fields).map(([name, field]) => `The ${inWords(name)} is ${plain(field)}.`)
}

function inWords(name: string): string {
  return name
    .replaceAll('_', ' ')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return value.map(plain).join(', ')
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([name, field]) => `${inWords(name)} ${plain(field)}`)
      .join(', ')
  }
  const text = String(value)
  // A long number is said digit by digit: nobody says an order's number as a count.
  return /^\d{4,}$/.test(text) ? [...text].join(' ') : text
}
