/**
 * Everything that a fresh clone needs before it can hold a call or be tested: `npm start` and `npm test` both begin here.
 * By hand: `node scripts/setup.mjs --for=call` (or `test`).
 *
 *   1. Node: is it new enough?
 *   2. npm packages: `npm ci`, when what is installed is not what package-lock.json says.
 *   3. Debian packages, with which the local server recognises words (it works without them, and says what it lacks), and
 *      the browsers of the tests.
 *   4. dist: built, when the sources are newer.
 *
 * A second run finds nothing to do and takes a fraction of a second.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { during, indent, npm, run } from './progress.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** What `apt-get` can add, for whom, and what is missing without it. */
const debian = [
  {
    packages: ['pocketsphinx', 'pocketsphinx-en-us'],
    for: ['call', 'test'],
    commands: ['pocketsphinx_continuous'],
    beside: '../share/pocketsphinx/model/en-us/en-us',
    without: 'The local server hears when the caller speaks and stops, but does not recognise the words.',
    otherwise: 'install CMU PocketSphinx with its en-us model, so that the command is on the PATH',
  },
  {
    packages: ['chromium'],
    for: ['test'],
    commands: ['chromium', 'chromium-browser', 'google-chrome'],
    path: 'CHROMIUM_PATH',
    without: 'The tests in Chromium are left out.',
    otherwise: 'install Chromium or Chrome, and say where it is in CHROMIUM_PATH',
  },
  {
    packages: ['firefox-esr'],
    for: ['test'],
    commands: ['firefox-esr', 'firefox'],
    path: 'FIREFOX_PATH',
    without: 'The tests in Firefox are left out.',
    otherwise: 'install Firefox, and say where it is in FIREFOX_PATH',
  },
]

/** Throws an error with a sentence for the user when there is no going on. */
export async function setup(purpose) {
  checkNode()
  await installPackages(purpose)
  await installDebianPackages(debian.filter((one) => one.for.includes(purpose)))
  await build()
}

/** What the tests need and is not installed here, by the first of its packages: none of its tests can be run. */
export function missing() {
  return debian.filter((one) => !isThere(one)).map(({ packages }) => packages[0])
}

function checkNode() {
  const wanted = JSON.parse(read('package.json'))
    .engines.node.match(/\d+\.\d+/)[0]
    .split('.')
    .map(Number)
  const found = process.versions.node.split('.').map(Number)
  const enough = found[0] > wanted[0] || (found[0] === wanted[0] && found[1] >= wanted[1])
  if (enough) return
  throw new Error(
    `Parley needs Node ${wanted.join('.')} or newer; this is Node ${process.versions.node}. See https://nodejs.org`,
  )
}

/** A call needs nothing of the workspaces, which hold what is heavy and only tested with. */
async function installPackages(purpose) {
  if (installedAsLocked(purpose)) return
  const args = ['ci', '--include=dev', ...(purpose === 'call' ? ['--workspaces=false'] : [])]
  const { code, output } = await during('npm packages: npm ci', () => npm(args, { cwd: root }))
  if (code) throw new Error(`npm ci failed, so nothing can be built.\n${indent(output)}`)
}

/** npm notes in node_modules what it installed. Packages for other systems are optional, and may be absent. */
function installedAsLocked(purpose) {
  const note = 'node_modules/.package-lock.json'
  if (!existsSync(join(root, note))) return false
  const installed = JSON.parse(read(note)).packages
  const locked = JSON.parse(read('package-lock.json')).packages
  const { dependencies, devDependencies } = locked['']
  const ours = Object.keys({ ...dependencies, ...devDependencies }).map((name) => `node_modules/${name}`)
  const wanted = purpose === 'call' ? ours : Object.keys(locked).filter((path) => path.startsWith('node_modules/'))
  return wanted.every((path) => locked[path].optional || installed[path]?.version === locked[path].version)
}

