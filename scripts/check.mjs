/** `npm run check`: the whole gate. `--without-tests` leaves the tests to the caller. Ends with the tests' count. */
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { during, indent, run } from './progress.mjs'
import { setup } from './setup.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

const gates = [
  ['format and lint', 'biome', 'check', '--error-on-warnings', '.'],
  ['types', 'tsc', '-p', '.'],
  ['package: publint', 'publint', '--strict'],
  ['package: attw', 'attw', '--pack', '.', '--profile', 'esm-only'],
]

const failures = []
try {
  await setup('test')
} catch (error) {
  console.error(`  ✗ ${error.message}`)
  failures.push('setup')
}
for (const [label, command, ...args] of gates) {
  const { code, output } = await during(label, () => run(join('node_modules/.bin', command), args, { cwd: root }))
  if (code === 0) continue
  failures.push(label)
  console.log(indent(output))
}
if (failures.length > 0) {
  console.error(`  ✗ The gate is shut: ${failures.join(', ')}.`)
  process.exitCode = 1
}
if (!process.argv.includes('--without-tests')) {
  const { status } = spawnSync(process.execPath, ['scripts/test.mjs'], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
