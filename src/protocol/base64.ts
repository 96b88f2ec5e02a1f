/** Base64 in every runtime: the platform's own where it has one, else by table. */

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const codes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0))
const values = new Uint8Array(128).fill(255)
codes.forEach((code, value) => {
  values[code] = value
})
const padding = 61
/** Both spellings of the last two letters are read; only the first is written. */
values[45] = 62
values[95] = 63

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

const ascii = new TextDecoder()

export function encode(bytes: Uint8Array): string {
  const out = new Uint8Array(4 * Math.ceil(bytes.length / 3))
  let at = 0
  for (let n = 0; n < bytes.length; n += 3) {
    const left = bytes.length - n
    const group = (bytes[n]! << 16) | ((bytes[n + 1] ?? 0) << 8) | (bytes[n + 2] ?? 0)
    out[at++] = codes[group >> 18]!
    out[at++] = codes[(group >> 12) & 63]!
    out[at++] = left > 1 ? codes[(group >> 6) & 63]! : padding
    out[at++] = left > 2 ? codes[group & 63]! : padding
  }
  return ascii.decode(out)
}

export function decode(text: string): Uint8Array {
  const out = new Uint8Array(Math.ceil((text.length * 3) / 4))
  let at = 0
  let group = 0
  let bits = 0
  for (let n = 0; n < text.length; n++) {
    const code = text.charCodeAt(n)
    if (code === padding) break
    const value = code < 128 ? values[code]! : 255
    if (value === 255) continue
    group = ((group << 6) | value) & 0xffffff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    out[at++] = (group >> bits) & 255
  }
  return at === out.length ? out : out.slice(0, at)
}
