/** Where time comes from. Real in production, moved by hand in tests. All times are in ms; only differences mean anything. */
export interface Clock {
  now(): number
  /** Runs `run` once, at `time` or as soon after as can be. Returns a function that cancels it. */
  at(time: number, run: () => void): () => void
}
