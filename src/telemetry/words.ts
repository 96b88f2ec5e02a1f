/** What was said, for spans that may tell it. */
import { textOf } from '../conversation/item.ts'
import type { Item } from '../protocol/events.ts'

/** What a response said and called, as parts of a message. */
export function saidIn(output: readonly Item[]): readonly object[] {
  return output.flatMap((item): object[] => {
    if (item.type === 'message') return [{ type: 'text', content: textOf(item) }]
    if (item.type !== 'function_call') return []
    return [{ type: 'tool_call', id: item.call_id, name: item.name, arguments: item.arguments }]
  })
}

/** What the user said right before the first of these items. */
export function saidBefore(items: readonly Item[], answers: readonly Item[]): string | null {
  const ids = new Set(answers.map(({ id }) => id))
  const said: string[] = []
  for (let n = items.findIndex(({ id }) => ids.has(id)) - 1; n >= 0; n--) {
    const item = items[n]!
    if (item.type !== 'message' || item.role !== 'user') break
    said.unshift(textOf(item))
  }
  return said.length ? said.join('\n') : null
}
