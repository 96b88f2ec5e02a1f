import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access, realpath } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Readable } from 'node:stream'
import { toBytes } from '../../audio/pcm.ts'
import type { Ears, Listening } from '../senses.ts'

export interface PocketsphinxOptions {
  /** The program to run. Default: `pocketsphinx_continuous`, found on the PATH. */
  readonly command?: string
  /** Path of a JSGF grammar. Only what it allows is heard: faster, and free of the surprises of open speech. */
  readonly grammar?: string
  /** Further arguments for the program, such as `['-lm', path, '-dict', path]` for a language model of your own. */
  readonly args?: readonly string[]
}

const usualCommand = 'pocketsphinx_continuous'
const installed = 'Install it with: apt-get install pocketsphinx pocketsphinx-en-us'

/** Silence around the turn, in samples of 16 kHz: 300 ms. The program hears first and last words better for it. */
const silence = new Uint8Array(2 * 4_800)

/**
 * A shell stands between, for two reasons: the program cannot open the socket that Node gives it as standard input, but can open the
 * pipe from `cat`; and the shell outlives a SIGTERM just long enough to take both its children off the process table.
 */
const script = 'trap : TERM; cat | exec "$0" "$@"'

/**
 * Ears by CMU PocketSphinx, which runs as a program beside this one: English, open vocabulary, no network. Audio is 16000 Hz,
 * PCM16, mono. Each turn has a process of its own, started by `listen()` so that its models load while the user speaks.
 * The words of a turn come in lower case, without punctuation; a turn without words gives `''`.
 *
 * `finish()` rejects with a sentence that says what to install when the program or its models are missing.
 */
export function pocketsphinx(options: PocketsphinxOptions = {}): Ears {
  return { rate: 16_000, listen: () => listen(options) }
}

/** What is missing for these ears to hear, as a sentence that says what to install; `null` when nothing is. */
export async function missingEars({ command = usualCommand }: PocketsphinxOptions = {}): Promise<string | null> {
  const program = await find(command)
  if (!program) return `Speech recognition needs the program ${command}, which is not installed. ${installed}`
  const models = join(program, '../../share/pocketsphinx/model/en-us/en-us')
  if (
    await access(models).then(
      () => true,
      () => false,
    )
  )
    return null
  return `Speech recognition needs the English models of pocketsphinx, which are not in ${models}. ${installed}`
}

function listen({ command = usualCommand, grammar, args = [] }: PocketsphinxOptions): Listening {
  const all = ['-infile', '/dev/stdin', ...(grammar === undefined ? [] : ['-jsgf', grammar]), ...args]
  const child: ChildProcess = spawn('sh', ['-c', script, command, ...all], { stdio: 'pipe', detached: true })
  let cancelled = false
  let words = ''
  let problem = ''

  const turn: Listening = {
    hear(audio) {
      if (child.stdin?.writable) child.stdin.write(toBytes(audio.slice()))
    },
    finish() {
      if (child.stdin?.writable) child.stdin.end(silence)
      return heard
    },
    cancel() {
      cancelled = true
      child.stdin?.destroy()
      stop(child)
    },
  }

  const heard = new Promise<string>((resolve, reject) => {
    child.on('error', (error) =>
      reject(new Error(`Speech recognition could not start: ${error.message}.`, { cause: error })),
    )
    child.on('close', async (code) => {
      if (cancelled) reject(new Error('Speech recognition of this turn was cancelled.'))
      else if (code === 0) resolve(words)
      else
        reject(
          new Error(
            (await missingEars({ command })) ?? `Speech recognition ended early: ${problem || `exit code ${code}`}.`,
          ),
        )
    })
  })
  heard.catch(() => {})

  lines(child.stdout, (line) => {
    const said = line.trim().toLowerCase()
    if (said === '' || cancelled) return
    const delta = words === '' ? said : ` ${said}`
    words += delta
    turn.onPartial?.(delta)
  })
  lines(child.stderr, (line) => {
    if (/^(ERROR|FATAL)|not found|ermission denied/.test(line))
      problem = line.replace(/^\w+: ("[^"]*", line \d+: )?/, '')
  })
  child.stdin?.on('error', () => {})
  child.stdin?.write(silence)
  return turn
}

/** Ends the shell's whole group, its children with it. */
function stop({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return
  try {
    process.kill(-pid, 'SIGTERM')
  } catch {
    // It has ended by itself in the meantime.
  }
}

function lines(stream: Readable | null, line: (text: string) => void): void {
  let rest = ''
  stream?.setEncoding('utf8')
  stream?.on('data', (text: string) => {
    const whole = (rest + text).split('\n')
    rest = whole.pop() ?? ''
    whole.forEach(line)
  })
  stream?.on('error', () => {})
}

async function find(command: string): Promise<string | undefined> {
  const places = command.includes('/') ? [''] : (process.env['PATH'] ?? '').split(delimiter)
  for (const place of places) {
    const path = join(place, command)
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return realpath(path).catch(() => path)
  }
  return undefined
}
