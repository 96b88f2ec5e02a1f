/**
 * `npm test`: what the tests need, then the tests. Names of files and Vitest's options go through.
 * The last line is the count alone. A file that could not be run and an error outside of any test count as failures,
 * and no test at all is one; so does a test that is skipped, unless it needs ears or a browser that cannot be installed here.
 */
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { missing, setup } from './setup.mjs'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))

let passed = 0
let failed = 0
let skipped = 0
try {
  await setup('test')
  await runTests()
} catch (error) {
  console.error(`  ✗ ${error.message}`)
  failed += 1
}
if (passed + failed === 0) {
  console.error('  ✗ No test was run.')
  failed = 1
}
process.stdout.write(`${passed} passed, ${failed} failed\n`, () => process.exit(failed ? 1 : 0))

async function runTests() {
  const { parseCLI, startVitest } = await import('vitest/node')
  const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)])
  const reporters = [options.reporter ?? 'default', { onTestRunEnd: count }].flat()
  const vitest = await startVitest('test', filter, { ...options, watch: false, reporters })
  await vitest.close()
  if (!skipped) return
  const lacking = missing()
  if (lacking.length === 0) failed += skipped
  else console.error(`  ! ${skipped} tests were left out: not installed here is ${lacking.join(', ')} (see above).`)
}

function count(modules, errors) {
  failed += errors.length
  for (const module of modules) {
    failed += module.errors().length
    for (const suite of module.children.allSuites()) failed += suite.errors().length
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed') passed += 1
      if (state === 'failed' || state === 'pending') failed += 1
      if (state === 'skipped') skipped += 1
    }
  }
}
