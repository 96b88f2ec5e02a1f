const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** A new id as the far end makes them: `prefix` (`item_`, `resp_`, `event_`, …) and 21 letters and digits. */
export function newId(prefix: string, random: () => number): string {
  let id = prefix
  for (let n = 0; n < 21; n++) id += letters[Math.floor(random() * letters.length)]
  return id
}
