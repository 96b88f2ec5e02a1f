/** `node bench/latency.mjs`: the medians of ten turns by voice over WebRTC. Needs Chromium and PocketSphinx; see `latency/`. */
import { startVitest } from 'vitest/node'

const vitest = await startVitest('test', [], { watch: false, include: ['bench/latency/latency.bench.ts'] })
await vitest.close()
