/** The `parley` command as it is installed: compiled from the sources of now, and run in a process of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'

export interface Command {
  /** Runs the command. Where a test is running, it is ended with it. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Running
  remove(): void
}

export interface Running {
  readonly process: ChildProcess
  /** What it printed so far. */
  readonly out: () => string
  readonly err: () => string
  /** The first line on standard output; rejects when it ends without one. */
  readonly firstLine: Promise<string>
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
}

export function builtCommand(): Command {
  mkdirSync('out', { recursive: true })
  const home = resolve(mkdtempSync('out/command-'))
  const tsc = 'node_modules/typescript/bin/tsc'
  const options = ['-p', 'tsconfig.build.json', '--noCheck', '--outDir', join(home, 'dist')]
  spawnSync(process.execPath, [tsc, ...options], { stdio: 'ignore' })
  const main = join(home, 'dist/cli/main.js')
  if (!existsSync(main)) throw new Error('tsc wrote no dist/cli/main.js: try npm run build.')
  for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' }))
    if (file.endsWith('.mjs')) copyFileSync(join('src', file), join(home, 'dist', file))
  copyFileSync('package.json', join(home, 'package.json'))
  symlinkSync(resolve('fixtures'), join(home, 'fixtures'), 'junction')

  return {
    run: (args, env = {}) => running(main, args, env),
    remove: () => rmSync(home, { recursive: true, force: true }),
  }
}

function running(main: string, args: readonly string[], env: Readonly<Record<string, string>>): Running {
  const { OPENAI_API_KEY: _, ...ours } = process.env
  const child = spawn(process.execPath, [main, ...args], { env: { ...ours, CI: '1', ...env }, stdio: 'pipe' })
  let [out, err] = ['', '']
  child.stderr.setEncoding('utf8').on('data', (text) => (err += text))
  const ended: Running['ended'] = new Promise((done) => child.on('close', (code, signal) => done({ code, signal })))
  const firstLine = new Promise<string>((done, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text
      if (out.includes('\n')) done(out.slice(0, out.indexOf('\n')))
    })
    void ended.then(({ code }) => reject(new Error(`It ended with ${code} before a line: ${err}`)))
  })
  firstLine.catch(() => {})
  try {
    onTestFinished(() => void child.kill('SIGKILL'))
  } catch {
    // Begun by a hook, which waits for its end.
  }
  return { process: child, out: () => out, err: () => err, firstLine, ended }
}
