/** Looks again and again, at what nobody tells of: sockets that are let go, packets that came. Rejects after `boundMs`. */
export async function untilTrue(isSo: () => boolean, boundMs = 10_000): Promise<void> {
  const bound = performance.now() + boundMs
  while (!isSo()) {
    if (performance.now() > bound) throw new Error('It never came to be so.')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