async function installDebianPackages(wanted) {
  const missing = wanted.filter((one) => !isThere(one))
  if (missing.length === 0) return
  const packages = missing.flatMap((one) => one.packages)
  const failure = await aptGet(packages)
  if (!failure) return
  console.log(`  ! ${packages.join(', ')} not installed: ${failure}`)
  for (const { without, otherwise } of missing) {
    console.log(`    ${without}`)
    if (!isCommand('apt-get')) console.log(`    To have it, ${otherwise}.`)
  }
  if (!isCommand('apt-get')) return
  console.log(
    `    To have it, run: sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`,
  )
}

/** Installs, or returns the reason why not. What failed once is tried again after a day, not at every start. */
async function aptGet(packages) {
  if (process.env.PARLEY_APT === 'no') return 'PARLEY_APT=no forbids it.'
  if (!isCommand('apt-get')) return 'this system has no apt-get.'
  const rights = await rightsToInstall()
  if (!rights) return 'that takes root, or sudo without a password.'
  const failed = join(root, '.setup', 'apt-get-failed')
  if (ageMs(failed) < 86_400_000) return `apt-get failed earlier today (remove .setup to try again).`

  const [command, ...args] = [...rights, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq']
  const patience = ['Acquire::Retries=1', 'Acquire::http::Timeout=15', 'DPkg::Lock::Timeout=60'].flatMap((o) => [
    '-o',
    o,
  ])
  const { code, output } = await during(`Debian packages: apt-get install ${packages.join(' ')}`, async () => {
    await run(command, [...args, ...patience, 'update'])
    return run(command, [...args, ...patience, 'install', '-y', '--no-install-recommends', ...packages])
  })
  if (code === 0) return
  mkdirSync(dirname(failed), { recursive: true })
  writeFileSync(failed, output)
  return `apt-get failed: ${output.match(/^E: .*/m)?.[0].slice(3) ?? `it ended with code ${code}.`}`
}

/** The words to put before a command so that it runs as root, or undefined. */
async function rightsToInstall() {
  if (process.getuid?.() === 0) return []
  if (isCommand('sudo') && (await run('sudo', ['-n', 'true'])).code === 0) return ['sudo', '-n']
}

async function build() {
  const isBuilt = modified('dist/playground/index.html') > 0
  const changed = newest('src', 'playground', 'package.json', 'tsconfig.json', 'tsconfig.build.json')
  if (isBuilt && changed < modified('dist/cli/main.js')) return
  const { code, output } = await during('dist: npm run build', () =>
    run(process.execPath, [join(root, 'scripts/build.mjs')]),
  )
  if (code) throw new Error(`The build failed.\n${indent(output)}`)
}

/** The time of the newest change below some paths. A folder's own time tells of files that were removed. */
function newest(...paths) {
  const below = (path) =>
    readdirSync(join(root, path), { withFileTypes: true }).map((entry) =>
      entry.isDirectory() ? newest(`${path}/${entry.name}`) : modified(`${path}/${entry.name}`),
    )
  return Math.max(
    ...paths.flatMap((path) => [modified(path), ...(statSync(join(root, path)).isDirectory() ? below(path) : [])]),
  )
}

function modified(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function ageMs(path) {
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)
}

function isCommand(name) {
  return folderOf(name) !== undefined
}

/** One of its commands (or the file that the environment names), and what must stand beside the command's folder. */
function isThere({ commands, path, beside = '.' }) {
  if (path && process.env[path]) return existsSync(process.env[path])
  const folders = commands.map(folderOf).filter((folder) => folder !== undefined)
  return folders.some((folder) => existsSync(join(realpathSync(folder), beside)))
}

function folderOf(name) {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.find((folder) => existsSync(join(folder, name)) || existsSync(join(folder, `${name}.exe`)))
}

function read(path) {
  return readFileSync(join(root, path), 'utf8')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const purpose = process.argv.find((arg) => arg.startsWith('--for='))?.slice('--for='.length) ?? 'call'
  if (purpose !== 'call' && purpose !== 'test') {
    console.error(`setup: --for is 'call' or 'test', not '${purpose}'.`)
    process.exit(2)
  }
  const began = performance.now()
  try {
    await setup(purpose)
    console.log(`  ✓ ready (${((performance.now() - began) / 1000).toFixed(1)} s)`)
  } catch (error) {
    console.error(`  ✗ ${error.message}`)
    process.exitCode = 1
  }
}
