/** Builds dist from src: what tsc emits, and beside it the files that are JavaScript already (workers). */
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const main = join(dist, 'cli/main.js')

rmSync(dist, { recursive: true, force: true })
const tsc = join(root, 'node_modules/typescript/bin/tsc')
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
if (status !== 0) {
  rmSync(dist, { recursive: true, force: true })
  process.exit(1)
}

for (const file of readdirSync(join(root, 'src'), { recursive: true })) {
  if (!file.endsWith('.mjs')) continue
  mkdirSync(dirname(join(dist, file)), { recursive: true })
  copyFileSync(join(root, 'src', file), join(dist, file))
}
if (existsSync(main)) chmodSync(main, 0o755)
