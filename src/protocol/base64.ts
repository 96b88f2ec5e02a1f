/** Base64 in every runtime: the platform's own methods where it has them, else `atob` and `btoa`. */

type Native = { toBase64?(): string }
type NativeConstructor = { fromBase64?(text: string): Uint8Array }

export function toBase64(bytes: Uint8Array): string {
  return (bytes as Native).toBase64?.() ?? encode(bytes)
}

/** Bytes of `text`. What is no base64 is passed over, and a group that was cut off gives what it holds: nothing throws. */
export function fromBase64(text: string): Uint8Array {
  try {
    return (Uint8Array as NativeConstructor).fromBase64?.(text) ?? decode(text)
  } catch {
    return decode(text)
  }
}

export function encode(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

export function decode(text: string): Uint8Array {
  const letters = text
    .replace(/-/g, '+')
    .replace(/_/g, '/')
    .replace(/=.*|[^+/\w]/gs, '')
  const whole = letters.length % 4 === 1 ? letters.slice(0, -1) : letters
  return Uint8Array.from(atob(whole), (letter) => letter.charCodeAt(0))
}
