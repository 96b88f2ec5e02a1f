/** Base64 in every runtime: the platform's own methods where it has them, else `atob` and `btoa`. */

type Native = { toBase64?(): string }
type NativeConstructor = { fromBase64?(text: string): Uint8Array }

/** Bytes that are encoded in one go: whole groups of three, and few enough to be arguments. */
const atOnce = 0x6000

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
  let text = ''
  for (let from = 0; from < bytes.length; from += atOnce) {
    text += btoa(String.fromCharCode(...bytes.subarray(from, from + atOnce)))
  }
  return text
}

export function decode(text: string): Uint8Array {
  const letters = text
    .replace(/-/g, '+')
    .replace(/_/g, '/')
    .replace(/=.*|[^+/\w]/gs, '')
  const whole = letters.length % 4 === 1 ? letters.slice(0, -1) : letters
  const binary = atob(whole)
  const bytes = new Uint8Array(binary.length)
  for (let n = 0; n < bytes.length; n++) bytes[n] = binary.charCodeAt(n)
  return bytes
}
