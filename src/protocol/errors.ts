/** The caller's mistake: thrown at the call, before anything was sent or lost. */
export class UserError extends Error {
  override readonly name = 'UserError'
}

/** What went wrong, in words, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
