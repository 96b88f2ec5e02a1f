/** The command was called in a way that it does not know: the exit code is 2, as usual. */
export function misuse(message: string): Error {
  return Object.assign(new Error(message), { code: 'ERR_PARSE_ARGS_VALUE' })
}

/** `parseArgs` refused the options, or we did. */
export function isMisuse(error: unknown): boolean {
  return String((error as { code?: unknown } | null)?.code).startsWith('ERR_PARSE_ARGS')
}

/** One sentence. Node's own go on with how an argument would be quoted. */
export function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  if (!isMisuse(error)) return message
  const [, option] = /^Option '(?:-\w, )?(--[\w-]+).*(?:argument missing|is ambiguous)/.exec(message) ?? []
  if (option) return `${option} takes a value.`
  return message.replace(/(?:\. To specify a positional|\. This command does not take)[\s\S]*$|(?<=')$/, '.')
}
