/** Parley: realtime voice agents. Runs in browsers, Node, workers, Deno and Bun; it has no dependency but the platform. */

// Two files, and nothing by name: some bundlers load with a page all that the files export from which it takes anything,
// where a call will need it too.
export * from './essentials.ts'
export * from './extras.ts'
