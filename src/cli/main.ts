#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { isMisuse, sentenceOf } from './misuse.ts'

const commands: Readonly<Record<string, () => Promise<(args: string[]) => unknown>>> = {
  dev: async () => (await import('./dev.ts')).devCommand,
  serve: async () => (await import('./serve.ts')).serveCommand,
  call: async () => (await import('./call.ts')).callCommand,
}

const usage = `parley: realtime voice agents, and a local realtime server that speaks the same protocol

  parley dev      open a page where you speak and an agent answers
  parley serve    start the local realtime server
  parley call     play one call: a caller speaks, a tool runs, the agent answers aloud
  parley help     show this

  parley <command> --help shows a command's options; parley --version shows the version.`

/** Whoever read our output has gone (`parley call | head`): there is nobody to tell. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const [name = 'help', ...args] = process.argv.slice(2)
const load = Object.hasOwn(commands, name) ? commands[name] : undefined

if (load) await run(load, args)
else if (name === 'help' || name === '--help' || name === '-h') console.log(usage)
else if (name === '--version' || name === '-v') console.log(version())
else {
  console.error(`parley: there is no command '${name}'.\n\n${usage}`)
  process.exitCode = 2
}

async function run(load: () => Promise<(args: string[]) => unknown>, args: string[]): Promise<void> {
  try {
    const command = await load()
    await command(args)
  } catch (error) {
    console.error(`parley ${name}: ${sentenceOf(error)}`)
    process.exitCode = isMisuse(error) ? 2 : 1
  }
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}
