/** Running a command and saying how it goes: a spinner on a terminal, plain lines with the seconds elsewhere. */
import { spawn } from 'node:child_process'

const terminal = Boolean(process.stdout.isTTY) && !process.env.CI

/** Runs a command without showing its output. Never rejects: a command that cannot be started has code 127. */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    let output = ''
    child.stdout.on('data', (text) => (output += text))
    child.stderr.on('data', (text) => (output += text))
    child.on('error', (error) => resolve({ code: 127, output: `${output}${error.message}\n` }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/** Runs an npm command with the npm that runs us, and with as little to say as it has. */
export function npm(args, options) {
  const quiet = [...args, '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error']
  const path = process.env.npm_execpath
  if (path?.endsWith('.js')) return run(process.execPath, [path, ...quiet], options)
  return run('npm', quiet, { shell: process.platform === 'win32', ...options })
}

/** Says what is being done while `work` runs, and for how long. Returns what `work` resolves with. */
export async function during(label, work) {
  const began = performance.now()
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`
  const frames = [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏']
  let frame = 0
  if (!terminal) console.log(`  … ${label}`)
  const tick = terminal
    ? setInterval(() => process.stdout.write(`\r  ${frames[frame++ % frames.length]} ${label}  ${seconds()} `), 100)
    : setInterval(() => console.log(`  … ${label}: ${seconds()}`), 5_000)
  try {
    const result = await work()
    const mark = result?.code ? '✗' : '✓'
    console.log(`${terminal ? '\r\x1b[2K' : ''}  ${mark} ${label} (${seconds()})`)
    return result
  } finally {
    clearInterval(tick)
  }
}

export function indent(text) {
  return text.trimEnd().replace(/^/gm, '    ')
}
