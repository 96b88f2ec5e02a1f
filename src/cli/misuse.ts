/** The command was called in a way that it does not know: the exit code is 2, as usual. */
export function misuse(message: string): Error {
  return Object.assign(new Error(message), { code: 'ERR_PARSE_ARGS_VALUE' })
}

/** `parseArgs` refused the options, or we did. */
export function isMisuse(error: unknown): boolean {
  return String((error as { code?: unknown } | null)?.code).startsWith('ERR_PARSE_ARGS')
}
