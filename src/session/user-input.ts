import { UserError } from '../protocol/errors.ts'

/** What the user says in writing: text, or parts of text and images. */
export type RealtimeUserInput =
  | string
  | { readonly type?: 'message'; readonly role?: 'user'; readonly content: readonly UserPart[] }

export type UserPart =
  | { readonly type: 'input_text'; readonly text: string }
  | { readonly type: 'input_image'; readonly image: string }

/**
 * As the wire has it.
 *
 * @throws UserError when it is no message.
 */
export function partsOf(message: RealtimeUserInput): readonly unknown[] {
  if (typeof message === 'string') return [{ type: 'input_text', text: message }]
  const content: unknown = (message as { readonly content?: unknown } | null | undefined)?.content
  if (Array.isArray(content) && content.every((part) => typeof part === 'object' && part)) return content.map(partOf)
  throw new UserError("sendMessage takes a text, or { content: [{ type: 'input_text', text: 'Hello' }] }.")
}

export function partOf(part: UserPart): unknown {
  return part.type === 'input_image' ? { type: part.type, image_url: part.image } : part
}
