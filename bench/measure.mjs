/** How things are measured: by turns, on CPU time, in medians. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Samples every variant once a round, in an order that turns, after some rounds that do not count: what slows the machine
 * slows all alike. Returns the samples of each, round by round.
 */
export async function sampleByTurns(variants, { rounds, warmups }) {
  const samples = Object.fromEntries(Object.keys(variants).map((name) => [name, []]))
  const order = Object.entries(variants)
  for (let round = -warmups; round < rounds; round++) {
    for (const [name, sample] of order) {
      const figure = await sample()
      if (round >= 0) samples[name].push(figure)
    }
    order.push(order.shift())
  }
  return samples
}

/** As `sampleByTurns`, each variant of `client.mjs` in its own process; `amount` is for the variant to read. */
export async function sampleClients(names, url, amount, rounds) {
  const clients = names.map((name) => start('client.mjs', name, url))
  try {
    await Promise.all(clients.map((client) => once(client, 'message')))
    const sampled = clients.map((client, n) => [names[n], () => sampleOf(client, amount)])
    return await sampleByTurns(Object.fromEntries(sampled), rounds)
  } finally {
    for (const client of clients) if (client.connected) client.disconnect()
  }
}

/** Starts the far end in another process; `stop` ends it. */
export async function farEnd() {
  const child = start('server.mjs')
  const [port] = await once(child, 'message')
  return { url: `ws://127.0.0.1:${port}/v1/realtime`, stop: () => child.disconnect() }
}

setFlagsFromString('--expose-gc')
/** Clears away what the preparation left: it is not what is measured. */
const collect = runInNewContext('gc')
export const clean = () => collect({ type: 'minor' })

/** µs of CPU, of all threads of this process, since `since`. */
export function cpu(since = 0) {
  const { user, system } = process.cpuUsage()
  return user + system - since
}

/** µs of CPU from `begin` to when it says that it has ended. */
export function cpuUntil(begin) {
  return new Promise((resolve) => {
    const before = cpu()
    begin(() => resolve(cpu(before)))
  })
}

export function median(figures) {
  const sorted = figures.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** The median of the ratios of two series sampled by turns: what hit a round hit both. */
export function ratio(figures, base) {
  return median(figures.map((figure, round) => figure / base[round]))
}

function start(file, ...args) {
  return fork(fileURLToPath(new URL(file, import.meta.url)), args)
}

function sampleOf(client, amount) {
  return new Promise((resolve, reject) => {
    const died = (code) => reject(new Error(`A client of the bench ended with code ${code}.`))
    client.once('exit', died)
    client.once('message', (figure) => {
      client.off('exit', died)
      resolve(figure)
    })
    client.send(amount)
  })
}
