/** What an MCP tool gave, as the model can be told it: the output of a call is text, and nothing else. */

interface Part {
  readonly type?: unknown
  readonly text?: unknown
  readonly mimeType?: unknown
  readonly uri?: unknown
  readonly name?: unknown
  readonly title?: unknown
  readonly resource?: { readonly uri?: unknown; readonly text?: unknown; readonly mimeType?: unknown }
}
interface Result {
  readonly content?: unknown
  readonly structuredContent?: unknown
  readonly isError?: unknown
}

/** @throws Error with what the tool said, when it says that it failed. */
export function outputOf(result: unknown, prefersStructure: boolean): string {
  const { content, structuredContent, isError } = (result ?? {}) as Result
  // A list with the rest of the result as its own fields is what servers of `@openai/agents` give.
  const parts = (Array.isArray(result) ? result : Array.isArray(content) ? content : []).filter(isPart)
  const words = parts.map(inWords)
  const structure = structuredContent === undefined ? [] : [JSON.stringify(structuredContent)]
  const hasText = parts.some(({ type }) => type === 'text')
  if (isError === true) throw new Error([...(hasText ? [] : structure), ...words].join('\n') || 'It did not say why.')
  if (prefersStructure && structure.length) return structure.join('')
  return [...(hasText ? [] : structure), ...words].join('\n')
}

function isPart(part: unknown): part is Part {
  return typeof part === 'object' && part !== null
}

function inWords({ type, text, mimeType, uri, name, title, resource }: Part): string {
  switch (type) {
    case 'text':
      return String(text ?? '')
    case 'image':
      return absent('An image', mimeType)
    case 'audio':
      return absent('Audio', mimeType)
    case 'resource':
      if (typeof resource?.text === 'string') return `${resource.uri}:\n${resource.text}`
      return absent(`The resource ${resource?.uri ?? 'without a name'}`, resource?.mimeType)
    case 'resource_link':
      return absent(`The resource '${title ?? name}' at ${uri}`, mimeType)
    default:
      return absent(`Content of the type '${type}'`, mimeType)
  }
}

function absent(what: string, mimeType: unknown): string {
  return `[${what}${mimeType ? ` (${mimeType})` : ''} was given, which cannot be shown here.]`
}
